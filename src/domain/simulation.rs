//! What other thresholds would have done with what a site received: cards for moderators, misses, false alarms.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Action, DecisionReason, Label, PerLabel, PolicyThresholds, Score, Scores, Thresholds};

/// Thresholds are moved by at most this, in log-odds, to keep to a number of cards.
const FARTHEST: f32 = 12.0;
/// Halvings of the way between: finer than scores are kept.
const HALVINGS: usize = 24;
/// A curve's thresholds, in log-odds: from the first on, so many, so far from one another.
const CURVE: (f32, usize, f32) = (-7.0, 49, 0.25);

/// A comment that was received, and what a moderator said of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Received {
    pub scores: Scores,
    pub judged: Judged,
    /// The labels that a moderator gave as the reason for hiding it.
    pub seen: &'static [Label],
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
    /// What would have been found of each label.
    pub labels: Vec<Found>,
}

/// Of the comments that a moderator hid for a label, how many would have waited, for whatever label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Found {
    pub label: Label,
    pub hidden: usize,
    pub found: usize,
}

/// What one label's threshold would have done, all others as they are.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Curve {
    pub label: Label,
    /// By rising threshold: fewer cards, and more misses.
    pub points: Vec<Tradeoff>,
}

/// A point of such a curve.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Tradeoff {
    /// The score from which a comment waits.
    pub at: Score,
    pub cards_a_day: f64,
    pub misses: usize,
    pub false_alarms: usize,
}

