//! HTML pages that need nothing else: no script, no file beside them, nothing from elsewhere.
//!
//! What others wrote goes through [`Escaped`]. A page's style is known by its checksum ([`policy`]), and nothing else in it
//! is allowed anything. Plots are [`Plot`]s: drawn in the page's own colours, so that they follow light, dark and paper.

mod interval;
mod plot;

use std::fmt::{self, Display, Formatter, Write as _};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use sha2::{Digest as _, Sha256};

pub use interval::{Dumbbells, Intervals};
pub use plot::{Axis, Key, Line, Plot};

/// What every page looks like.
const STYLE: &str = include_str!("style.css");

/// A page without a title is no page.
#[derive(Debug)]
pub struct Page<'a> {
    pub title: &'a str,
    /// Style of its own.
    pub style: &'a str,
    /// What is between `<main>` and `</main>`, escaped where it must be.
    pub body: &'a str,
}

impl Display for Page<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let title = Escaped(self.title);
        write!(
            f,
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"referrer\" content=\"no-referrer\">\n<title>{title}</title>\n\
             <style>{STYLE}{}</style>\n</head>\n<body>\n<main>\n{}</main>\n</body>\n</html>\n",
            policy(self.style),
            self.style,
            self.body
        )
    }
}

/// What a browser may do with a page of that style: show it.
#[must_use]
pub fn policy(style: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(STYLE);
    hash.update(style);
    let hash = BASE64_STANDARD.encode(hash.finalize());
    format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'")
}

/// Text that is safe between tags and in attributes. Characters that turn the direction of what follows are shown as what
/// they are.
#[derive(Debug)]
pub struct Escaped<'a>(pub &'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                write!(f, "&lt;U+{:04X}&gt;", u32::from(c))
            }
            c if c.is_control() && !matches!(c, '\n' | '\t') => f.write_char('\u{fffd}'),
            c => f.write_char(c),
        })
    }
}

/// A difference in thousandths, with its sign.
#[derive(Debug, Clone, Copy)]
pub struct Signed(pub f64);

impl Display for Signed {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let sign = match (self.0 * 1000.0).round() {
            rounded if rounded > 0.0 => "+",
            rounded if rounded < 0.0 => "\u{2212}",
            _ => "",
        };
        write!(f, "{sign}{:.3}", self.0.abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_somebody_wrote_is_markup() {
        let shown = Escaped("<script>\"a\"&'b'\u{202e}x\0").to_string();
        assert_eq!(
            shown,
            "&lt;script&gt;&quot;a&quot;&amp;&#39;b&#39;&lt;U+202E&gt;x\u{fffd}"
        );
    }

    #[test]
    fn a_difference_has_its_sign_unless_it_is_nought() {
        let shown = [0.0124, -0.0124, -0.0001, 0.0].map(|value| Signed(value).to_string());
        assert_eq!(shown, ["+0.012", "\u{2212}0.012", "0.000", "0.000"]);
    }

    #[test]
    fn a_page_allows_its_own_style_and_nothing_else() {
        let page = Page {
            title: "<t>",
            style: "p{margin:0}",
            body: "<p>x</p>",
        };
        let text = page.to_string();
        let style = text
            .split_once("<style>")
            .and_then(|(_, rest)| rest.split_once("</style>"));
        let hash = BASE64_STANDARD.encode(Sha256::digest(style.unwrap().0));
        assert!(policy(page.style).contains(&hash));
        assert!(text.contains(&policy(page.style)) && text.contains("<title>&lt;t&gt;</title>"));
        assert!(!text.contains(" style=") && !text.contains("http:") && !text.contains("https:"));
    }
}
