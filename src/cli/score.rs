//! `palabre score`

use std::io::{BufRead as _, Write as _};

use anyhow::Context as _;
use clap::Args;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    classifier::Model,
    config::Config,
    domain::Policy,
    moderation::{LiveModel, ScoreRequest, ScoredText, score_text},
};

/// Lines scored at a time: enough for every core, little to hold.
const BATCH: usize = 4_096;

/// Score texts: one given here, or JSON lines from stdin, under the default policy.
#[derive(Debug, Args)]
#[command(
    after_help = "Reads {\"id\", \"text\", \"parent_text\"?, \"lang\"?} a line and writes {\"id\", \"scores\", \"status\", \"reasons\",
\"highlights\"?, \"model\"} a line, in the same order. Uses the live model of the database, else the one compiled in.

Examples:\n  palabre score \"Merci pour cet article\"\n  palabre score --explain < comments.jsonl"
)]
pub struct ScoreArgs {
    /// The one text to score; without it, JSON lines are read from stdin
    text: Option<String>,
    /// Say which spans of the text raised the scores
    #[arg(long)]
    explain: bool,
}

#[derive(Deserialize)]
struct Line {
    id: serde_json::Value,
    text: String,
    #[serde(default)]
    parent_text: Option<String>,
    #[serde(default)]
    lang: Option<String>,
}

#[derive(Serialize)]
struct Answer {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<serde_json::Value>,
    #[serde(flatten)]
    scored: ScoredText,
}

pub fn run(config: &Config, args: &ScoreArgs) -> anyhow::Result<()> {
    let model = live_model(config)?;
    let policy = Policy::default();
    let answer = |line: Line| Answer {
        scored: score_text(
            &model,
            &policy,
            ScoreRequest {
                text: &line.text,
                parent_text: line.parent_text.as_deref(),
                lang: line.lang.as_deref(),
                explain: args.explain,
            },
        ),
        id: (!line.id.is_null()).then_some(line.id),
    };
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    if let Some(text) = &args.text {
        let line = Line {
            id: serde_json::Value::Null,
            text: text.clone(),
            parent_text: None,
            lang: None,
        };
        serde_json::to_writer_pretty(&mut out, &answer(line))?;
        writeln!(out)?;
        return Ok(out.flush()?);
    }
    let mut lines = std::io::stdin().lock().lines().zip(1_usize..);
    loop {
        let batch: Vec<(String, usize)> = lines
            .by_ref()
            .take(BATCH)
            .map(|(line, number)| Ok((line.with_context(|| format!("line {number}"))?, number)))
            .collect::<anyhow::Result<_>>()?;
        if batch.is_empty() {
            return Ok(out.flush()?);
        }
        let answers: Vec<String> = batch
            .into_par_iter()
            .filter(|(line, _)| !line.trim().is_empty())
            .map(|(line, number)| {
                let line: Line = serde_json::from_str(&line)
                    .with_context(|| format!("line {number} is not {{\"id\", \"text\", ...}}"))?;
                Ok(serde_json::to_string(&answer(line))?)
            })
            .collect::<anyhow::Result<_>>()?;
        for answer in answers {
            writeln!(out, "{answer}")?;
        }
    }
}

/// The live model of the database where there is one, else the shipped one. Nothing is made or migrated for it.
fn live_model(config: &Config) -> anyhow::Result<Model> {
    if !super::has_database(config) {
        return Ok(Model::from_bytes(Model::SHIPPED)?);
    }
    super::wait_for(async {
        let store = super::open_store(config).await?;
        let model = LiveModel::of(&store).await;
        store.close().await;
        model.context("the live model cannot be read; is the database migrated (palabre migrate)?")
    })
}
