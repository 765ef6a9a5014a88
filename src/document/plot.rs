//! A plot of lines over two axes.

use std::fmt::{self, Display, Formatter};

use super::Escaped;

/// The drawing's own units.
const WIDTH: f64 = 320.0;
const HEIGHT: f64 = 256.0;
const LEFT: f64 = 46.0;
const BOTTOM: f64 = 38.0;
const TOP: f64 = 24.0;
const RIGHT: f64 = 18.0;
/// Parts that an axis is cut into.
const PARTS: usize = 5;
/// So many looks there are for lines: colour and dashes.
const LOOKS: usize = 3;

/// From nought to an end, with a name that has its unit in it.
#[derive(Debug, Clone, Copy)]
pub struct Axis<'a> {
    pub name: &'a str,
    pub to: f64,
    /// Whether a share is shown as per cent.
    pub percent: bool,
}

impl Axis<'_> {
    fn shown(&self, value: f64) -> String {
        if self.percent {
            format!("{:.0} %", value * 100.0)
        } else if self.to >= PARTS as f64 {
            format!("{value:.0}")
        } else {
            format!("{value:.1}")
        }
    }
}

/// A line, told from the others by its colour and its dashes.
#[derive(Debug, Clone)]
pub struct Line<'a> {
    pub name: &'a str,
    pub points: &'a [(f64, f64)],
    /// A point of it that means something, such as where comments begin to wait.
    pub mark: Option<(f64, f64)>,
    /// Whether each point has a dot.
    pub dots: bool,
}

/// Lines over two axes, as a figure with its caption.
#[derive(Debug, Clone)]
pub struct Plot<'a> {
    pub title: &'a str,
    pub x: Axis<'a>,
    pub y: Axis<'a>,
    pub lines: Vec<Line<'a>>,
    /// Whether the diagonal is drawn, on which both are equal.
    pub diagonal: bool,
}

impl Plot<'_> {
    fn place(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let (wide, high) = (WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM);
        let (x, y) = (x / self.x.to, y / self.y.to);
        (
            LEFT + wide * x.clamp(0.0, 1.0),
            TOP + high * (1.0 - y.clamp(0.0, 1.0)),
        )
    }

    fn axes(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (left, bottom) = self.place((0.0, 0.0));
        let (right, top) = self.place((self.x.to, self.y.to));
        for part in 0..=PARTS {
            let share = part as f64 / PARTS as f64;
            let (x, y) = self.place((self.x.to * share, self.y.to * share));
            let class = if part == 0 { "axis" } else { "grid" };
            write!(
                f,
                "<line class=\"{class}\" x1=\"{left:.1}\" x2=\"{right:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
                 <line class=\"{class}\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{top:.1}\" y2=\"{bottom:.1}\"/>\
                 <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                bottom + 14.0,
                self.x.shown(self.x.to * share),
                left - 5.0,
                y + 4.0,
                self.y.shown(self.y.to * share)
            )?;
        }
        write!(
            f,
            "<text class=\"name\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\
             <text class=\"name\" x=\"0\" y=\"12\">{}</text>",
            f64::midpoint(left, right),
            HEIGHT - 6.0,
            Escaped(self.x.name),
            Escaped(self.y.name)
        )?;
        if self.diagonal {
            write!(
                f,
                "<line class=\"even\" x1=\"{left:.1}\" x2=\"{right:.1}\" y1=\"{bottom:.1}\" y2=\"{top:.1}\"/>"
            )?;
        }
        Ok(())
    }
}

impl Display for Plot<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "<figure><figcaption><b>{}</b></figcaption>\
             <svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}: {} over {}\">",
            Escaped(self.title),
            Escaped(self.title),
            Escaped(self.y.name),
            Escaped(self.x.name)
        )?;
        self.axes(f)?;
        for (at, line) in self.lines.iter().enumerate() {
            let look = at % LOOKS;
            let inside = line.points.iter().filter(|(x, _)| *x <= self.x.to);
            let inside: Vec<(f64, f64)> = inside.map(|point| self.place(*point)).collect();
            if inside.len() > 1 {
                write!(f, "<path class=\"s{look}\" d=\"")?;
                for (at, (x, y)) in inside.iter().enumerate() {
                    write!(f, "{}{x:.1} {y:.1}", if at == 0 { "M" } else { "L" })?;
                }
                write!(f, "\"><title>{}</title></path>", Escaped(line.name))?;
            }
            if line.dots {
                for point in &inside {
                    dot(f, look, *point, 2.5)?;
                }
            }
            if let Some(mark) = line.mark {
                dot(f, look, self.place(mark), 4.5)?;
            }
        }
        f.write_str("</svg></figure>\n")
    }
}

/// A ring, a square or a disc: looks differ in shape too.
pub(super) fn dot(
    f: &mut Formatter<'_>,
    look: usize,
    (x, y): (f64, f64),
    half: f64,
) -> fmt::Result {
    if look == 1 {
        write!(
            f,
            "<rect class=\"d1\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>",
            x - half,
            y - half,
            2.0 * half,
            2.0 * half
        )
    } else {
        write!(
            f,
            "<circle class=\"d{look}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{half:.1}\"/>"
        )
    }
}

/// Which look is which, for several plots.
#[derive(Debug, Clone)]
pub struct Key<'a>(pub Vec<&'a str>);

impl Display for Key<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("<ul class=\"key\">")?;
        for (at, name) in self.0.iter().enumerate() {
            let look = at % LOOKS;
            write!(
                f,
                "<li><svg viewBox=\"0 0 32 12\" aria-hidden=\"true\"><path class=\"s{look}\" d=\"M0 6L32 6\"/>"
            )?;
            dot(f, look, (16.0, 6.0), 4.0)?;
            write!(f, "</svg>{}</li>", Escaped(name))?;
        }
        f.write_str("</ul>\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plot_says_what_it_shows_and_stays_inside() {
        let axis = |name| Axis {
            name,
            to: 1.0,
            percent: true,
        };
        let line = Line {
            name: "old",
            points: &[(0.0, 0.0), (0.5, 2.0), (3.0, 1.0)],
            mark: Some((0.5, 0.5)),
            dots: false,
        };
        let plot = Plot {
            title: "A & B",
            x: axis("recall"),
            y: axis("precision <1>"),
            lines: vec![line],
            diagonal: false,
        };
        let svg = plot.to_string();
        assert!(svg.contains("aria-label=\"A &amp; B: precision &lt;1&gt; over recall\""));
        assert!(svg.contains("100 %") && svg.contains("<circle class=\"d0\""));
        assert!(
            svg.contains("d=\"M46.0 218.0L174.0 24.0\""),
            "what is outside is cut off: {svg}"
        );
    }
}
