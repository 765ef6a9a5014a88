//! Text to glyphs: what was typed, made comparable, each glyph knowing where it came from.
//!
//! People write the same word in many ways: capitals, phone French without accents, look-alike letters from other
//! alphabets, decorative Unicode. Everything after this module works on [`Glyph`]s, which are NFKC, lower case, and carry
//! two views of a letter (with and without its accent) and the stretch of the original text they stand for, so that a
//! highlight can be drawn in the text as the author typed it.
//!
//! Capitals are dropped here for good. Among our readers they are a habit of the keyboard, not a tone of voice, and no
//! later stage can be misled by what it does not see.
//!
//! To fold one more look-alike: add it to [`homoglyph`] if it is an ordinary letter of another alphabet (it is then only
//! replaced inside a word that is otherwise Latin), or to [`fold_letter`] if it is never anything but a Latin letter.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{decompose_canonical, is_combining_mark};

/// Combining marks kept for one letter. Real orthographies need two or three; "zalgo" text stacks hundreds.
const MARKS: usize = 6;

/// One normalised character and the scalar positions of the original it stands for, half-open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Glyph {
    /// NFKC, lower case, accents kept.
    pub accented: char,
    /// The same without accents.
    pub plain: char,
    pub start: u32,
    pub end: u32,
}

/// Normalises `text`; glyphs come in the order of the text and their spans never go backwards.
pub(crate) fn glyphs(text: &str) -> Vec<Glyph> {
    let mut out = Vec::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut at = 0u32;
    while let Some(first) = chars.next() {
        let start = at;
        at += 1;
        if first.is_ascii() && chars.peek().is_none_or(char::is_ascii) {
            let letter = first.to_ascii_lowercase();
            out.push(Glyph {
                accented: letter,
                plain: letter,
                start,
                end: at,
            });
            continue;
        }
        let mut cluster = [first; MARKS + 1];
        let mut length = 1;
        while let Some(mark) = chars.next_if(|next| is_combining_mark(*next)) {
            at += 1;
            if length <= MARKS {
                cluster[length] = mark;
                length += 1;
            }
        }
        let span = (start, at);
        if length == 1 && is_simple_latin(first) {
            push_lower(&mut out, first, span);
        } else {
            for composed in cluster[..length].iter().copied().nfkc() {
                push_lower(&mut out, composed, span);
            }
        }
    }
    out
}

/// Latin-1 letters: already NFKC, and most of what French needs.
fn is_simple_latin(c: char) -> bool {
    matches!(c, 'À'..='ÿ' | 'a'..='z' | 'A'..='Z')
}

fn push_lower(out: &mut Vec<Glyph>, c: char, span: (u32, u32)) {
    let c = regular(c);
    if is_invisible(c) {
        return;
    }
    for lower in c.to_lowercase().filter(|c| !is_combining_mark(*c)) {
        let (plain, second) = fold_letter(lower);
        out.push(Glyph {
            accented: if second.is_some() { plain } else { lower },
            plain,
            start: span.0,
            end: span.1,
        });
        if let Some(second) = second {
            out.push(Glyph {
                accented: second,
                plain: second,
                start: span.0,
                end: span.1,
            });
        }
    }
}

/// Punctuation brought to one form, and enclosed letters that NFKC leaves alone.
fn regular(c: char) -> char {
    let enclosed = |first: u32| char::from(b'a' + (c as u32 - first) as u8);
    match c {
        '’' | '‘' | 'ʼ' | '′' | '`' | '´' | 'ʹ' => '\'',
        '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' => '-',
        '\u{1F150}'..='\u{1F169}' => enclosed(0x1F150),
        '\u{1F170}'..='\u{1F189}' => enclosed(0x1F170),
        _ => c,
    }
}

/// Zero-width and formatting characters, variation selectors, skin tones: they change how text looks, not what it says.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}'
        | '\u{FEFF}' | '\u{FFA0}' | '\u{1F3FB}'..='\u{1F3FF}' | '\u{E0000}'..='\u{E0FFF}')
        || is_combining_mark(c)
        || (c.is_control() && !matches!(c, '\n' | '\t' | '\r'))
}

