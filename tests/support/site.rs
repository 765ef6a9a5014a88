//! A made-up site: what its readers write, some of it in words that no model has seen, and what its moderators say of it.

#![allow(
    dead_code,
    reason = "each test target uses what it needs of the shared helpers"
)]

use std::{fs, sync::LazyLock};

use palabre::{
    classifier::training::{Lesson, dataset},
    domain::{Label, PerLabel},
};

#[path = "labels.rs"]
mod seeds;

const NAMES: [&str; 12] = [
    "Awa", "Moussa", "Fanta", "Ibrahim", "Claire", "Paul", "Oumar", "Sali", "Marc", "Nina",
    "Koffi", "Aline",
];
/// Insults of this site alone.
const INSULTS: [&str; 5] = ["zirbou", "kandjaro", "molokwé", "tikpanon", "brouzaf"];
/// What else people are called there.
const TRADES: [&str; 5] = [
    "commerçant",
    "menuisier",
    "professeur",
    "gardien",
    "couturier",
];

/// Our own French sentences: calm ones, and insults that any model knows.
static CALM: LazyLock<Vec<String>> =
    LazyLock::new(|| sentences(|labels| labels.iter().all(|(_, label)| *label == Some(false))));
static RUDE: LazyLock<Vec<String>> = LazyLock::new(|| {
    sentences(|labels| labels.toxicity == Some(true) && labels.insult == Some(true))
});

fn sentences(wanted: impl Fn(&PerLabel<Option<bool>>) -> bool) -> Vec<String> {
    let files = seeds::files().into_iter().filter(|file| {
        let name = file.file_name().unwrap().to_str().unwrap();
        name.starts_with("fr-") && !name.contains("swaps")
    });
    files
        .flat_map(|file| dataset::read(fs::read(file).unwrap().as_slice(), "labels").unwrap())
        .filter(|row| wanted(&row.labels))
        .map(|row| row.text)
        .filter(|text| (40..200).contains(&text.chars().count()))
        .collect()
}

/// A small generator of pseudo-random numbers.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % most
    }

    fn of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len())]
    }
}

/// Comments of the site, each with whether it is rude: a third is, half of them in words that no model knows.
pub fn comments(dice: &mut Dice, count: usize) -> Vec<(String, bool)> {
    let (mut calm, mut rude) = (shuffled(dice, &CALM), shuffled(dice, &RUDE));
    let comments = (0..count).map(|_| {
        let is_rude = dice.below(3) == 0;
        if is_rude && dice.below(2) == 0 {
            return (rude.pop().unwrap().clone(), true);
        }
        let sentence = calm.pop().unwrap();
        if !is_rude && dice.below(3) > 0 {
            return (sentence.clone(), false);
        }
        let name = dice.of(&NAMES);
        let what = dice.of(if is_rude { &INSULTS } else { &TRADES });
        let said = match dice.below(3) {
            0 => format!("{sentence} {name} est un vrai {what}."),
            1 => format!("Ce {what} de {name} encore. {sentence}"),
            _ => format!("{sentence} Quel {what} !"),
        };
        (said, is_rude)
    });
    comments.collect()
}

fn shuffled<'a>(dice: &mut Dice, sentences: &'a [String]) -> Vec<&'a String> {
    let mut sentences: Vec<&String> = sentences.iter().collect();
    for last in (1..sentences.len()).rev() {
        sentences.swap(last, dice.below(last + 1));
    }
    sentences
}

/// What a moderator says who hides what is rude.
pub fn labels(rude: bool) -> PerLabel<Option<bool>> {
    PerLabel::from_fn(|label| match (rude, label) {
        (true, Label::Toxicity | Label::Insult) => Some(true),
        (true, _) => None,
        (false, _) => Some(false),
    })
}

/// `count` decisions; `judge` says what is decided of a comment that is rude or not.
pub fn lessons(
    seed: u64,
    count: usize,
    mut judge: impl FnMut(&mut Dice, bool) -> bool,
) -> Vec<Lesson> {
    let mut dice = Dice::new(seed);
    comments(&mut dice, count)
        .into_iter()
        .enumerate()
        .map(|(n, (text, rude))| Lesson {
            id: format!("comment-{n}"),
            text,
            parent: None,
            lang: "fr".into(),
            thread: format!("thread-{}", n / 15),
            moderator: ["binta", "luc"][n % 2].into(),
            at: n as i64 * 1000,
            labels: labels(judge(&mut dice, rude)),
            copies_published: false,
            split: None,
        })
        .collect()
}
