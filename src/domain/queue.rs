//! The moderators' queue: which part of it an item waits in, and in what order.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Label, Reason, ReasonCode, Scores, Timestamp};

/// The part of the queue an item waits in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum QueueName {
    /// Held before readers saw it.
    #[default]
    Waiting,
    /// Published, and reported by readers.
    Reported,
    /// A moderator asked for a second opinion.
    Escalated,
    /// Its author asked for another look.
    Appeals,
    /// Picked to see what the policy would never have shown.
    Sampled,
}

impl QueueName {
    /// Every queue.
    pub const ALL: [Self; 5] = [
        Self::Waiting,
        Self::Reported,
        Self::Escalated,
        Self::Appeals,
        Self::Sampled,
    ];

    /// The name in JSON and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Reported => "reported",
            Self::Escalated => "escalated",
            Self::Appeals => "appeals",
            Self::Sampled => "sampled",
        }
    }

    /// The queue of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|queue| queue.as_str() == name)
    }
}

/// A moderator's lease of an item: nobody else is to decide on it until it ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Claim {
    /// The subject of the moderator's token.
    pub by: String,
    pub until: Timestamp,
}

impl Claim {
    /// How long a lease lasts, in milliseconds, unless its holder does something meanwhile.
    pub const LASTS: i64 = 10 * 60 * 1000;
    /// How long a lease goes without being made longer, in milliseconds, while its holder works.
    pub const RENEWED_EVERY: i64 = 60 * 1000;
    /// The most items one moderator has at a time.
    pub const MOST: usize = 50;

    /// A lease that begins now.
    #[must_use]
    pub fn new(by: &str, now: Timestamp) -> Self {
        Self {
            by: by.to_owned(),
            until: Timestamp::from_millis(now.millis() + Self::LASTS),
        }
    }

    /// A stored lease, if it has not ended.
    #[must_use]
    pub fn standing(by: Option<String>, until: Option<i64>, now: Timestamp) -> Option<Self> {
        let until = Timestamp::from_millis(until.filter(|until| *until > now.millis())?);
        Some(Self { by: by?, until })
    }
}

/// The order of a page of the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum QueueSort {
    /// The most harm first.
    #[default]
    Priority,
    Oldest,
    Newest,
}

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

    /// The points of a reason that has no label. They sum to less than 0.4.
    const fn extra(code: ReasonCode) -> f64 {
        match code {
            ReasonCode::BannedWord => 0.1,
            ReasonCode::Duplicate | ReasonCode::Report | ReasonCode::Links => 0.05,
            ReasonCode::SuspectWord | ReasonCode::AuthorSanction | ReasonCode::Appeal => 0.02,
            _ => 0.0,
        }
    }

    /// The priority of a comment with these scores, held for these reasons.
    #[must_use]
    pub fn of(scores: &Scores, reasons: &[Reason]) -> Self {
        let held_for = |code| reasons.iter().any(|reason| reason.code == code);
        let mut parts: Vec<PriorityPart> = scores
            .iter()
            .map(|(label, score)| {
                let code = ReasonCode::from(label);
                let tier = if label == Label::Threat && held_for(code) {
                    Self::THREAT_TIER
                } else {
                    0.0
                };
                (code, tier + Self::harm(label) * f64::from(score.value()))
            })
            .chain(
                reasons
                    .iter()
                    .map(|reason| (reason.code, Self::extra(reason.code))),
            )
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

    /// The value as a whole number of ten-thousandths: what the database sorts by, exactly.
    #[must_use]
    pub fn key(&self) -> i64 {
        (self.value * 1e4).round() as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{PerLabel, Score};

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
        );
        let mildest_threat = Priority::of(&Scores::default(), &[reason(ReasonCode::Threat)]);
        assert!(mildest_threat.value > worst_other.value);
    }

    #[test]
    fn the_parts_explain_the_value() {
        let scores = Scores {
            toxicity: Score::clamped(0.8),
            threat: Score::clamped(0.6),
            ..Scores::default()
        };
        let priority = Priority::of(&scores, &[reason(ReasonCode::Threat)]);
        let sum: f64 = priority.parts.iter().map(|part| part.points).sum();
        assert!((priority.value - sum).abs() < 1e-9);
        assert_eq!(priority.parts[0].code, ReasonCode::Threat);
        assert_eq!(priority.key(), 67_000);
    }
}
