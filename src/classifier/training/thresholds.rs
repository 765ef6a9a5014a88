//! The scores from which a comment is held.
//!
//! A moderator's time is what is scarce: each label may hold a small share of calm comments, and no more. The threshold is
//! the lowest one that keeps to that share on three kinds of calm comments, none of which may speak for another: those of a
//! language as they come in a talk page or a timeline; the same of one source, twice as leniently; and, more leniently
//! still, those of a language that look like abuse, from sources whose word is to be trusted on it.

use super::balance::trust;
use super::dataset::Example;
use super::evaluate::is_calm;
use crate::domain::{Label, PerLabel, Score, Thresholds};
use std::collections::BTreeMap;

/// Share of natural calm comments that a label may hold.
const fn budget(label: Label) -> f64 {
    match label {
        Label::Toxicity => 0.016,
        Label::Insult => 0.010,
        // A threat that is let through costs most.
        Label::Threat => 0.014,
        Label::IdentityAttack | Label::Profanity | Label::Spam => 0.005,
    }
}

/// What a group of calm comments has in common; how many times the budget it may spend comes with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Group<'a> {
    Natural(&'a str),
    NaturalSource(&'a str),
    LooksLikeAbuse(&'a str),
}

impl Group<'_> {
    const fn lenience(self) -> f64 {
        match self {
            Self::Natural(_) => 1.0,
            Self::NaturalSource(_) => 2.0,
            Self::LooksLikeAbuse(_) => 5.0,
        }
    }
}

/// With fewer rows, two odd ones would decide.
const LEAST: usize = 300;

/// Chooses thresholds on held-out rows and their scores.
pub(crate) fn choose(
    examples: &[&Example],
    scores: &[PerLabel<f32>],
    natural: &dyn Fn(&Example) -> bool,
) -> Thresholds {
    let mut groups: BTreeMap<Group<'_>, Vec<&PerLabel<f32>>> = BTreeMap::new();
    for (example, scores) in examples.iter().zip(scores) {
        let mut join = |group| groups.entry(group).or_default().push(scores);
        if !is_calm(example) {
            continue;
        }
        if natural(example) {
            join(Group::Natural(&example.lang));
            join(Group::NaturalSource(&example.source));
        } else if trust(&example.source) >= 1.0 {
            join(Group::LooksLikeAbuse(&example.lang));
        }
    }
    groups.retain(|_, members| members.len() >= LEAST);
    PerLabel::from_fn(|label| {
        let lowest = groups.iter().map(|(group, members)| {
            let scores = members.iter().map(|scores| *scores.get(label)).collect();
            let share = budget(label) * group.lenience();
            above_all_but(scores, (share * members.len() as f64) as usize)
        });
        Score::clamped(lowest.fold(0.02, f32::max).min(0.95))
    })
}

/// The lowest threshold that at most `allowed` of `scores` reach.
pub(super) fn above_all_but(mut scores: Vec<f32>, allowed: usize) -> f32 {
    scores.sort_by(|a, b| b.total_cmp(a));
    scores
        .get(allowed)
        .map_or(1.0, |score| score * 1.001 + 1e-4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_allowed_are_held() {
        let scores: Vec<f32> = (0..1000).map(|i| i as f32 / 1000.0).collect();
        let threshold = above_all_but(scores.clone(), 20);
        let held = scores.iter().filter(|score| **score >= threshold).count();
        assert!((18..=20).contains(&held), "{held}");
    }
}
