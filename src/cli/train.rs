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
    let (model, report) = training::train(&examples, &options, &Bars::default())?;
    write(&args.output, &model)?;
    if let Some(directory) = &args.report {
        write_report(directory, &report)?;
    }
    print!("{report}");
    eprintln!("wrote {} ({} bytes)", args.output.display(), model.len());
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
