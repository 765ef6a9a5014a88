//! Texts from outside: each type can only be made by parsing, so that holding one means it is fit to store.

use std::borrow::Cow;

use serde::Serialize;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, schema::Schema},
};

use super::schema;

/// The most Unicode scalar values a comment may have.
pub const MAX_BODY_CHARS: usize = 10_000;

/// Why a value was refused, in words for the one who sent it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub String);

impl Invalid {
    fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

/// Shows nothing on a page: white space, and the invisible characters people paste to get past an emptiness check.
fn is_blank(c: char) -> bool {
    c.is_whitespace()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}')
}

fn refuse_control(text: &str, allowed: &[char]) -> Result<(), Invalid> {
    match text
        .chars()
        .enumerate()
        .find(|(_, c)| c.is_control() && !allowed.contains(c))
    {
        Some((at, c)) => Err(Invalid::new(format!(
            "must not have control characters (U+{:04X} at character {at})",
            u32::from(c)
        ))),
        None => Ok(()),
    }
}

/// A text of several lines: not blank, at most `max` characters. CR LF becomes newline.
fn lines(text: &str, max: usize) -> Result<String, Invalid> {
    if text.chars().all(is_blank) {
        return Err(Invalid::new("must not be empty"));
    }
    let text = text.replace("\r\n", "\n");
    let length = chars(&text);
    if length > max {
        return Err(Invalid::new(format!(
            "must have at most {max} characters, not {length}"
        )));
    }
    refuse_control(&text, &['\n', '\t'])?;
    Ok(text)
}

/// A text on one line: not blank, at most `max` bytes or characters as `length` counts them.
fn one_line(
    text: &str,
    max: usize,
    unit: &str,
    length: impl Fn(&str) -> usize,
) -> Result<String, Invalid> {
    if text.chars().all(is_blank) {
        return Err(Invalid::new("must not be empty"));
    }
    let actual = length(text);
    if actual > max {
        return Err(Invalid::new(format!(
            "must have at most {max} {unit}, not {actual}"
        )));
    }
    refuse_control(text, &[])?;
    Ok(text.to_owned())
}

fn chars(text: &str) -> usize {
    text.chars().count()
}

