//! `palabre train`: makes a model from labelled files.

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::Mutex,
};

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use crate::classifier::training::{self, Example, Options, Progress, dataset};

/// Train a model from labelled comments
#[derive(Debug, Args)]
#[command(
    disable_version_flag = true,
    after_help = "Example:\n  palabre train --base none --data labels.jsonl --data more.jsonl.gz --version 2026.11-1 --report report"
)]
pub struct TrainArgs {
    /// Labelled comments, JSON lines, gzipped or not; may be given several times
    #[arg(long = "data", value_name = "FILE")]
    data: Vec<PathBuf>,

    /// What to start from; `none` trains from scratch
    #[arg(long, value_name = "VERSION|none", default_value = "none")]
    base: String,

    /// Make no model, but one without each of these families of sources in turn (`each`: all there are; `a+b`: both at once),
    /// and say how good it is there, beside a plain sparse logistic regression. A family is what stands before the first
    /// underscore of a source
    #[arg(
        long,
        value_name = "FAMILY",
        value_delimiter = ',',
        conflicts_with = "output"
    )]
    leave_out: Vec<String>,

    /// Directory for the full report, as report.json and report.txt
    #[arg(long, value_name = "DIR")]
    report: Option<PathBuf>,

    /// Starts every random choice: the same files and seed give the same model, byte for byte
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// Name of the new model
    #[arg(long, value_name = "VERSION", default_value = "unnamed")]
    version: String,

    /// Where to write the model
    #[arg(long, value_name = "FILE", default_value = "model/palabre.model")]
    output: PathBuf,
}

/// Trains, writes the model, and prints how good it is.
///
/// # Errors
/// If a file cannot be read or written, a line is no labelled comment, or nothing can be learned.
pub fn run(args: TrainArgs) -> anyhow::Result<()> {
    if args.base != "none" {
        bail!("training on top of a model is not there yet: use --base none");
    }
    let examples = read_all(&args.data)?;
    eprintln!(
        "{} labelled comments from {} files",
        examples.len(),
        args.data.len()
    );
    let options = Options {
        seed: args.seed,
        version: args.version,
        ..Options::default()
    };
    if !args.leave_out.is_empty() {
        return leave_out(&args.leave_out, &examples, &options, args.report.as_deref());
    }
    let (model, report) = training::train(&examples, &options, &Bars::default())?;
    write(&args.output, &model)?;
    if let Some(directory) = &args.report {
        write_report(directory, &report)?;
    }
    print!("{report}");
    eprintln!("wrote {} ({} bytes)", args.output.display(), model.len());
    Ok(())
}

/// Trains without each of some families of sources, and prints how good the models are there.
fn leave_out(
    wanted: &[String],
    examples: &[Example],
    options: &Options,
    directory: Option<&Path>,
) -> anyhow::Result<()> {
    let known = training::families(examples);
    let wanted: Vec<&str> = if wanted == ["each"] {
        known.iter().copied().collect()
    } else {
        wanted.iter().map(String::as_str).collect()
    };
    println!(
        "{:<16} {:<24} {:>14} {:>7} {:>7} {:>10}",
        "label", "source left out", "+ : -", "plain", "ours", "calm held"
    );
    let mut all = Vec::new();
    for together in wanted {
        let families: Vec<String> = together.split('+').map(str::to_owned).collect();
        if let Some(unknown) = families.iter().find(|name| !known.contains(name.as_str())) {
            let known: Vec<&str> = known.into_iter().collect();
            bail!(
                "no source is of the family {unknown:?}; there are {}",
                known.join(", ")
            );
        }
        for row in training::leave_out(&families, examples, options, &Bars::default())? {
            let rows = format!("{} : {}", row.positives, row.negatives);
            let calm = row
                .calm_held
                .map_or_else(|| "-".into(), |held| format!("{:.1} %", held * 100.0));
            println!(
                "{:<16} {:<24} {rows:>14} {:>7.3} {:>7.3} {calm:>10}",
                row.label.as_str(),
                row.source,
                row.plain,
                row.ours
            );
            all.push(row);
        }
    }
    if let Some(directory) = directory {
        write(
            &directory.join("left-out.json"),
            &serde_json::to_vec_pretty(&all)?,
        )?;
    }
    Ok(())
}

/// Reads labelled files, one after the other.
pub(super) fn read_all(files: &[PathBuf]) -> anyhow::Result<Vec<Example>> {
    ensure!(
        !files.is_empty(),
        "no labelled comments: name at least one file with --data"
    );
    let mut examples = Vec::new();
    for path in files {
        let file =
            File::open(path).with_context(|| format!("{} cannot be opened", path.display()))?;
        examples.extend(dataset::read(file, &path.display().to_string())?);
    }
    Ok(examples)
}

/// Writes figures as `report.json` for machines and `report.txt` for people.
fn write_report(
    directory: &Path,
    report: &(impl serde::Serialize + std::fmt::Display),
) -> anyhow::Result<()> {
    write(
        &directory.join("report.json"),
        &serde_json::to_vec_pretty(report)?,
    )?;
    write(&directory.join("report.txt"), report.to_string().as_bytes())
}

/// Writes a file, in a directory that is made when missing.
pub(super) fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory)
            .with_context(|| format!("{} cannot be made", directory.display()))?;
    }
    std::fs::write(path, bytes).with_context(|| format!("{} cannot be written", path.display()))
}

/// A progress bar per stage of training; draws nothing unless stderr is a terminal.
#[derive(Default)]
struct Bars {
    current: Mutex<Option<ProgressBar>>,
}

impl Progress for Bars {
    fn stage(&self, name: &str, steps: u64) {
        let bar = ProgressBar::new(steps).with_message(name.to_owned());
        if let Ok(style) =
            ProgressStyle::with_template("{msg:14} {wide_bar} {percent:>3}% {elapsed}")
        {
            bar.set_style(style);
        }
        if let Ok(mut current) = self.current.lock()
            && let Some(done) = current.replace(bar)
        {
            done.finish();
        }
    }

    fn advance(&self, steps: u64) {
        if let Ok(current) = self.current.lock()
            && let Some(bar) = current.as_ref()
        {
            bar.inc(steps);
        }
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        if let Ok(Some(bar)) = self.current.get_mut().map(Option::take) {
            bar.finish();
        }
    }
}
