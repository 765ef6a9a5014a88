//! What the classifier says of a text: one probability per label, and the spans that explain it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The six things a comment is scored for.
///
/// To add one: add it here and in [`Label::ALL`], train a model that knows it, and give it a column in both migrations.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[schema(description = "The six things a comment is scored for.")]
pub enum Label {
    /// Abusive, hateful, insulting or rude enough to make people leave.
    Toxicity,
    /// A person or a group is belittled.
    Insult,
    /// Harm is announced, wished or incited.
    Threat,
    /// An attack on a protected group, or on somebody as a member of one.
    IdentityAttack,
    /// Vulgar words.
    Profanity,
    /// Unwanted promotion.
    Spam,
}

impl Label {
    /// Every label, in the order of [`Scores`] and of model files.
    pub const ALL: [Self; 6] = [
        Self::Toxicity,
        Self::Insult,
        Self::Threat,
        Self::IdentityAttack,
        Self::Profanity,
        Self::Spam,
    ];

    /// The name used in JSON, in the database and in model files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Toxicity => "toxicity",
            Self::Insult => "insult",
            Self::Threat => "threat",
            Self::IdentityAttack => "identity_attack",
            Self::Profanity => "profanity",
            Self::Spam => "spam",
        }
    }

    /// The label of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|label| label.as_str() == name)
    }

    /// Position in [`Label::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl std::fmt::Display for Label {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One value for every [`Label`]: scores, thresholds, counts.
///
/// In JSON an object with the six labels as its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PerLabel<T> {
    pub toxicity: T,
    pub insult: T,
    pub threat: T,
    pub identity_attack: T,
    pub profanity: T,
    pub spam: T,
}

impl<T> PerLabel<T> {
    /// Builds the six values, in the order of [`Label::ALL`].
    pub fn from_fn(mut value: impl FnMut(Label) -> T) -> Self {
        Self {
            toxicity: value(Label::Toxicity),
            insult: value(Label::Insult),
            threat: value(Label::Threat),
            identity_attack: value(Label::IdentityAttack),
            profanity: value(Label::Profanity),
            spam: value(Label::Spam),
        }
    }

    /// The value of one label.
    pub const fn get(&self, label: Label) -> &T {
        match label {
            Label::Toxicity => &self.toxicity,
            Label::Insult => &self.insult,
            Label::Threat => &self.threat,
            Label::IdentityAttack => &self.identity_attack,
            Label::Profanity => &self.profanity,
            Label::Spam => &self.spam,
        }
    }

    /// The value of one label, to change it.
    pub const fn get_mut(&mut self, label: Label) -> &mut T {
        match label {
            Label::Toxicity => &mut self.toxicity,
            Label::Insult => &mut self.insult,
            Label::Threat => &mut self.threat,
            Label::IdentityAttack => &mut self.identity_attack,
            Label::Profanity => &mut self.profanity,
            Label::Spam => &mut self.spam,
        }
    }

    /// The same six values, each changed by `change`.
    pub fn map<U>(&self, mut change: impl FnMut(&T) -> U) -> PerLabel<U> {
        PerLabel::from_fn(|label| change(self.get(label)))
    }

    /// Label and value, in the order of [`Label::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Label, &T)> {
        Label::ALL.into_iter().map(|label| (label, self.get(label)))
    }
}

/// A probability from 0 to 1, kept to four significant digits, so that what is decided on, stored and shown is one number.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "f32", into = "f32")]
#[schema(value_type = f32, minimum = 0, maximum = 1)]
pub struct Score(f32);

impl Score {
    /// Brings `value` into 0..=1 and rounds it to four significant digits. NaN becomes 0.
    #[must_use]
    pub fn clamped(value: f32) -> Self {
        if value.is_nan() || value <= 0.0 {
            return Self(0.0);
        }
        let value = f64::from(value.min(1.0));
        let scale = 10f64.powi(3 - value.log10().floor() as i32);
        Self(((value * scale).round() / scale) as f32)
    }

    /// The probability, 0 to 1.
    #[must_use]
    pub const fn value(self) -> f32 {
        self.0
    }

    /// Its log-odds; 0 and 1 count as a millionth from there.
    #[must_use]
    pub fn log_odds(self) -> f32 {
        let p = self.0.clamp(1e-6, 1.0 - 1e-6);
        (p / (1.0 - p)).ln()
    }
}

impl From<Score> for f32 {
    fn from(score: Score) -> Self {
        score.0
    }
}

/// A number that is no probability.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("a score must be a number from 0 to 1, not {0}")]
pub struct NotAScore(f32);

impl TryFrom<f32> for Score {
    type Error = NotAScore;

    fn try_from(value: f32) -> Result<Self, NotAScore> {
        if (0.0..=1.0).contains(&value) {
            Ok(Self::clamped(value))
        } else {
            Err(NotAScore(value))
        }
    }
}

/// The six probabilities of a text.
pub type Scores = PerLabel<Score>;

impl Scores {
    /// The highest of the six.
    #[must_use]
    pub fn highest(&self) -> Score {
        let scores = self.iter().map(|(_, score)| *score);
        scores.fold(
            Score::default(),
            |most, score| if score > most { score } else { most },
        )
    }
}

/// Scores from which a policy acts, for the labels that it names.
pub type PolicyThresholds = PerLabel<Option<Score>>;

/// The scores from which a label counts as present.
pub type Thresholds = PerLabel<Score>;

/// A stretch of a text, counted in Unicode scalar values, half-open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Span {
    pub start: usize,
    pub end: usize,
}

/// A span that raised a label's score, and by how much (log-odds).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Highlight {
    pub label: Label,
    pub start: usize,
    pub end: usize,
    /// Contribution to the label's log-odds, positive.
    pub weight: f32,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn labels_serialise_to_the_names_of_the_contract() {
        for label in Label::ALL {
            assert_eq!(
                serde_json::to_string(&label).unwrap(),
                format!("\"{label}\"")
            );
            assert_eq!(Label::ALL[label.index()], label);
        }
    }

    #[test]
    fn a_score_is_rounded_to_four_significant_digits() {
        assert_eq!(Score::clamped(0.123_456).value(), 0.1235);
        assert_eq!(Score::clamped(0.000_012_345_6).value(), 0.000_012_35);
        assert_eq!(Score::clamped(0.999_99).value(), 1.0);
        assert_eq!(
            serde_json::to_string(&Score::clamped(0.912_345)).unwrap(),
            "0.9123"
        );
    }

    #[test]
    fn a_score_is_never_outside_its_range() {
        assert_eq!(Score::clamped(f32::NAN).value(), 0.0);
        assert_eq!(Score::clamped(-3.0).value(), 0.0);
        assert_eq!(Score::clamped(7.0).value(), 1.0);
        assert!(Score::try_from(1.5).is_err());
        assert!(Score::try_from(f32::NAN).is_err());
    }

    proptest! {
        #[test]
        fn rounding_keeps_order_and_survives_storage(a in 0f32..=1.0, b in 0f32..=1.0) {
            let (low, high) = if a <= b { (a, b) } else { (b, a) };
            prop_assert!(Score::clamped(low) <= Score::clamped(high));
            let stored = f64::from(Score::clamped(a).value());
            prop_assert_eq!(Score::clamped(stored as f32), Score::clamped(a));
        }
    }
}
