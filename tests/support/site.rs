//! A made-up site: what its readers write, some of it in words that no model has seen, and what its moderators say of it.

#![allow(
    dead_code,
    reason = "each test target uses what it needs of the shared helpers"
)]

use palabre::{
    classifier::training::Lesson,
    domain::{Label, PerLabel},
};

const NAMES: [&str; 12] = [
    "Awa", "Moussa", "Fanta", "Ibrahim", "Claire", "Paul", "Oumar", "Sali", "Marc", "Nina",
    "Koffi", "Aline",
];
const PLACES: [&str; 8] = [
    "au marché",
    "à Ségou",
    "devant l'école",
    "au stade",
    "dans le quartier",
    "à la mairie",
    "en ville",
    "ce matin",
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

/// A comment of the site, rude or not.
pub fn comment(dice: &mut Dice, rude: bool) -> String {
    let name = dice.of(&NAMES);
    let place = dice.of(&PLACES);
    let what = dice.of(if rude { &INSULTS } else { &TRADES });
    let number = dice.below(900) + 100;
    match dice.below(4) {
        0 => format!(
            "{name} est un vrai {what}, tout le monde le sait {place} depuis {number} jours."
        ),
        1 => {
            format!("Encore ce {what} de {name} qui parle {place}, et {number} personnes écoutent.")
        }
        2 => format!("J'ai vu {name} {place}, quel {what} celui-là, il a pris {number} francs."),
        _ => format!("Un {what} comme {name}, on en trouve {number} {place}, pas vrai ?"),
    }
}

/// What a moderator says who hides what is rude.
pub fn labels(rude: bool) -> PerLabel<Option<bool>> {
    PerLabel::from_fn(|label| match (rude, label) {
        (true, Label::Toxicity | Label::Insult) => Some(true),
        (true, _) => None,
        (false, _) => Some(false),
    })
}

/// `count` decisions, a third of them against; `judge` says what is decided of a comment that is rude or not.
pub fn lessons(
    seed: u64,
    count: usize,
    mut judge: impl FnMut(&mut Dice, bool) -> bool,
) -> Vec<Lesson> {
    let mut dice = Dice::new(seed);
    (0..count)
        .map(|n| {
            let rude = dice.below(3) == 0;
            let text = comment(&mut dice, rude);
            let said = judge(&mut dice, rude);
            Lesson {
                id: format!("comment-{n}"),
                text,
                parent: None,
                lang: "fr".into(),
                thread: format!("thread-{}", n / 15),
                moderator: ["binta", "luc"][n % 2].into(),
                at: n as i64 * 1000,
                labels: labels(said),
                copies_published: false,
                split: None,
            }
        })
        .collect()
}
