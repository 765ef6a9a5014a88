//! The second stage, fitted anew: linfa's logistic regression on the base's log-odds and the site's sums.
//!
//! The base's two hundred inputs move together, as the log-odds that its own second stage made of them: a few hundred
//! decisions could not tell them apart. Rows of the replay sample keep what the base knows in its place; what is peculiar to
//! them goes into an intercept of theirs, which is thrown away. Their words are not known, so each is lent the sums of one of
//! our own sentences with the same label, out of fold: what the site's table makes of texts that are not the site's. So a sum
//! counts by as much as it tells there too.

use super::compare::error_of_chance;
use super::lessons::of_label;
use super::own::Own;
use super::{Ground, Lesson, Row};
use crate::classifier::artefact::Header;
use crate::classifier::dense::{SIZE, Vector};
use crate::classifier::site::{self, PEAK, SENTENCE, WHOLE};
use crate::classifier::training::TrainError;
use crate::classifier::training::balance::Target;
use crate::classifier::training::evaluate::auc;
use crate::classifier::training::stack::{regress, repeat};
use crate::domain::{Label, PerLabel};
use ndarray::{Array1, Array2, ShapeBuilder};

/// Rows linfa sees, repeats included.
const ROWS: f32 = 6_000.0;
/// L2 penalty, in rows.
const ALPHA: f64 = 10.0;
/// The replay sample weighs as much as the lessons, and at least as this many.
const LEAST_REPLAY: f32 = 300.0;
/// A label is learned if both halves of the lessons are, in the mean, told better than by chance by what the other taught, by this
/// many standard errors.
const ERRORS: f64 = 2.5;
/// And by this AUC at least: decisions made by chance may agree with the base a little, by chance.
const LEAST_AUC: f64 = 0.6;
/// The held-out part may hold most of a class; with fewer left of it than this, nothing is learned.
const LEAST_LEARNED: usize = 10;
/// What a label may use: the base's log-odds of these labels, its own first, then sums of the site.
fn inputs(label: Label) -> (Vec<Label>, Vec<usize>) {
    let own = label.index();
    let toxicity = Label::Toxicity;
    match label {
        Label::Toxicity => (
            vec![
                toxicity,
                Label::Insult,
                Label::IdentityAttack,
                Label::Profanity,
            ],
            vec![WHOLE + own, PEAK + own],
        ),
        Label::Insult | Label::IdentityAttack | Label::Profanity => (
            vec![label, toxicity],
            vec![
                WHOLE + own,
                PEAK + own,
                WHOLE + toxicity.index(),
                PEAK + toxicity.index(),
            ],
        ),
        // By the worst sentence, as the base does: see `dense`.
        Label::Threat => (vec![label], vec![PEAK + own, SENTENCE + own]),
        Label::Spam => (vec![label], vec![WHOLE + own, PEAK + own]),
    }
}

/// One label's second stage: weights of the base's log-odds and of the site's sums.
#[derive(Debug, Clone)]
pub(super) struct Stage {
    odds: Vec<(Label, f64)>,
    sums: Vec<(usize, f64)>,
    intercept: f64,
}

impl Stage {
    /// Log-odds.
    pub fn apply(&self, odds: &PerLabel<f32>, sums: &site::Vector) -> f64 {
        let base = self.odds.iter();
        let base = base.map(|(label, weight)| weight * f64::from(*odds.get(*label)));
        let own = self.sums.iter();
        let own = own.map(|(at, weight)| weight * f64::from(sums[*at]));
        self.intercept + base.sum::<f64>() + own.sum::<f64>()
    }

    /// The same, as weights of the base's inputs, then of the site's sums.
    pub fn weights(&self, base: &Header) -> Vec<f32> {
        let mut weights = vec![0.0f64; SIZE + site::SIZE];
        for (label, weight) in &self.odds {
            for (sum, own) in weights.iter_mut().zip(base.weights.get(*label)) {
                *sum += weight * f64::from(*own);
            }
        }
        for (at, weight) in &self.sums {
            weights[SIZE + at] = *weight;
        }
        weights.into_iter().map(|weight| weight as f32).collect()
    }

