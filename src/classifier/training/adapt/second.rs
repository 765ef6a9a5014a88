//! The second stage, fitted anew: linfa's logistic regression on the base's log-odds and the site's sums.
//!
//! The base's two hundred inputs move together, as the log-odds that its own second stage made of them: a few hundred
//! decisions could not tell them apart. Rows of the replay sample keep what the base knows in its place; what is peculiar to
//! them goes into an intercept of theirs, which is thrown away. Their words are not known, so each is lent the sums of a
//! comment that the site's moderators approved: what the site's table makes of words that it has nothing against. So a sum
//! must stand out from that to outweigh the base.

use super::compare::error_of_chance;
use super::lessons::of_label;
use super::{Ground, Lesson, Row};
use crate::classifier::artefact::Header;
use crate::classifier::dense::{SIZE, Vector};
use crate::classifier::site::{self, PEAK, SENTENCE, WHOLE};
use crate::classifier::training::TrainError;
use crate::classifier::training::balance::Target;
use crate::classifier::training::calibrate;
use crate::classifier::training::evaluate::auc;
use crate::classifier::training::replay::{self, Replay};
use crate::classifier::training::stack::{regress, repeat};
use crate::classifier::training::thresholds::above_all_but;
use crate::domain::{Label, PerLabel, Score};
use ndarray::{Array1, Array2, ShapeBuilder};

/// Rows linfa sees, repeats included.
const ROWS: f32 = 6_000.0;
/// L2 penalty, in rows.
const ALPHA: f64 = 10.0;
/// The replay sample weighs as much as the lessons, and at least as this many.
const LEAST_REPLAY: f32 = 500.0;
/// A label is learned if either half of the lessons is told better than by chance by what the other half taught, by this
/// many standard errors.
const ERRORS: f64 = 2.5;
/// And by this AUC at least: decisions made by chance may agree with the base a little, by chance.
const LEAST_AUC: f64 = 0.6;
/// The held-out part may hold most of a class; with fewer left of it than this, nothing is learned.
const LEAST_LEARNED: usize = 10;
/// Of the negatives of the calibration, the share of calm comments as they come, where there are any.
const AS_THEY_COME: f64 = 0.7;
/// Of the calm comments that the base held, the share that may still be held: what is gained goes half into finding more,
/// half into troubling moderators less.
const HELD_STILL: f64 = 0.9;
/// The share of calm comments that any label may hold, however few the base held; and one in any case. So one wrong approval
/// does not lift a threshold above every real case.
const ALWAYS_ALLOWED: f64 = 0.005;

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

/// Fits one label; none if what was learned tells it no better than chance.
pub(super) fn fit(
    label: Label,
    ground: &Ground<'_>,
    rows: &[Row],
    seed: u64,
) -> Result<Option<Stage>, TrainError> {
    let Ground {
        lessons,
        replay,
        base,
        ..
    } = *ground;
    let learned = |class: bool| {
        let of_class = of_label(lessons, rows, label);
        of_class.filter(move |(_, row, present)| !row.measured && *present == class)
    };
    if learned(true).count().min(learned(false).count()) < LEAST_LEARNED {
        return Ok(None);
    }
    let fit_on = |learned: &dyn Fn(&Row) -> bool| {
        let examples = examples(label, lessons, rows, replay, base, learned);
        fit_examples(label, &examples, seed)
    };
    let stage = fit_on(&|_| true)?;
    if stage.sums.is_empty() {
        return Ok(None);
    }
    let halves = [0, 1].map(|half| Ok((half, fit_on(&|row| row.fold % 2 != half)?)));
    let halves = halves.into_iter().collect::<Result<Vec<_>, TrainError>>()?;
    Ok(tells_better_than_chance(&halves, label, lessons, rows).then_some(stage))
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
    lessons: &[Lesson],
    rows: &[Row],
    replay: &Replay,
    base: &Header,
    learned: &dyn Fn(&Row) -> bool,
) -> Vec<(Input, Target)> {
    let own = of_label(lessons, rows, label);
    let own = own.filter(|(_, row, _)| !row.measured && learned(row));
    let own = own.map(|(_, row, present)| {
        let input = Input {
            odds: row.odds,
            sums: row.sums,
            replayed: false,
        };
        (input, present, row.trust)
    });
    let own: Vec<_> = own.collect();
    let lent = lent_sums(lessons, rows);
    let replayed = replayed(replay, base, &lent).filter_map(|(row, odds, lent)| {
        let input = Input {
            odds,
            sums: *lent,
            replayed: true,
        };
        Some((input, (*row.labels.get(label))?, 1.0))
    });
    let replayed: Vec<_> = replayed.collect();
    let mass = own.iter().map(|(_, _, trust)| *trust).sum::<f32>();
    let mut evened = even(own, mass);
    evened.extend(even(replayed, mass.max(LEAST_REPLAY)));
    evened
}

