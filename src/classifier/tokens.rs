//! Glyphs to tokens: words, numbers, links and emoji, with the disguises taken off.
//!
//! What a token is, and the loop that finds them; how one is read stands in `scanner`.

use super::normalise::Glyph;
use super::quotes;
use super::scanner::Scanner;
use crate::domain::Span;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Word,
    /// `true`: seven digits or more, as in a telephone number.
    Number(bool),
    Url,
    Emoji,
}

/// What stands between a token and the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Gap {
    Space,
    Comma,
    /// A colon or semicolon: what follows can stand alone.
    Sentence,
    /// The end of a sentence, or of a line.
    Stop,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token {
    pub kind: Kind,
    pub gap: Gap,
    /// A run of three or more of one letter was shortened.
    pub stretched: bool,
    /// It stands between quotation marks, or in a line that begins with `>`.
    pub quoted: bool,
    /// Its letters: a range of [`Text::letters`], empty for numbers.
    pub letters: (u32, u32),
    /// Its place in the original text, in Unicode scalar values.
    pub span: (u32, u32),
}

/// Punctuation counted on the way, before it is dropped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    pub exclamations: u32,
    pub questions: u32,
    pub ellipses: u32,
}

/// A text ready for features.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Text {
    pub letters: Vec<Glyph>,
    pub tokens: Vec<Token>,
    pub marks: Marks,
}

impl Text {
    pub fn letters_of(&self, token: &Token) -> &[Glyph] {
        &self.letters[token.letters.0 as usize..token.letters.1 as usize]
    }
}

/// Splits `glyphs` into tokens, leaving out what lies in `cuts` (sorted, in positions of the original text).
pub(crate) fn tokenise(glyphs: &[Glyph], cuts: &[Span]) -> Text {
    let latin = glyphs
        .iter()
        .filter(|g| g.plain.is_ascii_alphabetic())
        .count();
    let foreign = glyphs
        .iter()
        .filter(|g| !g.plain.is_ascii() && g.plain.is_alphabetic())
        .count();
    let mut scanner = Scanner {
        glyphs,
        text: Text {
            letters: Vec::with_capacity(glyphs.len()),
            tokens: Vec::with_capacity(glyphs.len() / 4 + 1),
            marks: Marks::default(),
        },
        gap: Gap::Stop,
        mostly_latin: latin >= foreign,
        quoted: false,
    };
    let marked = quotes::marked(glyphs);
    let mut marked = marked.iter().peekable();
    let mut at = 0;
    let mut cuts = cuts.iter().peekable();
    while at < glyphs.len() {
        while cuts
            .next_if(|cut| cut.end <= glyphs[at].start as usize)
            .is_some()
        {}
        if let Some(cut) = cuts.peek()
            && glyphs[at].start as usize >= cut.start
        {
            scanner.gap = Gap::Stop;
            at += 1;
            continue;
        }
        while marked.next_if(|(_, end)| *end <= at).is_some() {}
        scanner.quoted = marked.peek().is_some_and(|(start, _)| *start <= at);
        at = scanner.step(at);
    }
    scanner.text
}

#[cfg(test)]
mod tests {
    use super::super::normalise::glyphs;
    use super::*;
    use proptest::prelude::*;

    fn words(text: &str) -> Vec<String> {
        let text = tokenise(&glyphs(text), &[]);
        text.tokens
            .iter()
            .map(|token| match token.kind {
                Kind::Number(false) => "<n>".into(),
                Kind::Number(true) => "<phone>".into(),
                Kind::Url => {
                    let host: String = text.letters_of(token).iter().map(|g| g.plain).collect();
                    format!("<{host}>")
                }
                _ => text.letters_of(token).iter().map(|g| g.plain).collect(),
            })
            .collect()
    }

    #[test]
    fn disguises_come_off() {
        assert_eq!(words("Cr3tin"), ["cretin"]);
        assert_eq!(words("1d10t, b3t3, m3nt3ur"), ["idiot", "bete", "menteur"]);
        assert_eq!(words("b a n d i t !"), ["bandit"]);
        assert_eq!(words("b.a.n.d.i.t"), ["bandit"]);
        assert_eq!(
            words("3ll3$ v0u$ $4l3 4$$3z"),
            ["elles", "vous", "sale", "assez"]
        );
        assert_eq!(words("r4i$0n $0nt"), ["raison", "sont"]);
        assert_eq!(words("nullllll connnnard"), ["null", "connard"]);
        assert_eq!(
            words("merrrrde saluuuut merciiii"),
            ["merde", "salut", "merci"]
        );
        assert_eq!(
            words("occuuuupons fuuuck stoppp"),
            ["occupons", "fuck", "stop"]
        );
        assert_eq!(words("id\u{0456}\u{043E}t"), ["idiot"]);
        assert_eq!(words("m@udit ba$tard"), ["maudit", "bastard"]);
    }

    #[test]
    fn ordinary_writing_is_left_alone() {
        assert_eq!(words("L’armée d'ici"), ["l", "armee", "d", "ici"]);
        assert_eq!(words("19h30, 70 km"), ["<n>", "<n>", "km"]);
        assert_eq!(words("35ans, 2eme, 10km"), ["35ans", "2eme", "<n>"]);
        assert_eq!(words("привет"), ["привет"]);
        assert_eq!(
            words("c'est fini.il part"),
            ["c", "est", "fini", "il", "part"]
        );
        assert_eq!(words("y a t il"), ["y", "a", "t", "il"]);
        assert_eq!(words("binta2013"), ["binta"]);
        assert_eq!(words("4x4 5h30 100$ 5k$"), ["<n>", "<n>", "<n>", "<n>"]);
        assert_eq!(
            words("$10 $4bn covid19 1er 5ans"),
            ["<n>", "<n>", "covid", "<n>", "5ans"]
        );
    }

    #[test]
    fn links_numbers_and_mentions_are_recognised() {
        assert_eq!(
            words("voir https://www.exemple.ml/page?x=1 ou exemple.com/a, @awa_2 22370012345"),
            ["voir", "<exemple.ml>", "ou", "<exemple.com>", "<phone>"]
        );
    }

    #[test]
    fn what_is_cut_leaves_no_token() {
        let text = tokenise(&glyphs("un deux trois"), &[Span { start: 3, end: 7 }]);
        assert_eq!(text.tokens.len(), 2);
        assert_eq!(text.tokens[1].span, (8, 13));
        assert_eq!(text.tokens[1].gap, Gap::Stop);
    }

    proptest! {
        #[test]
        fn tokens_and_letters_map_back_in_order(text in "\\PC{0,80}|[a-z0-9.@*$ é!https:/]{0,80}") {
            let length = text.chars().count() as u32;
            let out = tokenise(&glyphs(&text), &[]);
            let mut last = 0;
            for token in &out.tokens {
                prop_assert!(token.span.0 < token.span.1 && token.span.1 <= length);
                prop_assert!(token.span.0 >= last);
                last = token.span.0;
                for letter in out.letters_of(token) {
                    prop_assert!(token.span.0 <= letter.start && letter.end <= token.span.1);
                }
            }
        }
    }
}