impl Curve {
    /// Moves the threshold of one label.
    #[must_use]
    pub fn of(received: &[Received], hold: &Thresholds, days: f64, label: Label) -> Self {
        let by_others = |one: &&Received| {
            let mut others = Label::ALL.iter().filter(|other| **other != label);
            others.any(|other| one.scores.get(*other) >= hold.get(*other))
        };
        let (held, open): (Vec<&Received>, Vec<&Received>) = received.iter().partition(by_others);
        let sorted = |wanted: Option<Judged>| {
            let those = open
                .iter()
                .filter(|one| wanted.is_none_or(|wanted| one.judged == wanted));
            let mut scores: Vec<Score> = those.map(|one| *one.scores.get(label)).collect();
            scores.sort_by(|a, b| b.value().total_cmp(&a.value()));
            scores
        };
        let [all, wrong, fine] = [None, Some(Judged::Wrong), Some(Judged::Fine)].map(sorted);
        let fine_held = held.iter().filter(|one| one.judged == Judged::Fine).count();
        let waiting = |scores: &[Score], at: Score| scores.partition_point(|score| *score >= at);
        let (first, count, step) = CURVE;
        let points = (0..count).map(|n| {
            let at = Score::clamped(probability(first + n as f32 * step));
            Tradeoff {
                at,
                cards_a_day: (held.len() + waiting(&all, at)) as f64 / days,
                misses: wrong.len() - waiting(&wrong, at),
                false_alarms: fine_held + waiting(&fine, at),
            }
        });
        Self {
            label,
            points: points.collect(),
        }
    }
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
            labels: Label::ALL.map(|label| found(received, waits, label)).into(),
        }
    }

    /// The highest threshold of each label whose own scores find at least a share of what was hidden for it; the labels for
    /// which nothing is asked, or of which nothing was hidden, stay as they are. The labels that were set come with it.
    #[must_use]
    pub fn finding(
        received: &[Received],
        hold: &Thresholds,
        least: &PolicyThresholds,
    ) -> (Thresholds, PerLabel<bool>) {
        let (mut hold, mut set) = (*hold, PerLabel::default());
        for label in Label::ALL {
            let Some(share) = least.get(label) else {
                continue;
            };
            let hidden = received.iter().filter(|one| one.seen.contains(&label));
            let mut scores: Vec<Score> = hidden.map(|one| *one.scores.get(label)).collect();
            scores.sort_by(|a, b| b.value().total_cmp(&a.value()));
            // As it was written: six tenths of fifty are thirty.
            let share = (f64::from(share.value()) * 1e4).round() / 1e4;
            let wanted = (share * scores.len() as f64 - 1e-6).ceil() as usize;
            if let Some(last) = scores.get(wanted.max(1) - 1) {
                *hold.get_mut(label) = *last;
                *set.get_mut(label) = true;
            }
        }
        (hold, set)
    }

    /// The lowest thresholds that keep to so many cards a day, all but those that are `set` moved by the same log-odds from
    /// `hold`. Where those alone make more cards, there are more.
    #[must_use]
    pub fn keeping_to(
        received: &[Received],
        hold: &Thresholds,
        days: f64,
        cards: f64,
        set: &PerLabel<bool>,
    ) -> Self {
        let moved = |by: f32| {
            let all = moved(hold, by);
            let hold = PerLabel::from_fn(|label| {
                let from = if *set.get(label) { hold } else { &all };
                *from.get(label)
            });
            Self::of(received, hold, days)
        };
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

fn found(received: &[Received], waits: impl Fn(&Scores) -> bool, label: Label) -> Found {
    let hidden = received.iter().filter(|one| one.seen.contains(&label));
    Found {
        label,
        hidden: hidden.clone().count(),
        found: hidden.filter(|one| waits(&one.scores)).count(),
    }
}

fn moved(hold: &Thresholds, by: f32) -> Thresholds {
    PerLabel::from_fn(|label| Score::clamped(probability(hold.get(label).log_odds() as f32 + by)))
}

fn probability(log_odds: f32) -> f32 {
    1.0 / (1.0 + (-log_odds).exp())
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
            seen: if judged == Judged::Wrong {
                &[Label::Insult]
            } else {
                &[]
            },
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
        let insults = outcome
            .labels
            .iter()
            .find(|found| found.label == Label::Insult);
        assert_eq!(
            insults.map(|found| (found.hidden, found.found)),
            Some((2, 1))
        );
    }

    #[test]
    fn a_share_is_found_by_the_highest_threshold_that_finds_it() {
        let all: Vec<Received> = (1..=20)
            .map(|n| received(n as f32 / 100.0, Judged::Wrong))
            .collect();
        let least = |share| PolicyThresholds {
            insult: Some(Score::clamped(share)),
            threat: Some(Score::clamped(0.5)),
            ..PolicyThresholds::default()
        };
        for (share, from) in [(0.95, 0.02), (1.0, 0.01), (0.5, 0.11), (0.0, 0.2)] {
            let (hold, set) = Outcome::finding(&all, &thresholds(0.5), &least(share));
            assert_eq!(
                (hold.insult, hold.threat),
                (Score::clamped(from), Score::clamped(0.5))
            );
            assert!(set.insult && !set.threat, "nothing was hidden as a threat");
            // With few cards the others give way, and what must be found stays.
            let kept = Outcome::keeping_to(&all, &hold, 1.0, 3.0, &set);
            assert_eq!(kept.hold.insult, hold.insult);
            assert!(kept.misses <= ((1.0 - share) * 20.0).round() as usize);
        }
    }

    #[test]
    fn a_share_is_what_was_written() {
        let all: Vec<Received> = (1..=50)
            .map(|n| received(n as f32 / 100.0, Judged::Wrong))
            .collect();
        let least = PolicyThresholds {
            insult: Some(Score::clamped(0.6)),
            ..PolicyThresholds::default()
        };
        let (hold, _) = Outcome::finding(&all, &thresholds(0.9), &least);
        assert_eq!(
            hold.insult,
            Score::clamped(0.21),
            "the thirtieth from above"
        );
    }

    #[test]
    fn a_curve_says_the_same_as_trying_each_threshold() {
        let all: Vec<Received> = (0..60)
            .map(|n| {
                let judged = [Judged::Wrong, Judged::Fine, Judged::NotSaid][n % 3];
                let mut one = received((n * 37 % 60) as f32 / 60.0, judged);
                one.scores.spam = Score::clamped((n * 13 % 60) as f32 / 60.0);
                one
            })
            .collect();
        let hold = thresholds(0.7);
        let curve = Curve::of(&all, &hold, 2.0, Label::Insult);
        assert_eq!(curve.points.len(), 49);
        for point in &curve.points {
            let tried = Thresholds {
                insult: point.at,
                ..hold
            };
            let outcome = Outcome::of(&all, tried, 2.0);
            assert_eq!(
                (point.cards_a_day, point.misses, point.false_alarms),
                (outcome.cards_a_day, outcome.misses, outcome.false_alarms)
            );
        }
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
            let outcome = Outcome::keeping_to(&all, &thresholds(0.5), 1.0, cards, &PerLabel::default());
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