    /// The same, stretched and moved.
    pub fn scaled(&self, slope: f64, offset: f64) -> Self {
        Self {
            odds: (self.odds.iter())
                .map(|(label, weight)| (*label, weight * slope))
                .collect(),
            sums: (self.sums.iter())
                .map(|(at, weight)| (*at, weight * slope))
                .collect(),
            intercept: self.intercept * slope + offset,
        }
    }

    pub fn bias(&self, base: &Header) -> f32 {
        let biases = self.odds.iter();
        let biases = biases.map(|(label, weight)| weight * f64::from(*base.bias.get(*label)));
        (self.intercept + biases.sum::<f64>()) as f32
    }
}

/// What the base's second stage makes of a vector.
pub(super) fn base_odds(base: &Header, vector: &Vector) -> PerLabel<f32> {
    PerLabel::from_fn(|label| {
        let terms = base.weights.get(label).iter().zip(vector);
        base.bias.get(label) + terms.map(|(w, x)| w * x).sum::<f32>()
    })
}

/// A label that could be learned.
pub(super) struct Fitted {
    pub stage: Stage,
    /// The lessons, each by what the other half of them taught: the base's log-odds, the stage's, and whether it has the label.
    pub points: Vec<(f32, f32, bool)>,
}

/// Fits one label; none if what was learned tells it no better than chance.
pub(super) fn fit(
    label: Label,
    ground: &Ground<'_>,
    rows: &[Row],
    own: &Own,
    seed: u64,
) -> Result<Option<Fitted>, TrainError> {
    let lessons = ground.lessons;
    let learned = |class: bool| {
        let of_class = of_label(lessons, rows, label);
        of_class.filter(move |(_, row, present)| !row.measured && *present == class)
    };
    if learned(true).count().min(learned(false).count()) < LEAST_LEARNED {
        return Ok(None);
    }
    let fit_on = |learned: &dyn Fn(&Row) -> bool| {
        let examples = examples(label, ground, rows, own, learned);
        fit_examples(label, &examples, seed)
    };
    let stage = fit_on(&|_| true)?;
    if stage.sums.is_empty() {
        return Ok(None);
    }
    let halves = [
        (0, fit_on(&|row| row.fold % 2 != 0)?),
        (1, fit_on(&|row| row.fold % 2 != 1)?),
    ];
    let points = halves.map(|(half, stage)| {
        let left_out = of_label(lessons, rows, label)
            .filter(|(_, row, _)| !row.measured && row.fold % 2 == half);
        let point = |(_, row, present): (&Lesson, &Row, bool)| {
            let z = stage.apply(&row.odds, &row.sums) as f32;
            (*row.odds.get(label), z, present)
        };
        left_out.map(point).collect::<Vec<_>>()
    });
    Ok(tell_better_than_chance(&points).then(|| Fitted {
        stage,
        points: points.concat(),
    }))
}

/// One fit, with nothing in it that has the wrong sign.
fn fit_examples(
    label: Label,
    examples: &[(Input, Target)],
    seed: u64,
) -> Result<Stage, TrainError> {
    let (mut used_odds, mut used_sums) = inputs(label);
    let repeated = repeat(examples, ROWS, seed);
    let failed = |reason: String| TrainError::SecondStage { label, reason };
    loop {
        let columns = used_odds.len() + used_sums.len();
        let mut inputs = Array2::<f64>::zeros((repeated.len(), columns + 1).f());
        for (at, (example, _)) in repeated.iter().enumerate() {
            let odds = used_odds.iter().map(|label| *example.odds.get(*label));
            let sums = used_sums.iter().map(|at| example.sums[*at]);
            for (column, value) in odds.chain(sums).enumerate() {
                inputs[[at, column]] = f64::from(value);
            }
            inputs[[at, columns]] = f64::from(u8::from(example.replayed));
        }
        let scales = standardise(&mut inputs);
        let wanted: Array1<bool> = repeated.iter().map(|(_, present)| *present).collect();
        let (params, intercept) = regress(&inputs, &wanted, ALPHA, true).map_err(failed)?;
        // linfa knows no signs: what comes out with the wrong one is left out, and the rest fitted again.
        if let Some(wrong) = (0..columns).rev().find(|at| params[*at] < 0.0) {
            if wrong < used_odds.len() {
                used_odds.remove(wrong);
            } else {
                used_sums.remove(wrong - used_odds.len());
            }
            continue;
        }
        let raw = |at: usize| params[at] / scales[at].1;
        let offset: f64 = (0..=columns).map(|at| raw(at) * scales[at].0).sum();
        return Ok(Stage {
            odds: (used_odds.iter().enumerate())
                .map(|(at, label)| (*label, raw(at)))
                .collect(),
            sums: (used_sums.iter().enumerate())
                .map(|(at, sum)| (*sum, raw(used_odds.len() + at)))
                .collect(),
            intercept: intercept - offset,
        });
    }
}

