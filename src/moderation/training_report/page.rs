//! The page from top to bottom.

use std::fmt::{self, Write as _};

use super::{
    Known, ModelView, details,
    figures::{Figures, name},
    tables,
};
use crate::document::{Dumbbells, Escaped, Intervals, Key, Page, Signed};

/// What this page has beside what every page looks like.
pub const STYLE: &str = ".verdict{font-size:1.125rem;padding:.75rem 1rem;border-inline-start:4px solid;background:var(--card)}
.verdict b{font-weight:700}
.good{color:var(--good)}.bad{color:var(--bad)}.verdict.good,.verdict.bad{border-color:currentcolor}
.verdict span,.verdict b+span{color:var(--ink)}
.v{white-space:nowrap}
.names th,.names td{text-align:start}
.wide{grid-template-columns:repeat(auto-fit,minmax(min(24rem,100%),1fr))}
code{font-size:.8125em;overflow-wrap:anywhere}
q{quotes:none;unicode-bidi:isolate}";

/// Both models, in the order of their looks.
pub const BOTH: [&str; 2] = ["live model", "new model"];

/// The page of these figures. `model` is what was stored; none where it was not kept.
pub fn render(figures: &Figures, model: Option<&ModelView>, known: &Known) -> String {
    let mut body = String::new();
    let version = model.map_or(figures.version.as_str(), |model| model.version.as_str());
    let title = if figures.is_comparison() {
        format!("{version} against {}", figures.live)
    } else {
        format!("Model {version}")
    };
    // Writing into memory does not fail.
    let _ = write(&mut body, &title, figures, model, known);
    Page {
        title: &title,
        style: STYLE,
        body: &body,
    }
    .to_string()
}

fn write(
    body: &mut String,
    title: &str,
    figures: &Figures,
    model: Option<&ModelView>,
    known: &Known,
) -> fmt::Result {
    writeln!(body, "<h1>{}</h1>", Escaped(title))?;
    if let Some(model) = model {
        let by = model.made_by.as_deref().unwrap_or("somebody");
        let live = if model.live { "; live now" } else { "" };
        // To the minute.
        let made = model.created_at.to_string().replace('T', " ");
        let made: String = made.chars().take(16).collect();
        writeln!(
            body,
            "<p class=\"dim\">{}, {made} UTC by {}{live}</p>",
            model.origin,
            Escaped(by)
        )?;
    }
    if !figures.is_comparison() {
        body.push_str("<p>It was held against no other model.</p>\n");
        return tables::measured(body, figures);
    }
    verdict(body, figures, model)?;
    side_by_side(body, figures)?;
    tables::checks(body, figures)?;
    tables::held(body, figures)?;
    if let Some(closer) = &figures.closer {
        details::curves(body, closer)?;
        details::languages(body, figures, closer)?;
        details::threads(body, closer, known)?;
        details::movers(body, closer, known)?;
    }
    tables::findings(body, figures)?;
    tables::lessons(body, figures)
}

/// One sentence that says it all.
fn verdict(body: &mut String, figures: &Figures, model: Option<&ModelView>) -> fmt::Result {
    let failed: Vec<&str> = figures.failed().map(|check| check.name.as_str()).collect();
    let live = format!("<span class=\"v\">{}</span>", Escaped(&figures.live));
    if !failed.is_empty() {
        let kept = match model {
            Some(_) => "It was kept all the same, by force.",
            None => "It was not kept, and nothing has changed.",
        };
        return writeln!(
            body,
            "<p class=\"verdict bad\"><b>Refused:</b> <span>the new model may not take the place of {live}. Not met: {}. {kept}</span></p>",
            Escaped(&failed.join("; "))
        );
    }
    if !figures.learned() {
        return writeln!(
            body,
            "<p class=\"verdict\"><b>No new model:</b> <span>no label has thirty decisions of either class yet. {live} stays.</span></p>"
        );
    }
    let better = figures.on("site").into_iter();
    let better = better.filter(|(_, compared)| compared.gain.low > 0.0);
    let better = better.map(|(label, compared)| {
        format!("{} ({} AUC)", name(label), Signed(compared.difference()))
    });
    let better: Vec<String> = better.collect();
    let better = if better.is_empty() {
        "on the decisions that were held out there is no clear gain either".to_owned()
    } else {
        format!("it is better on {}", better.join(", "))
    };
    let kinds = [("replay", "the replay sample"), ("own", "our sentences")];
    let worse = kinds.iter().flat_map(|(kind, shown)| {
        let compared = figures.on(kind).into_iter();
        let worse = compared.filter(|(_, compared)| compared.gain.high < 0.0);
        worse.map(move |(label, compared)| {
            let by = Signed(compared.difference());
            format!("{} on {shown} ({by} AUC)", name(label))
        })
    });
    let worse: Vec<String> = worse.collect();
    let worse = if worse.is_empty() {
        String::new()
    } else {
        format!("; it is a little worse on {}", worse.join(", "))
    };
    writeln!(
        body,
        "<p class=\"verdict good\"><b>Accepted:</b> <span>the new model met every condition of taking the place of {live}; {better}{worse}.</span></p>"
    )
}

fn side_by_side(body: &mut String, figures: &Figures) -> fmt::Result {
    let site = figures.on("site");
    if figures.compared.is_empty() {
        return Ok(());
    }
    write!(
        body,
        "<h2>Old against new</h2><p>AUC: how often a comment with the label scores above one without; .5 is chance, 1 is always. \
         The gain has its 95 % interval, from a bootstrap over the comments. Measured on the site’s newest decisions, which \
         neither model has seen; out of fold, each older decision by what other threads taught, with the base alone as the live \
         model; on the replay sample of the base; and on our own test sentences.</p>"
    )?;
    if !site.is_empty() {
        let lowest = site.iter().map(|(_, c)| c.live.min(c.candidate));
        let from = (lowest.fold(0.9, f64::min) * 10.0).floor() / 10.0;
        let before_after = site
            .iter()
            .map(|(label, c)| (name(*label), c.live, c.candidate));
        let gains = site
            .iter()
            .map(|(label, c)| (name(*label), c.difference(), c.gain.low, c.gain.high));
        write!(
            body,
            "{}<div class=\"plots wide\">{}{}</div>",
            Key(BOTH.to_vec()),
            Dumbbells {
                title: "On the site’s own decisions",
                axis: "AUC",
                within: (from, 1.0),
                rows: before_after.collect(),
            },
            Intervals {
                title: "How much better the new model is, with 95 % intervals",
                axis: "gain in AUC; right of nought is better",
                rows: gains.collect(),
            }
        )?;
    }
    tables::compared(body, figures)
}
