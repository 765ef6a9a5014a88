//! A study of a model as one HTML page that needs nothing else: figures, plots, and the comments it got most wrong.

use std::fmt::{self, Display, Formatter, Write as _};

use crate::{
    classifier::training::{Case, Curves, Disguise, Evaluation, Point, Study},
    document::{Axis, Escaped, Key, Line, Page, Plot},
    domain::Span,
};

/// The most sets of rows in one plot.
const SETS: usize = 3;
/// Calm comments held of a thousand, up to which load is plotted.
const MOST_LOAD: f64 = 200.0;

const STYLE: &str = "main{max-width:72rem}
.figures td:first-child,.figures td:nth-child(2){text-align:start}
.case{border-inline-start:3px solid var(--line);margin:.6rem 0;padding:.1rem .8rem;white-space:pre-wrap;overflow-wrap:anywhere}
.case small{white-space:normal}mark{background:var(--card);color:inherit;text-decoration:underline}";

/// A text with marks around spans of it.
struct Marked<'a>(&'a str, &'a [Span]);

impl Display for Marked<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut spans = self.1.to_vec();
        spans.sort_unstable_by_key(|span| span.start);
        let mut rest = self.0.chars();
        let mut at = 0;
        for span in spans.iter().filter(|span| span.end > span.start) {
            if span.start < at {
                continue;
            }
            let before: String = rest.by_ref().take(span.start - at).collect();
            let marked: String = rest.by_ref().take(span.end - span.start).collect();
            write!(f, "{}<mark>{}</mark>", Escaped(&before), Escaped(&marked))?;
            at = span.end;
        }
        let after: String = rest.collect();
        write!(f, "{}", Escaped(&after))
    }
}

/// The page.
///
/// # Errors
/// Never: writing into memory does not fail.
pub fn render(study: &Study) -> Result<String, fmt::Error> {
    let mut page = String::new();
    let figures = &study.figures;
    let title = format!("{}, {} labelled comments", figures.model, figures.rows);
    write!(page, "<h1>{}</h1><h2>Figures</h2>", Escaped(&title))?;
    page.push_str(
        "<p>AUC: how often a comment with the label scores above one without. Precision, recall and false held: at the model's \
         threshold. ECE: expected calibration error, which means little on rows collected for their abuse.</p>",
    );
    let by_source = |set: &str| set.starts_with("source:");
    table(&mut page, figures, |set| !by_source(set))?;
    page.push_str("<details><summary>By source</summary>");
    table(&mut page, figures, by_source)?;
    page.push_str("</details>");
    page.push_str("<h2>Calm comments held</h2><table><tr><th>rows<th></th><th>of a thousand</tr>");
    for (set, held) in &figures.calm_held {
        write!(
            page,
            "<tr><td>{}<td><td>{:.1}</tr>",
            Escaped(set),
            held * 1000.0
        )?;
    }
    page.push_str("</table>");
    evasion(&mut page, study)?;
    context(&mut page, study)?;
    let with_curves = study.curves.iter().filter(|(_, sets)| !sets.is_empty());
    for (label, sets) in with_curves {
        write!(page, "<h2>{label}</h2>")?;
        plots(&mut page, sets.iter().filter(|(set, _)| !by_source(set)))?;
        if let Some(worst) = study.worst.get(label) {
            cases(
                &mut page,
                "False alarms, the highest first",
                &worst.false_alarms,
            )?;
            cases(&mut page, "Misses, the lowest first", &worst.misses)?;
        }
    }
    let page = Page {
        title: &title,
        style: STYLE,
        body: &page,
    };
    Ok(page.to_string())
}

fn table(page: &mut String, figures: &Evaluation, wanted: impl Fn(&str) -> bool) -> fmt::Result {
    page.push_str(
        "<div class=\"scroll\" tabindex=\"0\"><table class=\"figures\"><tr><th>label<th>rows<th>with<th>without<th>AUC<th>AP<th>precision<th>recall<th>false held<th>ECE</tr>",
    );
    for (label, sets) in &figures.labels {
        for (set, m) in sets.iter().filter(|(set, _)| wanted(set)) {
            write!(
                page,
                "<tr><td>{label}<td>{}<td>{}<td>{}<td>{}<td>{:.3}</tr>",
                Escaped(set),
                m.positives,
                m.negatives,
                m.shown().join("<td>"),
                m.calibration_error
            )?;
        }
    }
    page.push_str("</table></div>");
    Ok(())
}

