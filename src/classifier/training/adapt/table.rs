//! The site's sparse part: n-grams that tell what the base does not. Only n-grams of the site's; our own sentences are there
//! so that they keep the meaning that they have elsewhere.

use super::lessons::{FOLDS, of_label};
use super::own::Own;
use super::{Ground, Lesson, Row, reader};
use crate::classifier::site;
use crate::classifier::table::Table;
use crate::classifier::training::Progress;
use crate::classifier::training::balance::{Target, Targets};
use crate::classifier::training::sparse::{self, Descent};
use crate::domain::Label;
use rayon::prelude::*;

/// Lines of the table: 64 bytes and up to eight features each.
const MOST_LINES: usize = 12_000;
/// No row counts more than this many times another for being of the rarer class.
const MOST: f32 = 6.0;
/// Passes over the rows.
const EPOCHS: usize = 12;
/// What our own sentences weigh for a label, as a share of what the lessons do that it is learned from.
const OWN_MASS: f32 = 1.0;

/// Fits a table for each fold without its rows, by which they are then read, and one on all that are not held out.
pub(super) fn fit(
    ground: &Ground<'_>,
    rows: &mut [Row],
    own: &mut Own,
    seed: u64,
    progress: &dyn Progress,
) -> Table {
    let Ground {
        lessons,
        reader,
        matrix,
        ..
    } = *ground;
    let mut weighed = targets(lessons, rows, |_| 1.0);
    let mass = |lessons, rows, label| {
        let learned = of_label(lessons, rows, label).filter(|(_, row, _)| !row.measured);
        learned.map(|(_, row, _)| row.trust).sum::<f32>()
    };
    weighed.extend(targets(&own.lessons, &own.rows, |label| {
        OWN_MASS * mass(lessons, rows, label) / mass(&own.lessons, &own.rows, label).max(1.0)
    }));
    let descent = Descent {
        epochs: EPOCHS,
        rate: 0.1,
        decay: 1e-5,
        seed,
    };
    let lines = (matrix.features() / 6).clamp(1, MOST_LINES);
    progress.stage("first stage", ((FOLDS + 1) * EPOCHS) as u64);
    let all: Vec<&Row> = rows.iter().chain(&own.rows).collect();
    // What is peculiar to either goes into an intercept of its own.
    let sources: Vec<usize> = (0..all.len())
        .map(|at| usize::from(at >= rows.len()))
        .collect();
    let odds: Vec<[f32; 8]> = all
        .iter()
        .map(|row| {
            let mut odds = [0.0; 8];
            for (label, value) in row.odds.iter() {
                odds[label.index()] = *value;
            }
            odds
        })
        .collect();
    let mut tables: Vec<Table> = (0..=FOLDS)
        .into_par_iter()
        .map(|left_out| {
            let learned = |at: &usize| {
                let row = all[*at];
                row.trust > 0.0 && !row.measured && row.fold != left_out
            };
            let chosen: Vec<usize> = (0..all.len()).filter(learned).collect();
            let done = || progress.advance(1);
            let rows = sparse::Rows {
                matrix,
                targets: &weighed,
                sources: &sources,
                known: Some(&odds),
            };
            sparse::fit(&rows, &chosen, descent, lines, done)
        })
        .collect();
    let whole = tables.pop().unwrap_or_else(|| Table::pack(1, &[]).0);
    let read = |(row, lesson): (&mut Row, &Lesson)| {
        let table = if row.measured {
            &whole
        } else {
            &tables[row.fold]
        };
        let text = reader::words(lesson);
        row.sums = site::read(table, &text, &reader.evidence(&text)).vector;
    };
    rows.par_iter_mut().zip(lessons).for_each(read);
    own.rows.par_iter_mut().zip(&own.lessons).for_each(read);
    whole
}

/// What each row says and how much it counts: as much for either class, and by how far it is believed.
/// Each counts `each` times.
fn targets(lessons: &[Lesson], rows: &[Row], each: impl Fn(Label) -> f32) -> Vec<Targets> {
    let mut targets = vec![Targets::default(); rows.len()];
    for label in Label::ALL {
        let of_class = |class: bool| {
            let rows = of_label(lessons, rows, label);
            let learned = rows.filter(|(_, row, present)| !row.measured && *present == class);
            learned.map(|(_, row, _)| row.trust).sum::<f32>()
        };
        let (present, absent) = (of_class(true), of_class(false));
        if present == 0.0 || absent == 0.0 {
            continue;
        }
        let each = each(label);
        for (at, (lesson, row)) in lessons.iter().zip(rows).enumerate() {
            let Some(is_present) = *lesson.labels.get(label) else {
                continue;
            };
            let own = if is_present { present } else { absent };
            let evened = ((present + absent) / (2.0 * own)).clamp(1.0 / MOST, MOST);
            *targets[at].get_mut(label) = Some(Target {
                present: is_present,
                weight: each * row.trust * evened,
            });
        }
    }
    targets
}