/// Rows of the replay sample to learn from, each with the base's log-odds and the sums it is lent.
fn replayed<'a>(
    replay: &'a Replay,
    base: &'a Header,
    lent: &'a [site::Vector],
) -> impl Iterator<Item = (&'a replay::Row, PerLabel<f32>, &'a site::Vector)> {
    let rows = replay.rows.iter().zip(lent.iter().cycle());
    rows.filter(|(row, _)| !row.measured)
        .map(|(row, lent)| (row, base_odds(base, &row.vector), lent))
}

/// What the site's table makes, out of fold, of comments that nobody has anything against.
fn lent_sums(lessons: &[Lesson], rows: &[Row]) -> Vec<site::Vector> {
    let clean = lessons.iter().zip(rows);
    let clean = clean.filter(|(lesson, row)| lesson.is_clean() && !row.measured && row.trust > 0.0);
    let mut lent: Vec<site::Vector> = clean.map(|(_, row)| row.sums).collect();
    if lent.is_empty() {
        lent.push([0.0; site::SIZE]);
    }
    lent
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

/// Whether half of the lessons is told apart by what was fitted on the other half. By the whole fit, on what it was fitted
/// to, any lessons would be, a little.
fn tells_better_than_chance(
    halves: &[(usize, Stage)],
    label: Label,
    lessons: &[Lesson],
    rows: &[Row],
) -> bool {
    let (mut sum, mut positives, mut negatives) = (0.0, 0.0, 0.0);
    for (half, stage) in halves {
        let left_out = of_label(lessons, rows, label)
            .filter(|(_, row, _)| !row.measured && row.fold % 2 == *half);
        let mut points: Vec<(f32, bool)> = left_out
            .map(|(_, row, present)| (stage.apply(&row.odds, &row.sums) as f32, present))
            .collect();
        points.sort_by(|a, b| b.0.total_cmp(&a.0));
        let present = points.iter().filter(|(_, present)| *present).count();
        positives += present as f64;
        negatives += (points.len() - present) as f64;
        sum += auc(&points).unwrap_or(0.5);
    }
    let mean = sum / halves.len() as f64;
    mean > LEAST_AUC.max(0.5 + ERRORS * error_of_chance(positives, negatives))
}

/// Brings a stage's log-odds to the rate at which the site meets the label.
pub(super) fn calibrated(
    stage: &Stage,
    label: Label,
    lessons: &[Lesson],
    rows: &[Row],
    replay: &Replay,
    base: &Header,
    rate: f64,
) -> Stage {
    let own = of_label(lessons, rows, label).filter(|(_, row, _)| !row.measured);
    let own: Vec<(f64, bool)> = own
        .map(|(_, row, present)| (stage.apply(&row.odds, &row.sums), present))
        .collect();
    let lent = lent_sums(lessons, rows);
    let natural: Vec<f64> = replayed(replay, base, &lent)
        .filter(|(row, ..)| row.natural)
        .map(|(_, odds, lent)| stage.apply(&odds, lent))
        .collect();
    let present = own.iter().filter(|(_, present)| *present).count();
    let absent = own.len() - present;
    let as_they_come = if natural.is_empty() {
        0.0
    } else {
        AS_THEY_COME
    };
    let share = |part: f64, of: usize| part / of.max(1) as f64;
    let weights = [
        share((1.0 - rate) * (1.0 - as_they_come), absent),
        share(rate, present),
    ];
    let own = own
        .into_iter()
        .map(|(z, present)| (z, present, weights[usize::from(present)]));
    let natural_weight = share((1.0 - rate) * as_they_come, natural.len());
    let points: Vec<(f64, bool, f64)> = own
        .chain(natural.iter().map(|z| (*z, false, natural_weight)))
        .collect();
    let platt = calibrate::fit(&points);
    Stage {
        odds: (stage.odds.iter())
            .map(|(label, weight)| (*label, weight * platt.slope))
            .collect(),
        sums: (stage.sums.iter())
            .map(|(at, weight)| (*at, weight * platt.slope))
            .collect(),
        intercept: stage.intercept * platt.slope + platt.offset,
    }
}

/// The lowest score from which no more calm comments are held than the base holds: neither of those that the site's
/// moderators approved, nor of those that come as they come.
pub(super) fn threshold(
    stage: &Stage,
    label: Label,
    lessons: &[Lesson],
    rows: &[Row],
    replay: &Replay,
    base: &Header,
) -> Score {
    let own = of_label(lessons, rows, label).filter(|(_, row, present)| !row.measured && !present);
    let own = own.map(|(_, row, _)| (*row.odds.get(label), stage.apply(&row.odds, &row.sums)));
    let lent = lent_sums(lessons, rows);
    let natural = replayed(replay, base, &lent)
        .filter(|(row, ..)| row.natural)
        .map(|(_, odds, lent)| (*odds.get(label), stage.apply(&odds, lent)));
    let held_from = base.thresholds.get(label).value();
    let lowest = lowest(own, held_from).max(lowest(natural, held_from));
    Score::clamped(lowest.clamp(0.005, 0.98))
}

/// The lowest score from which no more of these calm comments are held than the base holds from `held_from`; each has the
/// base's log-odds and the stage's.
fn lowest(calm: impl Iterator<Item = (f32, f64)>, held_from: f32) -> f32 {
    let probability = |z: f64| (1.0 / (1.0 + (-z).exp())) as f32;
    let calm: Vec<(f32, f64)> = calm.collect();
    if calm.is_empty() {
        return 0.0;
    }
    let held = calm
        .iter()
        .filter(|(odds, _)| probability(f64::from(*odds)) >= held_from);
    let allowed = (HELD_STILL * held.count() as f64)
        .max(ALWAYS_ALLOWED * calm.len() as f64)
        .max(1.0);
    above_all_but(
        calm.iter().map(|(_, z)| probability(*z)).collect(),
        allowed as usize,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_wrong_approval_does_not_lift_a_threshold() {
        // A real threat among a hundred calm comments; the base holds it alone.
        let calm = (0..100).map(|n| if n == 7 { (3.5, 3.5) } else { (-4.0, -4.0) });
        assert!(lowest(calm, 0.07) < 0.1);
    }

    #[test]
    fn a_tenth_of_what_moderators_were_troubled_with_is_spared() {
        let calm = (0..1000).map(|n| (-n as f32 / 100.0, -f64::from(n) / 100.0));
        let from = lowest(calm.clone(), 0.25);
        let held = |from: f32| {
            calm.clone()
                .filter(|(odds, _)| 1.0 / (1.0 + (-odds).exp()) >= from)
                .count()
        };
        assert_eq!((held(0.25), held(from)), (110, 99));
    }
}
