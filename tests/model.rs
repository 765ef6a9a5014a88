//! The shipped model is as good as its card says, on our own labelled comments that it did not learn from.

#![allow(
    clippy::unwrap_used,
    reason = "a file that cannot be read fails loudly"
)]

#[path = "support/labels.rs"]
mod seeds;

use std::fs;

use palabre::classifier::{
    Model,
    training::{self, Split, dataset},
};

/// The AUC that the model was shipped with, by label. Another model states others here, and in its card.
const SHIPPED: [(&str, f64); 6] = [
    ("toxicity", 0.847),
    ("insult", 0.911),
    ("threat", 0.872),
    ("identity_attack", 0.884),
    ("profanity", 0.980),
    ("spam", 0.978),
];
/// What rounding may take away.
const SLACK: f64 = 0.0015;
/// The most calm ones of these comments, written to mislead, that may be held.
const CALM_HELD: f64 = 0.15;

#[test]
fn the_shipped_model_keeps_its_figures() {
    let examples: Vec<_> = seeds::files()
        .iter()
        .flat_map(|file| dataset::read(fs::read(file).unwrap().as_slice(), "labels").unwrap())
        .filter(|example| example.split == Split::Test)
        .collect();
    assert!(examples.len() > 400, "a test split worth the name");
    let model = Model::from_bytes(Model::SHIPPED).unwrap();
    let figures = training::evaluate(&model, &examples);
    for (label, shipped) in SHIPPED {
        let auc = figures.labels[label]["all"].auc.unwrap();
        assert!(
            auc >= shipped - SLACK,
            "{label}: {auc:.4}, shipped with {shipped}"
        );
    }
    let held = figures.calm_held["all"];
    assert!(held <= CALM_HELD, "{held:.3} of the calm ones are held");
}
