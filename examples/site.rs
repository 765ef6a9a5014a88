//! A site made of a labelled file: what is gained after so many decisions of its moderators.
//!
//! ```text
//! cargo run --release --example site -- --decisions 300 --decisions 3000 comments.jsonl.gz
//! ```
//! Rows of the split `valid` are decided (with `--unseen`, for a base that has not learned from the file, those of `train` too),
//! and all of `test` are measured on.

use std::{fs::File, path::PathBuf};

use anyhow::Context as _;
use clap::Parser;
use palabre::{
    classifier::{
        Model,
        training::{AdaptOptions, Lesson, Split, adapt, dataset},
    },
    domain::Label,
};

#[derive(Parser)]
struct Args {
    /// How many decisions to learn from; may be given several times
    #[arg(long, default_values_t = [300, 3_000])]
    decisions: Vec<usize>,
    /// A model file to stand on; without it, the one compiled in
    #[arg(long)]
    base: Option<PathBuf>,
    /// The base has not learned from these rows
    #[arg(long)]
    unseen: bool,
    /// Labelled comments, each file a site of its own
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let base = match &args.base {
        Some(file) => std::fs::read(file)?,
        None => Model::SHIPPED.to_vec(),
    };
    let live = Model::from_bytes(&base)?;
    for file in &args.files {
        let name = file.display().to_string();
        let rows = dataset::read(File::open(file).with_context(|| name.clone())?, &name)?;
        let (measured, mut decided): (Vec<_>, Vec<_>) =
            rows.into_iter().partition(|row| row.split == Split::Test);
        decided.retain(|row| args.unseen || row.split == Split::Valid);
        // The same order on any machine, and none of the file's.
        decided.sort_by_key(|row| xxhash_rust::xxh3::xxh3_64(row.text.as_bytes()));
        for count in &args.decisions {
            let learned = decided.iter().take(*count).cloned().map(|row| Lesson {
                split: Some(Split::Train),
                ..Lesson::from(row)
            });
            let mut lessons: Vec<Lesson> = learned.collect();
            let taken = lessons.len();
            lessons.extend(measured.iter().cloned().map(Lesson::from));
            let options = AdaptOptions {
                seed: 1,
                version: "site".into(),
                received: None,
                left_aside: 0,
            };
            let report = adapt(&base, &live, &lessons, &options, &())?.report;
            let accepted = if report.is_accepted() {
                "accepted"
            } else {
                "refused"
            };
            println!("{name}, {taken} decisions: {accepted}");
            for label in Label::ALL {
                if let Some(both) = report.comparison("site", label, "all") {
                    println!(
                        "  {label:<16} {:>5} : {:<5} {:.3} to {:.3}  {:+.3} [{:+.3}, {:+.3}]",
                        both.positives,
                        both.negatives,
                        both.live,
                        both.candidate,
                        both.candidate - both.live,
                        both.gain.low,
                        both.gain.high
                    );
                }
            }
            for check in report.checks.iter().filter(|check| !check.passed) {
                println!("  refused: {}: {}", check.name, check.detail);
            }
        }
    }
    Ok(())
}
