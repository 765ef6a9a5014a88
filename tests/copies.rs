//! Copies of a comment are found again after the changes that people make, and other comments are not taken for copies.
//!
//! On our own labelled comments, and with `PALABRE_TEXTS=FILE:FILE...` on other labelled files too.
//! `cargo test --test copies -- --nocapture` prints the shares.

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
    classifier::{Comment, Fingerprint, Model, Signature, fold, training::dataset},
    domain::MIN_DUPLICATE_CHARS,
};

/// Words that a text must have for one of twelve to be changed.
const WORDS: usize = 12;
/// Characters among which one is mistyped.
const TYPO: usize = 30;

/// Every thirtieth character becomes another letter, if it is one.
fn mistyped(text: &str, _: &str, seed: usize) -> String {
    let letters = text.chars().enumerate();
    letters
        .map(|(at, letter)| match letter {
            'z' if at % TYPO == seed % TYPO => 'a',
            _ if letter.is_alphabetic() && at % TYPO == seed % TYPO => 'z',
            _ => letter,
        })
        .collect()
}

/// A change of a text, which may take words from another; and a number that goes on.
type Change = fn(&str, &str, usize) -> String;

fn texts() -> Vec<String> {
    let mut files = seeds::files();
    if let Some(more) = std::env::var_os("PALABRE_TEXTS") {
        files.extend(std::env::split_paths(&more));
    }
    let mut seen = HashSet::new();
    files
        .iter()
        .flat_map(|file| {
            let bytes = fs::read(file).unwrap();
            dataset::read(bytes.as_slice(), &file.to_string_lossy()).unwrap()
        })
        .map(|example| example.text)
        .filter(|text| seen.insert(fold(text)))
        .collect()
}

fn print(model: &Model, text: &str) -> Fingerprint {
    let comment = Comment {
        text,
        ancestors: &[],
        lang: None,
    };
    model.assess(&comment).fingerprint
}

fn found(stored: &Fingerprint, new: &Fingerprint) -> bool {
    let probes = new.probes();
    let bands = stored.anchors().bands();
    let meets = bands.iter().any(|band| probes.contains(band));
    meets && stored.signature().similarity(new.signature()) >= Signature::NEAR
}

/// Every twelfth word becomes a word of another text.
fn reworded(text: &str, other: &str, seed: usize) -> String {
    let others: Vec<&str> = other.split_whitespace().collect();
    let words = text.split_whitespace().enumerate();
    let words = words.map(|(at, word)| {
        if at % WORDS == seed % WORDS {
            others[(seed + at) % others.len()]
        } else {
            word
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn copies_are_found_and_other_comments_are_not() {
    let model = Model::from_bytes(Model::SHIPPED).unwrap();
    let texts = texts();
    let prints: Vec<Fingerprint> = texts.iter().map(|text| print(&model, text)).collect();
    let long: Vec<usize> = (0..texts.len())
        .filter(|at| prints[*at].chars() >= MIN_DUPLICATE_CHARS)
        .filter(|at| texts[*at].split_whitespace().count() >= WORDS)
        .collect();
    assert!(long.len() > 500);

    let changes: [(&str, Change); 7] = [
        ("one character in thirty mistyped", mistyped),
        ("one word in twelve changed", reworded),
        ("a greeting in front", |text, _, seed| {
            let greetings = ["Bonjour à tous,", "Salut la famille.", "Good morning all,"];
            format!("{} {text}", greetings[seed % greetings.len()])
        }),
        ("emoji added", |text, _, _| format!("😡😡 {text} 🔥🔥🔥")),
        ("capitals", |text, _, _| text.to_uppercase()),
        ("no accents", |text, _, _| fold(text)),
        ("no punctuation", |text, _, _| {
            text.replace(|c: char| c.is_ascii_punctuation(), " ")
        }),
    ];
    println!(
        "{} texts, {} of them of {WORDS} words or more",
        texts.len(),
        long.len()
    );
    for (name, change) in changes {
        let again = long.iter().enumerate().filter(|(seed, at)| {
            let other = &texts[long[(seed + 1) % long.len()]];
            let copy = print(&model, &change(&texts[**at], other, *seed));
            found(&prints[**at], &copy)
        });
        let share = again.count() as f64 / long.len() as f64;
        println!("{:6.2} % found: {name}", share * 100.0);
        assert!(share >= 0.95, "{name}: {share}");
    }

    // What a look-up among all of them takes for a copy, and how many it has to compare.
    let mut by_band: HashMap<i64, Vec<usize>> = HashMap::new();
    for at in &long {
        for band in prints[*at].anchors().bands() {
            by_band.entry(band).or_default().push(*at);
        }
    }
    let (mut compared, mut taken) = (0, 0);
    for at in &long {
        let met: HashSet<usize> = (prints[*at].probes().iter())
            .filter_map(|probe| by_band.get(probe))
            .flatten()
            .copied()
            .filter(|other| other != at)
            .collect();
        compared += met.len();
        taken += usize::from(met.iter().any(|other| found(&prints[*other], &prints[*at])));
    }
    let share = f64::from(u32::try_from(taken).unwrap()) / long.len() as f64;
    println!(
        "{:6.2} % of the texts as they are have a copy among the others",
        share * 100.0
    );
    println!(
        "{:6.2} others compared for each",
        compared as f64 / long.len() as f64
    );
    if std::env::var_os("PALABRE_TEXTS").is_none() {
        // Some of ours differ in one word on purpose: a death wished, a death told.
        assert!(share < 0.03, "other texts are taken for copies: {share}");
    }
}
