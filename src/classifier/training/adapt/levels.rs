//! Where a label's scores lie: brought to the rate at which the site meets it, and from where comments are held.

use super::lessons::of_label;
use super::own::Own;
use super::second::{Stage, base_odds};
use super::{Ground, Row};
use crate::classifier::site;
use crate::classifier::training::calibrate;
use crate::classifier::training::thresholds::above_all_but;
use crate::domain::{Label, Score};

/// Of the negatives of the calibration, the share of calm comments as they come, where there are any.
const AS_THEY_COME: f64 = 0.7;
/// Of the calm comments that the base held, the share that may still be held: what is gained goes half into finding more,
/// half into troubling moderators less.
const HELD_STILL: f64 = 0.9;
/// The share of calm comments that any label may hold, however few the base held; and one in any case. So one wrong approval
/// does not lift a threshold above every real case.
const ALWAYS_ALLOWED: f64 = 0.005;

/// Brings a stage's log-odds to the rate at which the site meets the label.
pub(super) fn calibrated(
    stage: &Stage,
    label: Label,
    ground: &Ground<'_>,
    rows: &[Row],
    rate: f64,
) -> Stage {
    let site = of_label(ground.lessons, rows, label).filter(|(_, row, _)| !row.measured);
    let site: Vec<(f64, bool)> = site
        .map(|(_, row, present)| (stage.apply(&row.odds, &row.sums), present))
        .collect();
    let natural: Vec<f64> = natural(stage, label, ground, rows)
        .into_iter()
        .map(|(_, z)| z)
        .collect();
    let present = site.iter().filter(|(_, present)| *present).count();
    let absent = site.len() - present;
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
    let site = site
        .into_iter()
        .map(|(z, present)| (z, present, weights[usize::from(present)]));
    let natural_weight = share((1.0 - rate) * as_they_come, natural.len());
    let points: Vec<(f64, bool, f64)> = site
        .chain(natural.iter().map(|z| (*z, false, natural_weight)))
        .collect();
    let platt = calibrate::fit(&points);
    stage.scaled(platt.slope, platt.offset)
}

/// Comments as they come elsewhere: the base's log-odds and the stage's. Their words are not known: each is lent the sums of a
/// comment that the site's moderators approved.
fn natural(stage: &Stage, label: Label, ground: &Ground<'_>, rows: &[Row]) -> Vec<(f32, f64)> {
    let clean = ground.lessons.iter().zip(rows);
    let clean = clean.filter(|(lesson, row)| lesson.is_clean() && !row.measured && row.trust > 0.0);
    let mut lent: Vec<site::Vector> = clean.map(|(_, row)| row.sums).collect();
    if lent.is_empty() {
        lent.push([0.0; site::SIZE]);
    }
    let natural = ground.replay.rows.iter().zip(lent.iter().cycle());
    let natural = natural.filter(|(row, _)| !row.measured && row.natural);
    natural
        .map(|(row, lent)| {
            let odds = base_odds(ground.base, &row.vector);
            (*odds.get(label), stage.apply(&odds, lent))
        })
        .collect()
}

/// The lowest score from which no more calm comments are held than the base holds: neither of those that the site's
/// moderators approved, nor of those that come as they come, nor of our own sentences.
pub(super) fn threshold(
    stage: &Stage,
    label: Label,
    ground: &Ground<'_>,
    rows: &[Row],
    own: &Own,
) -> Score {
    let both = |row: &Row| (*row.odds.get(label), stage.apply(&row.odds, &row.sums));
    let calm = |lessons, rows, measured| {
        of_label(lessons, rows, label)
            .filter(move |(_, row, present)| row.measured == measured && !present)
            .map(|(_, row, _)| both(row))
            .collect()
    };
    let held_from = ground.base.thresholds.get(label).value();
    let lowest = [
        calm(ground.lessons, rows, false),
        natural(stage, label, ground, rows),
        // The base was not fitted on these.
        calm(&own.lessons, &own.rows, true),
    ]
    .map(|calm| lowest(&calm, held_from));
    Score::clamped(lowest.into_iter().fold(0.005, f32::max).min(0.98))
}

/// The lowest score from which no more of these calm comments are held than the base holds from `held_from`; each has the
/// base's log-odds and the stage's.
fn lowest(calm: &[(f32, f64)], held_from: f32) -> f32 {
    let probability = |z: f64| (1.0 / (1.0 + (-z).exp())) as f32;
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
        let mut calm = [(-4.0, -4.0); 100];
        calm[7] = (3.5, 3.5);
        assert!(lowest(&calm, 0.07) < 0.1);
    }

    #[test]
    fn a_tenth_of_what_moderators_were_troubled_with_is_spared() {
        let calm = (0..1000).map(|n| (-n as f32 / 100.0, -f64::from(n) / 100.0));
        let calm: Vec<(f32, f64)> = calm.collect();
        let from = lowest(&calm, 0.25);
        let held = |from: f32| {
            calm.iter()
                .filter(|(odds, _)| 1.0 / (1.0 + (-odds).exp()) >= from)
                .count()
        };
        assert_eq!((held(0.25), held(from)), (110, 99));
    }
}
