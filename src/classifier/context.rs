//! What the comment above makes of a short reply.
//!
//! "Je suis partant" answers an invitation or a call to burn a house down; "il faut tous les écraser" speaks of mosquitoes or of
//! neighbours. A reply is scored by itself first. If it is short and answers something, what stands above adds to the
//! log-odds: it agrees with a threat, it gives an insult back, or it is fierce about a thing that one may well destroy. A
//! long reply says itself what it means, and a calm comment above changes nothing.
//!
//! Each input is a product of what the reply does and what stands above, so that without either there is none.

use super::dense::Evidence;
use super::frames::Frame;
use super::lexicon::{Class, Classes};
use crate::domain::{Label, PerLabel, Thresholds};

/// A reply with more words than this speaks for itself.
const MOST_WORDS: usize = 16;
/// No more characters than this are read of the comment above.
const MOST_ABOVE: usize = 1500;

/// Names of the inputs, in the order of their values.
pub(crate) const INPUTS: [&str; SIZE] = [
    "agrees_above",
    "returned_above",
    "brief_above",
    "fierce_at_people_above",
    "fierce_at_harmless_above",
];
/// How many inputs there are.
pub(crate) const SIZE: usize = 5;

/// The inputs of one label.
pub(crate) type Inputs = [f32; SIZE];

/// Whether an input can only speak for a label (`true`) or only against it.
pub(crate) const fn speaks_for(input: usize) -> bool {
    input != 4
}

/// The labels that what stands above may change.
pub(crate) const fn may_change(label: Label) -> bool {
    matches!(
        label,
        Label::Toxicity | Label::Insult | Label::Threat | Label::IdentityAttack
    )
}

/// Whether a reply is such that what stands above may change what is made of it.
pub(crate) fn depends(reply: &Evidence) -> bool {
    (1..=MOST_WORDS).contains(&reply.classes.len())
}

/// As much of the comment above as is read.
pub(crate) fn beginning(parent: &str) -> &str {
    match parent.char_indices().nth(MOST_ABOVE) {
        Some((end, _)) => &parent[..end],
        None => parent,
    }
}

/// What a reply and the comment above make together, per label; `above` are the log-odds of the comment above.
pub(crate) fn read(
    reply: &Evidence,
    parent: &Evidence,
    above: &PerLabel<f32>,
    thresholds: &Thresholds,
) -> PerLabel<Inputs> {
    let has = |evidence: &Evidence, class| evidence.classes.iter().any(|token| token.has(class));
    let refuses = |token: &Classes| token.has(Class::Negation) && !token.has(Class::Agree);
    let agrees = (has(reply, Class::Agree) || only_approving_emoji(reply))
        && !reply.classes.iter().any(refuses);
    let returned = has(reply, Class::Return);
    let brevity = 1.0 - reply.classes.len() as f32 / MOST_WORDS as f32;
    let fierce = reply.sightings.iter().any(|sighting| {
        matches!(
            sighting.frame,
            Frame::Violence | Frame::DeathWish | Frame::Order | Frame::Weapon | Frame::Insult
        )
    }) && !has(reply, Class::Second);
    let people = has(parent, Class::Identity) || has(parent, Class::Person);
    let calm = ramp(*above.get(Label::Toxicity), thresholds.toxicity.value()) <= 0.5;
    let harmless = has(parent, Class::Harmless) && calm;
    let flag = |present: bool| f32::from(u8::from(present));
    PerLabel::from_fn(|label| {
        let heat = ramp(*above.get(label), thresholds.get(label).value());
        [
            flag(agrees) * heat,
            flag(returned) * heat,
            brevity * heat,
            flag(fierce && people),
            flag(fierce && harmless),
        ]
    })
}

/// From 0 for a score below its threshold to 1 for one above; half-way at the threshold.
fn ramp(log_odds: f32, threshold: f32) -> f32 {
    ((log_odds - logit(threshold)) / 2.0 + 0.5).clamp(0.0, 1.0)
}

/// The log-odds of a probability.
pub(crate) fn logit(probability: f32) -> f32 {
    let inside = probability.clamp(1e-6, 1.0 - 1e-6);
    (inside / (1.0 - inside)).ln()
}

fn only_approving_emoji(reply: &Evidence) -> bool {
    let emoji = |sighting: &&super::frames::Sighting| sighting.frame == Frame::KindEmoji;
    reply.sightings.iter().filter(emoji).count() == reply.classes.len()
}