fn evasion(page: &mut String, study: &Study) -> fmt::Result {
    if study.evasion.is_empty() {
        return Ok(());
    }
    page.push_str(
        "<h2>Disguises</h2><p>AUC on the same comments as typed, and what it loses when every word of four letters and more wears \
         a disguise.</p><table><tr><th>label<th><th>as typed",
    );
    for disguise in Disguise::ALL {
        write!(page, "<th>{}", disguise.name())?;
    }
    page.push_str("</tr>");
    for (label, cost) in &study.evasion {
        write!(page, "<tr><td>{label}<td><td>{:.3}", cost.as_typed)?;
        for disguised in cost.disguised.values() {
            write!(page, "<td>{:+.3}", disguised - cost.as_typed)?;
        }
        page.push_str("</tr>");
    }
    page.push_str("</table>");
    Ok(())
}

fn context(page: &mut String, study: &Study) -> fmt::Result {
    let (swapped, underlined) = (study.swapped, study.underlined);
    if swapped.pairs > 0 {
        write!(page, "<h2>Replies below two comments</h2><p>{swapped}</p>")?;
    }
    if underlined.rows > 0 {
        write!(page, "<h2>Highlights</h2><p>{underlined}</p>")?;
    }
    Ok(())
}

fn cases(page: &mut String, title: &str, cases: &[Case]) -> fmt::Result {
    write!(page, "<details><summary>{title}</summary>")?;
    for case in cases {
        write!(page, "<div class=\"case\">")?;
        if let Some(parent) = &case.parent {
            writeln!(page, "<small>answers: {}</small>", Escaped(parent))?;
        }
        write!(
            page,
            "{}\n<small>{:.3}, {}</small></div>",
            Marked(&case.text, &case.highlights),
            case.score,
            Escaped(&case.source)
        )?;
    }
    page.push_str("</details>");
    Ok(())
}

/// One of the curves.
type Choice = fn(&Curves) -> &[Point];

/// The plots of one label, with a line for each set of rows.
fn plots<'a>(
    page: &mut String,
    sets: impl Iterator<Item = (&'a String, &'a Curves)>,
) -> fmt::Result {
    let sets: Vec<_> = sets.take(SETS).collect();
    let names = sets.iter().map(|(set, _)| set.as_str());
    write!(page, "{}<div class=\"plots\">", Key(names.collect()))?;
    let all: [(&str, &str, &str, f64, Choice); 4] = [
        ("ROC", "negatives held", "recall", 1.0, |c| &c.roc),
        ("Precision and recall", "recall", "precision", 1.0, |c| {
            &c.precision_recall
        }),
        ("Calibration", "score", "share with the label", 1.0, |c| {
            &c.calibration
        }),
        (
            "Load and recall",
            "calm comments held of a thousand",
            "recall",
            MOST_LOAD,
            |c| &c.load,
        ),
    ];
    for (title, x, y, width, choice) in all {
        let lines = sets.iter().map(|(set, curves)| Line {
            name: set,
            points: choice(curves),
            mark: None,
            dots: title == "Calibration",
        });
        let axis = |name, to| Axis {
            name,
            to,
            percent: to == 1.0,
        };
        let plot = Plot {
            title,
            x: axis(x, width),
            y: axis(y, 1.0),
            lines: lines.collect(),
            diagonal: title == "Calibration",
        };
        write!(page, "{plot}")?;
    }
    page.push_str("</div>");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classifier::{
        Model,
        training::{dataset, study},
    };

    #[test]
    fn the_page_is_whole_and_shows_no_ones_markup() {
        // Labelled the wrong way round, so that all of them are errors to show.
        let rows: Vec<String> = (0..40)
            .map(|at| {
                let (text, toxic) = if at % 2 == 0 {
                    ("<script>alert(1)</script> espèce d'imbécile &amp; voleur", 0)
                } else {
                    ("Merci <b>beaucoup</b> pour cet article", 1)
                };
                format!("{{\"text\": \"{text} {at}\", \"lang\": \"fr\", \"labels\": {{\"toxic\": {toxic}}}}}\n")
            })
            .collect();
        let examples = dataset::read(rows.concat().as_bytes(), "rows").unwrap();
        let model = Model::from_bytes(Model::SHIPPED).unwrap();
        let page = render(&study(&model, &examples)).unwrap();
        assert_eq!(
            page.matches("role=\"img\"").count(),
            4,
            "one label has curves"
        );
        assert!(page.contains("&lt;script&gt;") && page.contains("&lt;b&gt;beaucoup"));
        assert!(!page.contains("<script"));
        assert!(!page.contains("<b>beaucoup"));
        assert!(!page.contains(" style="), "its policy allows one style");
        assert!(!page.contains("href="), "it needs nothing else");
    }

    #[test]
    fn marks_go_by_characters() {
        let spans = [Span { start: 5, end: 8 }, Span { start: 0, end: 2 }];
        let shown = Marked("été é<à é", &spans).to_string();
        assert_eq!(shown, "<mark>ét</mark>é é<mark>&lt;à </mark>é");
    }
}
