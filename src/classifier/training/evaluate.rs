//! How good a model is, per label, and within it per language and source.

use super::dataset::Example;
use crate::classifier::model::{Assessment, Comment, Model};
use crate::domain::{Label, PerLabel};
use rayon::prelude::*;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// Bins of the expected calibration error.
const BINS: usize = 10;

/// Figures of one label on one set of rows.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Metrics {
    /// Rows where the label is present.
    pub positives: usize,
    /// Rows where it is absent.
    pub negatives: usize,
    /// Chance that a positive scores above a negative (ties count half); absent with one class only.
    pub auc: Option<f64>,
    /// Average precision: area under precision over recall.
    pub average_precision: Option<f64>,
    /// Of the rows at or above the threshold, the share that is positive.
    pub precision: Option<f64>,
    /// Of the positives, the share at or above the threshold.
    pub recall: Option<f64>,
    /// Of the negatives, the share at or above the threshold.
    pub false_held: Option<f64>,
    /// Expected calibration error, with ten bins; means little on rows collected for their abuse.
    pub calibration_error: f64,
}

/// With fewer rows of either class, figures say nothing.
pub(crate) const LEAST_ROWS: usize = 10;

impl Metrics {
    /// Whether there are rows enough of each class to say anything.
    #[must_use]
    pub fn has_enough(&self) -> bool {
        self.positives.min(self.negatives) >= LEAST_ROWS
    }

    /// AUC, average precision, precision, recall and false held, for people.
    #[must_use]
    pub fn shown(&self) -> [String; 5] {
        [
            self.auc,
            self.average_precision,
            self.precision,
            self.recall,
            self.false_held,
        ]
        .map(|value| value.map_or_else(|| "-".into(), |value| format!("{value:.3}")))
    }
}

/// A model's figures: label → set of rows → metrics. Sets are `all`, `lang:…`, `source:…`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Evaluation {
    /// Name of the model.
    pub model: String,
    /// Rows looked at.
    pub rows: usize,
    /// Of the rows that are not toxic, nor anything else, the share held for any label; per set of rows.
    pub calm_held: BTreeMap<String, f64>,
    /// The figures.
    pub labels: BTreeMap<&'static str, BTreeMap<String, Metrics>>,
}

/// Scores `examples` and measures; rows are scored in parallel.
#[must_use]
pub fn evaluate(model: &Model, examples: &[Example]) -> Evaluation {
    measure_model(model, examples, &score_all(model, examples))
}

/// The model's scores of each example; rows are scored in parallel.
pub(crate) fn score_all(model: &Model, examples: &[Example]) -> Vec<PerLabel<f32>> {
    examples
        .par_iter()
        .map(|example| {
            let parent: Vec<&str> = example.parent.as_deref().into_iter().collect();
            score_one(model, &example.text, &parent)
        })
        .collect()
}

/// The model's scores of a text that answers `ancestors`.
pub(crate) fn score_one(model: &Model, text: &str, ancestors: &[&str]) -> PerLabel<f32> {
    let comment = comment(text, ancestors);
    model.score(&comment).map(|score| score.value())
}

/// Everything the model has to say of an example.
pub(crate) fn assess(model: &Model, example: &Example) -> Assessment {
    let parent: Vec<&str> = example.parent.as_deref().into_iter().collect();
    model.assess(&comment(&example.text, &parent))
}

const fn comment<'a>(text: &'a str, ancestors: &'a [&'a str]) -> Comment<'a> {
    Comment {
        text,
        ancestors,
        lang: None,
    }
}

/// Measures scores that the model gave.
pub(crate) fn measure_model(
    model: &Model,
    examples: &[Example],
    scores: &[PerLabel<f32>],
) -> Evaluation {
    let mut evaluation = measure(examples, scores, &model.thresholds().map(|t| t.value()));
    model.version().clone_into(&mut evaluation.model);
    evaluation
}

/// Measures scores that are already there.
pub(crate) fn measure(
    examples: &[Example],
    scores: &[PerLabel<f32>],
    thresholds: &PerLabel<f32>,
) -> Evaluation {
    let mut labels = BTreeMap::new();
    for label in Label::ALL {
        let mut sets: BTreeMap<String, Vec<(f32, bool)>> = BTreeMap::new();
        for (example, scores) in examples.iter().zip(scores) {
            if let Some(present) = *example.labels.get(label) {
                let point = (*scores.get(label), present);
                for set in sets_of(example) {
                    sets.entry(set).or_default().push(point);
                }
            }
        }
        let metrics = sets
            .into_iter()
            .map(|(name, points)| (name, metrics(points, *thresholds.get(label))));
        labels.insert(label.as_str(), metrics.collect());
    }
    let mut calm: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for (example, scores) in examples
        .iter()
        .zip(scores)
        .filter(|(example, _)| is_calm(example))
    {
        let held = Label::ALL
            .iter()
            .any(|label| scores.get(*label) >= thresholds.get(*label));
        for set in sets_of(example) {
            let count = calm.entry(set).or_default();
            count.0 += usize::from(held);
            count.1 += 1;
        }
    }
    let calm_held = calm
        .into_iter()
        .map(|(set, (held, all))| (set, held as f64 / all as f64));
    Evaluation {
        model: String::new(),
        rows: examples.len(),
        calm_held: calm_held.collect(),
        labels,
    }
}

/// The sets of rows that an example is measured in.
pub(crate) fn sets_of(example: &Example) -> [String; 3] {
    [
        "all".into(),
        format!("lang:{}", example.lang),
        format!("source:{}", example.source),
    ]
}

/// Known not to be toxic, and nothing else said against it.
pub(crate) fn is_calm(example: &Example) -> bool {
    example.labels.toxicity == Some(false)
        && example.labels.iter().all(|(_, label)| *label != Some(true))
}

