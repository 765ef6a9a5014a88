//! `palabre train`: adapts the live model to a site, or makes one from labelled files.

use std::{
    collections::BTreeSet,
    fs::File,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use anyhow::{Context as _, anyhow, bail, ensure};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::Refused;
use crate::{
    classifier::training::{self, Example, Options, Progress, TrainError, dataset},
    config::Config,
    domain::{ModelVersion, SiteSlug},
    moderation::{Administration, Error, LabelledTexts, Trained, TrainingRequest, labelled_id},
};

/// Adapt the live model to the moderators' decisions, or train one from scratch
#[derive(Debug, Args)]
#[command(
    disable_version_flag = true,
    after_help = "Adapting leaves the base as it is, adds a part of the site's own, and holds the outcome against the live model. Exit code 3: it is worse, and was not kept.

Examples:
  palabre train --decisions --activate
  palabre train --decisions --report report
  palabre train --data labels.jsonl.gz
  palabre train --base none --data labels.jsonl --data more.jsonl.gz --version 2026.11-1 --report report"
)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of its own, in any combination"
)]
pub struct TrainArgs {
    /// Labelled comments, JSON lines, gzipped or not; may be given several times
    #[arg(long = "data", value_name = "FILE")]
    data: Vec<PathBuf>,

    /// Learn from the decisions that stand in the database
    #[arg(long)]
    decisions: bool,

    /// Only from those of this site
    #[arg(long, value_name = "SLUG", requires = "decisions")]
    site: Option<SiteSlug>,

    /// What to start from: the live model if absent; `none` trains from scratch, on labelled files alone
    #[arg(long, value_name = "VERSION|none")]
    base: Option<String>,

    /// Make the new model live, if it is no worse
    #[arg(long)]
    activate: bool,

    /// Keep it, and with --activate make it live, though it is worse
    #[arg(long)]
    force: bool,

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

    /// Directory for the full report: index.html, a page that needs nothing else; report.json and report.txt. Also when the
    /// new model is refused. Texts of comments are in the page alone; without the page where training is from scratch
    #[arg(long, value_name = "DIR")]
    report: Option<PathBuf>,

    /// Starts every random choice: the same files and seed give the same model, byte for byte
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// Name of the new model; the next free one if absent
    #[arg(long)]
    version: Option<ModelVersion>,

