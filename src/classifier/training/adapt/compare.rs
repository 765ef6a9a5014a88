//! Two models on the same rows.

use crate::classifier::training::Random;
use crate::classifier::training::evaluate::auc;
use serde::{Deserialize, Serialize};

/// Resamples of a bootstrap.
const RESAMPLES: usize = 400;
/// By how many standard errors something must differ to be more than noise.
pub(super) const ERRORS: f64 = 2.0;
/// The least share of the harmful comments held before that must be held still.
const STILL_HELD: f64 = 0.8;
/// So many calm comments may be held for each that was held before.
const UNNOTICED: f64 = 1.1;

/// Where 95 of 100 resamples lie.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

/// Two models on the same rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Compared {
    pub positives: usize,
    pub negatives: usize,
    /// AUC of the live model.
    pub live: f64,
    /// AUC of the candidate.
    pub candidate: f64,
    /// How much the candidate's is higher, by a bootstrap over the rows.
    pub gain: Interval,
}

impl Compared {
    /// Compares scores (live, candidate, present); none with one class only.
    #[must_use]
    pub fn of(points: &[(f32, f32, bool)], seed: u64) -> Option<Self> {
        let positives = points.iter().filter(|point| point.2).count();
        let by = |score: fn(&(f32, f32, bool)) -> f32| {
            let mut points: Vec<(f32, bool)> = points.iter().map(|p| (score(p), p.2)).collect();
            points.sort_by(|a, b| b.0.total_cmp(&a.0));
            auc(&points)
        };
        Some(Self {
            positives,
            negatives: points.len() - positives,
            live: by(|point| point.0)?,
            candidate: by(|point| point.1)?,
            gain: bootstrap(points, seed),
        })
    }

    /// How much the candidate's AUC is higher.
    #[must_use]
    pub fn difference(&self) -> f64 {
        self.candidate - self.live
    }

    /// Standard error of the AUC of scores that tell nothing.
    #[must_use]
    pub fn error(&self) -> f64 {
        error_of_chance(self.positives as f64, self.negatives as f64)
    }

    /// Whether there are rows enough of each class to say anything.
    #[must_use]
    pub const fn has_enough(&self, least: usize) -> bool {
        self.positives >= least && self.negatives >= least
    }
}

/// Standard error of the AUC of scores that tell nothing, on so many rows of either class.
pub(super) fn error_of_chance(positives: f64, negatives: f64) -> f64 {
    ((positives + negatives + 1.0) / (12.0 * positives * negatives)).sqrt()
}

/// Rows of a score, the highest first, in runs of equal ones.
struct Ranked(Vec<Vec<usize>>);

impl Ranked {
    fn new(points: &[(f32, f32, bool)], score: fn(&(f32, f32, bool)) -> f32) -> Self {
        let mut order: Vec<usize> = (0..points.len()).collect();
        order.sort_by(|a, b| score(&points[*b]).total_cmp(&score(&points[*a])));
        let ties = order.chunk_by(|a, b| score(&points[*a]) <= score(&points[*b]));
        Self(ties.map(<[usize]>::to_vec).collect())
    }

    /// AUC of a resample, in which each row comes as often as `times` says.
    fn auc(&self, points: &[(f32, f32, bool)], times: &[u32]) -> f64 {
        let (mut above, mut wins, mut negatives) = (0.0, 0.0, 0.0);
        for tie in &self.0 {
            let (mut positive, mut negative) = (0.0, 0.0);
            for at in tie {
                let count = f64::from(times[*at]);
                if points[*at].2 {
                    positive += count;
                } else {
                    negative += count;
                }
            }
            wins += negative * (above + positive / 2.0);
            above += positive;
            negatives += negative;
        }
        if above * negatives > 0.0 {
            wins / (above * negatives)
        } else {
            0.5
        }
    }
}

fn bootstrap(points: &[(f32, f32, bool)], seed: u64) -> Interval {
    let (live, candidate) = (
        Ranked::new(points, |point| point.0),
        Ranked::new(points, |point| point.1),
    );
    let mut random = Random(seed);
    let mut gains: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let mut times = vec![0u32; points.len()];
            for _ in 0..points.len() {
                let drawn = (random.unit() * points.len() as f32) as usize;
                times[drawn.min(points.len() - 1)] += 1;
            }
            candidate.auc(points, &times) - live.auc(points, &times)
        })
        .collect();
    gains.sort_by(f64::total_cmp);
    let at = |share: f64| gains[(share * (RESAMPLES - 1) as f64).round() as usize];
    Interval {
        low: at(0.025),
        high: at(0.975),
    }
}

