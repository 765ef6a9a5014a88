//! Whether the comment above changes what is made of a reply: the same reply below two comments, abuse below one of them.

use super::dataset::Example;
use crate::domain::{Label, PerLabel, Thresholds};
use serde::Serialize;
use std::collections::{HashMap, HashSet};
use std::fmt;

/// Replies that stand below two comments, once as abuse and once not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Swapped {
    /// Replies.
    pub pairs: usize,
    /// Held below the one comment and let through below the other, as they should be.
    pub told_apart: usize,
    /// Held below both.
    pub always_held: usize,
    /// Let through below both.
    pub never_held: usize,
    /// Of those told apart: replies that by themselves are let through, so that the comment above had them held.
    pub raised: usize,
    /// Of those told apart: replies that by themselves are held, so that the comment above had them let through.
    pub lowered: usize,
}

impl fmt::Display for Swapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Of {} replies that stand below two comments, abuse below one of them, {} are told apart ({} would pass by themselves, {} would \
             be held), {} held below both, {} below neither.",
            self.pairs,
            self.told_apart,
            self.raised,
            self.lowered,
            self.always_held,
            self.never_held
        )
    }
}

/// Counts the pairs in `examples`; `alone` are the scores without anything above.
pub(crate) fn swapped(
    examples: &[Example],
    scores: &[PerLabel<f32>],
    alone: impl Fn(&Example) -> PerLabel<f32>,
    thresholds: &Thresholds,
) -> Swapped {
    let held = |scores: &PerLabel<f32>| {
        let reaches = |label: Label| *scores.get(label) >= thresholds.get(label).value();
        Label::ALL.into_iter().any(reaches)
    };
    let mut replies: HashMap<&str, [Option<bool>; 2]> = HashMap::new();
    for (example, scores) in examples.iter().zip(scores) {
        if let (Some(_), Some(toxic)) = (&example.parent, example.labels.toxicity) {
            let reply = replies.entry(&example.text).or_default();
            reply[usize::from(toxic)] = Some(held(scores));
        }
    }
    let mut swapped = Swapped::default();
    let mut seen = HashSet::new();
    for example in examples {
        let Some([Some(calm), Some(abusive)]) = replies.get(example.text.as_str()) else {
            continue;
        };
        if !seen.insert(example.text.as_str()) {
            continue;
        }
        swapped.pairs += 1;
        match (calm, abusive) {
            (false, true) => {
                swapped.told_apart += 1;
                let by_itself = held(&alone(example));
                swapped.raised += usize::from(!by_itself);
                swapped.lowered += usize::from(by_itself);
            }
            (true, true) => swapped.always_held += 1,
            (false, false) => swapped.never_held += 1,
            (true, false) => {}
        }
    }
    swapped
}
