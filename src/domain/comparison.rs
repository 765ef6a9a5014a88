//! Two models beside one another on the same comments: what each would have held, and how moderators judged that.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::{Judged, Label, PerLabel, Score, Scores, Thresholds, held_by};

/// What the live model has, and the shadow.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Both<T> {
    pub live: T,
    pub shadow: T,
}

/// A comment that both scored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Compared {
    pub scores: Both<Scores>,
    pub judged: Judged,
    /// What the decision on it says of each label.
    pub taught: PerLabel<Option<bool>>,
}

/// How many comments would have waited, each model with its own thresholds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = WouldHold)]
pub struct Would {
    pub hold_both: u64,
    pub hold_live_only: u64,
    pub hold_shadow_only: u64,
    pub hold_neither: u64,
}

/// How moderators judged some comments.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = JudgedCounts)]
pub struct Said {
    /// Hidden for what they say.
    pub wrong: u64,
    /// Approved.
    pub fine: u64,
}

/// How moderators judged what only one of the two would have held.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = JudgedDifferences)]
pub struct Differing {
    pub hold_live_only: Said,
    pub hold_shadow_only: Said,
}

/// The two on one label.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ComparedLabel {
    pub label: Label,
    /// Comments that only the live model would have held for this label.
    pub hold_live_only: u64,
    pub hold_shadow_only: u64,
    /// Null where decisions do not say both of comments that they have the label and that they have not.
    #[schema(required)]
    pub auc: Option<LabelAuc>,
}

/// How well each tells what has a label, by moderators' decisions, from what has not: the area under the ROC curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct LabelAuc {
    pub live: f64,
    pub shadow: f64,
    /// Comments that have it.
    pub positives: u64,
    pub negatives: u64,
}

/// That only one of the two would have held a comment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Disagreement {
    pub held_by_shadow: bool,
    /// The label for which, and by how much the two differ on it in log-odds.
    pub label: Label,
    pub distance: f64,
}

/// A comparison in the making. What it keeps does not grow with the number of comments: scores have four digits.
#[derive(Debug, Default)]
pub struct Tally {
    would: Would,
    judged: Differing,
    labels: PerLabel<OfLabel>,
}

#[derive(Debug, Default)]
struct OfLabel {
    hold_live_only: u64,
    hold_shadow_only: u64,
    live: Ranks,
    shadow: Ranks,
}

/// How many comments with and without a label have each score. Scores are not negative, so their bits have their order.
#[derive(Debug, Default)]
struct Ranks(BTreeMap<u32, (u64, u64)>);

impl Ranks {
    fn add(&mut self, score: Score, present: bool) {
        let (with, without) = self.0.entry(score.value().to_bits()).or_default();
        *(if present { with } else { without }) += 1;
    }

    fn positives(&self) -> u64 {
        self.0.values().map(|(with, _)| with).sum()
    }

    fn negatives(&self) -> u64 {
        self.0.values().map(|(_, without)| without).sum()
    }

    /// The share of pairs in which the one with the label has the higher score; a tie is half of one.
    fn auc(&self) -> f64 {
        let (mut below, mut won) = (0.0, 0.0);
        for (with, without) in self.0.values() {
            won += *with as f64 * (below + *without as f64 / 2.0);
            below += *without as f64;
        }
        won / (self.positives() as f64 * self.negatives() as f64)
    }
}

impl OfLabel {
    fn auc(&self) -> Option<LabelAuc> {
        let (positives, negatives) = (self.live.positives(), self.live.negatives());
        (positives > 0 && negatives > 0).then(|| LabelAuc {
            live: self.live.auc(),
            shadow: self.shadow.auc(),
            positives,
            negatives,
        })
    }
}

