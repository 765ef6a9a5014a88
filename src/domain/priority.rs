//! How soon a moderator should look at an item of the queue. The formulas are told in `docs/priority.md`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Label, Reason, ReasonCode, Scores};

/// How soon a moderator should look, with what it is made of.
///
/// `value` is the sum of the parts. Items held as threats have at least [`Priority::THREAT_TIER`] points, all others
/// stay below, so that one number sorts by tier, then by harm. It is fixed when the item enters the queue and does not
/// drift with time.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[schema(
    description = "How soon a moderator should look. `value` is the sum of the parts, from 5 up for what waits as a threat and \
                   below for all else, and does not drift with time."
)]
pub struct Priority {
    pub value: f64,
    pub parts: Vec<PriorityPart>,
}

/// Points that one reason adds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PriorityPart {
    pub code: ReasonCode,
    pub points: f64,
}

impl Priority {
    /// What being held as a threat is worth: more than everything else together.
    pub const THREAT_TIER: f64 = 5.0;

    /// The harm that a score of 1 stands for. They sum to 4.5.
    const fn harm(label: Label) -> f64 {
        match label {
            Label::Threat => 1.5,
            Label::IdentityAttack => 1.2,
            Label::Toxicity => 1.0,
            Label::Insult => 0.4,
            Label::Spam => 0.3,
            Label::Profanity => 0.1,
        }
    }

    /// The points of a reason that has no label. They sum to less than 0.5.
    const fn extra(code: ReasonCode, reports: Credibility) -> f64 {
        match code {
            ReasonCode::Report => 0.2 * reports.0,
            ReasonCode::BannedWord => 0.1,
            ReasonCode::Duplicate | ReasonCode::Links => 0.05,
            ReasonCode::SuspectWord | ReasonCode::AuthorSanction | ReasonCode::Appeal => 0.02,
            _ => 0.0,
        }
    }

    /// The harm to be expected of a comment with these scores, which are probabilities, in points.
    #[must_use]
    pub fn expected_harm(scores: &Scores) -> f64 {
        scores
            .iter()
            .map(|(label, score)| Self::harm(label) * f64::from(score.value()))
            .sum()
    }

    /// The priority of a comment with these scores, held for these reasons. If it is reported, `reports` says how far to
    /// believe it.
    #[must_use]
    pub fn of(scores: &Scores, reasons: &[Reason], reports: Credibility) -> Self {
        let threatens = |reason: &Reason| reason.code == ReasonCode::Threat;
        let extras = reasons
            .iter()
            .map(|reason| (reason.code, Self::extra(reason.code, reports)));
        Self::add_up(Self::labels(scores, reasons.iter().any(threatens)).chain(extras))
    }

    /// The same reasons with other scores: points that are not a label's stay, and what is held as a threat is so still.
    #[must_use]
    pub fn rescored(&self, scores: &Scores) -> Self {
        let labels = Label::ALL.map(ReasonCode::from);
        let threatens = |part: &PriorityPart| {
            part.code == ReasonCode::Threat && part.points >= Self::THREAT_TIER
        };
        let others = (self.parts.iter())
            .filter(|part| !labels.contains(&part.code))
            .map(|part| (part.code, part.points));
        Self::add_up(Self::labels(scores, self.parts.iter().any(threatens)).chain(others))
    }

    /// The points of each label.
    fn labels(scores: &Scores, threatens: bool) -> impl Iterator<Item = (ReasonCode, f64)> {
        scores.iter().map(move |(label, score)| {
            let tier = if label == Label::Threat && threatens {
                Self::THREAT_TIER
            } else {
                0.0
            };
            let points = tier + Self::harm(label) * f64::from(score.value());
            (ReasonCode::from(label), points)
        })
    }

    fn add_up(points: impl Iterator<Item = (ReasonCode, f64)>) -> Self {
        let mut parts: Vec<PriorityPart> = points
            .map(|(code, points)| PriorityPart {
                code,
                points: (points * 1e4).round() / 1e4,
            })
            .filter(|part| part.points > 0.0)
            .collect();
        parts.sort_by(|a, b| b.points.total_cmp(&a.points));
        let value = parts.iter().map(|part| part.points).sum::<f64>();
        Self {
            value: (value * 1e4).round() / 1e4,
            parts,
        }
    }

    /// The priority of this key and these parts, as they were stored.
    #[must_use]
    pub fn stored(key: i64, parts: Vec<PriorityPart>) -> Self {
        Self {
            value: key as f64 / 1e4,
            parts,
        }
    }

    /// The value as a whole number of ten-thousandths: what the database sorts by, exactly.
    #[must_use]
    pub fn key(&self) -> i64 {
        whole(self.value)
    }

    /// The harm to be expected, the same way.
    #[must_use]
    pub fn harm_key(scores: &Scores) -> i64 {
        whole(Self::expected_harm(scores))
    }
}

fn whole(points: f64) -> i64 {
    (points * 1e4).round() as i64
}

/// How often a reader's reports were right, among the latest that a moderator decided on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReporterRecord {
    /// Reports of texts that a moderator then hid.
    pub right: i64,
    /// Reports of texts that a moderator then approved.
    pub wrong: i64,
}

impl ReporterRecord {
    /// How many of a reader's latest reports are looked at.
    pub const LATEST: i64 = 50;
    /// Reports of either kind that everybody is taken to have made before the first, so that a few say little.
    const BEFORE: f64 = 2.0;

