//! The scores from which a comment is held.
//!
//! A moderator's time is what is scarce: each label may hold a small share of calm comments, and no more. The threshold is
//! the lowest one that keeps to that share, in every language, on held-out calm comments, first of natural ones (as they
//! come in a talk page or a timeline), then, more leniently, of calm ones that were written to look like abuse.

use super::dataset::Example;
use super::evaluate::is_calm;
use crate::domain::{Label, PerLabel, Score, Thresholds};
use std::collections::BTreeMap;

/// Share of natural calm comments that a label may hold.
const fn budget(label: Label) -> f64 {
    match label {
        Label::Toxicity => 0.02,
        Label::Insult => 0.012,
        Label::Threat => 0.008,
        Label::IdentityAttack | Label::Profanity | Label::Spam => 0.006,
    }
}

/// How many times the budget may be spent on calm comments that look like abuse.
const LENIENCE: f64 = 6.0;
/// Below this many rows a share says little.
const LEAST: usize = 40;

/// Chooses thresholds on held-out rows and their scores.
pub(crate) fn choose(
    examples: &[&Example],
    scores: &[PerLabel<f32>],
    natural: &dyn Fn(&Example) -> bool,
) -> Thresholds {
    PerLabel::from_fn(|label| {
        let mut groups: BTreeMap<(&str, bool), Vec<f32>> = BTreeMap::new();
        for (example, scores) in examples.iter().zip(scores) {
            if is_calm(example) {
                let group = (example.lang.as_str(), natural(example));
                groups.entry(group).or_default().push(*scores.get(label));
            }
        }
        let kept = groups
            .into_iter()
            .filter(|(_, scores)| scores.len() >= LEAST);
        let lowest = kept.map(|((_, natural), scores)| {
            let share = budget(label) * if natural { 1.0 } else { LENIENCE };
            above_all_but(scores, share)
        });
        Score::clamped(lowest.fold(0.02, f32::max).min(0.95))
    })
}

/// The lowest threshold that at most `share` of `scores` reach.
fn above_all_but(mut scores: Vec<f32>, share: f64) -> f32 {
    scores.sort_by(|a, b| b.total_cmp(a));
    let allowed = (share * scores.len() as f64) as usize;
    scores
        .get(allowed)
        .map_or(1.0, |score| score * 1.001 + 1e-4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_the_share_is_held() {
        let scores: Vec<f32> = (0..1000).map(|i| i as f32 / 1000.0).collect();
        let threshold = above_all_but(scores.clone(), 0.02);
        let held = scores.iter().filter(|score| **score >= threshold).count();
        assert!((18..=20).contains(&held), "{held}");
    }
}
