//! What is counted and compared, as tables.

use std::fmt::{self, Write as _};

use super::figures::{Figures, Finding, name};
use crate::{
    classifier::training::Held,
    document::{Escaped, Signed},
    domain::Label,
};

/// What is measured on, in words.
const KINDS: [(&str, &str); 4] = [
    ("site", "the site"),
    ("folds", "the site, out of fold, against the base"),
    ("replay", "replay sample"),
    ("own", "our sentences"),
];

/// Both models on everything there is, a row for each label and kind.
pub fn compared(body: &mut String, figures: &Figures) -> fmt::Result {
    body.push_str(
        "<div class=\"scroll\" tabindex=\"0\"><table class=\"pair\"><caption>AUC by label</caption><thead><tr><th scope=\"col\">label\
         <th scope=\"col\">on<th scope=\"col\">with<th scope=\"col\">without<th scope=\"col\">live<th scope=\"col\">new\
         <th scope=\"col\">gain<th scope=\"col\">95 %</tr></thead><tbody>",
    );
    for label in Label::ALL {
        for (kind, shown) in KINDS {
            for (_, compared) in figures.on(kind).iter().filter(|(of, _)| *of == label) {
                writeln!(
                    body,
                    "<tr><th scope=\"row\">{}<td>{shown}<td>{}<td>{}<td>{:.3}<td>{:.3}<td>{}<td>{} to {}</tr>",
                    name(label),
                    compared.positives,
                    compared.negatives,
                    compared.live,
                    compared.candidate,
                    Signed(compared.difference()),
                    Signed(compared.gain.low),
                    Signed(compared.gain.high)
                )?;
            }
        }
    }
    body.push_str("</tbody></table></div>\n");
    Ok(())
}

/// The conditions of going live.
pub fn checks(body: &mut String, figures: &Figures) -> fmt::Result {
    if figures.checks.is_empty() {
        return Ok(());
    }
    body.push_str(
        "<h2>What it had to meet</h2><div class=\"scroll\" tabindex=\"0\"><table class=\"names\"><thead><tr><th scope=\"col\">met\
         <th scope=\"col\">condition<th scope=\"col\">found</tr></thead><tbody>",
    );
    for check in &figures.checks {
        let (class, mark) = if check.passed {
            ("good", "✓ yes")
        } else {
            ("bad", "✗ no")
        };
        writeln!(
            body,
            "<tr><td class=\"{class}\">{mark}<th scope=\"row\">{}<td>{}</tr>",
            Escaped(&check.name),
            Escaped(&check.detail)
        )?;
    }
    body.push_str("</tbody></table></div>\n");
    Ok(())
}

/// How many comments wait under either model.
pub fn held(body: &mut String, figures: &Figures) -> fmt::Result {
    if figures.calm_held.is_empty() && figures.harmful_held.is_empty() {
        return Ok(());
    }
    body.push_str(
        "<h2>What waits for moderators</h2><p>Comments at or above a threshold of any label. Fewer calm ones spare moderators, \
         more harmful ones spare readers.</p><div class=\"scroll\" tabindex=\"0\"><table class=\"pair\"><thead><tr><th scope=\"col\">comments\
         <th scope=\"col\">on<th scope=\"col\">of<th scope=\"col\">live<th scope=\"col\">new<th scope=\"col\">live, %\
         <th scope=\"col\">new, %</tr></thead><tbody>",
    );
    for (what, sets) in [
        ("calm", &figures.calm_held),
        ("harmful", &figures.harmful_held),
    ] {
        for (kind, shown) in KINDS {
            let Some(held) = sets.get(kind) else {
                continue;
            };
            let Held {
                rows,
                live,
                candidate,
                ..
            } = held;
            writeln!(
                body,
                "<tr><th scope=\"row\">{what}<td>{shown}<td>{rows}<td>{live}<td>{candidate}<td>{}<td>{}</tr>",
                percent(*live, *rows),
                percent(*candidate, *rows)
            )?;
        }
    }
    body.push_str("</tbody></table></div>\n");
    Ok(())
}

/// A share with its one digit; nothing of nothing.
pub fn percent(part: usize, whole: usize) -> String {
    if whole == 0 {
        return "–".into();
    }
    format!("{:.1}", 100.0 * part as f64 / whole as f64)
}

