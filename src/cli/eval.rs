//! `palabre eval`: measures a model on labelled files.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, ensure};
use clap::{Args, ValueEnum};

use super::{
    study_page,
    train::{read_all, write},
};
use crate::{
    classifier::{
        Model,
        training::{self, Split},
    },
    config::Config,
    domain::ModelVersion,
    moderation::stored_model,
};

/// Measure a model on labelled comments
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  palabre eval --data labels.jsonl --split test --report report\n  palabre eval --data labels.jsonl --model 2026.11-4.site-1"
)]
pub struct EvalArgs {
    /// Labelled comments, JSON lines, gzipped or not; may be given several times
    #[arg(long = "data", value_name = "FILE", required = true)]
    data: Vec<PathBuf>,

    /// Only rows of this split; without it, all rows
    #[arg(long, value_enum)]
    split: Option<SplitArg>,

    /// A version of the registry, or the file of a model; without it, the one that comes with the program
    #[arg(long, value_name = "VERSION|FILE")]
    model: Option<String>,

    /// Directory for the figures with plots and the worst errors, as report.html, one page; report.json; and
    /// report.md, the tables of a model card
    #[arg(long, value_name = "DIR")]
    report: Option<PathBuf>,

    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
}

/// A part of a labelled file.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum SplitArg {
    Train,
    Valid,
    Test,
}

impl From<SplitArg> for Split {
    fn from(split: SplitArg) -> Self {
        match split {
            SplitArg::Train => Self::Train,
            SplitArg::Valid => Self::Valid,
            SplitArg::Test => Self::Test,
        }
    }
}

/// Measures and prints.
///
/// # Errors
/// If there is no such model, a file cannot be read or holds no labelled comments, or no row is left.
#[expect(
    clippy::needless_pass_by_value,
    reason = "every command takes its arguments whole"
)]
pub fn run(config: &Config, args: EvalArgs) -> anyhow::Result<()> {
    let model = match &args.model {
        Some(name) => find_model(config, name)?,
        None => Model::from_bytes(Model::SHIPPED)?,
    };
    let mut examples = read_all(&args.data)?;
    if let Some(split) = args.split.map(Split::from) {
        examples.retain(|example| example.split == split);
    }
    ensure!(!examples.is_empty(), "no row is left to measure on");
    let evaluation = if let Some(directory) = &args.report {
        let study = training::study(&model, &examples);
        write(
            &directory.join("report.json"),
            &serde_json::to_vec_pretty(&study)?,
        )?;
        let page = study_page::render(&study)?;
        write(&directory.join("report.html"), page.as_bytes())?;
        let card = training::Card(&study).to_string();
        write(&directory.join("report.md"), card.as_bytes())?;
        study.figures
    } else {
        training::evaluate(&model, &examples)
    };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&evaluation)?);
    } else {
        print!("{evaluation}");
    }
    Ok(())
}

/// The model of that version in the registry, if there is one, else the one in the file of that name.
fn find_model(config: &Config, name: &str) -> anyhow::Result<Model> {
    let path = Path::new(name);
    let registry = match ModelVersion::parse(name) {
        Ok(version) if super::has_database(config) => Some(of_registry(config, &version)),
        _ => None,
    };
    match registry {
        Some(Ok(Some(model))) => return Ok(model),
        // What is meant may still be a file; nothing else is lost then.
        Some(Err(error)) if !path.exists() => return Err(error),
        Some(Ok(None)) if !path.exists() => {
            return Err(anyhow!(
                "there is no model {name} in the registry (palabre models list), and no file of that name"
            ));
        }
        _ => {}
    }
    let bytes = std::fs::read(path).with_context(|| format!("{name} cannot be read"))?;
    Model::from_bytes(&bytes).with_context(|| format!("{name} cannot be used"))
}

fn of_registry(config: &Config, version: &ModelVersion) -> anyhow::Result<Option<Model>> {
    super::wait_for(async {
        let store = super::open_store(config).await?;
        let model = stored_model(&store, version).await;
        store.close().await;
        model.with_context(|| {
            format!("model {version} cannot be read; is the database migrated (palabre migrate)?")
        })
    })
}
