//! The shipped model is what its card says, on our own labelled comments that it did not learn from.

#![allow(
    clippy::unwrap_used,
    reason = "a file that cannot be read fails loudly"
)]

#[path = "support/labels.rs"]
mod seeds;

use std::fs;

use palabre::classifier::{
    Model,
    training::{self, Card, Split, dataset},
};

/// The most calm ones of these comments, written to mislead, that may be held.
const CALM_HELD: f64 = 0.15;
/// The most that a disguise may cost, in AUC.
const DISGUISE_COSTS: f64 = 0.02;

#[test]
fn the_shipped_model_is_what_its_card_says() {
    let examples: Vec<_> = seeds::files()
        .iter()
        .flat_map(|file| dataset::read(fs::read(file).unwrap().as_slice(), "labels").unwrap())
        .filter(|example| example.split == Split::Test)
        .collect();
    assert!(examples.len() > 400, "a test split worth the name");
    let model = Model::from_bytes(Model::SHIPPED).unwrap();
    let study = training::study(&model, &examples);
    let held = study.figures.calm_held["all"];
    assert!(held <= CALM_HELD, "{held:.3} of the calm ones are held");
    for (label, cost) in &study.evasion {
        for (disguise, auc) in &cost.disguised {
            let lost = cost.as_typed - auc;
            assert!(
                lost < DISGUISE_COSTS,
                "{label}, {}: {lost:.3}",
                disguise.name()
            );
        }
    }

    let card = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/model/README.md")).unwrap();
    assert!(card.contains(model.version()) && card.contains(model.checksum()));
    let tables = Card(&study).to_string();
    for line in tables.lines() {
        assert!(
            card.lines().any(|of_card| of_card == line),
            "the card lacks: {line}"
        );
    }
}
