//! What other thresholds would have done with what a site received: cards for moderators, misses, false alarms.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Action, DecisionReason, Label, PerLabel, Score, Scores, Thresholds};

/// Thresholds are moved by at most this, in log-odds, to keep to a number of cards.
const FARTHEST: f32 = 12.0;
/// Halvings of the way between: finer than scores are kept.
const HALVINGS: usize = 24;

/// A comment that was received, and what a moderator said of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Received {
    pub scores: Scores,
    pub judged: Judged,
}

/// What a moderator said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judged {
    /// There is nothing wrong.
    Fine,
    /// Readers must not see it, for what it says.
    Wrong,
    /// Nothing, or that it is off topic or the like, which no score tells.
    NotSaid,
}

impl Judged {
    /// What the decision that stands says, if there is one.
    #[must_use]
    pub fn by(decision: Option<(Action, Option<DecisionReason>)>) -> Self {
        match decision {
            Some((Action::Approve, _)) => Self::Fine,
            Some((Action::Hide, None)) => Self::Wrong,
            Some((Action::Hide, Some(reason))) if !reason.labels().is_empty() => Self::Wrong,
            _ => Self::NotSaid,
        }
    }
}

/// What thresholds would have done.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Outcome {
    /// Scores from which a comment waits.
    pub hold: Thresholds,
    /// Comments that would have waited, a day.
    pub cards_a_day: f64,
    /// Of those that a moderator hid, how many would not have waited.
    pub misses: usize,
    /// Of those that a moderator approved, how many would have waited.
    pub false_alarms: usize,
}

/// Whether a comment of these scores waits, where it does from `hold`.
#[must_use]
pub fn held_by(scores: &Scores, hold: &Thresholds) -> bool {
    Label::ALL.iter().any(|l| scores.get(*l) >= hold.get(*l))
}

impl Outcome {
    /// Tries thresholds on what was received in so many days.
    #[must_use]
    pub fn of(received: &[Received], hold: Thresholds, days: f64) -> Self {
        let waits = |scores: &Scores| held_by(scores, &hold);
        let count = |judged: Judged, waiting: bool| {
            let those = received.iter().filter(|one| one.judged == judged);
            those.filter(|one| waits(&one.scores) == waiting).count()
        };
        let cards = received.iter().filter(|one| waits(&one.scores)).count();
        Self {
            hold,
            cards_a_day: cards as f64 / days,
            misses: count(Judged::Wrong, false),
            false_alarms: count(Judged::Fine, true),
        }
    }

    /// The lowest thresholds that keep to so many cards a day, all moved by the same log-odds from `hold`.
    #[must_use]
    pub fn keeping_to(received: &[Received], hold: &Thresholds, days: f64, cards: f64) -> Self {
        let moved = |by: f32| Self::of(received, moved(hold, by), days);
        let (mut too_low, mut enough) = (-FARTHEST, FARTHEST);
        if moved(too_low).cards_a_day <= cards {
            return moved(too_low);
        }
        for _ in 0..HALVINGS {
            let middle = f32::midpoint(too_low, enough);
            if moved(middle).cards_a_day > cards {
                too_low = middle;
            } else {
                enough = middle;
            }
        }
        moved(enough)
    }
}

fn moved(hold: &Thresholds, by: f32) -> Thresholds {
    PerLabel::from_fn(|label| {
        let log_odds = hold.get(label).log_odds() + by;
        Score::clamped(1.0 / (1.0 + (-log_odds).exp()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn received(insult: f32, judged: Judged) -> Received {
        Received {
            scores: Scores {
                insult: Score::clamped(insult),
                ..Scores::default()
            },
            judged,
        }
    }

    fn thresholds(score: f32) -> Thresholds {
        PerLabel::from_fn(|_| Score::clamped(score))
    }

    #[test]
    fn misses_and_false_alarms_are_counted() {
        let all = [
            received(0.9, Judged::Wrong),
            received(0.2, Judged::Wrong),
            received(0.7, Judged::Fine),
            received(0.1, Judged::Fine),
            received(0.6, Judged::NotSaid),
        ];
        let outcome = Outcome::of(&all, thresholds(0.5), 2.0);
        assert_eq!((outcome.misses, outcome.false_alarms), (1, 1));
        assert!((outcome.cards_a_day - 1.5).abs() < 1e-9);
    }

    #[test]
    fn only_what_is_in_the_words_is_wrong() {
        use {Action as A, DecisionReason as R, Judged as J};
        for (decision, judged) in [
            (None, J::NotSaid),
            (Some((A::Approve, None)), J::Fine),
            (Some((A::Hide, None)), J::Wrong),
            (Some((A::Hide, Some(R::Spam))), J::Wrong),
            (Some((A::Hide, Some(R::OffTopic))), J::NotSaid),
            (Some((A::Escalate, None)), J::NotSaid),
        ] {
            assert_eq!(Judged::by(decision), judged, "{decision:?}");
        }
    }

    proptest! {
        #[test]
        fn a_number_of_cards_is_kept_to(scores in prop::collection::vec(0.001f32..0.999, 1..60), cards in 0f64..70.0) {
            let all: Vec<Received> = scores.iter().map(|s| received(*s, Judged::Fine)).collect();
            let outcome = Outcome::keeping_to(&all, &thresholds(0.5), 1.0, cards);
            prop_assert!(outcome.cards_a_day <= cards);
            // Not one card could be added without a tie.
            let mut sorted = scores.clone();
            sorted.sort_by(|a, b| b.total_cmp(a));
            if let Some(next) = sorted.get(outcome.cards_a_day as usize) {
                let next = Score::clamped(*next);
                let tied = sorted.iter().filter(|s| Score::clamped(**s) == next).count() as f64;
                prop_assert!(outcome.cards_a_day + tied > cards || outcome.hold.insult.value() <= next.value() * 1.01 + 1e-3);
            }
        }
    }
}
