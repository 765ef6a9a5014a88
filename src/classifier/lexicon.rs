//! Word classes, written by hand, French and English side by side.
//!
//! The n-grams learn words from data; classes let the frame features of [`super::dense`] say something about how words stand
//! together ("second person near an insult") that also holds for words the data lack. The terms are in `lexicon.txt`: to add
//! one, write it under its class and train again.
//!
//! Terms are matched on normalised whole words by one automaton, in one pass, whatever their number.

use super::tokens::{Kind, Text};
use aho_corasick::{AhoCorasick, BuildError, MatchKind};

const TERMS: &str = include_str!("lexicon.txt");

macro_rules! classes {
    ($($(#[$doc:meta])* $name:ident = $section:literal),* $(,)?) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub(crate) enum Class { $($(#[$doc])* $name),* }

        impl Class {
            const SECTIONS: &[(&str, Self)] = &[$(($section, Self::$name)),*];
        }
    };
}

classes! {
    Insult = "insult",
    Vulgar = "vulgar",
    /// Verbs and nouns of violence, whoever does it to whom.
    Violence = "violence",
    Weapon = "weapon",
    /// Where somebody lives, and those dear to them: what a threat points at.
    Home = "home",
    /// Dying, without an actor.
    Death = "death",
    /// Announcements of what will happen to somebody.
    Fate = "fate",
    Second = "second",
    Third = "third",
    /// Words that stand for people and for nothing else.
    Person = "person",
    /// What stands before an insult that is meant: "this", "bunch of", "dirty".
    Point = "point",
    Must = "must",
    Will = "will",
    Wish = "wish",
    /// Whole phrases that wish death.
    DeathWish = "deathwish",
    /// Violence in a form that can be an order.
    Order = "order",
    Identity = "identity",
    Slur = "slur",
    /// Somebody else said it, or a newspaper did.
    Report = "report",
    /// People died or were hurt, told as a fact or mourned.
    Victim = "victim",
    Bless = "bless",
    Curse = "curse",
    Negation = "negation",
    Dismiss = "dismiss",
    Spam = "spam",
    /// Says that one is of the same mind, or comes along.
    Agree = "agree",
    /// Gives what was said back to who said it.
    Return = "return",
    /// What one may well beat, burn or destroy: vermin, weeds, the other team, a dish, a program.
    Harmless = "harmless",
}

/// The classes of one token, as a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Classes(u32);

impl Classes {
    pub const fn has(self, class: Class) -> bool {
        self.0 & (1 << class as u8) != 0
    }

    const fn insert(&mut self, class: Class) {
        self.0 |= 1 << class as u8;
    }
}

#[derive(Debug)]
pub(crate) struct Lexicon {
    automaton: AhoCorasick,
    /// Class of each pattern.
    classes: Vec<Class>,
}

impl Lexicon {
    /// Builds the automaton of the terms that ship with the program.
    pub fn new() -> Result<Self, BuildError> {
        let mut patterns = Vec::new();
        let mut classes = Vec::new();
        let mut class = None;
        for line in TERMS.lines().filter(|line| !line.starts_with('#')) {
            if let Some(section) = line.strip_prefix('[') {
                let name = section.trim_end_matches(']');
                class = Class::SECTIONS
                    .iter()
                    .find(|(known, _)| *known == name)
                    .map(|(_, class)| *class);
                continue;
            }
            let Some(class) = class else { continue };
            for term in line
                .split(',')
                .map(str::trim)
                .filter(|term| !term.is_empty())
            {
                patterns.push(match term.strip_suffix('*') {
                    Some(beginning) => format!(" {beginning}"),
                    None => format!(" {term} "),
                });
                classes.push(class);
            }
        }
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .build(&patterns)?;
        Ok(Self { automaton, classes })
    }

    /// The classes of each token of `text`. All words of a term of several get its class.
    pub fn classify(&self, text: &Text) -> Vec<Classes> {
        let mut found = vec![Classes::default(); text.tokens.len()];
        let mut line = String::with_capacity(text.letters.len() + 2 * text.tokens.len() + 1);
        let mut starts = Vec::with_capacity(text.tokens.len());
        line.push(' ');
        for (index, token) in text.tokens.iter().enumerate() {
            if token.kind != Kind::Word {
                // Ends any term: no pattern has a line break.
                line.push_str("\n ");
                continue;
            }
            let letters = text.letters_of(token);
            starts.push((line.len(), index));
            line.extend(letters.iter().map(|letter| letter.plain));
            line.push(' ');
            if token.stretched {
                starts.push((line.len(), index));
                let mut previous = None;
                line.extend(
                    letters
                        .iter()
                        .map(|l| l.plain)
                        .filter(|c| previous.replace(*c) != Some(*c)),
                );
                line.push(' ');
            }
        }
        for hit in self.automaton.find_overlapping_iter(&line) {
            let class = self.classes[hit.pattern().as_usize()];
            let from = starts.partition_point(|(start, _)| *start <= hit.start());
            for (start, index) in &starts[from..] {
                if *start >= hit.end() {
                    break;
                }
                found[*index].insert(class);
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::super::normalise::glyphs;
    use super::super::tokens::tokenise;
    use super::*;

    fn classes(text: &str) -> (Vec<Classes>, Text) {
        let text = tokenise(&glyphs(text), &[]);
        (Lexicon::new().unwrap().classify(&text), text)
    }

    #[test]
    fn every_section_is_a_class_and_every_class_has_terms() {
        let sections: Vec<_> = TERMS
            .lines()
            .filter_map(|l| l.strip_prefix('['))
            .map(|l| l.trim_end_matches(']'))
            .collect();
        let known: Vec<_> = Class::SECTIONS.iter().map(|(name, _)| *name).collect();
        assert_eq!(sections, known);
        let lexicon = Lexicon::new().unwrap();
        for (_, class) in Class::SECTIONS {
            assert!(lexicon.classes.contains(class), "{class:?}");
        }
    }

    #[test]
    fn terms_are_whole_words_or_beginnings() {
        let (found, _) = classes("les rats, des ratures et un IMBÉCILLLLE");
        assert!(found[1].has(Class::Insult));
        assert!(!found[3].has(Class::Insult));
        assert!(found[6].has(Class::Insult));
    }

    #[test]
    fn a_phrase_marks_all_its_words_and_no_other() {
        let (found, text) = classes("Je dis : mort aux tyrans");
        let marked: Vec<_> = (0..text.tokens.len())
            .filter(|i| found[*i].has(Class::DeathWish))
            .collect();
        assert_eq!(marked, [2, 3]);
    }

    #[test]
    fn a_phrase_does_not_reach_across_a_number() {
        let (found, _) = classes("mort 12 a");
        assert!(!found[0].has(Class::DeathWish));
    }
}
