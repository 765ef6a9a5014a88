//! The shipped model is what its card says, on our own labelled comments that it did not learn from.

#![allow(
    clippy::unwrap_used,
    reason = "a file that cannot be read fails loudly"
)]

#[path = "support/labels.rs"]
mod seeds;

use std::fs;

use palabre::{
    classifier::{
        Comment, Model,
        training::{self, Card, Split, dataset},
    },
    domain::{Label, Sample, Share},
};
use serde_json::Value;

/// The most calm ones of these comments, written to mislead, that may be held.
const CALM_HELD: f64 = 0.15;
/// The most that a disguise may cost, in AUC.
const DISGUISE_COSTS: f64 = 0.02;

/// Of a policy's share, how much is drawn of the sample threads: the rest goes to what is close to a threshold.
#[test]
fn about_as_many_are_drawn_as_the_policy_says_of_threads_as_they_come() {
    let model = Model::from_bytes(Model::SHIPPED).unwrap();
    let share = Share::SAMPLED;
    let mut drawn = Vec::new();
    let threads = concat!(env!("CARGO_MANIFEST_DIR"), "/seeds/threads");
    for file in fs::read_dir(threads).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        let thread: Value = serde_json::from_str(&text).unwrap();
        let comments = thread["comments"].as_array().unwrap();
        for comment in comments {
            let parent = comments.iter().find(|one| one["n"] == comment["parent"]);
            let above: Vec<&str> = parent
                .iter()
                .map(|one| one["body"].as_str().unwrap())
                .collect();
            let scores = model.score(&Comment {
                text: comment["body"].as_str().unwrap(),
                ancestors: &above,
                lang: thread["thread"]["lang"].as_str(),
            });
            let hold = model.thresholds();
            if Label::ALL
                .iter()
                .all(|label| scores.get(*label) < hold.get(*label))
            {
                let sample = Sample::draw(share, &scores, hold, 0.0).unwrap();
                drawn.push(sample.probability);
            }
        }
    }
    assert!(drawn.len() > 150);
    let of_share = drawn.iter().sum::<f64>() / drawn.len() as f64 / share.value();
    assert!(
        (0.75..1.35).contains(&of_share),
        "{of_share:.3} of what the policy says"
    );
}

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
