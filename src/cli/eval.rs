//! `palabre eval`: measures a model on labelled files.

use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use clap::{Args, ValueEnum};

use super::{
    study_page,
    train::{read_all, write},
};
use crate::classifier::{
    Model,
    training::{self, Split},
};

/// Measure a model on labelled comments
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  palabre eval --data labels.jsonl --split test --report report")]
pub struct EvalArgs {
    /// Labelled comments, JSON lines, gzipped or not; may be given several times
    #[arg(long = "data", value_name = "FILE", required = true)]
    data: Vec<PathBuf>,

    /// Only rows of this split; without it, all rows
    #[arg(long, value_enum)]
    split: Option<SplitArg>,

    /// Model file; without it, the one that comes with the program
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,

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
/// If a file cannot be read, is no model or no labelled comments, or no row is left.
#[expect(
    clippy::needless_pass_by_value,
    reason = "every command takes its arguments whole"
)]
pub fn run(args: EvalArgs) -> anyhow::Result<()> {
    let model = match &args.model {
        Some(path) => {
            let bytes = std::fs::read(path)
                .with_context(|| format!("{} cannot be read", path.display()))?;
            Model::from_bytes(&bytes)
                .with_context(|| format!("{} cannot be used", path.display()))?
        }
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