/// What must not be learned from.
pub fn findings(body: &mut String, figures: &Figures) -> fmt::Result {
    body.push_str("<h2>What was not believed</h2>");
    if figures.findings.is_empty() {
        body.push_str("<p>Nothing was found that contradicts itself or all others.</p>\n");
        return Ok(());
    }
    body.push_str(
        "<div class=\"scroll\" tabindex=\"0\"><table class=\"names\"><thead><tr><th scope=\"col\">found<th scope=\"col\">whose\
         <th scope=\"col\">decisions<th scope=\"col\">the first of these comments</tr></thead><tbody>",
    );
    for finding in &figures.findings {
        let Finding {
            kind,
            moderator,
            lessons,
            comments,
        } = finding;
        let what = match kind.as_str() {
            "both_ways" => "The same text was approved here and hidden there: set aside",
            "pasted" => "Hidden, while somebody else’s of the same text is published: set aside",
            "burst" => "A run that contradicts what all others teach: hardly counts",
            other => other,
        };
        write!(
            body,
            "<tr><th scope=\"row\">{}<td>{}<td>{lessons}<td>",
            Escaped(what),
            Escaped(moderator.as_deref().unwrap_or("–"))
        )?;
        for id in comments {
            write!(body, "<code>{}</code> ", Escaped(id))?;
        }
        body.push_str("</tr>\n");
    }
    body.push_str("</tbody></table></div>\n");
    Ok(())
}

/// What was learned from.
pub fn lessons(body: &mut String, figures: &Figures) -> fmt::Result {
    let set_aside = figures
        .lessons
        .saturating_sub(figures.learned_from + figures.held_out);
    write!(
        body,
        "<h2>What was learned from</h2><p>{} comments with a decision or a label: {} to learn from, {} held out to measure on, \
         {set_aside} set aside, as copies or for what is said above.{}</p><div class=\"scroll\" tabindex=\"0\"><table><thead><tr>\
         <th scope=\"col\">label<th scope=\"col\">with<th scope=\"col\">without<th scope=\"col\">outcome</tr></thead><tbody>",
        figures.lessons,
        figures.learned_from,
        figures.held_out,
        match figures.left_aside {
            0 => String::new(),
            more => format!(
                " {more} more decisions are older, or were thinned out evenly, as there are so many."
            ),
        }
    )?;
    for label in Label::ALL {
        let Some(taught) = figures.taught.get(label.as_str()) else {
            continue;
        };
        let note = figures.notes.get(label.as_str()).map(String::as_str);
        let outcome = match note {
            Some("learned") => "learned",
            Some("too_few") => "too few: the base’s answer stays",
            Some("nothing_learned") => "nothing learned: the base’s answer stays",
            Some("too_costly") => "costs more elsewhere than it wins here: the base’s answer stays",
            Some(other) => other,
            None => "–",
        };
        writeln!(
            body,
            "<tr><th scope=\"row\">{}<td>{}<td>{}<td>{}</tr>",
            name(label),
            taught.present,
            taught.absent,
            Escaped(outcome)
        )?;
    }
    body.push_str("</tbody></table></div>\n");
    Ok(())
}

/// The figures of a model that was trained from scratch.
pub fn measured(body: &mut String, figures: &Figures) -> fmt::Result {
    if figures.test.is_empty() {
        body.push_str("<p>Nothing that was measured came with it.</p>\n");
        return Ok(());
    }
    body.push_str(
        "<h2>On rows it has not seen</h2><p>AUC: how often a comment with the label scores above one without. Precision, \
         recall and false held: at the model’s threshold.</p><div class=\"scroll\" tabindex=\"0\"><table class=\"pair\"><thead><tr><th scope=\"col\">label\
         <th scope=\"col\">rows<th scope=\"col\">with<th scope=\"col\">without<th scope=\"col\">AUC<th scope=\"col\">precision\
         <th scope=\"col\">recall<th scope=\"col\">false held</tr></thead><tbody>",
    );
    let shown =
        |value: Option<f64>| value.map_or_else(|| "–".into(), |value| format!("{value:.3}"));
    for label in Label::ALL {
        for (set, m) in figures.test.get(label.as_str()).into_iter().flatten() {
            writeln!(
                body,
                "<tr><th scope=\"row\">{}<td>{}<td>{}<td>{}<td>{}<td>{}<td>{}<td>{}</tr>",
                name(label),
                Escaped(set),
                m.positives,
                m.negatives,
                shown(m.auc),
                shown(m.precision),
                shown(m.recall),
                shown(m.false_held)
            )?;
        }
    }
    body.push_str("</tbody></table></div>\n");
    Ok(())
}
