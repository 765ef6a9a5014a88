//! A closer look at a model: curves to plot, and the comments it got most wrong.

use super::dataset::Example;
use super::evaluate::{self, Evaluation, LEAST_ROWS, assess, score_one, sets_of};
use super::evasion::{self, Cost};
use super::marks::{self, Underlined};
use super::natural::{self, Natural};
use super::pipeline::natural_sources;
use super::swaps::{self, Swapped};
use crate::classifier::model::Model;
use crate::domain::{Label, Span};
use serde::Serialize;
use std::collections::BTreeMap;

/// Points that a curve keeps at most.
const POINTS: usize = 200;
/// Comments listed on each side.
const WORST: usize = 12;

/// A point of a curve.
pub type Point = (f64, f64);

/// How a label's scores behave on one set of rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Curves {
    /// Recall over the share of negatives held.
    pub roc: Vec<Point>,
    /// Precision over recall.
    pub precision_recall: Vec<Point>,
    /// The share of positives over the score, one point for each tenth of the scores that has ten rows.
    pub calibration: Vec<Point>,
    /// Recall over the calm comments held of a thousand, on sources not collected for their abuse.
    pub load: Vec<Point>,
}

/// A comment that the model got wrong.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Case {
    pub text: String,
    pub parent: Option<String>,
    pub source: String,
    pub score: f32,
    /// What raised the score.
    pub highlights: Vec<Span>,
}

/// The comments that a label got most wrong.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Worst {
    /// Held without the label, the highest score first.
    pub false_alarms: Vec<Case>,
    /// Let through with the label, the lowest score first.
    pub misses: Vec<Case>,
}

/// A model's figures, curves and errors.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Study {
    pub figures: Evaluation,
    /// Label → set of rows → curves.
    pub curves: BTreeMap<&'static str, BTreeMap<String, Curves>>,
    pub worst: BTreeMap<&'static str, Worst>,
    /// Label → what disguises cost.
    pub evasion: BTreeMap<&'static str, Cost>,
    pub natural: Natural,
    pub underlined: Underlined,
    pub swapped: Swapped,
}

/// Scores `examples`, measures, and looks closer.
#[must_use]
pub fn study(model: &Model, examples: &[Example]) -> Study {
    let scores = evaluate::score_all(model, examples);
    let natural = natural_sources(examples);
    let (mut curves, mut worst) = (BTreeMap::new(), BTreeMap::new());
    for label in Label::ALL {
        let mut sets: BTreeMap<String, Vec<(f32, bool)>> = BTreeMap::new();
        let mut calm: Vec<f32> = Vec::new();
        let mut rows: Vec<(f32, bool, &Example)> = Vec::new();
        for (example, scores) in examples.iter().zip(&scores) {
            let score = *scores.get(label);
            if evaluate::is_calm(example) && natural.contains(example.source.as_str()) {
                calm.push(score);
            }
            if let Some(present) = *example.labels.get(label) {
                rows.push((score, present, example));
                for set in sets_of(example) {
                    sets.entry(set).or_default().push((score, present));
                }
            }
        }
        let threshold = model.thresholds().get(label).value();
        calm.sort_by(|a, b| b.total_cmp(a));
        let of_label = sets.into_iter().filter_map(|(set, mut points)| {
            points.sort_by(|a, b| b.0.total_cmp(&a.0));
            Some((set, curves_of(&points, &calm)?))
        });
        curves.insert(label.as_str(), of_label.collect());

        let case = |wanted: bool| {
            let mut wrong: Vec<_> = rows
                .iter()
                .filter(|(score, present, _)| *present == wanted && (*score >= threshold) != wanted)
                .collect();
            wrong.sort_by(|a, b| {
                let falling = b.0.total_cmp(&a.0);
                if wanted { falling.reverse() } else { falling }
            });
            let wrong = wrong.into_iter().take(WORST);
            wrong
                .map(|(score, _, example)| case(model, label, example, *score))
                .collect()
        };
        let wrong = Worst {
            false_alarms: case(false),
            misses: case(true),
        };
        worst.insert(label.as_str(), wrong);
    }
    let figures = evaluate::measure_model(model, examples, &scores);
    Study {
        evasion: evasion::costs(model, examples, &figures),
        figures,
        curves,
        worst,
        natural: natural::natural(examples, &scores, model.thresholds()),
        underlined: marks::underlined(model, examples),
        swapped: swaps::swapped(
            examples,
            &scores,
            |example| score_one(model, &example.text, &[]),
            model.thresholds(),
        ),
    }
}

