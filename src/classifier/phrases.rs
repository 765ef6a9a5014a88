//! Phrases that everybody uses: a text of nothing else is no copy of anything, however many post it.
//!
//! Under an article about a death a hundred people write "Paix à son âme". Held as copies of one another, they would bury
//! what moderators should see; taken for one another's copies, one that was hidden for its author's sake would hold all of
//! them. So a short text of stock words, and a prayer, are recognised by their words, whatever their order. The words
//! are in `phrases.txt`. A link, a number or one other word, and the text is compared like any.

use std::{collections::HashSet, sync::LazyLock};

use super::tokens::{Kind, Text};

/// Thanks and wishes of at most so many characters.
const COURTESY_CHARS: usize = 40;
/// Prayers and condolences of at most so many.
const PRAYER_CHARS: usize = 160;

struct Phrases {
    /// Words of either class.
    known: HashSet<&'static str>,
    /// Words that make a prayer of the others.
    sacred: HashSet<&'static str>,
}

static PHRASES: LazyLock<Phrases> = LazyLock::new(|| {
    let mut phrases = Phrases {
        known: HashSet::new(),
        sacred: HashSet::new(),
    };
    let mut sacred = false;
    for line in include_str!("phrases.txt").lines() {
        if line.starts_with('#') {
            continue;
        }
        if line.starts_with('[') {
            sacred = line == "[sacred]";
            continue;
        }
        phrases.known.extend(line.split_whitespace());
        if sacred {
            phrases.sacred.extend(line.split_whitespace());
        }
    }
    phrases
});

/// Whether a text is nothing but such a phrase. Emoji may stand beside it.
pub(crate) fn is_common(text: &Text) -> bool {
    let phrases = &*PHRASES;
    let (mut chars, mut sacred) = (0, false);
    for token in &text.tokens {
        match token.kind {
            Kind::Emoji => continue,
            Kind::Number(_) | Kind::Url => return false,
            Kind::Word => {}
        }
        let letters = text.letters_of(token).iter().map(|letter| letter.plain);
        for word in letters.collect::<String>().split(['\'', '-']) {
            if !word.is_empty() && !phrases.known.contains(word) {
                return false;
            }
            sacred |= phrases.sacred.contains(word);
        }
        chars += text.letters_of(token).len() + 1;
        if chars > PRAYER_CHARS + 1 {
            return false;
        }
    }
    sacred || chars <= COURTESY_CHARS + 1
}

#[cfg(test)]
mod tests {
    use super::super::normalise::glyphs;
    use super::super::tokens::tokenise;
    use super::*;

    fn common(text: &str) -> bool {
        is_common(&tokenise(&glyphs(text), &[]))
    }

    #[test]
    fn what_everybody_says_is_common() {
        for phrase in [
            "Merci",
            "Bon courage à tous",
            "MERCI BEAUCOUP POUR CET ARTICLE !!!",
            "Félicitations à toute l’équipe 👏👏",
            "Merci à toute l'equipe du journal",
            "Thank you very much for this article",
            "Paix à son âme",
            "Paix à leurs âmes, courage aux familles endeuillées.",
            "Qu’Allah lui fasse miséricorde",
            "Qu'Allah lui fasse misericorde et l'accueille dans son paradis, amine",
            "RIP 🙏",
            "Rest in peace, may God bless his family",
            "Inna lillahi wa inna ilayhi raji'un",
            "Toutes mes condoléances à la famille",
            "Que Dieu garde nos parents",
        ] {
            assert!(common(phrase), "{phrase}");
        }
    }

    #[test]
    fn one_thing_more_and_it_is_a_text_like_any() {
        for text in [
            "Merci beaucoup pour cet article https://gain.example",
            "Merci de m’appeler au 76 12 34 56",
            "Merci à tous les voleurs du ministère",
            "Le marché de Médine rouvre lundi matin",
            "Merci beaucoup à tous pour cet article, et merci encore à toute l’équipe du journal",
        ] {
            assert!(!common(text), "{text}");
        }
        let long = "Que Dieu le garde. ".repeat(12);
        assert!(!common(&long), "nobody prays at such length by chance");
    }
}
