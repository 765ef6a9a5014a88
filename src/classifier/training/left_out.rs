//! How good a model is on a source that it has never seen: the best guess at how it will do on a new site.

use super::balance::{Target, Targets};
use super::dataset::{Example, Split};
use super::evaluate::auc;
use super::{Options, Progress, TrainError, pipeline};
use crate::classifier::ModelError;
use crate::classifier::dense::{self, Scout};
use crate::classifier::lexicon::Lexicon;
use crate::domain::Label;
use rayon::prelude::*;
use serde::Serialize;
use std::collections::BTreeSet;

/// What models that have not seen a source make of one label there.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LeftOut {
    /// The source.
    pub source: String,
    /// The label.
    pub label: Label,
    /// Rows where the label is present.
    pub positives: usize,
    /// Rows where it is absent.
    pub negatives: usize,
    /// AUC of a plain sparse logistic regression: the same n-grams, every row of the same weight, nothing else.
    pub plain: f64,
    /// AUC of a model made as we make them.
    pub ours: f64,
    /// Share of the source's calm comments that ours holds for any label.
    pub calm_held: Option<f64>,
}

/// The families of sources: what one collection was cut into goes by the word before the first underscore.
#[must_use]
pub fn families(examples: &[Example]) -> BTreeSet<&str> {
    examples.iter().map(|row| family(&row.source)).collect()
}

fn family(source: &str) -> &str {
    source.split('_').next().unwrap_or(source)
}

/// Trains without some families of sources and measures on all their rows.
///
/// # Errors
/// As for [`pipeline::train`].
pub fn leave_out(
    left_out: &[String],
    examples: &[Example],
    options: &Options,
    progress: &dyn Progress,
) -> Result<Vec<LeftOut>, TrainError> {
    let is_left_out = |row: &Example| left_out.iter().any(|name| name == family(&row.source));
    let rows: Vec<Example> = examples
        .iter()
        .cloned()
        .filter_map(|mut row| {
            if is_left_out(&row) {
                row.split = Split::Test;
            }
            (is_left_out(&row) || row.split != Split::Test).then_some(row)
        })
        .collect();
    let (_, report) = pipeline::train(&rows, options, progress)?;
    let plain = plain_scores(&rows, options, progress)?;
    let mut found = Vec::new();
    for label in Label::ALL {
        let Some(sets) = report.test.labels.get(label.as_str()) else {
            continue;
        };
        for (set, metrics) in sets {
            let Some(source) = set.strip_prefix("source:") else {
                continue;
            };
            let mut points: Vec<(f32, bool)> = rows
                .iter()
                .zip(&plain)
                .filter(|(row, _)| row.source == source && is_left_out(row))
                .filter_map(|(row, vector)| {
                    Some((vector[label.index()], (*row.labels.get(label))?))
                })
                .collect();
            points.sort_by(|a, b| b.0.total_cmp(&a.0));
            if !metrics.has_enough() {
                continue;
            }
            if let (Some(plain), Some(ours)) = (auc(&points), metrics.auc) {
                found.push(LeftOut {
                    source: source.to_owned(),
                    label,
                    positives: metrics.positives,
                    negatives: metrics.negatives,
                    plain,
                    ours,
                    calm_held: report.test.calm_held.get(set).copied(),
                });
            }
        }
    }
    Ok(found)
}

/// Every row scored by a sparse part that gives all training rows the same weight.
fn plain_scores(
    rows: &[Example],
    options: &Options,
    progress: &dyn Progress,
) -> Result<Vec<[f32; Label::ALL.len()]>, TrainError> {
    let even: Vec<Targets> = rows
        .iter()
        .map(|row| {
            let target = |present| Target {
                present,
                weight: 1.0,
            };
            row.labels.map(|given| given.map(target))
        })
        .collect();
    let sourceless: Vec<Example> = rows
        .iter()
        .cloned()
        .map(|mut row| {
            row.source.clear();
            row
        })
        .collect();
    let (texts, table) = pipeline::sparse_alone(&sourceless, &even, options, progress);
    let lexicon = Lexicon::new().map_err(|e| ModelError::Unfit(e.to_string()))?;
    Ok(texts
        .par_iter()
        .map(|text| {
            let vector = dense::read(&table, &lexicon, &Scout::sparse(), text).vector;
            std::array::from_fn(|label| vector[dense::WHOLE + label])
        })
        .collect())
}
