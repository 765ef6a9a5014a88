//! What a decision teaches the model.

use super::{Action, DecisionReason, Label, LabelOverrides, PerLabel, Reason, ReasonCode};

impl DecisionReason {
    /// The labels that hiding a comment for this reason says it has.
    #[must_use]
    pub const fn labels(self) -> &'static [Label] {
        match self {
            Self::Offensive => &[Label::Toxicity],
            Self::Abusive => &[Label::Toxicity, Label::Insult],
            Self::Hate => &[Label::Toxicity, Label::IdentityAttack],
            Self::Threat => &[Label::Toxicity, Label::Threat],
            Self::Spam => &[Label::Spam],
            Self::OffTopic | Self::Illegal | Self::PersonalData | Self::Duplicate | Self::Other => {
                &[]
            }
        }
    }
}

/// What a decision says of each label; `None` is nothing. `machine` are the reasons that the machine had for the comment.
///
/// An approval says that there is nothing wrong. Hiding says what its reason says, or without one the labels among the
/// machine's reasons: a double post that was hidden must not teach that calm words are toxic. What the moderator set by hand
/// stands above all that; an escalation waits for another's decision.
#[must_use]
pub fn taught(
    action: Action,
    reason: Option<DecisionReason>,
    by_hand: &LabelOverrides,
    machine: &[Reason],
) -> PerLabel<Option<bool>> {
    let mut labels = match action {
        Action::Approve => PerLabel::from_fn(|_| Some(false)),
        Action::Hide => PerLabel::from_fn(|label| {
            let present = match reason {
                Some(reason) => reason.labels().contains(&label),
                None => machine.iter().any(|r| r.code == ReasonCode::from(label)),
            };
            present.then_some(true)
        }),
        Action::Escalate | Action::Undo => return PerLabel::default(),
    };
    for (label, present) in by_hand {
        *labels.get_mut(*label) = Some(*present);
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Score;

    fn present(labels: PerLabel<Option<bool>>) -> Vec<Label> {
        let present = labels.iter().filter(|(_, label)| **label == Some(true));
        present.map(|(label, _)| label).collect()
    }

    #[test]
    fn reasons_teach_what_the_contract_says() {
        use {DecisionReason as R, Label as L};
        for (reason, expected) in [
            (R::Offensive, &[L::Toxicity][..]),
            (R::Abusive, &[L::Toxicity, L::Insult]),
            (R::Hate, &[L::Toxicity, L::IdentityAttack]),
            (R::Threat, &[L::Toxicity, L::Threat]),
            (R::Spam, &[L::Spam]),
            (R::OffTopic, &[]),
            (R::Illegal, &[]),
            (R::PersonalData, &[]),
            (R::Duplicate, &[]),
            (R::Other, &[]),
        ] {
            let labels = taught(Action::Hide, Some(reason), &LabelOverrides::new(), &[]);
            assert_eq!(present(labels), expected, "{reason:?}");
            assert!(labels.iter().all(|(_, label)| *label != Some(false)));
        }
    }

    #[test]
    fn an_approval_is_clean_and_an_escalation_says_nothing() {
        let none = LabelOverrides::new();
        let approved = taught(Action::Approve, None, &none, &[]);
        assert!(approved.iter().all(|(_, label)| *label == Some(false)));
        for action in [Action::Escalate, Action::Undo] {
            let says = taught(action, Some(DecisionReason::Hate), &none, &[]);
            assert_eq!(says, PerLabel::default());
        }
    }

    #[test]
    fn a_plain_hide_says_what_the_machine_said_and_no_more() {
        let machine = [ReasonCode::Threat, ReasonCode::Duplicate].map(|code| Reason {
            code,
            score: Some(Score::clamped(0.9)),
            detail: String::new(),
        });
        let none = LabelOverrides::new();
        let labels = taught(Action::Hide, None, &none, &machine);
        assert_eq!(present(labels), [Label::Threat]);
        let nothing = taught(Action::Hide, None, &none, &machine[1..]);
        assert_eq!(nothing, PerLabel::default());
    }

    #[test]
    fn what_was_set_by_hand_stands() {
        let by_hand = LabelOverrides::from([(Label::Toxicity, false), (Label::Profanity, true)]);
        let labels = taught(Action::Hide, Some(DecisionReason::Abusive), &by_hand, &[]);
        assert_eq!(present(labels), [Label::Insult, Label::Profanity]);
        assert_eq!(labels.toxicity, Some(false));
        let approved = taught(Action::Approve, None, &by_hand, &[]);
        assert_eq!(present(approved), [Label::Profanity]);
    }
}
