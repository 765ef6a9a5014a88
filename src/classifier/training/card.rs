//! A study's figures as the tables of a model card, in Markdown.

use super::evasion::Disguise;
use super::study::Study;
use std::fmt::{self, Display, Formatter};

/// The tables of a study: figures, load, disguises, highlights, the comment above.
#[derive(Debug, Clone, Copy)]
pub struct Card<'a>(pub &'a Study);

impl Display for Card<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        figures(f, self.0)?;
        calm(f, self.0)?;
        natural(f, self.0)?;
        disguises(f, self.0)?;
        others(f, self.0)
    }
}

/// The heads of columns: the first `words` are of words, the others of numbers.
fn heads(f: &mut Formatter<'_>, words: usize, names: &[&str]) -> fmt::Result {
    writeln!(f, "| {} |", names.join(" | "))?;
    let rules = (0..names.len()).map(|at| if at < words { "---" } else { "---:" });
    writeln!(f, "| {} |", rules.collect::<Vec<_>>().join(" | "))
}

fn figures(f: &mut Formatter<'_>, study: &Study) -> fmt::Result {
    let names = [
        "label",
        "rows",
        "+",
        "−",
        "AUC",
        "AP",
        "precision",
        "recall",
        "false held",
    ];
    heads(f, 2, &names)?;
    for (label, sets) in &study.figures.labels {
        for (set, metrics) in sets.iter().filter(|(_, metrics)| metrics.has_enough()) {
            let [auc, ap, precision, recall, false_held] = metrics.shown();
            writeln!(
                f,
                "| {label} | {set} | {} | {} | {auc} | {ap} | {precision} | {recall} | {false_held} |",
                metrics.positives, metrics.negatives
            )?;
        }
    }
    Ok(())
}

fn calm(f: &mut Formatter<'_>, study: &Study) -> fmt::Result {
    writeln!(f)?;
    heads(f, 1, &["calm comments held", "share"])?;
    for (set, held) in &study.figures.calm_held {
        writeln!(f, "| {set} | {:.1} % |", held * 100.0)?;
    }
    Ok(())
}

fn natural(f: &mut Formatter<'_>, study: &Study) -> fmt::Result {
    let natural = &study.natural;
    if natural.rows == 0 {
        return Ok(());
    }
    let cards = 1000.0 * natural.held as f64 / natural.rows as f64;
    writeln!(
        f,
        "\nOf 1,000 comments as they come ({} rows of sources not collected for their abuse), {cards:.0} are held.\n",
        natural.rows
    )?;
    heads(
        f,
        1,
        &[
            "scores above 0.05",
            "rows",
            "with the label",
            "calibration error",
        ],
    )?;
    for (label, calibration) in &natural.calibration {
        writeln!(
            f,
            "| {label} | {} | {} | {:.3} |",
            calibration.rows, calibration.positives, calibration.error
        )?;
    }
    Ok(())
}

fn disguises(f: &mut Formatter<'_>, study: &Study) -> fmt::Result {
    if study.evasion.is_empty() {
        return Ok(());
    }
    writeln!(f)?;
    let names = Disguise::ALL.map(Disguise::name);
    heads(f, 1, &[&["AUC", "as typed"], &names[..]].concat())?;
    for (label, cost) in &study.evasion {
        write!(f, "| {label} | {:.3} |", cost.as_typed)?;
        for disguise in Disguise::ALL {
            match cost.disguised.get(&disguise) {
                Some(auc) => write!(f, " {:+.3} |", auc - cost.as_typed)?,
                None => write!(f, " – |")?,
            }
        }
        writeln!(f)?;
    }
    Ok(())
}

fn others(f: &mut Formatter<'_>, study: &Study) -> fmt::Result {
    let (swapped, underlined) = (study.swapped, study.underlined);
    if swapped.pairs > 0 {
        writeln!(f, "\n{swapped}")?;
    }
    if underlined.rows > 0 {
        writeln!(f, "\n{underlined}")?;
    }
    Ok(())
}
