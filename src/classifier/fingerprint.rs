//! Finds the same comment again, whole or slightly changed.
//!
//! Two parts. An exact hash of the text as written (up to spacing, capitals and Unicode form), for double posts. And a
//! `MinHash` signature (Broder 1997) of the character 4-grams of its words, for copies with a word changed, an emoji added or
//! a greeting put in front: the share of equal signature values estimates the Jaccard similarity of the two sets of 4-grams.
//!
//! Stored signatures are found by locality-sensitive hashing (Indyk and Motwani 1998). Its bands come from longer pieces,
//! 8-grams, which texts that are no copies hardly ever share: 6 bands of 2 values each. Each band is a row to write on a
//! page of its own, so there are few; what that misses, the question makes good (Lv et al. 2007, multi-probe): it also asks
//! for the second smallest values of its text, which are the smallest of a copy that lost those pieces. Letters changed
//! here and there cost the most 8-grams; `tests/copies.rs` says what is found.

use super::normalise::Glyph;
use super::phrases;
use super::tokens::Text;
use crate::domain::Span;
use xxhash_rust::xxh3::xxh3_64;

/// Values of the signature, and the length of the pieces they are of.
const VALUES: usize = 48;
const SHINGLE: usize = 4;

const BANDS: usize = 6;
/// Values that make up the bands, two for each, and the length of their pieces.
const ANCHORS: usize = BANDS * 2;
const LONG_SHINGLE: usize = 8;

/// What a text is recognised by. Quotes of ancestors are no part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    exact: u64,
    signature: Signature,
    anchors: Anchors,
    /// The values after the smallest: the anchors of a copy that lost a piece.
    seconds: Anchors,
    chars: usize,
    common: bool,
}

/// How alike two texts are can be told from these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature([u16; VALUES]);

/// What a text is found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Anchors([u16; ANCHORS]);

impl Signature {
    /// Similarity from which two texts count as near duplicates.
    ///
    /// Chosen on 3,543 real comments: at 0.50, 6.6 % of different texts that share a third of their letters would be taken
    /// for copies, and at 0.66 a tenth of the copies with every twelfth word changed would be lost.
    pub const NEAR: f32 = 0.58;

    /// Estimated Jaccard similarity of the two texts' 4-grams, 0 to 1.
    #[must_use]
    pub fn similarity(&self, other: &Self) -> f32 {
        let pairs = self.0.iter().zip(&other.0);
        pairs.filter(|(a, b)| a == b).count() as f32 / VALUES as f32
    }

    /// For storage.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        bytes_of(&self.0)
    }

    /// From storage; `None` of bytes that are no signature.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        values_of(bytes).map(Self)
    }
}

impl Anchors {
    /// One key per band.
    #[must_use]
    pub fn bands(&self) -> [i64; BANDS] {
        std::array::from_fn(|band| band_key(band, self.0[2 * band], self.0[2 * band + 1]))
    }

    /// For storage.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        bytes_of(&self.0)
    }

    /// From storage; `None` of bytes that are no anchors.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        values_of(bytes).map(Self)
    }
}

impl Fingerprint {
    /// Fingerprints a normalised text, without what lies in `quotes`.
    pub(crate) fn new(glyphs: &[Glyph], quotes: &[Span], text: &Text) -> Self {
        let words = spaced_letters(text);
        let (anchors, seconds) = anchors(&words);
        Self {
            exact: exact_hash(glyphs, quotes),
            signature: signature(&words),
            anchors,
            seconds,
            chars: words.len(),
            common: phrases::is_common(text),
        }
    }

    /// Whether the text is a phrase that everybody uses: wishes, thanks, prayers. Who says the same copied nobody.
    #[must_use]
    pub const fn is_common(&self) -> bool {
        self.common
    }

    /// Hash of the text as written, but for spacing, capitals and Unicode form.
    #[must_use]
    pub const fn exact(&self) -> i64 {
        self.exact.cast_signed()
    }

    /// Characters of the normalised text: its words, with one space between them.
    #[must_use]
    pub const fn chars(&self) -> usize {
        self.chars
    }

    /// What tells how alike it is to another.
    #[must_use]
    pub const fn signature(&self) -> &Signature {
        &self.signature
    }

