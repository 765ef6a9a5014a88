//! What a model does on comments as they come: how many it holds, and whether its probabilities are true there.
//!
//! Most labelled data was collected for its abuse; only a few sources are a comment section's own mix.

use super::dataset::Example;
use super::evaluate::{LEAST_ROWS, calibration_error};
use super::pipeline::natural_sources;
use crate::domain::{Label, PerLabel, Thresholds};
use serde::Serialize;
use std::collections::BTreeMap;

/// Lower scores are all of nearly nothing, and would hide the others' error.
const LEAST_SCORE: f32 = 0.05;

/// Figures over the rows of sources that were not collected for their abuse.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Natural {
    /// Rows that were looked at by anybody.
    pub rows: usize,
    /// Of them, those held for any label: a moderator's cards.
    pub held: usize,
    /// Label → how true its probabilities are.
    pub calibration: BTreeMap<&'static str, Calibration>,
}

/// How true the scores above 0.05 are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Calibration {
    /// Rows that score more.
    pub rows: usize,
    /// Of them, those that have the label.
    pub positives: usize,
    /// Expected calibration error.
    pub error: f64,
}

pub(crate) fn natural(
    examples: &[Example],
    scores: &[PerLabel<f32>],
    thresholds: &Thresholds,
) -> Natural {
    let sources = natural_sources(examples);
    let rows: Vec<(&Example, &PerLabel<f32>)> = examples
        .iter()
        .zip(scores)
        .filter(|(example, _)| sources.contains(example.source.as_str()))
        .collect();
    let reaches =
        |scores: &PerLabel<f32>, label| *scores.get(label) >= thresholds.get(label).value();
    let held = |(_, scores): &&(&Example, &PerLabel<f32>)| {
        Label::ALL.into_iter().any(|label| reaches(scores, label))
    };
    let calibration = Label::ALL.into_iter().filter_map(|label| {
        let points: Vec<(f32, bool)> = rows
            .iter()
            .map(|(example, scores)| (*scores.get(label), *example.labels.get(label)))
            .filter(|(score, _)| *score > LEAST_SCORE)
            .filter_map(|(score, present)| Some((score, present?)))
            .collect();
        let positives = points.iter().filter(|(_, present)| *present).count();
        (points.len() >= LEAST_ROWS).then(|| {
            let calibration = Calibration {
                rows: points.len(),
                positives,
                error: calibration_error(&points),
            };
            (label.as_str(), calibration)
        })
    });
    Natural {
        rows: rows.len(),
        held: rows.iter().filter(held).count(),
        calibration: calibration.collect(),
    }
}
