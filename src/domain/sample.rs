//! Which published comments a moderator looks at by chance, so that it is known what the policy lets through.
//!
//! `docs/retraining.md` has the formulas, and why they are so.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Invalid, Label, Scores, Thresholds};

/// A share of comments, from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "f64", into = "f64")]
#[schema(value_type = f64, minimum = 0, maximum = 1)]
pub struct Share(f64);

impl Share {
    /// None of them.
    pub const NONE: Self = Self(0.0);
    /// What a policy has that says nothing of it: one in fifty.
    pub const SAMPLED: Self = Self(0.02);

    /// The share, 0 to 1.
    #[must_use]
    pub const fn value(self) -> f64 {
        self.0
    }
}

impl From<Share> for f64 {
    fn from(share: Share) -> Self {
        share.0
    }
}

impl TryFrom<f64> for Share {
    type Error = Invalid;

    fn try_from(value: f64) -> Result<Self, Invalid> {
        if (0.0..=1.0).contains(&value) {
            Ok(Self(value))
        } else {
            Err(Invalid("must be a number from 0 to 1".into()))
        }
    }
}

/// Why a comment was drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SampleKind {
    /// As any other.
    Random,
    /// The more likely the closer it is to where it would have waited.
    Uncertain,
}

impl SampleKind {
    /// The name in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Uncertain => "uncertain",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Random, Self::Uncertain]
            .into_iter()
            .find(|kind| kind.as_str() == name)
    }
}

/// That a published comment was drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    pub kind: SampleKind,
    /// How likely such a comment was to be drawn, for either reason.
    pub probability: f64,
}

impl Sample {
    /// After so many days a sample that nobody looked at leaves the queue.
    pub const DAYS: u32 = 14;

    /// Draws, or does not draw, a published comment with these scores that waits from these thresholds on, by a `number`
    /// that is as likely to be anywhere from 0 to 1.
    #[must_use]
    pub fn draw(share: Share, scores: &Scores, hold: &Thresholds, number: f64) -> Option<Self> {
        let passed_over = 1.0 - share.0;
        let random = 1.0 - passed_over.powf(0.5);
        let probability = 1.0 - passed_over.powf(0.5 * (1.0 + closeness(scores, hold)));
        let kind = if number < random {
            SampleKind::Random
        } else {
            SampleKind::Uncertain
        };
        (number < probability).then_some(Self { kind, probability })
    }
}

/// How close to a threshold the closest label is: 3 at the threshold, less by the square root of the odds below it. On
/// the comments of a comment section the mean is about 1.
fn closeness(scores: &Scores, hold: &Thresholds) -> f64 {
    const AT_THRESHOLD: f64 = 3.0;
    let below = |label: Label| hold.get(label).log_odds() - scores.get(label).log_odds();
    let below = Label::ALL.into_iter().map(below);
    // One who is trusted may be published above it.
    let closest = below.fold(f64::INFINITY, f64::min).max(0.0);
    AT_THRESHOLD * (-closest / 2.0).exp()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{PerLabel, Score};
    use proptest::prelude::*;

    const NUMBERS: u32 = 10_000;

    fn scores(toxicity: f32) -> Scores {
        Scores {
            toxicity: Score::clamped(toxicity),
            ..Scores::default()
        }
    }

    fn thresholds() -> Thresholds {
        PerLabel::from_fn(|_| Score::clamped(0.25))
    }

    fn share(value: f64) -> Share {
        Share::try_from(value).unwrap()
    }

    /// Of numbers that lie evenly between 0 and 1, how many draw which kind.
    fn drawn(share: Share, scores: &Scores) -> (u32, u32) {
        let mut counts = (0, 0);
        for at in 0..NUMBERS {
            let number = (f64::from(at) + 0.5) / f64::from(NUMBERS);
            match Sample::draw(share, scores, &thresholds(), number).map(|sample| sample.kind) {
                Some(SampleKind::Random) => counts.0 += 1,
                Some(SampleKind::Uncertain) => counts.1 += 1,
                None => {}
            }
        }
        counts
    }

    #[test]
    fn half_the_share_is_drawn_whatever_the_scores() {
        for toxicity in [0.0001, 0.1, 0.2499, 0.9] {
            let (random, _) = drawn(share(0.02), &scores(toxicity));
            assert!((100..=101).contains(&random), "{toxicity}: {random}");
        }
    }

    #[test]
    fn the_rest_goes_to_what_is_close_to_a_threshold() {
        let uncertain = |toxicity| drawn(share(0.02), &scores(toxicity)).1;
        let (close, farther, far) = (uncertain(0.249), uncertain(0.1), uncertain(0.001));
        assert!(close > farther && farther > far, "{close} {farther} {far}");
        assert!(
            (290..=301).contains(&close),
            "three times as many at most: {close}"
        );
        assert!(far < 20, "{far}");
        assert_eq!(uncertain(0.25), uncertain(0.99), "above it none is closer");
    }

    #[test]
    fn nothing_of_none_and_all_of_all() {
        for toxicity in [0.0, 0.1, 1.0] {
            assert_eq!(drawn(Share::NONE, &scores(toxicity)), (0, 0));
            assert_eq!(drawn(share(1.0), &scores(toxicity)), (NUMBERS, 0));
        }
    }

    #[test]
    fn a_share_is_from_0_to_1() {
        for bad in [-0.01, 1.01, f64::NAN, f64::INFINITY] {
            assert!(Share::try_from(bad).is_err(), "{bad}");
        }
        assert_eq!(serde_json::from_str::<Share>("0.5").unwrap(), share(0.5));
        assert!(serde_json::from_str::<Share>("2").is_err());
    }

    #[test]
    fn kinds_read_back() {
        for kind in [SampleKind::Random, SampleKind::Uncertain] {
            assert_eq!(SampleKind::from_name(kind.as_str()), Some(kind));
        }
    }

    proptest! {
        #[test]
        fn a_comment_is_drawn_as_often_as_is_stored(value in 0.001f64..0.999, toxicity in 0f32..1.0) {
            let (random, uncertain) = drawn(share(value), &scores(toxicity));
            let often = f64::from(random + uncertain) / f64::from(NUMBERS);
            let stored = Sample::draw(share(value), &scores(toxicity), &thresholds(), 0.0).unwrap().probability;
            prop_assert!((often - stored).abs() <= 1.0 / f64::from(NUMBERS), "{often} {stored}");
            prop_assert!(stored <= 1.0 && stored >= value / 2.0, "no weight is over two divided by the share");
        }
    }
}
