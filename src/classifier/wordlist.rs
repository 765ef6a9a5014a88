//! A site's own words, found by an automaton in the normalised text.
//!
//! Text and entries are compared without case, Unicode decoration and invisible characters. Accents count, but may be
//! left out in the text: the entry `salé` finds "SALÉ" and "sale", the entry `sale` does not find "salé". An entry matches
//! whole words only, by Unicode's word boundaries (UAX 29) and at apostrophes; one that ends with `*` matches every word
//! that begins so.

use std::collections::HashSet;

use aho_corasick::AhoCorasick;
use unicode_segmentation::UnicodeSegmentation as _;

use super::normalise::glyphs;

/// A compiled list. Looking a text up takes time linear in its length, whatever the list's.
#[derive(Debug)]
pub struct WordList {
    automaton: AhoCorasick,
    /// What each of the automaton's patterns stands for.
    patterns: Vec<Pattern>,
    entries: Vec<String>,
}

#[derive(Debug)]
struct Pattern {
    entry: usize,
    /// It may go on to the end of the word.
    open: bool,
}

/// A list that could not be compiled: it is far too large.
#[derive(Debug, thiserror::Error)]
#[error("the word list cannot be compiled")]
pub struct WordListError(#[from] aho_corasick::BuildError);

/// The text as entries are compared with it: accents kept or not, white space folded.
fn view(text: &str, accents: bool) -> String {
    let mut view = String::with_capacity(text.len());
    for glyph in glyphs(text) {
        let c = if accents { glyph.accented } else { glyph.plain };
        if !c.is_whitespace() {
            view.push(c);
        } else if !view.ends_with(' ') {
            view.push(' ');
        }
    }
    view
}

impl WordList {
    /// Compiles a list.
    ///
    /// ```
    /// # use palabre::classifier::WordList;
    /// let list = WordList::new(["voyou", "salé", "escro*"]).unwrap();
    /// assert_eq!(list.find("Ces VOYOUS d’escrocs... c'est sale !"), ["salé", "escro*"]);
    /// ```
    ///
    /// # Errors
    /// When the list is too large for an automaton.
    pub fn new<'a>(entries: impl IntoIterator<Item = &'a str>) -> Result<Self, WordListError> {
        let entries: Vec<String> = entries.into_iter().map(str::to_owned).collect();
        let mut texts = Vec::new();
        let mut patterns = Vec::new();
        for (entry, text) in entries.iter().enumerate() {
            let stem = text.strip_suffix('*').unwrap_or(text);
            let open = stem.len() < text.len();
            let accented = view(stem.trim(), true);
            let plain = view(stem.trim(), false);
            if plain != accented && !plain.is_empty() {
                texts.push(plain);
                patterns.push(Pattern { entry, open });
            }
            if !accented.is_empty() {
                texts.push(accented);
                patterns.push(Pattern { entry, open });
            }
        }
        Ok(Self {
            automaton: AhoCorasick::new(texts)?,
            patterns,
            entries,
        })
    }

    /// The entries that occur in a text, each once, in the order of the list.
    #[must_use]
    pub fn find(&self, text: &str) -> Vec<&str> {
        if self.patterns.is_empty() {
            return Vec::new();
        }
        let view = view(text, true);
        let mut found: Vec<usize> = Vec::new();
        let mut bounds = None;
        for hit in self.automaton.find_overlapping_iter(&view) {
            let pattern = &self.patterns[hit.pattern().as_usize()];
            let bounds = bounds.get_or_insert_with(|| word_bounds(&view));
            if bounds.contains(&hit.start())
                && (pattern.open || bounds.contains(&hit.end()))
                && !found.contains(&pattern.entry)
            {
                found.push(pattern.entry);
            }
        }
        found.sort_unstable();
        found
            .into_iter()
            .map(|entry| self.entries[entry].as_str())
            .collect()
    }
}

/// Where words begin and end, in bytes.
fn word_bounds(view: &str) -> HashSet<usize> {
    let mut bounds: HashSet<usize> = view.split_word_bound_indices().map(|(at, _)| at).collect();
    bounds.insert(view.len());
    for (at, _) in view.match_indices(['\'', '_', '.']) {
        bounds.insert(at);
        bounds.insert(at + 1);
    }
    bounds
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn find<'a>(list: &'a WordList, text: &str) -> Vec<&'a str> {
        list.find(text)
    }

    #[test]
    fn whole_words_whatever_their_case_and_decoration() {
        let list = WordList::new(["con", "fils de chien"]).unwrap();
        assert_eq!(find(&list, "quel CON !"), ["con"]);
        assert_eq!(find(&list, "l’con-là, 𝓬𝓸𝓷"), ["con"]);
        assert_eq!(find(&list, "le conseil, un falcon, économie"), [""; 0]);
        assert_eq!(find(&list, "FILS  de\nchien"), ["fils de chien"]);
        assert_eq!(find(&list, "c\u{200b}on"), ["con"]);
    }

    #[test]
    fn accents_may_be_missing_but_are_not_invented() {
        let list = WordList::new(["tué"]).unwrap();
        assert_eq!(find(&list, "il a TUÉ"), ["tué"]);
        assert_eq!(find(&list, "il a tue"), ["tué"]);
        let list = WordList::new(["tue"]).unwrap();
        assert_eq!(find(&list, "il a tué"), [""; 0]);
    }

    #[test]
    fn an_open_entry_stands_for_every_ending() {
        let list = WordList::new(["escro*"]).unwrap();
        assert_eq!(find(&list, "des escrocs, une escroquerie"), ["escro*"]);
        assert_eq!(find(&list, "descro"), [""; 0]);
    }

    #[test]
    fn scripts_without_spaces_are_cut_into_words() {
        let list = WordList::new(["笨"]).unwrap();
        assert_eq!(find(&list, "你很笨吗"), ["笨"]);
    }

    #[test]
    fn an_empty_list_finds_nothing() {
        assert!(WordList::new([]).unwrap().find("rien").is_empty());
    }

    proptest! {
        #[test]
        fn a_word_is_found_between_any_others(before in "[a-zé ]{0,20}", after in "[a-zé ]{0,20}") {
            let list = WordList::new(["Zorro"]).unwrap();
            prop_assert_eq!(list.find(&format!("{before} ZORRO, {after}")), vec!["Zorro"]);
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>(), entry in "\\PC{1,10}") {
            let list = WordList::new([entry.as_str()]).unwrap();
            let _ = list.find(&text);
        }
    }
}
