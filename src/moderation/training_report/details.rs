//! A closer look at what the site held out: curves, languages, threads, and the comments on which the models differ.

use std::fmt::{self, Write as _};

use super::{
    Known, Now,
    figures::{Figures, name},
    page::BOTH,
    tables::percent,
};
use crate::{
    classifier::training::{Closer, Group, Point, Shape, Sides},
    document::{Axis, Escaped, Key, Line, Plot, Signed},
    domain::Label,
};

/// Characters of a text that are shown.
const SHORT: usize = 240;

/// Three plots for each label that has enough of either class.
pub fn curves(body: &mut String, closer: &Closer) -> fmt::Result {
    if closer.shapes.is_empty() {
        return Ok(());
    }
    write!(
        body,
        "<h2>Curves</h2><p>On the site’s held-out decisions. The large marks are the models’ own thresholds.</p>{}",
        Key(BOTH.to_vec())
    )?;
    for (label, shapes) in &closer.shapes {
        write!(
            body,
            "<h3>{}</h3><div class=\"plots\">",
            capital(name(*label))
        )?;
        let share = |name| Axis {
            name,
            to: 1.0,
            percent: true,
        };
        let plot = |title, x, y, diagonal, lines: [Line<'_>; 2]| {
            Plot {
                title,
                x: share(x),
                y: share(y),
                lines: lines.into(),
                diagonal,
            }
            .to_string()
        };
        let line = |side: usize, points, mark, dots| Line {
            name: BOTH[side],
            points,
            mark,
            dots,
        };
        let (live, new) = (&shapes.live, &shapes.candidate);
        body.push_str(&plot(
            "Precision and recall",
            "found, of all with the label",
            "right, of those held",
            false,
            [
                line(0, &live.precision_recall, on_precision(live), false),
                line(1, &new.precision_recall, on_precision(new), false),
            ],
        ));
        let (tenths_live, tenths_new) = (calibration(live), calibration(new));
        body.push_str(&plot(
            "Calibration",
            "score",
            "share with the label",
            true,
            [
                line(0, &tenths_live, None, true),
                line(1, &tenths_new, None, true),
            ],
        ));
        body.push_str(&plot(
            "Load",
            "held, of all comments",
            "found, of all with the label",
            false,
            [
                line(0, &live.load, Some(on_load(live)), false),
                line(1, &new.load, Some(on_load(new)), false),
            ],
        ));
        body.push_str("</div>");
        operating(body, shapes)?;
    }
    Ok(())
}

/// Where a threshold lies on precision over recall.
fn on_precision(shape: &Shape) -> Option<Point> {
    let at = shape.at_threshold;
    at.precision.map(|precision| (at.recall, precision))
}

/// Where it lies on recall over load.
const fn on_load(shape: &Shape) -> Point {
    (shape.at_threshold.held, shape.at_threshold.recall)
}

fn calibration(shape: &Shape) -> Vec<Point> {
    let tenths = shape.calibration.iter();
    tenths
        .map(|tenth| (tenth.predicted, tenth.observed))
        .collect()
}

/// What the thresholds do, and how many comments each tenth of the scores has.
fn operating(body: &mut String, shapes: &Sides<Shape>) -> fmt::Result {
    body.push_str(
        "<div class=\"scroll\" tabindex=\"0\"><table class=\"tight\"><thead><tr><th scope=\"col\">model<th scope=\"col\">held from<th scope=\"col\">held, %\
         <th scope=\"col\">found, %<th scope=\"col\">right, %<th scope=\"col\" class=\"text\">comments by tenth of the score</tr></thead><tbody>",
    );
    for (model, shape) in BOTH.iter().zip([&shapes.live, &shapes.candidate]) {
        let at = shape.at_threshold;
        let right = at
            .precision
            .map_or_else(|| "–".into(), |p| format!("{:.1}", p * 100.0));
        let tenths = shape.calibration.iter();
        let tenths: Vec<String> = tenths
            .map(|tenth| format!("{:.2}: {}", tenth.predicted, tenth.rows))
            .collect();
        writeln!(
            body,
            "<tr><th scope=\"row\">{model}<td>{:.3}<td>{:.1}<td>{:.1}<td>{right}<td class=\"text\">{}</tr>",
            at.threshold,
            at.held * 100.0,
            at.recall * 100.0,
            tenths.join(", ")
        )?;
    }
    body.push_str("</tbody></table></div>\n");
    Ok(())
}

/// Both models by language.
pub fn languages(body: &mut String, figures: &Figures, closer: &Closer) -> fmt::Result {
    let site = figures.compared.get("site");
    body.push_str("<h2>By language</h2>");
    if closer.languages.is_empty() {
        body.push_str("<p>No language is known of these comments.</p>\n");
        return Ok(());
    }
    groups(body, "language", &closer.languages, |group| {
        group.name.clone()
    })?;
    body.push_str(
        "<div class=\"scroll\" tabindex=\"0\"><table class=\"pair\"><caption>AUC by label and language</caption><thead><tr><th scope=\"col\">label\
         <th scope=\"col\">language<th scope=\"col\">with<th scope=\"col\">without<th scope=\"col\">live<th scope=\"col\">new\
         <th scope=\"col\">gain</tr></thead><tbody>",
    );
    for label in Label::ALL {
        let sets = site.and_then(|site| site.get(label.as_str()));
        for (set, compared) in sets.into_iter().flatten() {
            let Some(language) = set.strip_prefix("lang:").filter(|lang| !lang.is_empty()) else {
                continue;
            };
            writeln!(
                body,
                "<tr><th scope=\"row\">{}<td>{}<td>{}<td>{}<td>{:.3}<td>{:.3}<td>{}</tr>",
                name(label),
                Escaped(language),
                compared.positives,
                compared.negatives,
                compared.live,
                compared.candidate,
                Signed(compared.difference())
            )?;
        }
    }
    body.push_str("</tbody></table></div>\n");
    Ok(())
}