/// A row of the site or of the replay sample.
#[derive(Clone, Copy)]
struct Input {
    odds: PerLabel<f32>,
    sums: site::Vector,
    replayed: bool,
}

/// The rows to fit on, with either class of either origin evened out.
fn examples(
    label: Label,
    ground: &Ground<'_>,
    rows: &[Row],
    own: &Own,
    learned: &dyn Fn(&Row) -> bool,
) -> Vec<(Input, Target)> {
    let site = of_label(ground.lessons, rows, label);
    let site = site.filter(|(_, row, _)| !row.measured && learned(row));
    let site = site.map(|(_, row, present)| {
        let input = Input {
            odds: row.odds,
            sums: row.sums,
            replayed: false,
        };
        (input, present, row.trust)
    });
    let site: Vec<_> = site.collect();
    let lent = own.sums(label);
    let mut lent = lent.each_ref().map(|sums| sums.iter().cycle());
    let replayed = ground.replay.rows.iter().filter(|row| !row.measured);
    let replayed = replayed.filter_map(|row| {
        let present = (*row.labels.get(label))?;
        let input = Input {
            odds: base_odds(ground.base, &row.vector),
            sums: *lent[usize::from(present)].next()?,
            replayed: true,
        };
        Some((input, present, 1.0))
    });
    let replayed: Vec<_> = replayed.collect();
    let mass = site.iter().map(|(_, _, trust)| *trust).sum::<f32>();
    let mut evened = even(site, mass);
    evened.extend(even(replayed, mass.max(LEAST_REPLAY)));
    evened
}

/// Gives either class half of `mass`.
fn even(rows: Vec<(Input, bool, f32)>, mass: f32) -> Vec<(Input, Target)> {
    let sum = |class: bool| -> f32 {
        let of_class = rows.iter().filter(|(_, present, _)| *present == class);
        of_class.map(|(_, _, trust)| *trust).sum()
    };
    let sums = [sum(false), sum(true)];
    let evened = rows.into_iter().map(|(input, present, trust)| {
        let weight = trust * mass / 2.0 / sums[usize::from(present)];
        (input, Target { present, weight })
    });
    evened.collect()
}

/// Brings each column to mean 0 and deviation 1; its mean and deviation before.
fn standardise(inputs: &mut Array2<f64>) -> Vec<(f64, f64)> {
    let mut scales = Vec::with_capacity(inputs.ncols());
    for mut column in inputs.columns_mut() {
        let mean = column.mean().unwrap_or_default();
        let deviation = column.std(0.0).max(1e-6);
        column.mapv_inplace(|value| (value - mean) / deviation);
        scales.push((mean, deviation));
    }
    scales
}

/// Whether both halves of the lessons are told apart, in the mean, by what was fitted on the other half. By the whole fit, on what it was
/// fitted to, any lessons would be, a little.
fn tell_better_than_chance(halves: &[Vec<(f32, f32, bool)>; 2]) -> bool {
    let (mut sum, mut positives, mut negatives) = (0.0, 0.0, 0.0);
    for half in halves {
        let mut points: Vec<(f32, bool)> =
            half.iter().map(|(_, z, present)| (*z, *present)).collect();
        points.sort_by(|a, b| b.0.total_cmp(&a.0));
        let present = points.iter().filter(|(_, present)| *present).count();
        positives += present as f64;
        negatives += (points.len() - present) as f64;
        sum += auc(&points).unwrap_or(0.5);
    }
    let mean = sum / halves.len() as f64;
    mean > LEAST_AUC.max(0.5 + ERRORS * error_of_chance(positives, negatives))
}
