//! Our own labelled comments in `seeds/labels` are what they say they are.

#![allow(
    clippy::unwrap_used,
    reason = "a file that cannot be read fails loudly"
)]

#[path = "support/labels.rs"]
mod seeds;

use std::{
    collections::{HashMap, HashSet},
    fs,
};

use palabre::{
    classifier::{
        fold,
        training::{Example, Split, dataset},
    },
    domain::Label,
};
use serde_json::Value;

/// Share of letters in fives that two texts have in common, from which one is a copy of the other.
const NEAR: f64 = 0.75;

fn files() -> Vec<(String, String)> {
    seeds::files()
        .into_iter()
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect()
}

fn examples() -> Vec<Example> {
    files()
        .into_iter()
        .flat_map(|(name, text)| dataset::read(text.as_bytes(), &name).unwrap())
        .collect()
}

#[test]
fn there_is_enough_of_everything() {
    let examples = examples();
    assert!(examples.len() >= 4000);
    for lang in ["fr", "en"] {
        let rows: Vec<&Example> = examples.iter().filter(|row| row.lang == lang).collect();
        let toxic = rows
            .iter()
            .filter(|row| row.labels.toxicity == Some(true))
            .count();
        let share = toxic as f64 / rows.len() as f64;
        assert!((0.3..0.6).contains(&share), "{lang}: {share:.2} are toxic");
        for label in Label::ALL {
            let with = rows
                .iter()
                .filter(|row| *row.labels.get(label) == Some(true));
            let with = with.count();
            // English spam is learned from elsewhere.
            let enough = if label == Label::Spam { 9 } else { 25 };
            assert!(with >= enough, "{lang}: {with} rows have {label}");
        }
    }
    let test = examples.iter().filter(|row| row.split == Split::Test);
    let share = test.count() as f64 / examples.len() as f64;
    assert!((0.12..0.19).contains(&share), "{share:.3} to measure on");
    let marked = examples
        .iter()
        .filter(|row| row.split == Split::Test && !row.marked.is_empty());
    assert!(marked.count() >= 150, "marks to measure highlights on");
}

#[test]
fn marks_stand_in_their_text() {
    for example in examples() {
        for mark in &example.marked {
            assert!(
                !mark.is_empty() && example.text.contains(mark),
                "{mark:?} in {}",
                example.text
            );
        }
    }
}

/// What is learned and what is measured must not be the same sentence with a word changed.
#[test]
fn nothing_learned_is_nearly_what_is_measured() {
    let examples = examples();
    let fives: Vec<HashSet<String>> = examples
        .iter()
        .map(|row| {
            // A reply is what it is below its parent.
            let whole = format!("{} {}", row.text, row.parent.as_deref().unwrap_or_default());
            let letters: Vec<char> = fold(&whole).chars().collect();
            letters
                .windows(5)
                .map(|five| five.iter().collect())
                .collect()
        })
        .collect();
    let mut learned: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, row) in examples.iter().enumerate() {
        if row.split == Split::Train {
            for five in &fives[at] {
                learned.entry(five).or_default().push(at);
            }
        }
    }
    for (at, row) in examples.iter().enumerate() {
        if row.split == Split::Train || row.text.chars().count() < 25 {
            continue;
        }
        let mut shared: HashMap<usize, usize> = HashMap::new();
        for other in fives[at]
            .iter()
            .filter_map(|five| learned.get(five.as_str()))
        {
            for other in other {
                *shared.entry(*other).or_default() += 1;
            }
        }
        for (other, both) in shared {
            let either = fives[at].len() + fives[other].len() - both;
            assert!(
                (both as f64) < NEAR * either as f64,
                "measured: {}\nlearned: {}",
                row.text,
                examples[other].text
            );
        }
    }
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