    /// Where to write a model that is trained from scratch
    #[arg(long, value_name = "FILE", default_value = "model/palabre.model")]
    output: PathBuf,

    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

/// Trains, keeps or writes the model, and prints how good it is.
///
/// # Errors
/// If a file cannot be read or written, a line is no labelled comment, nothing can be learned, or the model is worse.
pub fn run(config: &Config, args: TrainArgs) -> anyhow::Result<()> {
    if args.base.as_deref() == Some("none") || !args.leave_out.is_empty() {
        return from_scratch(args);
    }
    ensure!(
        args.decisions || !args.data.is_empty(),
        "nothing to learn from: --decisions, or labelled comments with --data"
    );
    let request = TrainingRequest {
        decisions: args.decisions,
        site: args.site,
        examples: read_files(&args.data)?,
        base: args
            .base
            .map(|base| ModelVersion::parse(&base))
            .transpose()
            .map_err(|refusal| anyhow!("--base: {}", refusal.0))?,
        version: args.version,
        seed: args.seed,
        activate: args.activate,
        force: args.force,
        by: super::operator(),
    };
    if let Some(directory) = &args.report {
        // Before hours of work, not after.
        make(directory)?;
    }
    let (trained, page) = super::wait_for(async {
        let administration = super::open_administration(config).await?;
        administration.register_shipped_model().await?;
        let trained = administration
            .train(request, Arc::new(Bars::default()))
            .await;
        let page = match args.report {
            Some(_) => page_of(&administration, &trained, &args.data).await,
            None => Ok(None),
        };
        administration.close().await;
        Ok((trained, page))
    })?;
    let write_page = |directory: &PathBuf| match page? {
        Some(page) => write(&directory.join("index.html"), page.as_bytes()),
        None => Ok(()),
    };
    let trained = match trained {
        Err(Error::Training(error @ TrainError::SecondStage { .. })) => {
            args.report.as_ref().map_or(Ok(()), write_page)?;
            return Err(Refused(error.to_string()).into());
        }
        outcome => outcome?,
    };
    let report = &trained.adapted.report;
    if args.json {
        println!("{}", serde_json::to_string(report)?);
    } else {
        print!("{report}");
    }
    let conclusion = conclude(&trained);
    // Whatever becomes of the files, what became of the model was said.
    if let Some(directory) = &args.report {
        let written = write_page(directory).and_then(|()| write_report(directory, report));
        if let Err(error) = written {
            eprintln!("the report could not be written");
            return conclusion.and(Err(error));
        }
    }
    conclusion
}

/// The report as a page; none where the training failed for another reason than its outcome.
async fn page_of(
    administration: &Administration,
    trained: &Result<Trained, Error>,
    data: &[PathBuf],
) -> anyhow::Result<Option<String>> {
    let (figures, model, texts) = match trained {
        Ok(trained) => {
            let report = &trained.adapted.report;
            let model = if trained.stored {
                let version = ModelVersion::parse(&report.version);
                let version = version.map_err(|refusal| anyhow!(refusal.0))?;
                Some(administration.model(&version).await?.model)
            } else {
                None
            };
            let movers = report.closer.iter().flat_map(|closer| &closer.movers);
            let ids: BTreeSet<&str> = movers.map(|mover| mover.comment.as_str()).collect();
            (
                serde_json::to_value(report)?,
                model,
                labelled_texts(data, &ids)?,
            )
        }
        Err(Error::Training(error @ TrainError::SecondStage { .. })) => {
            let check =
                json!({"name": "the fit converged", "passed": false, "detail": error.to_string()});
            let figures =
                json!({"version": "New model", "live": "the live model", "checks": [check]});
            (figures, None, LabelledTexts::new())
        }
        Err(_) => return Ok(None),
    };
    let page = administration
        .report_page(&figures, model.as_ref(), texts)
        .await?;
    Ok(Some(page))
}

/// Where the labelled comments of these names are, and what they say: the files are read once more.
fn labelled_texts(data: &[PathBuf], ids: &BTreeSet<&str>) -> anyhow::Result<LabelledTexts> {
    let mut texts = LabelledTexts::new();
    let mut before = 0;
    for path in data {
        let examples = read_files(std::slice::from_ref(path))?;
        let rows = examples.len();
        for (at, example) in examples.into_iter().enumerate() {
            let id = labelled_id(before + at);
            if ids.contains(id.as_str()) {
                let place = format!("{}, row {}", path.display(), at + 1);
                texts.insert(id, (place, example.text));
            }
        }
        before += rows;
    }
    Ok(texts)
}

/// Says what became of the new model.
fn conclude(trained: &Trained) -> anyhow::Result<()> {
    let report = &trained.adapted.report;
    if trained.adapted.artefact.is_none() && report.is_accepted() {
        eprintln!(
            "no model was made: no label has thirty decisions of either class yet; {} stays",
            report.live
        );
        return Ok(());
    }
    if !trained.stored {
        let failed = report.checks.iter().filter(|check| !check.passed);
        let failed: Vec<String> = failed
            .map(|check| format!("{} ({})", check.name, check.detail))
            .collect();
        let message = format!(
            "the new model was not kept, as this does not hold: {}",
            failed.join("; ")
        );
        return Err(Refused(message).into());
    }
    if !report.is_accepted() {
        eprintln!("the new model is worse, and was kept by force");
    }
    if trained.live {
        eprintln!(
            "{} is live; back with: palabre models rollback",
            report.version
        );
    } else {
        eprintln!(
            "kept as {0}; make it live with: palabre models activate {0}",
            report.version
        );
    }
    Ok(())
}

fn from_scratch(args: TrainArgs) -> anyhow::Result<()> {
    ensure!(
        !args.decisions && !args.activate,
        "a model from scratch is made of labelled files alone, and written to a file"
    );
    let examples = read_all(&args.data)?;
    eprintln!(
        "{} labelled comments from {} files",
        examples.len(),
        args.data.len()
    );
    let version = args.version.as_ref();
    let options = Options {
        seed: args.seed,
        version: version.map_or("unnamed", ModelVersion::as_str).to_owned(),
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
    read_files(files)
}

fn read_files(files: &[PathBuf]) -> anyhow::Result<Vec<Example>> {
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

fn make(directory: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(directory)
        .with_context(|| format!("{} cannot be made", directory.display()))
}

/// Writes a file, in a directory that is made when missing.
pub(super) fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    if let Some(directory) = path.parent() {
        make(directory)?;
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
