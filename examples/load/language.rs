//! The sentences of one language, and new ones made of them: they go over into one another at words they share, or at
//! words that look as if they were of one kind.

use std::collections::HashMap;

use crate::rng::Rng;

/// How many words are taken from a sentence before it goes over into another, at most: of few sentences, more would often
/// be the same.
const STRIDE: usize = 6;
const SHORT_STRIDE: usize = 2;
/// A word that stands in fewer places leads on from those of its kind.
const FEW: usize = 12;
/// The longest sentence.
const MAX_WORDS: usize = 60;

/// Where a word stands: sentence and position.
type Place = (usize, usize);

pub struct Language {
    /// Each a list of words.
    sentences: Vec<Vec<String>>,
    /// Of each word of each sentence, where one can go on from it.
    ways: Vec<Vec<usize>>,
    places: Vec<Vec<Place>>,
    /// Whole texts with something toxic, a threat or spam in them.
    harsh: Vec<String>,
}

impl Language {
    pub fn new(sentences: &[String], harsh: Vec<String>) -> Self {
        let sentences: Vec<Vec<String>> = sentences
            .iter()
            .map(|sentence| sentence.split_whitespace().map(str::to_owned).collect())
            .collect();
        let mut by_word: HashMap<&str, Vec<Place>> = HashMap::new();
        let mut by_kind: HashMap<String, Vec<Place>> = HashMap::new();
        for (number, sentence) in sentences.iter().enumerate() {
            for (at, word) in sentence.iter().enumerate() {
                by_word.entry(word).or_default().push((number, at));
                by_kind.entry(kind(word)).or_default().push((number, at));
            }
        }
        let mut places: Vec<Vec<Place>> = Vec::new();
        let mut numbers: HashMap<String, usize> = HashMap::new();
        let mut way = |word: &String| {
            let (key, found) = match &by_word[word.as_str()] {
                few if few.len() < FEW => {
                    (format!("kind of {}", kind(word)), &by_kind[&kind(word)])
                }
                enough => (word.clone(), enough),
            };
            *numbers.entry(key).or_insert_with(|| {
                places.push(found.clone());
                places.len() - 1
            })
        };
        let ways = sentences
            .iter()
            .map(|sentence| sentence.iter().map(&mut way).collect())
            .collect();
        Self {
            sentences,
            ways,
            places,
            harsh,
        }
    }

    pub fn word(&self, rng: &mut Rng) -> &str {
        let sentence = &self.sentences[rng.below(self.sentences.len())];
        &sentence[rng.below(sentence.len())]
    }

    pub fn harsh(&self, rng: &mut Rng) -> &str {
        &self.harsh[rng.below(self.harsh.len())]
    }

    /// Writes a sentence: the beginning of one, the end of another, and what lies between from still others, no more than
    /// a few words of each.
    pub fn write_sentence(&self, text: &mut String, short: bool, rng: &mut Rng) {
        let stride = if short { SHORT_STRIDE } else { STRIDE };
        let (mut sentence, mut at) = (rng.below(self.sentences.len()), 0);
        let mut before_leap = 1 + rng.below(stride);
        for written in 0..MAX_WORDS {
            if at == self.sentences[sentence].len() {
                break;
            }
            if before_leap == 0 {
                let places = &self.places[self.ways[sentence][at]];
                (sentence, at) = places[rng.below(places.len())];
                before_leap = stride.div_ceil(2) + rng.below(stride.div_ceil(2) + 1);
            }
            if written > 0 {
                text.push(' ');
            }
            text.push_str(&self.sentences[sentence][at]);
            before_leap -= 1;
            at += 1;
        }
    }
}

/// What a word looks like: its case, its end with whatever mark stands there; a number is a number.
fn kind(word: &str) -> String {
    let mut letters = word.chars();
    let case = match (letters.next(), letters.next()) {
        (Some(first), Some(second)) if first.is_uppercase() && second.is_uppercase() => 'A',
        (Some(first), _) if first.is_uppercase() => 'a',
        _ => ' ',
    };
    let mut end: Vec<char> = word.chars().rev().take(3).collect();
    for c in &mut end {
        *c = if c.is_ascii_digit() { '0' } else { *c };
    }
    end.into_iter().rev().chain([case]).collect()
}
