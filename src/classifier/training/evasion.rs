//! What disguises cost: the same comments, typed by somebody who hides from a word list.
//!
//! A disguise is worn by every word of [`LEAST`] letters and more, in the comments with a label as in those without, so that
//! it is what the words still say that is measured and not whether somebody hides.

use super::dataset::Example;
use super::evaluate::{Evaluation, evaluate};
use crate::classifier::model::Model;
use serde::Serialize;
use std::collections::BTreeMap;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// Words with fewer letters are left as they are.
const LEAST: usize = 4;

/// A way to change how a text is typed and not what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Disguise {
    /// Capitals throughout.
    Capitals,
    /// No accents.
    NoAccents,
    /// Digits and signs for letters: `1d10t`.
    Leet,
    /// Letters apart, of the longest word alone: `i d i o t`.
    Spaced,
    /// Look-alike letters of other alphabets.
    Homoglyphs,
    /// Letters of a decorative alphabet.
    Decorated,
    /// Characters without width between letters.
    ZeroWidth,
    /// One letter held down: `idiiiiiot`.
    Stretched,
    /// Phone spelling, French and English.
    Phone,
}

impl Disguise {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Capitals,
        Self::NoAccents,
        Self::Leet,
        Self::Spaced,
        Self::Homoglyphs,
        Self::Decorated,
        Self::ZeroWidth,
        Self::Stretched,
        Self::Phone,
    ];

    /// As it is shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Capitals => "capitals",
            Self::NoAccents => "no accents",
            Self::Leet => "leet",
            Self::Spaced => "spaced letters",
            Self::Homoglyphs => "homoglyphs",
            Self::Decorated => "decorated letters",
            Self::ZeroWidth => "zero width",
            Self::Stretched => "stretched letters",
            Self::Phone => "phone spelling",
        }
    }

    /// `text` as somebody types it who wears the disguise.
    #[must_use]
    pub fn worn_by(self, text: &str) -> String {
        match self {
            Self::Capitals => return text.to_uppercase(),
            Self::NoAccents => return text.nfd().filter(|c| !is_combining_mark(*c)).collect(),
            Self::Phone => return phone(text),
            _ => {}
        }
        let words = words(text);
        let longest = words
            .iter()
            .filter(|(word, letters)| *letters && word.chars().count() >= LEAST)
            .map(|(word, _)| *word)
            .max_by_key(|word| word.chars().count());
        words
            .into_iter()
            .map(|(word, letters)| {
                if !letters || word.chars().count() < LEAST {
                    return word.to_owned();
                }
                match self {
                    Self::Spaced if Some(word) == longest => {
                        let letters: Vec<String> = word.chars().map(String::from).collect();
                        letters.join(" ")
                    }
                    Self::Leet => word.chars().map(leet).collect(),
                    Self::Homoglyphs => word.chars().map(lookalike).collect(),
                    Self::Decorated => word.chars().map(decorated).collect(),
                    Self::ZeroWidth => word.chars().flat_map(|c| [c, '\u{200B}']).collect(),
                    Self::Stretched => stretched(word),
                    _ => word.to_owned(),
                }
            })
            .collect()
    }
}

/// Runs of letters (`true`), and what stands between them.
fn words(text: &str) -> Vec<(&str, bool)> {
    let mut runs = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let letters = first.is_alphabetic();
        let end = rest
            .find(|c: char| c.is_alphabetic() != letters)
            .unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        runs.push((run, letters));
        rest = after;
    }
    runs
}

const fn leet(c: char) -> char {
    match c {
        'a' | 'A' | 'à' | 'â' => '4',
        'e' | 'E' | 'é' | 'è' | 'ê' => '3',
        'i' | 'I' | 'î' => '1',
        'o' | 'O' | 'ô' => '0',
        's' | 'S' => '$',
        c => c,
    }
}

const fn lookalike(c: char) -> char {
    match c {
        'a' => 'а',
        'c' => 'с',
        'e' => 'е',
        'i' => 'і',
        'o' => 'о',
        'p' => 'р',
        'x' => 'х',
        'y' => 'у',
        c => c,
    }
}

