//! The sparse features of a text: hashed word 1- and 2-grams and character 2- to 5-grams.
//!
//! Words carry meaning, character n-grams carry it over to spellings never seen. A word counts in up to three views: without
//! accents (what phone French and capitals leave of it), with them if it has any, and with doubled letters made single if it
//! has any. Character n-grams stay inside a word and know its borders, so that a rude syllable inside an innocent word is
//! another feature than the rude word.
//!
//! Features are identified by 64-bit hashes; which of them the model knows is [`super::table`]'s business.

use super::normalise::Glyph;
use super::tokens::{Gap, Kind, Text, Token};

/// The two groups of features. Each is scaled by its own number of features, so that the many n-grams do not drown the words.
pub(crate) const BLOCKS: usize = 2;
pub(crate) const WORDS: usize = 0;
pub(crate) const CHARS: usize = 1;

const SEED: u64 = 0x51_7C_C1_B7_27_22_0A_95;
const ACCENTED: u64 = 0xA0_76_1D_64_78_BD_64_2F;
const SQUEEZED: u64 = 0xE7_03_7E_D1_A0_B4_28_DB;
const PAIR: u64 = 0x8E_BC_6A_F0_9C_88_C6_E3;
const LONGEST_GRAM: usize = 5;

/// One occurrence of a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Feature {
    pub hash: u64,
    /// Index of the token it belongs to; a pair belongs to its second word.
    pub token: u32,
    pub block: u8,
    /// It also covers the token before.
    pub pair: bool,
}

/// Calls `emit` for each occurrence of each feature, in the order of the text.
pub(crate) fn each(text: &Text, mut emit: impl FnMut(Feature)) {
    let mut previous: Option<u64> = None;
    for (index, token) in text.tokens.iter().enumerate() {
        let mut add = |hash, block: usize, pair| {
            emit(Feature {
                hash,
                token: index as u32,
                block: block as u8,
                pair,
            });
        };
        let letters = text.letters_of(token);
        let word = token_hash(token, letters);
        add(finish(word), WORDS, false);
        if let Some(previous) = previous.filter(|_| token.gap < Gap::Sentence) {
            add(finish(mix(previous ^ PAIR, word)), WORDS, true);
        }
        previous = Some(word);
        if token.kind == Kind::Url {
            add(
                finish(hash(letters.iter().map(|l| l.plain), SEED)),
                WORDS,
                false,
            );
        }
        if token.kind != Kind::Word {
            continue;
        }
        if letters.iter().any(|l| l.accented != l.plain) {
            add(
                finish(hash(letters.iter().map(|l| l.accented), ACCENTED)),
                WORDS,
                false,
            );
        }
        if letters.windows(2).any(|w| w[0].plain == w[1].plain) {
            add(
                finish(hash(undoubled(letters).map(|l| l.plain), SQUEEZED)),
                WORDS,
                false,
            );
        }
        char_grams(letters, |hash| add(hash, CHARS, false));
    }
}

/// The first letter of each run of equal ones.
fn undoubled(letters: &[Glyph]) -> impl Iterator<Item = &Glyph> {
    let runs = letters.chunk_by(|a, b| a.plain == b.plain);
    runs.filter_map(<[Glyph]>::first)
}

/// Forms that no word has stand for whole classes of tokens.
fn token_hash(token: &Token, letters: &[Glyph]) -> u64 {
    match token.kind {
        Kind::Word | Kind::Emoji => hash(letters.iter().map(|letter| letter.plain), SEED),
        Kind::Number(false) => hash("<number>".chars(), SEED),
        Kind::Number(true) => hash("<phone>".chars(), SEED),
        Kind::Url => hash("<url>".chars(), SEED),
    }
}

fn char_grams(letters: &[Glyph], mut emit: impl FnMut(u64)) {
    let padded = letters.len() + 2;
    let at = |i: usize| match i {
        0 => '^',
        i if i <= letters.len() => letters[i - 1].plain,
        _ => '$',
    };
    for start in 0..padded {
        let mut state = !SEED;
        for end in start..padded.min(start + LONGEST_GRAM) {
            state = mix(state, at(end) as u64);
            if end > start {
                emit(finish(state));
            }
        }
    }
}

fn hash(chars: impl Iterator<Item = char>, seed: u64) -> u64 {
    chars.fold(seed, |state, c| mix(state, c as u64))
}

fn mix(state: u64, value: u64) -> u64 {
    (state.rotate_left(5) ^ value).wrapping_mul(SEED)
}

/// Spreads the state over all bits (the end of `MurmurHash3`).
fn finish(mut state: u64) -> u64 {
    state ^= state >> 33;
    state = state.wrapping_mul(0xFF51_AFD7_ED55_8CCD);
    state ^= state >> 33;
    state = state.wrapping_mul(0xC4CE_B9FE_1A85_EC53);
    state ^ (state >> 33)
}

#[cfg(test)]
mod tests {
    use super::super::normalise::glyphs;
    use super::super::tokens::tokenise;
    use super::*;
    use std::collections::HashSet;

    fn features(text: &str) -> HashSet<u64> {
        let mut found = HashSet::new();
        each(&tokenise(&glyphs(text), &[]), |feature| {
            found.insert(feature.hash);
        });
        found
    }

    #[test]
    fn capitals_and_stretching_change_nothing() {
        assert_eq!(
            features("Quelle belle journée"),
            features("QUELLE BELLE JOURNÉE")
        );
        assert_eq!(features("allôoooo"), features("allôooooooo"));
        assert!(features("menteeeeur").is_superset(&features("menteur")));
    }

    #[test]
    fn a_word_without_its_accents_keeps_all_but_one_feature() {
        let (with, without) = (features("journée"), features("journee"));
        assert!(with.is_superset(&without));
        assert_eq!(with.len(), without.len() + 1);
    }

    #[test]
    fn a_pair_does_not_cross_a_sentence() {
        let apart = features("oui. non");
        assert!(features("oui non").is_superset(&apart));
        assert_eq!(features("oui non").len(), apart.len() + 1);
    }

    #[test]
    fn the_borders_of_a_word_are_part_of_its_n_grams() {
        let inside = features("xrate");
        let own: Vec<_> = features("rat")
            .into_iter()
            .filter(|f| inside.contains(f))
            .collect();
        assert_eq!(
            own.len(),
            3,
            "ra, rat and at are shared; ^r, ^ra, ^rat and the like are not"
        );
    }
}
