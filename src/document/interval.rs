//! Two values side by side, and differences with their intervals: a row for each name.

use std::fmt::{self, Display, Formatter};

use super::{Escaped, Signed, plot::dot};

const WIDTH: f64 = 360.0;
const ROW: f64 = 26.0;
const LEFT: f64 = 100.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 6.0;
const BOTTOM: f64 = 36.0;
/// Parts that an axis is cut into: an even number, so that nought is one of the marks in the middle of an axis.
const PARTS: usize = 4;

/// Two values of each name on one axis: a ring before, a square after.
#[derive(Debug, Clone)]
pub struct Dumbbells<'a> {
    pub title: &'a str,
    pub axis: &'a str,
    /// Where the axis begins and ends.
    pub within: (f64, f64),
    pub rows: Vec<(&'a str, f64, f64)>,
}

impl Display for Dumbbells<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let names = self.rows.iter().map(|row| row.0);
        begin(f, self.title, self.axis, self.within, names)?;
        for (at, (_, before, after)) in self.rows.iter().enumerate() {
            let y = middle(at);
            let (from, to) = (place(self.within, *before), place(self.within, *after));
            write!(
                f,
                "<line class=\"axis\" x1=\"{from:.1}\" x2=\"{to:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>"
            )?;
            // The ring last, and larger: where both are equal, both are seen.
            dot(f, 1, (to, y), 3.5)?;
            write!(
                f,
                "<circle class=\"ring\" cx=\"{from:.1}\" cy=\"{y:.1}\" r=\"6\"/>"
            )?;
        }
        f.write_str("</svg></figure>\n")
    }
}

/// A difference of each name with where it lies, beside a line at nought.
#[derive(Debug, Clone)]
pub struct Intervals<'a> {
    pub title: &'a str,
    pub axis: &'a str,
    /// Name, difference, and both ends of its interval.
    pub rows: Vec<(&'a str, f64, f64, f64)>,
}

impl Display for Intervals<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let ends = self.rows.iter().flat_map(|row| [row.1, row.2, row.3]);
        let most = ends.map(f64::abs).fold(0.02, f64::max);
        // A round number of hundredths, so that the axis has round numbers.
        let most = (most * 50.0).ceil() / 50.0;
        let within = (-most, most);
        let names = self.rows.iter().map(|row| row.0);
        begin(f, self.title, self.axis, within, names)?;
        let nought = place(within, 0.0);
        let bottom = TOP + ROW * self.rows.len() as f64;
        write!(
            f,
            "<line class=\"axis\" x1=\"{nought:.1}\" x2=\"{nought:.1}\" y1=\"{TOP}\" y2=\"{bottom:.1}\"/>"
        )?;
        for (at, (_, difference, low, high)) in self.rows.iter().enumerate() {
            let y = middle(at);
            let (low, high) = (place(within, *low), place(within, *high));
            write!(
                f,
                "<path class=\"s1\" d=\"M{low:.1} {y:.1}L{high:.1} {y:.1}M{low:.1} {:.1}L{low:.1} {:.1}M{high:.1} {:.1}L{high:.1} {:.1}\"/>",
                y - 5.0,
                y + 5.0,
                y - 5.0,
                y + 5.0
            )?;
            dot(f, 1, (place(within, *difference), y), 4.0)?;
        }
        f.write_str("</svg></figure>\n")
    }
}

fn middle(row: usize) -> f64 {
    TOP + ROW * (row as f64 + 0.5)
}

fn place((from, to): (f64, f64), value: f64) -> f64 {
    LEFT + (WIDTH - LEFT - RIGHT) * ((value - from) / (to - from)).clamp(0.0, 1.0)
}

/// The figure with its names and its axis; the caller draws the rows, and closes it.
fn begin<'a>(
    f: &mut Formatter<'_>,
    title: &str,
    axis: &str,
    within: (f64, f64),
    names: impl Iterator<Item = &'a str>,
) -> fmt::Result {
    let names: Vec<&str> = names.collect();
    let bottom = TOP + ROW * names.len() as f64;
    write!(
        f,
        "<figure><figcaption><b>{}</b></figcaption><svg viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-label=\"{}\">",
        Escaped(title),
        bottom + BOTTOM,
        Escaped(title)
    )?;
    let (from, to) = within;
    for part in 0..=PARTS {
        let value = from + (to - from) * part as f64 / PARTS as f64;
        let x = place(within, value);
        let shown = if from < 0.0 {
            Signed(value).to_string()
        } else {
            format!("{value:.3}")
        };
        write!(
            f,
            "<line class=\"grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{bottom:.1}\"/>\
             <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{shown}</text>",
            bottom + 14.0
        )?;
    }
    for (at, name) in names.iter().enumerate() {
        write!(
            f,
            "<text class=\"name\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 10.0,
            middle(at) + 4.0,
            Escaped(name)
        )?;
    }
    write!(
        f,
        "<text class=\"name\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
        f64::midpoint(LEFT, WIDTH - RIGHT),
        bottom + 30.0,
        Escaped(axis)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gain_lies_right_of_nought() {
        let plot = Intervals {
            title: "Gain",
            axis: "AUC",
            rows: vec![("insult", 0.04, 0.01, 0.07)],
        };
        let svg = plot.to_string();
        assert!(
            svg.contains("+0.080") && svg.contains("\u{2212}0.080"),
            "{svg}"
        );
        // Nought is in the middle of 100 to 340.
        assert!(svg.contains("x1=\"220.0\" x2=\"220.0\""), "{svg}");
        assert!(svg.contains("<rect class=\"d1\" x=\"276.0\""), "{svg}");
    }

    #[test]
    fn before_and_after_have_their_own_shapes() {
        let plot = Dumbbells {
            title: "AUC",
            axis: "AUC",
            within: (0.5, 1.0),
            rows: vec![("insult", 0.5, 1.0)],
        };
        let svg = plot.to_string();
        assert!(
            svg.contains("<circle class=\"ring\" cx=\"100.0\"")
                && svg.contains("<rect class=\"d1\" x=\"336.5\"")
        );
    }
}
