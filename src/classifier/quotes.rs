//! Finds the text of an ancestor inside a reply, so that nobody is scored, or called a duplicate, for what they quote.
//!
//! Both texts are reduced to their letters and digits, without accents, spaces or punctuation, since quoting by hand loses
//! those. Runs that the two share are found by hashing every [`SEED`] consecutive letters of the ancestors. A run is a quote
//! if it is long ([`VERBATIM`]), or if it fills most of a stretch that is marked as a quote: between quotation marks, or a
//! line that begins with `>`. Marks alone are not enough: an insult does not become a quote by being put between them.

use super::normalise::{Glyph, glyphs};
use crate::domain::Span;
use std::collections::HashMap;

/// Letters that must agree before two texts are compared further.
const SEED: usize = 14;
/// An unmarked run from this length (in letters, about eight words) is a quote.
const VERBATIM: usize = 40;
/// A marked stretch is a quote if this share of its letters is found in an ancestor.
const MARKED_SHARE: f32 = 0.7;
/// Letters of ancestors looked at: enough for two comments of the largest size.
const ANCESTRY: usize = 20_000;

/// The stretches of `text` (scalar positions, sorted, disjoint) that repeat one of `ancestors`.
pub(crate) fn find(text: &[Glyph], ancestors: &[&str]) -> Vec<Span> {
    if ancestors.is_empty() {
        return Vec::new();
    }
    let own = Skeleton::of(text);
    if own.letters.len() < SEED {
        return Vec::new();
    }
    let mut source = Skeleton::default();
    for ancestor in ancestors {
        source.append(&glyphs(ancestor));
        source.letters.push('\u{0}');
        source.index.push(0);
        if source.letters.len() > ANCESTRY {
            break;
        }
    }
    let shared = own.runs_shared_with(&source);
    if shared.is_empty() {
        return Vec::new();
    }
    let mut found: Vec<(usize, usize)> = shared
        .iter()
        .filter(|(from, to)| to - from >= VERBATIM)
        .map(|(from, to)| whole_words(text, own.index[*from], own.index[to - 1] + 1))
        .collect();
    let letters = counts_before(text.len(), own.index.iter().copied());
    let in_runs = shared.iter().flat_map(|(from, to)| &own.index[*from..*to]);
    let shared_letters = counts_before(text.len(), in_runs.copied());
    found.extend(marked(text).into_iter().filter(|(from, to)| {
        let all = letters[*to] - letters[*from];
        let quoted = shared_letters[*to] - shared_letters[*from];
        all as usize >= SEED && quoted as f32 >= MARKED_SHARE * all as f32
    }));
    merge(text, found)
}

/// For each glyph how many of `chosen` (indices of glyphs, ascending) come before it.
fn counts_before(glyphs: usize, chosen: impl Iterator<Item = usize>) -> Vec<u32> {
    let mut counts = vec![0; glyphs + 1];
    for at in chosen {
        counts[at + 1] = 1;
    }
    for at in 0..glyphs {
        counts[at + 1] += counts[at];
    }
    counts
}

/// Letters and digits of a text, each with the index of its glyph.
#[derive(Default)]
struct Skeleton {
    letters: Vec<char>,
    index: Vec<usize>,
}

impl Skeleton {
    fn of(text: &[Glyph]) -> Self {
        let mut skeleton = Self::default();
        skeleton.append(text);
        skeleton
    }

    fn append(&mut self, text: &[Glyph]) {
        for (at, glyph) in text.iter().enumerate() {
            if glyph.plain.is_alphanumeric() {
                self.letters.push(glyph.plain);
                self.index.push(at);
            }
        }
    }

    /// Runs of at least [`SEED`] letters of `self` that are also in `source`, as ranges of `self.letters`.
    fn runs_shared_with(&self, source: &Self) -> Vec<(usize, usize)> {
        let mut first_seen: HashMap<u64, usize> = HashMap::with_capacity(source.letters.len());
        for (at, hash) in rolling(&source.letters).enumerate() {
            first_seen.entry(hash).or_insert(at);
        }
        let hashes: Vec<u64> = rolling(&self.letters).collect();
        let mut runs = Vec::new();
        let mut at = 0;
        while at < hashes.len() {
            let length = first_seen.get(&hashes[at]).map_or(0, |from| {
                let theirs = source.letters[*from..].iter();
                let ours = self.letters[at..].iter();
                ours.zip(theirs).take_while(|(a, b)| a == b).count()
            });
            if length >= SEED {
                runs.push((at, at + length));
                at += length;
            } else {
                at += 1;
            }
        }
        runs
    }
}

/// A hash of every [`SEED`] consecutive letters, each made from the one before it in constant time.
fn rolling(letters: &[char]) -> impl Iterator<Item = u64> {
    const BASE: u64 = 0x9E37_79B9_7F4A_7C15;
    let leaving = (0..SEED).fold(1u64, |power, _| power.wrapping_mul(BASE));
    let mut hash = 0u64;
    letters.iter().enumerate().filter_map(move |(at, letter)| {
        hash = hash.wrapping_mul(BASE).wrapping_add(*letter as u64 + 1);
        if at >= SEED {
            let old = letters[at - SEED] as u64 + 1;
            hash = hash.wrapping_sub(old.wrapping_mul(leaving));
        }
        (at + 1 >= SEED).then_some(hash)
    })
}