impl Tally {
    /// Adds a comment, which waits from `hold`; whether the two disagree about that.
    pub fn add(&mut self, one: &Compared, hold: &Both<Thresholds>) -> Option<Disagreement> {
        let Both { live, shadow } = one.scores;
        let mut farthest: Option<(Label, f64)> = None;
        for label in Label::ALL {
            let of_label = self.labels.get_mut(label);
            let held = Both {
                live: live.get(label) >= hold.live.get(label),
                shadow: shadow.get(label) >= hold.shadow.get(label),
            };
            of_label.hold_live_only += u64::from(held.live && !held.shadow);
            of_label.hold_shadow_only += u64::from(held.shadow && !held.live);
            if let Some(present) = one.taught.get(label) {
                of_label.live.add(*live.get(label), *present);
                of_label.shadow.add(*shadow.get(label), *present);
            }
            let distance = (shadow.get(label).log_odds() - live.get(label).log_odds()).abs();
            if held.live != held.shadow && farthest.is_none_or(|(_, most)| distance > most) {
                farthest = Some((label, distance));
            }
        }
        let held = Both {
            live: held_by(&live, &hold.live),
            shadow: held_by(&shadow, &hold.shadow),
        };
        let (count, said) = match (held.live, held.shadow) {
            (true, true) => (&mut self.would.hold_both, None),
            (false, false) => (&mut self.would.hold_neither, None),
            (true, false) => (
                &mut self.would.hold_live_only,
                Some(&mut self.judged.hold_live_only),
            ),
            (false, true) => (
                &mut self.would.hold_shadow_only,
                Some(&mut self.judged.hold_shadow_only),
            ),
        };
        *count += 1;
        let said = said?;
        match one.judged {
            Judged::Wrong => said.wrong += 1,
            Judged::Fine => said.fine += 1,
            Judged::NotSaid => {}
        }
        farthest.map(|(label, distance)| Disagreement {
            held_by_shadow: held.shadow,
            label,
            distance,
        })
    }

    /// How many comments were added.
    #[must_use]
    pub const fn compared(&self) -> u64 {
        let would = &self.would;
        would.hold_both + would.hold_live_only + would.hold_shadow_only + would.hold_neither
    }

    /// What each would have held.
    #[must_use]
    pub const fn would(&self) -> Would {
        self.would
    }

    /// How moderators judged what only one would have held.
    #[must_use]
    pub const fn judged(&self) -> Differing {
        self.judged
    }

