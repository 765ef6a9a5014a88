//! Reads one token at a time, and takes its disguise off.
//!
//! A word that is hidden is hidden in a handful of ways, and each has its inverse here: letters of another alphabet in a
//! Latin word, digits and signs for letters ("c0nn@rd"), letters spread out ("c o n n a r d"), letters stretched
//! ("connnnard"). Mentions are dropped, since who is named says nothing of tone and, in training, gives the source away.

use super::normalise::{Glyph, homoglyph};
use super::tokens::{Gap, Kind, Text, Token};

/// Longer runs of letters are cut: no natural word is that long, and nothing may grow with a hostile one.
const LONGEST_WORD: usize = 48;
/// Fewer single letters in a row are initials, not a spread-out word.
const SPREAD: usize = 4;

/// Reads tokens off a run of glyphs.
pub(crate) struct Scanner<'a> {
    pub glyphs: &'a [Glyph],
    pub text: Text,
    /// What was seen since the last token.
    pub gap: Gap,
    /// Most letters of the text are Latin.
    pub mostly_latin: bool,
    /// What comes next stands between quotation marks.
    pub quoted: bool,
}

impl Scanner<'_> {
    fn plain(&self, at: usize) -> char {
        self.glyphs.get(at).map_or(' ', |glyph| glyph.plain)
    }

    fn is_alphanumeric(&self, at: usize) -> bool {
        self.plain(at).is_alphanumeric()
    }

    /// Reads what begins at `at` and says where it ends.
    pub fn step(&mut self, at: usize) -> usize {
        let c = self.plain(at);
        if c.is_alphanumeric() {
            return self.word(at);
        }
        if c == '@' && self.is_alphanumeric(at + 1) {
            return self.mention(at);
        }
        if matches!(c, '$' | '*') && self.gap_before(at) && self.begins_with_a_mask(at) {
            return self.word(at);
        }
        if is_emoji(c) {
            return self.emoji(at);
        }
        match c {
            '!' => self.text.marks.exclamations += 1,
            '?' => self.text.marks.questions += 1,
            '.' if self.plain(at + 1) == '.' && self.plain(at + 2) == '.' => {
                self.text.marks.ellipses += 1;
                self.gap = Gap::Stop;
                let mut end = at + 3;
                while self.plain(end) == '.' {
                    end += 1;
                }
                return end;
            }
            _ => {}
        }
        let gap = match c {
            '.' | '!' | '?' | '\n' | '\r' | '…' => Gap::Stop,
            ';' | ':' => Gap::Sentence,
            c if c.is_whitespace() || matches!(c, '\'' | '-' | '#' | '_') => Gap::Space,
            _ => Gap::Comma,
        };
        self.gap = self.gap.max(gap);
        at + 1
    }

    fn gap_before(&self, at: usize) -> bool {
        at == 0 || !self.is_alphanumeric(at - 1)
    }

    fn word(&mut self, at: usize) -> usize {
        if let Some(end) = self.link(at) {
            return end;
        }
        if let Some((letters, end)) = self.spread(at) {
            self.push_word(at, end, letters);
            return end;
        }
        let mut end = at + 1;
        while end - at < LONGEST_WORD
            && (self.is_alphanumeric(end)
                || (is_mask(self.plain(end)) && self.masks_inside(at, end)))
        {
            end += 1;
        }
        if self.plain(end) == '$' && self.has_a_digit_behind_a_letter(at, end) {
            end += 1;
        }
        if self.is_retweet_mark(at, end) {
            return end;
        }
        self.push_word(at, end, 1);
        end
    }

    /// "$alaud" and "$4l3", not "$5" or "$4bn".
    fn begins_with_a_mask(&self, at: usize) -> bool {
        if self.plain(at + 1).is_alphabetic() {
            return true;
        }
        let letters = (at + 2..at + 6).take_while(|i| self.plain(*i).is_alphabetic());
        let unit: String = letters.map(|i| self.plain(i)).collect();
        unmask(self.plain(at + 1)).is_alphabetic()
            && !matches!(
                unit.as_str(),
                "" | "b" | "bn" | "k" | "m" | "md" | "mds" | "mn" | "t" | "tn"
            )
    }

    /// Signs for letters count only inside a word that begins at `start`: "f**k" and "r4i$0n", not "100$".
    fn masks_inside(&self, start: usize, at: usize) -> bool {
        let Some(next) = (at..at + 4).find(|i| !is_mask(self.plain(*i))) else {
            return false;
        };
        let is_letter = |i: usize| self.plain(i).is_alphabetic();
        is_letter(next)
            || (unmask(self.plain(next)).is_alphabetic()
                && (is_letter(next + 1) || (start..at).any(is_letter)))
    }

    /// "v0u$" is a word, "10$" and "5k$" are money.
    fn has_a_digit_behind_a_letter(&self, at: usize, end: usize) -> bool {
        let mut letters = at..end;
        letters.any(|i| self.plain(i).is_alphabetic())
            && letters.any(|i| self.plain(i).is_numeric())
    }

    fn is_retweet_mark(&self, at: usize, end: usize) -> bool {
        end - at == 2
            && self.plain(at) == 'r'
            && self.plain(at + 1) == 't'
            && self.plain(end) == ' '
            && self.plain(end + 1) == '@'
    }

    fn mention(&mut self, at: usize) -> usize {
        let mut end = at + 1;
        while self.is_alphanumeric(end) || self.plain(end) == '_' {
            end += 1;
        }
        end
    }

    fn emoji(&mut self, at: usize) -> usize {
        let c = self.plain(at);
        let mut end = at + 1;
        while self.plain(end) == c || (self.plain(end) == ' ' && self.plain(end + 1) == c) {
            end += 1;
        }
        let first = self.text.letters.len() as u32;
        self.text.letters.push(self.glyphs[at]);
        self.push(Kind::Emoji, at, end, first, end - at > 2);
        end
    }

    /// `http://…`, `www.…`, `name@host.tld`, or a bare `host.tld`.
    fn link(&mut self, at: usize) -> Option<usize> {
        let has_scheme = self.starts_with(at, "http://") || self.starts_with(at, "https://");
        let is_link = has_scheme || self.starts_with(at, "www.") || self.is_bare_domain(at);
        if !is_link || !self.gap_before(at) {
            return None;
        }
        let mut end = at;
        while end < self.glyphs.len() && !ends_link(self.plain(end)) {
            end += 1;
        }
        let mut host = at;
        while has_scheme && self.plain(host) != ':' {
            host += 1;
        }
        host += if has_scheme { 3 } else { 0 };
        host += if self.starts_with(host, "www.") { 4 } else { 0 };
        let first = self.text.letters.len() as u32;
        let letters = self.glyphs[host.min(end)..end]
            .iter()
            .take(LONGEST_WORD)
            .take_while(|g| g.plain.is_alphanumeric() || matches!(g.plain, '.' | '-' | '@'));
        self.text.letters.extend(letters);
        self.push(Kind::Url, at, end, first, false);
        Some(end)
    }

    fn starts_with(&self, at: usize, prefix: &str) -> bool {
        prefix
            .chars()
            .enumerate()
            .all(|(i, c)| self.plain(at + i) == c)
    }

    fn is_bare_domain(&self, at: usize) -> bool {
        let mut dot = None;
        let mut end = at;
        while end < at + 64 {
            match self.plain(end) {
                '.' | '@' if !self.is_alphanumeric(end + 1) => break,
                '.' => dot = Some(end),
                '-' | '_' | '@' => {}
                c if c.is_ascii_alphanumeric() => {}
                _ => break,
            }
            end += 1;
        }
        let Some(dot) = dot else { return false };
        let ending: String = (dot + 1..end).map(|i| self.plain(i)).collect();
        dot > at + 1
            && (is_top_level(&ending)
                || (self.plain(end) == '/' && (2..=6).contains(&ending.len())))
    }

    /// "c o n n a r d", "c.o.n": the width of a step, and where it ends.
    fn spread(&self, at: usize) -> Option<(usize, usize)> {
        let separator = self.plain(at + 1);
        if !matches!(separator, ' ' | '.' | '-' | '_' | '*') || !self.gap_before(at) {
            return None;
        }
        let mut count = 1;
        let mut end = at + 1;
        while self.plain(end) == separator
            && self.plain(end + 1).is_alphabetic()
            && !self.is_alphanumeric(end + 2)
            && count < LONGEST_WORD
        {
            count += 1;
            end += 2;
        }
        (count >= SPREAD && self.plain(at).is_alphabetic()).then_some((2, end))
    }

    fn push_word(&mut self, at: usize, end: usize, step: usize) {
        let letters = || self.glyphs[at..end].iter().step_by(step);
        let digits = letters().filter(|g| g.plain.is_numeric()).count();
        let others = letters().filter(|g| g.plain.is_alphabetic()).count();
        let signs = letters().filter(|g| matches!(g.plain, '$' | '@')).count();
        let last_letter = letters()
            .rposition(|g| g.plain.is_alphabetic())
            .unwrap_or_default();
        let leading = letters().take_while(|g| g.plain.is_numeric()).count();
        let inside = letters().take(last_letter).skip(leading);
        let inner = inside.filter(|g| g.plain.is_numeric()).count();
        let behind = letters().count() - 1 - last_letter;
        // "5ans" and "10km" are quantities, "covid19" has a number; "1diot", "1d10t", "3ll3" and "$4l3" are in disguise.
        let all_stand_for_letters =
            || letters().all(|g| !g.plain.is_numeric() || unmask(g.plain) != g.plain);
        let unmask_signs = if inner > 0 {
            leading <= 1
                && others >= 1
                && others + signs >= 2
                && digits <= others + signs + 1
                && all_stand_for_letters()
        } else if leading > 0 {
            let ends_in_one = behind > 0 && others >= 2 && digits <= others;
            leading == 1 && (others >= 4 || (ends_in_one && all_stand_for_letters()))
        } else {
            others >= 2
        };
        let is_number = others == 0 || (others <= 2 && leading > 0 && !unmask_signs);
        if digits > 0 && is_number {
            let first = self.text.letters.len() as u32;
            self.push(Kind::Number(digits >= 7), at, end, first, false);
            return;
        }
        // What stands behind the last letter is dropped, but for the end of a word that is in disguise throughout.
        let last = if inner + leading > 0 && behind <= 2 {
            last_letter + behind
        } else {
            last_letter
        };
        let latin = letters().any(|g| g.plain.is_ascii_alphabetic());
        let disguised = letters().all(|g| {
            !g.plain.is_alphabetic() || g.plain.is_ascii() || homoglyph(g.plain).is_some()
        });
        let unmask_script = disguised && (latin || self.mostly_latin);

        let first = self.text.letters.len();
        let mut stretched = false;
        let mut held = false;
        for (i, glyph) in self.glyphs[at..end].iter().step_by(step).enumerate() {
            let mut glyph = *glyph;
            if unmask_script && let Some(letter) = homoglyph(glyph.plain) {
                (glyph.plain, glyph.accented) = (letter, letter);
            }
            if unmask_signs && !glyph.plain.is_alphabetic() {
                if i > last {
                    break;
                }
                let letter = unmask(glyph.plain);
                (glyph.plain, glyph.accented) = (letter, letter);
            }
            let word = &mut self.text.letters[first..];
            if let [.., before, last] = word
                && before.plain == glyph.plain
                && last.plain == glyph.plain
            {
                last.end = glyph.end;
                (held, stretched) = (true, true);
                continue;
            }
            if held && word.last().is_some_and(|last| last.plain != glyph.plain) {
                self.let_go(Some(glyph.plain));
                held = false;
            }
            self.text.letters.push(glyph);
        }
        if held {
            self.let_go(None);
        }
        self.push(Kind::Word, at, end, first as u32, stretched);
    }

    /// Makes one of the last two letters, which are what is left of one held down, unless two are likely to be meant: a
    /// consonant before a vowel ("connnnard"), or what English ends words with ("killll").
    fn let_go(&mut self, next: Option<char>) {
        let Some(last) = self.text.letters.pop() else {
            return;
        };
        let two = !is_vowel(last.plain)
            && next.map_or_else(|| matches!(last.plain, 'f' | 'l' | 's'), is_vowel);
        if two {
            self.text.letters.push(last);
        } else if let Some(first) = self.text.letters.last_mut() {
            first.end = last.end;
        }
    }

    fn push(&mut self, kind: Kind, at: usize, end: usize, first: u32, stretched: bool) {
        self.text.tokens.push(Token {
            kind,
            gap: self.gap,
            stretched,
            quoted: self.quoted,
            letters: (first, self.text.letters.len() as u32),
            span: (self.glyphs[at].start, self.glyphs[end - 1].end),
        });
        self.gap = Gap::Space;
    }
}