/// Both models by thread.
pub fn threads(body: &mut String, closer: &Closer, known: &Known) -> fmt::Result {
    if closer.threads.is_empty() {
        return Ok(());
    }
    write!(
        body,
        "<h2>By thread</h2><p>The {} with most held-out comments, of {}.</p>",
        closer.threads.len(),
        closer.all_threads
    )?;
    groups(body, "thread", &closer.threads, |group| {
        known
            .threads
            .get(&group.name)
            .unwrap_or(&group.name)
            .clone()
    })?;
    if closer.within_threads.is_empty() {
        return Ok(());
    }
    body.push_str(
        "<div class=\"scroll\" tabindex=\"0\"><table><caption>AUC inside threads: pairs of comments of the same thread alone</caption><thead>\
         <tr><th scope=\"col\">label<th scope=\"col\">threads<th scope=\"col\">pairs<th scope=\"col\">live\
         <th scope=\"col\">new</tr></thead><tbody>",
    );
    for (label, within) in &closer.within_threads {
        writeln!(
            body,
            "<tr><th scope=\"row\">{}<td>{}<td>{}<td>{:.3}<td>{:.3}</tr>",
            name(*label),
            within.threads,
            within.pairs,
            within.live,
            within.candidate
        )?;
    }
    body.push_str("</tbody></table></div>\n");
    Ok(())
}

fn groups(
    body: &mut String,
    what: &str,
    groups: &[Group],
    shown: impl Fn(&Group) -> String,
) -> fmt::Result {
    write!(
        body,
        "<div class=\"scroll\" tabindex=\"0\"><table><thead><tr><th scope=\"col\">{what}<th scope=\"col\">comments<th scope=\"col\">harmful\
         <th scope=\"col\">found, live<th scope=\"col\">found, new<th scope=\"col\">calm held, live, %\
         <th scope=\"col\">calm held, new, %</tr></thead><tbody>"
    )?;
    for group in groups {
        let calm = group.rows - group.harmful;
        writeln!(
            body,
            "<tr><th scope=\"row\" class=\"text\">{}<td>{}<td>{}<td>{}<td>{}<td>{}<td>{}</tr>",
            Escaped(&shortened(&shown(group))),
            group.rows,
            group.harmful,
            group.found.live,
            group.found.candidate,
            percent(group.calm_held.live, calm),
            percent(group.calm_held.candidate, calm)
        )?;
    }
    body.push_str("</tbody></table></div>\n");
    Ok(())
}

/// The comments on which the models differ most.
pub fn movers(body: &mut String, closer: &Closer, known: &Known) -> fmt::Result {
    if closer.movers.is_empty() {
        return Ok(());
    }
    write!(
        body,
        "<h2>What moves</h2><p>{} held-out comments wait under one of the models alone. Those come first, then those whose \
         scores move farthest. The scores are those of the label that makes the difference.</p><div class=\"scroll\" tabindex=\"0\"><table class=\"names\">\
         <thead><tr><th scope=\"col\">comment<th scope=\"col\">moderator<th scope=\"col\">label<th scope=\"col\">live\
         <th scope=\"col\">new<th scope=\"col\">waits</tr></thead><tbody>",
        closer.changed
    )?;
    for mover in &closer.movers {
        body.push_str("<tr><td class=\"text\">");
        match known.comments.get(&mover.comment) {
            Some(Now::Row(place, text)) => write!(
                body,
                "<q dir=\"auto\">{}</q><br><small>{}</small>",
                Escaped(&shortened(text)),
                Escaped(place)
            )?,
            Some(Now::Is(place, text)) => write!(
                body,
                "<q dir=\"auto\">{}</q><br><small>{}</small> <code>{}</code>",
                Escaped(&shortened(text)),
                Escaped(place),
                Escaped(&mover.comment)
            )?,
            Some(Now::Edited) => write!(
                body,
                "<small>edited since it was decided</small> <code>{}</code>",
                Escaped(&mover.comment)
            )?,
            Some(Now::Deleted) => write!(
                body,
                "<small>deleted since</small> <code>{}</code>",
                Escaped(&mover.comment)
            )?,
            None => write!(body, "<code>{}</code>", Escaped(&mover.comment))?,
        }
        let verdict: Vec<&str> = mover.verdict.iter().map(|label| name(*label)).collect();
        let verdict = if verdict.is_empty() {
            "nothing wrong".to_owned()
        } else {
            verdict.join(", ")
        };
        let label = mover.label;
        let waits = match (mover.held.live, mover.held.candidate) {
            (true, true) => "under both",
            (false, false) => "under neither",
            (false, true) => "newly",
            (true, false) => "no longer",
        };
        writeln!(
            body,
            "<td>{verdict}<td>{}<td>{:.3}<td>{:.3}<td>{waits}</tr>",
            name(label),
            mover.live.get(label),
            mover.candidate.get(label)
        )?;
    }
    body.push_str("</tbody></table></div>\n");
    Ok(())
}

/// The beginning of a text, on one line.
fn shortened(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    if line.chars().count() <= SHORT {
        return line;
    }
    let beginning: String = line.chars().take(SHORT).collect();
    format!("{beginning}…")
}

fn capital(name: &str) -> String {
    let mut rest = name.chars();
    let first = rest.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + rest.as_str()
}