    /// What it is found by.
    #[must_use]
    pub const fn anchors(&self) -> &Anchors {
        &self.anchors
    }

    /// The keys of bands that near duplicates of this text are found by: they have at least one of them almost always.
    #[must_use]
    pub fn probes(&self) -> Vec<i64> {
        let (Anchors(least), Anchors(seconds)) = (&self.anchors, &self.seconds);
        let mut probes: Vec<i64> = (0..BANDS)
            .flat_map(|band| {
                let (a, b) = (2 * band, 2 * band + 1);
                [
                    (least[a], least[b]),
                    (seconds[a], least[b]),
                    (least[a], seconds[b]),
                    (seconds[a], seconds[b]),
                ]
                .map(|(a, b)| band_key(band, a, b))
            })
            .collect();
        probes.sort_unstable();
        probes.dedup();
        probes
    }
}

fn bytes_of(values: &[u16]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

fn values_of<const N: usize>(bytes: &[u8]) -> Option<[u16; N]> {
    let (pairs, []) = bytes.as_chunks::<2>() else {
        return None;
    };
    let values: &[[u8; 2]; N] = pairs.try_into().ok()?;
    Some(values.map(u16::from_le_bytes))
}

fn exact_hash(glyphs: &[Glyph], quotes: &[Span]) -> u64 {
    let mut kept = String::with_capacity(glyphs.len());
    let mut quotes = quotes.iter().peekable();
    for glyph in glyphs {
        let at = glyph.start as usize;
        while quotes.next_if(|quote| quote.end <= at).is_some() {}
        if quotes.peek().is_some_and(|quote| quote.start <= at) {
            continue;
        }
        if !glyph.accented.is_whitespace() {
            kept.push(glyph.accented);
        } else if !kept.ends_with(' ') {
            kept.push(' ');
        }
    }
    xxh3_64(kept.trim().as_bytes())
}

fn spaced_letters(text: &Text) -> Vec<char> {
    let mut words = Vec::with_capacity(text.letters.len() + text.tokens.len());
    for token in &text.tokens {
        let letters = text.letters_of(token);
        if letters.is_empty() {
            continue;
        }
        if !words.is_empty() {
            words.push(' ');
        }
        words.extend(letters.iter().map(|letter| letter.plain));
    }
    words
}

fn band_key(band: usize, a: u16, b: u16) -> i64 {
    let ([a0, a1], [b0, b1]) = (a.to_le_bytes(), b.to_le_bytes());
    xxh3_64(&[band as u8, a0, a1, b0, b1]).cast_signed()
}

/// Under each permutation of all 4-grams, the least that the text has.
fn signature(words: &[char]) -> Signature {
    let mut least = [u32::MAX; VALUES];
    for hash in shingles(words, SHINGLE) {
        for (least, permutation) in least.iter_mut().zip(&PERMUTATIONS) {
            *least = (*least).min(permuted(hash, *permutation));
        }
    }
    Signature(least.map(|value| value as u16))
}

/// Under each permutation of all 8-grams, the least that the text has, and the one after it.
fn anchors(words: &[char]) -> (Anchors, Anchors) {
    let mut least = [u32::MAX; ANCHORS];
    let mut second = [u32::MAX; ANCHORS];
    for hash in shingles(words, LONG_SHINGLE) {
        for ((least, second), permutation) in least.iter_mut().zip(&mut second).zip(&PERMUTATIONS) {
            let value = permuted(hash, *permutation);
            if value < *least {
                *second = std::mem::replace(least, value);
            } else if value > *least && value < *second {
                // A piece that comes twice is one piece.
                *second = value;
            }
        }
    }
    let short = |values: [u32; ANCHORS]| Anchors(values.map(|value| value as u16));
    (short(least), short(second))
}

/// The hash of each piece of that length; of a shorter text, of all of it.
fn shingles(words: &[char], length: usize) -> impl Iterator<Item = u32> {
    let pieces = words.windows(length.min(words.len()).max(1));
    pieces.map(|shingle| {
        let hash = shingle.iter().fold(0x2545_F491_4F6C_DD1Du64, |hash, c| {
            (hash ^ *c as u64)
                .wrapping_mul(0x9E37_79B9_7F4A_7C15)
                .rotate_left(29)
        });
        (hash >> 32) as u32
    })
}

fn permuted(hash: u32, (flip, factor): (u32, u32)) -> u32 {
    (hash ^ flip)
        .wrapping_mul(factor)
        .rotate_left(15)
        .wrapping_mul(factor)
}

/// Two constants for each value of the signature; part of the storage format.
const PERMUTATIONS: [(u32, u32); VALUES] = {
    let mut table = [(0, 0); VALUES];
    let mut state = 0x5851_F42D_4C95_7F2Du64;
    let mut i = 0;
    while i < VALUES {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let flip = (state >> 33) as u32;
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        table[i] = (flip, (state >> 32) as u32 | 1);
        i += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::super::normalise::glyphs;
    use super::super::tokens::tokenise;
    use super::*;
    use proptest::prelude::*;

    const TEXT: &str =
        "Les pluies ont coupé la route du marché hier soir et personne ne répare le petit pont";

    fn print(text: &str) -> Fingerprint {
        let glyphs = glyphs(text);
        let tokens = tokenise(&glyphs, &[]);
        Fingerprint::new(&glyphs, &[], &tokens)
    }

    fn found(a: &str, b: &str) -> bool {
        let (a, b) = (print(a), print(b));
        let probes = b.probes();
        let meets = a.anchors().bands().iter().any(|band| probes.contains(band));
        meets && a.signature().similarity(b.signature()) >= Signature::NEAR
    }

    #[test]
    fn slight_changes_are_found() {
        assert!(found(TEXT, &TEXT.to_uppercase()));
        assert!(found(TEXT, &format!("{TEXT} 😡😡 !!!")));
        assert!(found(TEXT, &TEXT.replace("petit", "vieux")));
        assert!(found(TEXT, &format!("Bonjour à tous, {TEXT}")));
        assert!(found(
            TEXT,
            "Les pluies, ont coupe la route du marche hier soir... et personne ne repare le petit pont"
        ));
    }

    #[test]
    fn another_comment_on_the_topic_is_not() {
        assert!(!found(
            TEXT,
            "La route du marché est coupée depuis hier, quelqu’un sait quand le pont sera réparé ?"
        ));
    }

    #[test]
    fn exact_means_the_same_but_for_spacing_and_case() {
        assert_eq!(
            print("Bonjour  à tous.").exact(),
            print("bonjour à tous. ").exact()
        );
        assert_ne!(
            print("Bonjour à tous.").exact(),
            print("Bonjour à tous").exact()
        );
    }

    #[test]
    fn similarity_estimates_the_jaccard_index() {
        let numbered = |range: std::ops::Range<u32>| {
            let names: Vec<_> = range.map(|n| fold_number(n * 7919)).collect();
            names.join(" ")
        };
        let [a, b] = [0..300, 100..400].map(|range| print(&numbered(range)));
        let similarity = a.signature().similarity(b.signature());
        assert!(
            (0.35..0.65).contains(&similarity),
            "{similarity}, and two of four hundred parts are shared"
        );
    }

    fn fold_number(n: u32) -> String {
        n.to_string()
            .bytes()
            .map(|b| char::from(b'a' + b - b'0'))
            .collect()
    }

    proptest! {
        #[test]
        fn a_fingerprint_survives_storage(text in "\\PC{0,80}") {
            let print = print(&text);
            let signature = Signature::from_bytes(&print.signature().to_bytes());
            prop_assert_eq!(signature.as_ref(), Some(print.signature()));
            let anchors = Anchors::from_bytes(&print.anchors().to_bytes());
            prop_assert_eq!(anchors.as_ref(), Some(print.anchors()));
            let probes = print.probes();
            prop_assert!(print.anchors().bands().iter().all(|band| probes.contains(band)));
        }

        #[test]
        fn other_lengths_are_refused(length in 0usize..300) {
            let bytes = vec![0; length];
            prop_assert_eq!(Signature::from_bytes(&bytes).is_some(), length == VALUES * 2);
            prop_assert_eq!(Anchors::from_bytes(&bytes).is_some(), length == ANCHORS * 2);
        }
    }
}