/// Shrinks a run that begins or ends inside a word.
fn whole_words(text: &[Glyph], mut from: usize, mut to: usize) -> (usize, usize) {
    let inside = |at: usize| at < text.len() && text[at].plain.is_alphanumeric();
    while from < to && from > 0 && inside(from) && inside(from - 1) {
        from += 1;
    }
    while to > from && inside(to) && inside(to - 1) {
        to -= 1;
    }
    (from, to)
}

/// Stretches that look like quotes, whoever is quoted: lines beginning with `>`, and what is between quotation marks. Sorted.
pub(crate) fn marked(text: &[Glyph]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut opened: Option<(usize, char)> = None;
    let mut line_start = true;
    let mut cited_line = None;
    for (at, glyph) in text.iter().enumerate() {
        let c = glyph.plain;
        if c == '>' && line_start {
            cited_line = Some(at);
        }
        if c == '\n' {
            found.extend(cited_line.take().map(|from| (from, at)));
            line_start = true;
        } else if !c.is_whitespace() {
            line_start = false;
        }
        match opened {
            Some((from, closing)) if c == closing => {
                found.push((from, at + 1));
                opened = None;
            }
            None => opened = closing_mark(c).map(|closing| (at, closing)),
            Some(_) => {}
        }
    }
    found.extend(cited_line.map(|from| (from, text.len())));
    found.sort_unstable();
    found
}

fn closing_mark(c: char) -> Option<char> {
    match c {
        '“' | '„' => Some('”'),
        '«' => Some('»'),
        '"' => Some('"'),
        _ => None,
    }
}

/// Sorts, merges what overlaps or touches, takes in the quotation marks around, and goes over to original positions.
fn merge(text: &[Glyph], mut found: Vec<(usize, usize)>) -> Vec<Span> {
    let skipped = |at: usize| {
        matches!(
            text[at].plain,
            '“' | '”' | '„' | '«' | '»' | '"' | '.' | '>'
        ) || text[at].plain.is_whitespace()
    };
    for (from, to) in &mut found {
        let mut end = *to;
        while end < text.len() && end < *to + 3 && skipped(end) && text[end].plain != '\n' {
            end += 1;
        }
        if end > *to && matches!(text[end - 1].plain, '”' | '»' | '"') {
            *to = end;
        }
        if *from > 0 && matches!(text[*from - 1].plain, '“' | '«' | '"') {
            *from -= 1;
        }
    }
    found.retain(|(from, to)| from < to);
    found.sort_unstable();
    let mut spans: Vec<Span> = Vec::new();
    for (from, to) in found {
        let (start, end) = (text[from].start as usize, text[to - 1].end as usize);
        match spans.last_mut() {
            Some(last) if start <= last.end => last.end = last.end.max(end),
            _ => spans.push(Span { start, end }),
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PARENT: &str =
        "Le maire a promis un nouveau marché pour le quartier, mais personne n’a vu les plans.";

    fn cut(text: &str, ancestors: &[&str]) -> String {
        let spans = find(&glyphs(text), ancestors);
        text.chars()
            .enumerate()
            .filter(|(at, _)| !spans.iter().any(|s| s.start <= *at && *at < s.end))
            .map(|(_, c)| c)
            .collect()
    }

    #[test]
    fn a_quote_in_marks_is_cut_with_its_marks() {
        let reply = "“un nouveau marche pour le quartier” Ah bon ?";
        assert_eq!(cut(reply, &[PARENT]), " Ah bon ?");
    }

    #[test]
    fn a_cited_line_is_cut() {
        let reply = "> personne n'a vu les plans\nMoi si.";
        assert_eq!(cut(reply, &[PARENT]), "\nMoi si.");
    }

    #[test]
    fn a_long_verbatim_run_is_cut_at_whole_words() {
        let reply = "Tout à fait, un nouveau marché pour le quartier, mais personne ne vient !";
        assert_eq!(cut(reply, &[PARENT]), "Tout à fait, ne vient !");
    }

    #[test]
    fn words_of_ones_own_stay() {
        for own in [
            "“Vous êtes tous des incapables et des menteurs” voilà ce que je dis",
            "Le maire a promis, oui.",
            "> je ne suis pas du tout d'accord avec vous",
        ] {
            assert_eq!(cut(own, &[PARENT]), own);
        }
        assert_eq!(cut(PARENT, &[]), PARENT);
    }

    #[test]
    fn the_grandparent_may_be_quoted_too() {
        assert_eq!(
            cut(PARENT, &["Merci beaucoup pour ces nouvelles", PARENT]),
            "."
        );
    }

    proptest! {
        #[test]
        fn spans_are_sorted_and_inside(text in "[a-d \"«»>\n]{0,120}", parent in "[a-d ]{0,120}") {
            let length = text.chars().count();
            let mut last = 0;
            for span in find(&glyphs(&text), &[&parent]) {
                prop_assert!(span.start >= last && span.start < span.end && span.end <= length);
                last = span.end;
            }
        }
    }
}
