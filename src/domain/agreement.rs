//! How far moderators agree with one another on the same text.

use serde::Serialize;
use utoipa::ToSchema;

use super::DecisionReason;

/// What a moderator said of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opinion {
    /// Readers must not see it.
    pub hides: bool,
    pub reason: Option<DecisionReason>,
}

/// What one moderator said of a text, and then another, so often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpinionPair {
    pub first: Opinion,
    pub second: Opinion,
    pub times: u64,
}

/// How far moderators agree.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Agreement {
    /// Texts that one moderator decided and then another.
    pub pairs: u64,
    /// Of these, how many both approved or both hid.
    pub agreed: u64,
    /// `agreed` of `pairs`; null without pairs.
    #[schema(required)]
    pub share: Option<f64>,
    /// Cohen's kappa: 1 where they always agree, 0 where they agree as often as by chance; null where all decided alike
    /// whatever the text, or there are no pairs.
    #[schema(required)]
    pub kappa: Option<f64>,
    /// Pairs of which one at least hid the text, by the reason of the one who hid it first, the most pairs first.
    pub by_reason: Vec<ReasonAgreement>,
}

/// How far moderators agree on what one of them hid for a reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReasonAgreement {
    /// Null where they gave none.
    #[schema(required)]
    pub reason: Option<DecisionReason>,
    pub pairs: u64,
    /// Both hid it.
    pub agreed: u64,
    /// Both hid it for this reason.
    pub same_reason: u64,
}

impl Agreement {
    /// Counts pairs.
    #[must_use]
    pub fn of(pairs: &[OpinionPair]) -> Self {
        let count = |is: &dyn Fn(&OpinionPair) -> bool| -> u64 {
            let those = pairs.iter().filter(|pair| is(pair));
            those.map(|pair| pair.times).sum()
        };
        let all = count(&|_| true);
        let agreed = count(&|pair| pair.first.hides == pair.second.hides);
        let first_hides = count(&|pair| pair.first.hides);
        let second_hides = count(&|pair| pair.second.hides);
        let mut by_reason: Vec<ReasonAgreement> = Vec::new();
        for pair in pairs
            .iter()
            .filter(|pair| pair.first.hides || pair.second.hides)
        {
            let both = pair.first.hides && pair.second.hides;
            let hid = if pair.first.hides {
                pair.first
            } else {
                pair.second
            };
            let found = by_reason.iter().position(|one| one.reason == hid.reason);
            let at = found.unwrap_or_else(|| {
                by_reason.push(ReasonAgreement {
                    reason: hid.reason,
                    pairs: 0,
                    agreed: 0,
                    same_reason: 0,
                });
                by_reason.len() - 1
            });
            let of_reason = &mut by_reason[at];
            of_reason.pairs += pair.times;
            if both {
                of_reason.agreed += pair.times;
            }
            if both && pair.first.reason == pair.second.reason {
                of_reason.same_reason += pair.times;
            }
        }
        by_reason.sort_by_key(|one| {
            (
                std::cmp::Reverse(one.pairs),
                one.reason.map(DecisionReason::as_str),
            )
        });
        Self {
            pairs: all,
            agreed,
            share: (all > 0).then(|| agreed as f64 / all as f64),
            kappa: kappa(all, agreed, first_hides, second_hides),
            by_reason,
        }
    }
}

/// Cohen's kappa (1960) of so many pairs, of which so many agree, where the first hid so many and the second so many.
fn kappa(pairs: u64, agreed: u64, first_hides: u64, second_hides: u64) -> Option<f64> {
    if pairs == 0 {
        return None;
    }
    let share = |count: u64| count as f64 / pairs as f64;
    let (first, second) = (share(first_hides), share(second_hides));
    let by_chance = first * second + (1.0 - first) * (1.0 - second);
    (by_chance < 1.0).then(|| (share(agreed) - by_chance) / (1.0 - by_chance))
}

#[cfg(test)]
mod tests {
    use super::*;
    use DecisionReason as R;

    const APPROVES: Opinion = Opinion {
        hides: false,
        reason: None,
    };

    fn hides(reason: Option<DecisionReason>) -> Opinion {
        Opinion {
            hides: true,
            reason,
        }
    }

    fn pair(first: Opinion, second: Opinion, times: u64) -> OpinionPair {
        OpinionPair {
            first,
            second,
            times,
        }
    }

    #[test]
    fn kappa_of_a_table_worked_by_hand() {
        // 20 + 15 of 50 agree; by chance half would: (0.7 - 0.5) / (1 - 0.5).
        let agreement = Agreement::of(&[
            pair(hides(None), hides(None), 20),
            pair(hides(None), APPROVES, 5),
            pair(APPROVES, hides(None), 10),
            pair(APPROVES, APPROVES, 15),
        ]);
        assert_eq!((agreement.pairs, agreement.agreed), (50, 35));
        assert!((agreement.share.unwrap() - 0.7).abs() < 1e-9);
        assert!((agreement.kappa.unwrap() - 0.4).abs() < 1e-9);
    }

    #[test]
    fn no_pairs_say_nothing_and_one_answer_to_everything_is_no_skill() {
        let nothing = Agreement::of(&[]);
        assert_eq!(
            (nothing.pairs, nothing.share, nothing.kappa),
            (0, None, None)
        );
        let alike = Agreement::of(&[pair(APPROVES, APPROVES, 9)]);
        assert_eq!((alike.share, alike.kappa), (Some(1.0), None));
        assert!(alike.by_reason.is_empty());
    }

    #[test]
    fn reasons_are_those_of_whoever_hid_it_first() {
        let agreement = Agreement::of(&[
            pair(hides(Some(R::Spam)), hides(Some(R::Spam)), 3),
            pair(hides(Some(R::Spam)), hides(Some(R::Abusive)), 2),
            pair(hides(Some(R::Spam)), APPROVES, 1),
            pair(APPROVES, hides(Some(R::Threat)), 4),
            pair(APPROVES, APPROVES, 9),
        ]);
        let of = |reason, pairs, agreed, same_reason| ReasonAgreement {
            reason,
            pairs,
            agreed,
            same_reason,
        };
        assert_eq!(
            agreement.by_reason,
            [of(Some(R::Spam), 6, 5, 3), of(Some(R::Threat), 4, 0, 0)]
        );
    }
}