macro_rules! texts {
    ($($(#[doc = $doc:literal])* $name:ident($example:literal, $schema:expr) = $parse:expr;)+) => {$(
        $(#[doc = $doc])*
        #[derive(Clone, PartialEq, Eq, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        /// Without the text: what people write must not reach a log by way of a `{:?}`.
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({} bytes)", stringify!($name), self.0.len())
            }
        }

        impl $name {
            /// Checks a text from outside.
            ///
            /// # Errors
            /// When it breaks the rules of this type; the message says which.
            pub fn parse(text: &str) -> Result<Self, Invalid> {
                let parse: fn(&str) -> Result<String, Invalid> = $parse;
                parse(text).map(Self)
            }

            /// A text that the store held: it was checked when it came in.
            #[allow(dead_code, reason = "not every text is read back")]
            pub(crate) const fn stored(text: String) -> Self {
                Self(text)
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The text, owned.
            #[must_use]
            pub fn into_string(self) -> String {
                self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let mut schema = $schema;
                schema.description = Some(concat!($($doc),*).trim().into());
                schema.examples = vec![$example.into()];
                RefOr::T(Schema::Object(schema))
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }
        }
    )+};
}

texts! {
    /// The body of a comment: 1 to 10,000 Unicode scalar values of plain text, not blank, and no control characters
    /// other than newline and tab. CR LF becomes newline.
    Body("Merci pour cet article, très clair.", schema::lines(MAX_BODY_CHARS)) = |text| lines(text, MAX_BODY_CHARS);
    /// A site's own id of a page: any text of 1 to 255 bytes without control characters.
    ThreadKey("delestage-2026", schema::line(255)) = |text| one_line(text, 255, "bytes", str::len);
    /// A site's own id of a reader: 1 to 255 bytes.
    AuthorId("u1", schema::line(255)) = |text| one_line(text, 255, "bytes", str::len);
    /// A reader's name as shown: 1 to 255 characters.
    AuthorName("Awa", schema::line(255)) = |text| one_line(text, 255, "characters", chars);
    /// A site's own id of a comment: 1 to 255 bytes.
    ExternalId("4711", schema::line(255)) = |text| one_line(text, 255, "bytes", str::len);
    /// The title of a page: 1 to 1,000 characters.
    Title("Délestage : le quartier dans le noir", schema::line(1_000)) = |text| one_line(text, 1_000, "characters", chars);
    /// The address of a page: http or https, at most 2,048 bytes.
    Url("https://www.le-soir.example/delestage-2026", schema::matching(8, 2_048, r"^https?://[^\s\x00-\x1f\x7f-\x9f]+$")) = |text| {
        let text = one_line(text, 2_048, "bytes", str::len)?;
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        match rest {
            Some(rest) if !rest.is_empty() && !text.contains(char::is_whitespace) => Ok(text),
            _ => Err(Invalid::new("must be an address that begins with http:// or https://")),
        }
    };
    /// A language tag such as `fr` or `en-GB` (BCP 47).
    Lang("fr", schema::matching(2, 35, "^[A-Za-z]{2}[A-Za-z0-9]{0,6}(-[A-Za-z0-9]{1,8})*$")) = |text| {
        let ok = (2..=35).contains(&text.len())
            && text.split('-').all(|part| {
                (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
            })
            && text.as_bytes()[..2].iter().all(u8::is_ascii_alphabetic);
        if ok {
            Ok(text.to_owned())
        } else {
            Err(Invalid::new("must be a language tag such as \"fr\" or \"en-GB\""))
        }
    };
    /// An e-mail address, kept but never shown to readers: 3 to 320 characters with an @ inside.
    Email("awa@mail.example", schema::matching(3, 320, r"^[^@ \x00-\x1f\x7f-\x9f]+@[^ \x00-\x1f\x7f-\x9f]+$")) = |text| {
        let text = one_line(text, 320, "characters", chars)?;
        match text.split_once('@') {
            Some((name, host)) if !name.is_empty() && !host.is_empty() && !text.contains(' ') => Ok(text),
            _ => Err(Invalid::new("must be an e-mail address")),
        }
    };
    /// A moderator's note: 1 to 2,000 characters; newlines and tabs are kept.
    Note("Already warned twice.", schema::lines(2_000)) = |text| lines(text, 2_000);
    /// Who bears a token: the name in the audit log. 1 to 255 bytes.
    Subject("binta", schema::line(255)) = |text| one_line(text, 255, "bytes", str::len);
    /// What somebody searches for: 1 to 200 characters, at most ten words.
    Words("merci article", schema::line(200)) = |text| {
        let text = one_line(text, 200, "characters", chars)?;
        if text.split_whitespace().count() > 10 {
            return Err(Invalid::new("must have at most 10 words"));
        }
        Ok(text)
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_body_keeps_newlines_tabs_and_every_script() {
        let body = Body::parse("I ni ce 👋\r\n\tɲɛgɛn, ça va ?\n").unwrap();
        assert_eq!(body.as_str(), "I ni ce 👋\n\tɲɛgɛn, ça va ?\n");
    }

    #[test]
    fn a_body_that_shows_nothing_is_empty() {
        for blank in [
            "",
            " ",
            "\n\n\t",
            "\u{200b}\u{200d}",
            "\u{feff}",
            "\u{202e} \u{2066}",
        ] {
            assert!(Body::parse(blank).is_err(), "{blank:?}");
        }
    }

    #[test]
    fn the_limit_counts_characters_not_bytes() {
        assert!(Body::parse(&"é".repeat(10_000)).is_ok());
        let refusal = Body::parse(&"é".repeat(10_001)).unwrap_err();
        assert_eq!(refusal.0, "must have at most 10000 characters, not 10001");
    }

    #[test]
    fn control_characters_are_named() {
        let refusal = Body::parse("ab\0c").unwrap_err();
        assert_eq!(
            refusal.0,
            "must not have control characters (U+0000 at character 2)"
        );
        for bad in ["a\rb", "a\u{7}b", "a\u{7f}b", "a\u{85}b"] {
            assert!(Body::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn what_people_write_is_not_in_a_debug_text() {
        let body = Body::parse("un secret").unwrap();
        assert_eq!(format!("{body:?}"), "Body(9 bytes)");
    }

    #[test]
    fn a_search_has_at_most_ten_words() {
        assert!(Words::parse("a b c d e f g h i j").is_ok());
        assert!(Words::parse("a b c d e f g h i j k").is_err());
        assert!(Words::parse(&"a".repeat(201)).is_err());
    }

    #[test]
    fn bidi_overrides_are_text_and_stay() {
        assert!(Body::parse("abc \u{202e}def\u{202c}").is_ok());
    }

    #[test]
    fn keys_are_counted_in_bytes() {
        assert!(ThreadKey::parse(&"k".repeat(255)).is_ok());
        assert!(ThreadKey::parse(&"é".repeat(128)).is_err());
        assert!(ThreadKey::parse("a/b?c=d#é %").is_ok());
        assert!(ThreadKey::parse("").is_err());
        assert!(ThreadKey::parse("a\nb").is_err());
    }

    #[test]
    fn addresses_languages_and_mails() {
        assert!(Url::parse("https://news.example/2026/konna").is_ok());
        for bad in ["javascript:alert(1)", "https://", "ftp://a", "https://a b"] {
            assert!(Url::parse(bad).is_err(), "{bad}");
        }
        assert!(Lang::parse("fr").is_ok());
        assert!(Lang::parse("pt-BR").is_ok());
        for bad in ["f", "français", "fr_FR", "12", "é", "fr-"] {
            assert!(Lang::parse(bad).is_err(), "{bad}");
        }
        assert!(Email::parse("awa@mail.example").is_ok());
        assert!(Email::parse("awa").is_err());
    }

    proptest! {
        #[test]
        fn parsing_never_panics_and_is_stable(text in any::<String>()) {
            if let Ok(body) = Body::parse(&text) {
                prop_assert_eq!(Body::parse(body.as_str()).unwrap(), body);
            }
            let _ = (ThreadKey::parse(&text), Url::parse(&text), Lang::parse(&text), Note::parse(&text));
        }
    }
}