fn decorated(c: char) -> char {
    match c {
        'a'..='z' => char::from_u32(0x1D5EE + (c as u32 - 'a' as u32)).unwrap_or(c),
        'A'..='Z' => char::from_u32(0x1D5D4 + (c as u32 - 'A' as u32)).unwrap_or(c),
        c => c,
    }
}

/// The first vowel after the first letter is held down.
fn stretched(word: &str) -> String {
    let vowel = |c: char| "aeiouyàâéèêîôùû".contains(c);
    let held = word.chars().skip(1).position(vowel).map(|at| at + 1);
    word.chars()
        .enumerate()
        .flat_map(|(at, c)| std::iter::repeat_n(c, if held == Some(at) { 5 } else { 1 }))
        .collect()
}

fn phone(text: &str) -> String {
    const WHOLE: [(&str, &str); 22] = [
        ("c'est", "c"),
        ("c’est", "c"),
        ("que", "ke"),
        ("qui", "ki"),
        ("quoi", "koi"),
        ("je te", "jte"),
        ("je suis", "jsui"),
        ("tout", "tt"),
        ("tous", "ts"),
        ("pour", "pr"),
        ("dans", "ds"),
        ("avec", "avk"),
        ("vous", "vs"),
        ("nous", "ns"),
        ("pas", "pa"),
        ("parce que", "pck"),
        ("you", "u"),
        ("your", "ur"),
        ("are", "r"),
        ("people", "ppl"),
        ("because", "cuz"),
        ("please", "pls"),
    ];
    let mut spelled = format!(" {} ", text.to_lowercase());
    for (long, short) in WHOLE {
        spelled = spelled.replace(&format!(" {long} "), &format!(" {short} "));
    }
    spelled.trim().to_owned()
}

/// What each disguise costs a label on some rows: AUC as typed, and in each disguise.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Cost {
    pub as_typed: f64,
    pub disguised: BTreeMap<Disguise, f64>,
}

/// Measures all disguises on `examples`, whose figures as typed are known.
pub(crate) fn costs(
    model: &Model,
    examples: &[Example],
    as_typed: &Evaluation,
) -> BTreeMap<&'static str, Cost> {
    let mut costs: BTreeMap<&'static str, Cost> = aucs(as_typed)
        .map(|(label, as_typed)| {
            let disguised = BTreeMap::new();
            (
                label,
                Cost {
                    as_typed,
                    disguised,
                },
            )
        })
        .collect();
    for disguise in Disguise::ALL {
        let worn: Vec<Example> = examples
            .iter()
            .map(|example| Example {
                text: disguise.worn_by(&example.text),
                ..example.clone()
            })
            .collect();
        for (label, auc) in aucs(&evaluate(model, &worn)) {
            if let Some(cost) = costs.get_mut(label) {
                cost.disguised.insert(disguise, auc);
            }
        }
    }
    costs
}

/// The AUC of each label with enough rows.
fn aucs(figures: &Evaluation) -> impl Iterator<Item = (&'static str, f64)> {
    figures.labels.iter().filter_map(|(label, sets)| {
        let all = sets.get("all").filter(|all| all.has_enough())?;
        Some((*label, all.auc?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disguises_are_worn_by_long_words() {
        let text = "Tu es un idiot, né bête";
        let worn = |disguise: Disguise| disguise.worn_by(text);
        assert_eq!(worn(Disguise::Capitals), "TU ES UN IDIOT, NÉ BÊTE");
        assert_eq!(worn(Disguise::NoAccents), "Tu es un idiot, ne bete");
        assert_eq!(worn(Disguise::Leet), "Tu es un 1d10t, né b3t3");
        assert_eq!(worn(Disguise::Spaced), "Tu es un i d i o t, né bête");
        assert_eq!(worn(Disguise::Stretched), "Tu es un idiiiiiot, né bêêêêête");
        assert_ne!(worn(Disguise::Homoglyphs), text);
        assert_eq!(
            worn(Disguise::ZeroWidth).chars().count(),
            text.chars().count() + 9
        );
        assert_eq!(
            Disguise::Phone.worn_by("Je te dis que c'est tout"),
            "jte dis ke c tt"
        );
    }
}