const fn is_vowel(c: char) -> bool {
    matches!(c, 'a' | 'e' | 'i' | 'o' | 'u' | 'y')
}

fn is_mask(c: char) -> bool {
    matches!(c, '*' | '@' | '$')
}

/// The letter that a digit or a sign stands for.
fn unmask(c: char) -> char {
    match c {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        _ => c,
    }
}

fn ends_link(c: char) -> bool {
    c.is_whitespace() || matches!(c, '<' | '>' | '"' | '”' | '»' | '“' | '«' | ')' | ']' | '…')
}

/// Endings that are no words, so that a forgotten space after a full stop makes no link.
fn is_top_level(ending: &str) -> bool {
    matches!(
        ending,
        "com"
            | "net"
            | "org"
            | "info"
            | "biz"
            | "fr"
            | "ml"
            | "sn"
            | "bf"
            | "io"
            | "ly"
            | "gl"
            | "tk"
            | "xyz"
            | "shop"
            | "online"
            | "ru"
            | "cn"
            | "uk"
            | "tv"
            | "gov"
            | "edu"
            | "eu"
            | "ng"
            | "gh"
    )
}

fn is_emoji(c: char) -> bool {
    matches!(c, '\u{1F000}'..='\u{1FAFF}' | '\u{2600}'..='\u{27BF}' | '\u{2B00}'..='\u{2BFF}' | '\u{2300}'..='\u{23FF}')
}
