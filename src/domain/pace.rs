//! How fast a moderator decides, so that a quarter of an hour can be filled.

use serde::Serialize;
use utoipa::ToSchema;

use super::Timestamp;

/// The time a moderator takes for a decision.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Pace {
    /// The median of the last days; 20 where too little is known.
    pub seconds_per_decision: f64,
    /// How many decisions it was taken from.
    pub decisions: usize,
}

impl Pace {
    /// How far back decisions are looked at, in milliseconds.
    pub const LOOKS_BACK: i64 = 14 * 24 * 60 * 60 * 1000;
    /// How many of them, at most.
    pub const LATEST: i64 = 500;
    /// Fewer say nothing.
    const LEAST: usize = 10;
    /// Where nothing is known, in seconds.
    const UNKNOWN: f64 = 20.0;
    /// Who decides nothing for so long does something else, in milliseconds.
    const BREAK: i64 = 5 * 60 * 1000;
    /// Nobody reads faster than that, in milliseconds: what is closer was decided in one go.
    const FASTEST: i64 = 1000;

    /// From the moments of one moderator's decisions, in any order. What lies between two of them is the time of the second,
    /// unless it was a break.
    #[must_use]
    pub fn of(moments: &[Timestamp]) -> Self {
        let mut moments: Vec<i64> = moments.iter().map(|moment| moment.millis()).collect();
        moments.sort_unstable();
        let mut gaps: Vec<i64> = moments
            .windows(2)
            .map(|pair| pair[1] - pair[0])
            .filter(|gap| *gap <= Self::BREAK)
            .map(|gap| gap.max(Self::FASTEST))
            .collect();
        gaps.sort_unstable();
        let seconds_per_decision = if gaps.len() < Self::LEAST {
            Self::UNKNOWN
        } else {
            gaps[gaps.len() / 2] as f64 / 1000.0
        };
        Self {
            seconds_per_decision,
            decisions: gaps.len(),
        }
    }

    /// How many decisions fit into so many minutes; one at least.
    #[must_use]
    pub fn fits_into(self, minutes: u32) -> usize {
        let fits = f64::from(minutes) * 60.0 / self.seconds_per_decision;
        (fits as usize).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(gaps: &[i64]) -> Vec<Timestamp> {
        let mut at = 1_000_000;
        let first = [Timestamp::from_millis(at)];
        let rest = gaps.iter().map(|gap| {
            at += gap;
            Timestamp::from_millis(at)
        });
        first.into_iter().chain(rest).collect()
    }

    #[test]
    fn the_median_of_what_lies_between_without_breaks() {
        let mut gaps = vec![6_000; 6];
        gaps.extend([90_000; 5]);
        gaps.extend([60 * 60 * 1000; 20]);
        let pace = Pace::of(&moments(&gaps));
        assert_eq!(pace.decisions, 11);
        assert!((pace.seconds_per_decision - 6.0).abs() < 1e-9);
        assert_eq!(pace.fits_into(15), 150);
    }

    #[test]
    fn of_a_newcomer_nothing_is_known() {
        for gaps in [&[][..], &[1_000; 9]] {
            let pace = Pace::of(&moments(gaps));
            assert!((pace.seconds_per_decision - 20.0).abs() < 1e-9);
            assert_eq!(pace.fits_into(15), 45);
        }
        assert_eq!(Pace::of(&[]).decisions, 0);
    }

    #[test]
    fn what_was_decided_in_one_go_is_not_read_at_that_speed() {
        let pace = Pace::of(&moments(&[3; 50]));
        assert!((pace.seconds_per_decision - 1.0).abs() < 1e-9);
        let slow = Pace::of(&moments(&[290_000; 12]));
        assert_eq!(slow.fits_into(1), 1, "one at least");
    }
}