fn case(model: &Model, label: Label, example: &Example, score: f32) -> Case {
    let assessment = assess(model, example);
    Case {
        text: example.text.clone(),
        parent: example.parent.clone(),
        source: example.source.clone(),
        score,
        highlights: (assessment.highlights.iter())
            .filter(|highlight| highlight.label == label)
            .map(|highlight| Span {
                start: highlight.start,
                end: highlight.end,
            })
            .collect(),
    }
}

/// `points` and `calm` by falling score.
fn curves_of(points: &[(f32, bool)], calm: &[f32]) -> Option<Curves> {
    let positives = points.iter().filter(|(_, present)| *present).count();
    let negatives = points.len() - positives;
    if positives < LEAST_ROWS || negatives < LEAST_ROWS {
        return None;
    }
    let (positives, negatives) = (positives as f64, negatives as f64);
    let (mut roc, mut precision_recall, mut load) = (vec![(0.0, 0.0)], Vec::new(), Vec::new());
    for step in evaluate::sweep(points) {
        let (hits, misses) = (step.hits, step.misses);
        roc.push((misses / negatives, hits / positives));
        precision_recall.push((hits / positives, hits / (hits + misses)));
        if !calm.is_empty() {
            let held = calm.partition_point(|score| *score >= step.score) as f64;
            load.push((1000.0 * held / calm.len() as f64, hits / positives));
        }
    }
    let calibration = evaluate::bins(points)
        .into_iter()
        .filter(|bin| bin.rows >= LEAST_ROWS as f64)
        .map(|bin| (bin.expected / bin.rows, bin.positives / bin.rows));
    Some(Curves {
        roc: thinned(roc, POINTS),
        precision_recall: thinned(precision_recall, POINTS),
        calibration: calibration.collect(),
        load: thinned(load, POINTS),
    })
}

/// About `most` of the points, the last among them.
pub(super) fn thinned(points: Vec<Point>, most: usize) -> Vec<Point> {
    let step = points.len().div_ceil(most).max(1);
    let last = points.len().saturating_sub(1);
    let kept = points.into_iter().enumerate();
    kept.filter(|(at, _)| at % step == 0 || *at == last)
        .map(|(_, point)| point)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten of each class; the positives score higher, but for one.
    fn points() -> Vec<(f32, bool)> {
        let mut points: Vec<(f32, bool)> = (0..20)
            .map(|at| (1.0 - at as f32 / 20.0, at < 9 || at == 19))
            .collect();
        points.sort_by(|a, b| b.0.total_cmp(&a.0));
        points
    }

    #[test]
    fn curves_go_from_nothing_held_to_everything_held() {
        let curves = curves_of(&points(), &[0.97, 0.3, 0.1, 0.05]).unwrap();
        assert_eq!(curves.roc.first(), Some(&(0.0, 0.0)));
        assert_eq!(curves.roc.last(), Some(&(1.0, 1.0)));
        assert_eq!(curves.precision_recall[8], (0.9, 1.0));
        assert_eq!(curves.precision_recall.last(), Some(&(1.0, 0.5)));
        assert_eq!(
            curves.load[8],
            (250.0, 0.9),
            "a quarter of the calm comments for nine of ten"
        );
        assert!(curves.roc.windows(2).all(|pair| pair[0] <= pair[1]));
    }

    #[test]
    fn few_rows_have_no_curves() {
        assert_eq!(curves_of(&points()[..12], &[]), None);
    }

    #[test]
    fn a_long_curve_is_thinned_and_keeps_its_end() {
        let long: Vec<Point> = (0..1001).map(|at| (f64::from(at), 0.0)).collect();
        let short = thinned(long, POINTS);
        assert!(short.len() <= POINTS + 1);
        assert_eq!(short.last(), Some(&(1000.0, 0.0)));
    }
}
