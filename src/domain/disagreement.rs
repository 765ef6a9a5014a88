//! How much a decision surprises the model.

use super::{Label, PerLabel, Score, Scores};

/// What a decision says of a label, against what the model said.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Surprise {
    pub label: Label,
    pub score: Score,
    /// Whether the comment has the label, as was decided.
    pub decided: bool,
    /// The log loss: minus the natural logarithm of the probability that the model gave to what was decided.
    pub value: f64,
}

impl Surprise {
    /// The label, or that label, of which a decision says the most unlikely thing; none where the model held all that was
    /// decided for likely.
    #[must_use]
    pub fn greatest(
        scores: &Scores,
        taught: &PerLabel<Option<bool>>,
        label: Option<Label>,
    ) -> Option<Self> {
        let labels = Label::ALL
            .into_iter()
            .filter(|one| label.is_none_or(|label| label == *one));
        labels
            .filter_map(|label| {
                let decided = (*taught.get(label))?;
                let score = *scores.get(label);
                let log_odds = if decided {
                    score.log_odds()
                } else {
                    -score.log_odds()
                };
                (log_odds < 0.0).then(|| Self {
                    label,
                    score,
                    decided,
                    value: (1.0 + (-log_odds).exp()).ln(),
                })
            })
            .max_by(|a, b| a.value.total_cmp(&b.value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(toxicity: f32, threat: f32) -> Scores {
        Scores {
            toxicity: Score::clamped(toxicity),
            threat: Score::clamped(threat),
            ..Scores::default()
        }
    }

    fn taught(toxicity: Option<bool>, threat: Option<bool>) -> PerLabel<Option<bool>> {
        PerLabel {
            toxicity,
            threat,
            ..PerLabel::default()
        }
    }

    #[test]
    fn what_was_least_likely_surprises_most() {
        let decided = taught(Some(true), Some(true));
        let surprise = Surprise::greatest(&scores(0.2, 0.03), &decided, None).unwrap();
        assert_eq!((surprise.label, surprise.decided), (Label::Threat, true));
        assert!((surprise.value - 3.507).abs() < 1e-3, "{}", surprise.value);
        let toxicity = Some(Label::Toxicity);
        let asked = Surprise::greatest(&scores(0.2, 0.03), &decided, toxicity).unwrap();
        assert_eq!(asked.label, Label::Toxicity);
        let approved = taught(Some(false), Some(false));
        let wrong = Surprise::greatest(&scores(0.9, 0.6), &approved, None).unwrap();
        assert_eq!((wrong.label, wrong.decided), (Label::Toxicity, false));
    }

    #[test]
    fn what_was_likely_or_not_said_surprises_nobody() {
        let likely = taught(Some(true), Some(false));
        assert_eq!(Surprise::greatest(&scores(0.9, 0.1), &likely, None), None);
        let nothing = taught(None, None);
        assert_eq!(Surprise::greatest(&scores(0.9, 0.9), &nothing, None), None);
        let spam = Some(Label::Spam);
        assert_eq!(Surprise::greatest(&scores(0.1, 0.1), &likely, spam), None);
    }

    #[test]
    fn certainty_is_not_infinite() {
        let decided = taught(Some(false), Some(true));
        for (toxicity, threat) in [(1.0, 0.5), (0.0, 0.0)] {
            let surprise = Surprise::greatest(&scores(toxicity, threat), &decided, None).unwrap();
            assert!(surprise.value < 14.0, "{}", surprise.value);
        }
    }
}