/// Comments of one kind that either model holds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Held {
    pub rows: usize,
    pub live: usize,
    pub candidate: usize,
    /// Held by the candidate alone, and by the live model alone.
    pub only: (usize, usize),
}

impl Held {
    pub(super) fn of(held: impl Iterator<Item = (bool, bool)>) -> Self {
        let mut counted = Self {
            rows: 0,
            live: 0,
            candidate: 0,
            only: (0, 0),
        };
        for (live, candidate) in held {
            counted.rows += 1;
            counted.live += usize::from(live);
            counted.candidate += usize::from(candidate);
            counted.only.0 += usize::from(candidate && !live);
            counted.only.1 += usize::from(live && !candidate);
        }
        counted
    }

    /// Whether more are held than chance explains (`McNemar` 1947), and by more than moderators would notice.
    #[must_use]
    pub fn is_more(&self) -> bool {
        let (newly, no_longer) = (self.only.0 as f64, self.only.1 as f64);
        let beyond_noise = newly - no_longer > ERRORS * (newly + no_longer).sqrt();
        beyond_noise && self.candidate as f64 > UNNOTICED * self.live as f64
    }

    /// Whether fewer are held than chance explains, and by more than thresholds that spare moderators cost.
    #[must_use]
    pub fn is_fewer(&self) -> bool {
        let (newly, no_longer) = (self.only.0 as f64, self.only.1 as f64);
        let beyond_noise = no_longer - newly > ERRORS * (newly + no_longer).sqrt();
        beyond_noise && (self.candidate as f64) < STILL_HELD * self.live as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gain_beyond_noise_is_told_from_noise() {
        let mut random = Random(5);
        let mut points = |signal: f32| -> Vec<(f32, f32, bool)> {
            let point = |n: usize| {
                let present = n.is_multiple_of(3);
                let heard = if present { signal } else { 0.0 };
                (random.unit(), random.unit() + heard, present)
            };
            (0..300).map(point).collect()
        };
        let better = Compared::of(&points(0.6), 1).unwrap();
        assert!(better.gain.low > 0.1 && better.candidate > better.live + 0.2);
        let same = Compared::of(&points(0.0), 1).unwrap();
        assert!(same.gain.low < 0.0 && same.gain.high > 0.0);
        assert!(Compared::of(&[(0.1, 0.2, true)], 1).is_none());
    }

    #[test]
    fn a_resample_of_every_row_once_has_the_same_auc() {
        let points = [
            (0.9, 0.1, true),
            (0.8, 0.1, false),
            (0.8, 0.7, true),
            (0.1, 0.7, false),
        ];
        let ranked = Ranked::new(&points, |point| point.0);
        let mut sorted: Vec<(f32, bool)> = points.iter().map(|p| (p.0, p.2)).collect();
        sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
        assert_eq!(Some(ranked.auc(&points, &[1; 4])), auc(&sorted));
    }

    #[test]
    fn a_few_more_calm_ones_are_noise_and_many_are_not() {
        let held = |newly: usize, no_longer: usize| {
            let newly = std::iter::repeat_n((false, true), newly);
            let no_longer = std::iter::repeat_n((true, false), no_longer);
            Held::of(newly.chain(no_longer))
        };
        assert!(!held(3, 0).is_more() && !held(9, 5).is_more());
        assert!(held(5, 0).is_more() && held(40, 20).is_more());
        let both = std::iter::repeat_n((true, true), 90);
        let five_more = std::iter::repeat_n((false, true), 5);
        assert!(!Held::of(both.chain(five_more)).is_more());
    }

    #[test]
    fn a_fifth_fewer_harmful_ones_is_too_few() {
        let held = |both: usize, newly: usize, no_longer: usize| {
            let both = std::iter::repeat_n((true, true), both);
            let newly = std::iter::repeat_n((false, true), newly);
            let no_longer = std::iter::repeat_n((true, false), no_longer);
            Held::of(both.chain(newly).chain(no_longer))
        };
        assert!(held(70, 0, 30).is_fewer());
        assert!(!held(95, 0, 5).is_fewer(), "beyond noise, but few");
        assert!(!held(2, 0, 2).is_fewer(), "noise");
        assert!(!held(70, 30, 0).is_fewer());
    }
}