    /// The two on each label.
    #[must_use]
    pub fn labels(&self) -> Vec<ComparedLabel> {
        let labels = self.labels.iter();
        labels
            .map(|(label, of_label)| ComparedLabel {
                label,
                hold_live_only: of_label.hold_live_only,
                hold_shadow_only: of_label.hold_shadow_only,
                auc: of_label.auc(),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn insult(score: f32) -> Scores {
        Scores {
            insult: Score::clamped(score),
            ..Scores::default()
        }
    }

    fn compared(live: f32, shadow: f32, judged: Judged) -> Compared {
        let taught = match judged {
            Judged::Fine => PerLabel::from_fn(|_| Some(false)),
            Judged::Wrong => PerLabel {
                insult: Some(true),
                ..PerLabel::default()
            },
            Judged::NotSaid => PerLabel::default(),
        };
        Compared {
            scores: Both {
                live: insult(live),
                shadow: insult(shadow),
            },
            judged,
            taught,
        }
    }

    fn hold() -> Both<Thresholds> {
        let from = |score: f32| PerLabel::from_fn(|_| Score::clamped(score));
        Both {
            live: from(0.5),
            shadow: from(0.6),
        }
    }

    fn tally(all: &[Compared]) -> (Tally, Vec<Disagreement>) {
        let mut tally = Tally::default();
        let disagreements = all.iter().filter_map(|one| tally.add(one, &hold()));
        let disagreements = disagreements.collect();
        (tally, disagreements)
    }

    #[test]
    fn each_model_holds_by_its_own_thresholds_and_decisions_say_who_was_right() {
        let (tally, disagreements) = tally(&[
            compared(0.9, 0.9, Judged::Wrong),
            compared(0.1, 0.1, Judged::Fine),
            compared(0.55, 0.55, Judged::Fine),
            compared(0.6, 0.2, Judged::NotSaid),
            compared(0.1, 0.8, Judged::Wrong),
        ]);
        assert_eq!(tally.compared(), 5);
        assert_eq!(
            tally.would(),
            Would {
                hold_both: 1,
                hold_live_only: 2,
                hold_shadow_only: 1,
                hold_neither: 1,
            }
        );
        let judged = tally.judged();
        assert_eq!(judged.hold_live_only, Said { wrong: 0, fine: 1 });
        assert_eq!(judged.hold_shadow_only, Said { wrong: 1, fine: 0 });
        let held_by_shadow: Vec<bool> = disagreements.iter().map(|d| d.held_by_shadow).collect();
        assert_eq!(held_by_shadow, [false, false, true]);
        let insult = &tally.labels()[Label::Insult.index()];
        assert_eq!((insult.hold_live_only, insult.hold_shadow_only), (2, 1));
        assert_eq!(tally.labels()[Label::Spam.index()].auc, None);
    }

    #[test]
    fn a_disagreement_is_as_large_as_on_the_label_it_is_about() {
        let mut one = compared(0.1, 0.8, Judged::NotSaid);
        // Far apart, and held by neither.
        one.scores.live.spam = Score::clamped(0.000_01);
        one.scores.shadow.spam = Score::clamped(0.4);
        let (_, disagreements) = tally(&[one]);
        let log_odds = (0.8f64 / 0.2).ln() - (0.1f64 / 0.9).ln();
        assert_eq!(disagreements[0].label, Label::Insult);
        assert!((disagreements[0].distance - log_odds).abs() < 1e-3);
    }

    #[test]
    fn what_one_holds_for_one_label_and_the_other_for_another_is_no_disagreement() {
        let mut one = compared(0.9, 0.1, Judged::Wrong);
        one.scores.shadow.threat = Score::clamped(0.9);
        let (tally, disagreements) = tally(&[one]);
        assert_eq!((tally.would().hold_both, disagreements.len()), (1, 0));
        assert_eq!(tally.labels()[Label::Threat.index()].hold_shadow_only, 1);
    }

    proptest! {
        #[test]
        fn the_area_is_the_share_of_pairs_in_the_right_order(all in prop::collection::vec((0f32..=1.0, 0f32..=1.0, prop::bool::ANY), 1..40)) {
            let judged = |wrong: bool| if wrong { Judged::Wrong } else { Judged::Fine };
            let all: Vec<Compared> = all.into_iter().map(|(live, shadow, wrong)| compared(live, shadow, judged(wrong))).collect();
            let (tally, _) = tally(&all);
            let auc = tally.labels()[Label::Insult.index()].auc;
            let (wrong, fine): (Vec<&Compared>, Vec<&Compared>) = all.iter().partition(|one| one.judged == Judged::Wrong);
            prop_assert_eq!(auc.is_none(), wrong.is_empty() || fine.is_empty());
            if let Some(auc) = auc {
                prop_assert_eq!((auc.positives, auc.negatives), (wrong.len() as u64, fine.len() as u64));
                let pairs = (wrong.len() * fine.len()) as f64;
                for (area, score) in [
                    (auc.live, (|one| one.scores.live.insult.value()) as fn(&Compared) -> f32),
                    (auc.shadow, |one| one.scores.shadow.insult.value()),
                ] {
                    let won: f64 = wrong.iter().flat_map(|w| fine.iter().map(move |f| (score(w), score(f))))
                        .map(|(w, f)| if w > f { 1.0 } else if w < f { 0.0 } else { 0.5 }).sum();
                    prop_assert!((area - won / pairs).abs() < 1e-9);
                }
            }
        }
    }
}