    /// How much the reader's next report counts, from 0 to 1; 0.5 for one of whom nothing is known.
    #[must_use]
    pub fn weight(self) -> f64 {
        let (right, wrong) = (self.right as f64, self.wrong as f64);
        (right + Self::BEFORE) / (right + wrong + 2.0 * Self::BEFORE)
    }
}

/// How far to believe that a text was reported with good cause, from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
pub struct Credibility(f64);

impl Credibility {
    /// By reports of these weights, in any order: what is left when each of them takes half its weight from the doubt.
    #[must_use]
    pub fn of(weights: impl IntoIterator<Item = f64>) -> Self {
        let doubt: f64 = weights
            .into_iter()
            .map(|weight| 1.0 - weight.clamp(0.0, 1.0) / 2.0)
            .product();
        Self(1.0 - doubt)
    }

    /// By one report of a reader of whom nothing is known.
    #[must_use]
    pub fn of_a_stranger() -> Self {
        Self::of([ReporterRecord::default().weight()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{PerLabel, Score};
    use proptest::prelude::*;

    fn reason(code: ReasonCode) -> Reason {
        Reason {
            code,
            score: None,
            detail: String::new(),
        }
    }

    #[test]
    fn a_threat_comes_before_everything_else_together() {
        let all_but_threat = ReasonCode::ALL.map(reason);
        let worst_other = Priority::of(
            &PerLabel::from_fn(|_| Score::clamped(1.0)),
            &all_but_threat
                .into_iter()
                .filter(|r| r.code != ReasonCode::Threat)
                .collect::<Vec<_>>(),
            Credibility(1.0),
        );
        let mildest_threat = Priority::of(
            &Scores::default(),
            &[reason(ReasonCode::Threat)],
            Credibility::default(),
        );
        assert!(mildest_threat.value > worst_other.value);
    }

    #[test]
    fn the_parts_explain_the_value() {
        let scores = Scores {
            toxicity: Score::clamped(0.8),
            threat: Score::clamped(0.6),
            ..Scores::default()
        };
        let threat = [reason(ReasonCode::Threat)];
        let priority = Priority::of(&scores, &threat, Credibility::default());
        let sum: f64 = priority.parts.iter().map(|part| part.points).sum();
        assert!((priority.value - sum).abs() < 1e-9);
        assert_eq!(priority.parts[0].code, ReasonCode::Threat);
        assert_eq!(priority.key(), 67_000);
    }

    #[test]
    fn a_report_by_a_stranger_is_worth_a_twentieth_of_a_point() {
        let stranger = Credibility::of_a_stranger();
        let reported = Priority::of(&Scores::default(), &[reason(ReasonCode::Report)], stranger);
        assert_eq!(reported.key(), 500);
    }

    #[test]
    fn a_few_reports_say_little_of_a_reporter() {
        let weight = |right, wrong| ReporterRecord { right, wrong }.weight();
        assert!((weight(0, 0) - 0.5).abs() < 1e-9);
        assert!((weight(1, 0) - 0.6).abs() < 1e-9, "one more in five");
        assert!((weight(0, 1) - 0.4).abs() < 1e-9);
        assert!(weight(20, 0) > 0.9 && weight(0, 20) < 0.1);
        assert!((weight(10, 10) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn one_who_is_right_outweighs_several_who_are_not() {
        let of = |records: &[(i64, i64)]| {
            let records = records.iter();
            Credibility::of(records.map(|&(right, wrong)| ReporterRecord { right, wrong }.weight()))
        };
        assert!(of(&[(20, 0)]) > of(&[(0, 20); 5]));
        assert!(
            of(&[(0, 0); 3]) > of(&[(20, 0)]),
            "but not any number of strangers"
        );
    }

    #[test]
    fn other_scores_change_the_points_of_labels_alone() {
        let scores = |value| PerLabel::from_fn(|_| Score::clamped(value));
        let reasons = [ReasonCode::Threat, ReasonCode::Report, ReasonCode::Appeal].map(reason);
        let reports = Credibility::of([0.9]);
        let before = Priority::of(&scores(0.8), &reasons, reports);
        let after = before.rescored(&scores(0.1));
        assert_eq!(after, Priority::of(&scores(0.1), &reasons, reports));
        assert!(after.value >= Priority::THREAT_TIER && after.value < before.value);
    }

    #[test]
    fn expected_harm_knows_no_tier() {
        let doubtful = Scores {
            threat: Score::clamped(0.4),
            ..Scores::default()
        };
        let certain = Scores {
            toxicity: Score::clamped(0.9),
            identity_attack: Score::clamped(0.9),
            ..Scores::default()
        };
        assert!(Priority::expected_harm(&certain) > Priority::expected_harm(&doubtful));
    }

    proptest! {
        #[test]
        fn another_right_report_never_makes_a_reporter_count_less(right in 0i64..60, wrong in 0i64..60) {
            let weight = |right, wrong| ReporterRecord { right, wrong }.weight();
            prop_assert!(weight(right + 1, wrong) > weight(right, wrong));
            prop_assert!(weight(right, wrong + 1) < weight(right, wrong));
            prop_assert!((0.0..=1.0).contains(&weight(right, wrong)));
        }

        #[test]
        fn another_report_is_never_worth_less_than_nothing(
            weights in proptest::collection::vec(0.0..=1.0f64, 0..20), one in 0.0..=1.0f64,
        ) {
            let before = Credibility::of(weights.iter().copied());
            let after = Credibility::of(weights.iter().copied().chain([one]));
            prop_assert!(after >= before && after <= Credibility(1.0));
        }
    }
}
