//! Our own labelled comments in `seeds/labels` are what they say they are.

#![allow(
    clippy::unwrap_used,
    reason = "a file that cannot be read fails loudly"
)]

#[path = "support/labels.rs"]
mod seeds;

use std::{collections::HashSet, fs};

use palabre::{classifier::fold, classifier::training::dataset};
use serde_json::Value;

fn files() -> Vec<(String, String)> {
    seeds::files()
        .into_iter()
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect()
}

#[test]
fn every_file_reads_as_a_labelled_file() {
    let files = files();
    assert!(!files.is_empty());
    for (name, text) in files {
        let examples = dataset::read(text.as_bytes(), &name).unwrap();
        assert_eq!(examples.len(), text.lines().count(), "{name}");
        for example in examples {
            assert!(!example.text.trim().is_empty(), "{name}");
            assert_eq!(example.lang, name[..2], "{name}: {}", example.text);
            assert!(example.source.starts_with("palabre_"), "{name}");
        }
    }
}

#[test]
fn ids_and_texts_are_unique() {
    let (mut ids, mut texts) = (HashSet::new(), HashSet::new());
    for (name, text) in files() {
        for line in text.lines() {
            let row: Value = serde_json::from_str(line).unwrap();
            let id = row["id"].as_str().unwrap();
            assert!(id.starts_with(&name), "{id} in {name}");
            assert!(ids.insert(id.to_owned()), "{id} twice");
            let folded = fold(row["text"].as_str().unwrap());
            // A reply may stand below several comments.
            let parent = row["parent_text"].as_str().map(fold);
            assert!(texts.insert((folded, parent)), "the text of {id} twice");
        }
    }
}

#[test]
fn swapped_replies_come_in_pairs_that_differ_in_the_parent_alone() {
    for (name, text) in files() {
        if !name.ends_with("-swaps") {
            continue;
        }
        let examples = dataset::read(text.as_bytes(), &name).unwrap();
        for pair in examples.chunks(2) {
            let [held, calm] = pair else {
                panic!("{name} has an odd number of rows")
            };
            assert_eq!((&held.text, held.split), (&calm.text, calm.split));
            assert_ne!(held.parent, calm.parent, "{}", held.text);
            assert_eq!(held.labels.toxicity, Some(true), "{}", held.text);
            assert_eq!(calm.labels.toxicity, Some(false), "{}", calm.text);
        }
    }
}

#[test]
fn what_insults_threatens_or_hates_is_toxic() {
    for (name, text) in files() {
        for example in dataset::read(text.as_bytes(), &name).unwrap() {
            let labels = example.labels;
            let abuse = [labels.insult, labels.threat, labels.identity_attack];
            if abuse.contains(&Some(true)) {
                assert_eq!(labels.toxicity, Some(true), "{name}: {}", example.text);
            }
        }
    }
}