fn metrics(mut points: Vec<(f32, bool)>, threshold: f32) -> Metrics {
    points.sort_by(|a, b| b.0.total_cmp(&a.0));
    let positives = points.iter().filter(|(_, present)| *present).count();
    let negatives = points.len() - positives;
    let held = |wanted: bool| {
        points
            .iter()
            .filter(|(score, present)| *score >= threshold && *present == wanted)
            .count()
    };
    let (hits, misses) = (held(true), held(false));
    Metrics {
        positives,
        negatives,
        auc: auc(&points),
        average_precision: average_precision(&points),
        precision: ratio(hits, hits + misses),
        recall: ratio(hits, positives),
        false_held: ratio(misses, negatives),
        calibration_error: calibration_error(&points),
    }
}

fn ratio(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Area under the ROC curve; `points` by falling score.
pub(crate) fn auc(points: &[(f32, bool)]) -> Option<f64> {
    let (mut above, mut wins, mut negatives) = (0.0, 0.0, 0.0);
    for tie in points.chunk_by(|a, b| a.0 <= b.0) {
        let positive = tie.iter().filter(|(_, present)| *present).count() as f64;
        let negative = tie.len() as f64 - positive;
        wins += negative * (above + positive / 2.0);
        above += positive;
        negatives += negative;
    }
    (above > 0.0 && negatives > 0.0).then(|| wins / (above * negatives))
}

fn average_precision(points: &[(f32, bool)]) -> Option<f64> {
    let (mut found, mut seen, mut sum) = (0.0, 0.0, 0.0);
    for tie in points.chunk_by(|a, b| a.0 <= b.0) {
        let positive = tie.iter().filter(|(_, present)| *present).count() as f64;
        found += positive;
        seen += tie.len() as f64;
        sum += positive * found / seen;
    }
    (found > 0.0).then(|| sum / found)
}

/// What is at or above a score.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    pub score: f32,
    /// Positives.
    pub hits: f64,
    /// Negatives.
    pub misses: f64,
}

/// What is at or above each score that there is; `points` by falling score.
pub(super) fn sweep(points: &[(f32, bool)]) -> impl Iterator<Item = Step> {
    let ties = points.chunk_by(|a, b| a.0 <= b.0);
    ties.scan((0.0, 0.0), |(hits, misses), tie| {
        let found = tie.iter().filter(|(_, present)| *present).count() as f64;
        *hits += found;
        *misses += tie.len() as f64 - found;
        Some(Step {
            score: tie[0].0,
            hits: *hits,
            misses: *misses,
        })
    })
}

/// Of the rows whose scores lie in one tenth.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Bin {
    pub rows: f64,
    /// The sum of their scores: the positives there should be.
    pub expected: f64,
    pub positives: f64,
}

pub(super) fn bins(points: &[(f32, bool)]) -> [Bin; BINS] {
    let mut bins = [Bin::default(); BINS];
    for (score, present) in points {
        let bin = &mut bins[((score * BINS as f32) as usize).min(BINS - 1)];
        bin.rows += 1.0;
        bin.expected += f64::from(*score);
        bin.positives += f64::from(u8::from(*present));
    }
    bins
}

pub(super) fn calibration_error(points: &[(f32, bool)]) -> f64 {
    let bins = bins(points);
    let off: f64 = bins
        .iter()
        .map(|bin| (bin.expected - bin.positives).abs())
        .sum();
    off / points.len().max(1) as f64
}

impl fmt::Display for Evaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "model {}, {} rows", self.model, self.rows)?;
        for (set, held) in &self.calm_held {
            writeln!(f, "calm comments held, {set}: {:.2} %", held * 100.0)?;
        }
        writeln!(
            f,
            "{:<16} {:<32} {:>6} {:>7} {:>6} {:>6} {:>6} {:>6} {:>7} {:>6}",
            "label", "rows", "pos", "neg", "auc", "ap", "prec", "recall", "f.held", "ece"
        )?;
        for (label, sets) in &self.labels {
            for (set, m) in sets {
                let [auc, ap, precision, recall, false_held] = m.shown();
                writeln!(
                    f,
                    "{label:<16} {set:<32} {:>6} {:>7} {:>6} {:>6} {:>6} {:>6} {:>7} {:>6.3}",
                    m.positives,
                    m.negatives,
                    auc,
                    ap,
                    precision,
                    recall,
                    false_held,
                    m.calibration_error
                )?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auc_counts_pairs() {
        let sorted = [(0.9, true), (0.8, false), (0.7, true), (0.1, false)];
        assert_eq!(auc(&sorted), Some(0.75));
        assert_eq!(auc(&[(0.5, true), (0.5, false)]), Some(0.5));
        assert_eq!(auc(&[(0.5, true)]), None);
    }

    #[test]
    fn precision_and_recall_are_taken_at_the_threshold() {
        let points = vec![
            (0.9, true),
            (0.6, false),
            (0.5, true),
            (0.4, true),
            (0.1, false),
        ];
        let m = metrics(points, 0.5);
        assert_eq!(m.precision, Some(2.0 / 3.0));
        assert_eq!(m.recall, Some(2.0 / 3.0));
        assert_eq!(m.false_held, Some(0.5));
        assert!((m.average_precision.unwrap() - (1.0 + 2.0 / 3.0 + 0.75) / 3.0).abs() < 1e-9);
    }

    #[test]
    fn perfect_probabilities_have_no_calibration_error() {
        let points: Vec<_> = (0..10).map(|i| (0.3, i < 3)).collect();
        assert!(calibration_error(&points) < 1e-6);
        assert!(calibration_error(&[(0.9, false)]) > 0.89);
    }
}