/// A lower-case letter without its accent; two letters for ligatures.
fn fold_letter(c: char) -> (char, Option<char>) {
    if c.is_ascii() {
        return (c, None);
    }
    match c {
        'œ' => return ('o', Some('e')),
        'æ' => return ('a', Some('e')),
        'ß' => return ('s', Some('s')),
        'þ' => return ('t', Some('h')),
        _ => {}
    }
    let base = match c {
        'ø' | 'ɔ' | 'ᴏ' => 'o',
        'đ' | 'ð' | 'ᴅ' | 'ɗ' => 'd',
        'ł' | 'ʟ' => 'l',
        'ı' | 'ɪ' => 'i',
        'ɛ' | 'ǝ' | 'ə' | 'ᴇ' => 'e',
        'ŋ' | 'ɲ' | 'ɴ' => 'n',
        'ƒ' | 'ꜰ' => 'f',
        'ħ' | 'ʜ' => 'h',
        'ŧ' | 'ᴛ' => 't',
        'ɓ' | 'ʙ' => 'b',
        'ɑ' | 'ᴀ' => 'a',
        'ɡ' | 'ɢ' => 'g',
        'ᴄ' => 'c',
        'ᴊ' => 'j',
        'ᴋ' | 'ƙ' => 'k',
        'ᴍ' => 'm',
        'ᴘ' => 'p',
        'ʀ' => 'r',
        'ꜱ' => 's',
        'ᴜ' => 'u',
        'ᴠ' => 'v',
        'ᴡ' => 'w',
        'ʏ' | 'ƴ' => 'y',
        'ᴢ' => 'z',
        _ => {
            let mut base = None;
            decompose_canonical(c, |part| {
                base.get_or_insert(part);
            });
            base.unwrap_or(c)
        }
    };
    (base, None)
}

/// The Latin letter that a Cyrillic or Greek one looks like.
pub(crate) fn homoglyph(c: char) -> Option<char> {
    Some(match c {
        'а' | 'α' => 'a',
        'в' | 'β' | 'ь' => 'b',
        'с' | 'ϲ' => 'c',
        'ԁ' => 'd',
        'е' | 'є' | 'ε' => 'e',
        'һ' | 'н' => 'h',
        'і' | 'ι' | 'ї' => 'i',
        'ј' => 'j',
        'к' | 'κ' => 'k',
        'ӏ' => 'l',
        'м' => 'm',
        'п' | 'η' => 'n',
        'о' | 'ο' | 'σ' => 'o',
        'р' | 'ρ' => 'p',
        'г' => 'r',
        'ѕ' => 's',
        'т' | 'τ' => 't',
        'υ' | 'ц' => 'u',
        'ν' | 'ѵ' => 'v',
        'ѡ' | 'ω' | 'ш' => 'w',
        'х' | 'χ' => 'x',
        'у' | 'γ' => 'y',
        _ => return None,
    })
}

/// Folds a text for search: NFKC, lower case, no accents, no invisible characters.
///
/// ```
/// # use palabre::classifier::fold;
/// assert_eq!(fold("L’Œuvre ÉTÉ ﬁnie"), "l'oeuvre ete finie");
/// ```
#[must_use]
pub fn fold(text: &str) -> String {
    glyphs(text).iter().map(|glyph| glyph.plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn decoration_and_accents_are_folded() {
        assert_eq!(fold("𝓑𝓸𝓷𝓳𝓸𝓾𝓻 Ⓜⓐⓛⓘ ＯＫ"), "bonjour mali ok");
        assert_eq!(fold("ÉLÈVE ou e\u{301}le\u{300}ve"), "eleve ou eleve");
        assert_eq!(fold("z\u{200B}e\u{AD}ro"), "zero");
        assert_eq!(fold("kɛnɛ"), "kene");
    }

    #[test]
    fn the_accented_view_survives() {
        let tue: Vec<_> = glyphs("tué TUE").iter().map(|g| g.accented).collect();
        assert_eq!(tue.iter().collect::<String>(), "tué tue");
    }

    #[test]
    fn stacked_marks_fall_on_their_letter() {
        let zalgo: String = std::iter::once('a')
            .chain(std::iter::repeat_n('\u{0301}', 300))
            .chain(['b'])
            .collect();
        let out = glyphs(&zalgo);
        assert_eq!(out.len(), 2);
        assert_eq!((out[0].plain, out[0].start, out[0].end), ('a', 0, 301));
        assert_eq!((out[1].start, out[1].end), (301, 302));
    }

    proptest! {
        #[test]
        fn every_glyph_maps_into_the_text_and_never_backwards(text in "\\PC{0,60}|[a-zéœ\u{301}\u{200b} А-я]{0,60}") {
            let length = text.chars().count() as u32;
            let mut last = (0, 0);
            for glyph in glyphs(&text) {
                prop_assert!(glyph.start < glyph.end && glyph.end <= length);
                let same = (glyph.start, glyph.end) == last;
                prop_assert!(same || glyph.start >= last.1);
                last = (glyph.start, glyph.end);
            }
        }

        #[test]
        fn folding_twice_changes_nothing(text in "[a-zA-ZÀ-ÿœŒ '’!0-9]{0,80}") {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once);
        }
    }
}
