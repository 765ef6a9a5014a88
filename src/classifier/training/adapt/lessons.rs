//! What moderators decided, as lessons; which of them are held out, and how often a label is met at a site.

use super::Row;
use crate::classifier::training::dataset::{Example, Split};
use crate::domain::{Label, PerLabel};
use std::collections::{BTreeMap, BTreeSet};
use xxhash_rust::xxh3::xxh3_64;

/// Share of the newest lessons that is held out.
const HELD_OUT: f64 = 0.2;
/// A split by thread may miss that share by this factor.
const ABOUT: f64 = 1.5;
/// Parts the lessons are cut into for out-of-fold sums.
pub(super) const FOLDS: usize = 5;
/// With fewer threads than this, parts are cut through them.
const FEW_THREADS: usize = 2 * FOLDS;
/// Lessons next to each other that then share a part.
const NEIGHBOURS: usize = 8;

/// A comment with what a moderator said of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Lesson {
    /// Names it in the report.
    pub id: String,
    pub text: String,
    /// The comment it answers.
    pub parent: Option<String>,
    pub lang: String,
    /// The thread it is in; empty if nobody knows.
    pub thread: String,
    pub moderator: String,
    /// When it was decided, in unix milliseconds.
    pub at: i64,
    /// `None`: the decision says nothing of the label.
    pub labels: PerLabel<Option<bool>>,
    /// Somebody else's comment with the same text is published.
    pub copies_published: bool,
    /// A labelled file says itself what is held out.
    pub split: Option<Split>,
}

impl Lesson {
    /// Whether it says that there is nothing wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.labels.toxicity == Some(false) && !self.is_against()
    }

    /// Whether it says that something is wrong.
    #[must_use]
    pub fn is_against(&self) -> bool {
        self.labels.iter().any(|(_, label)| *label == Some(true))
    }
}

impl From<Example> for Lesson {
    fn from(example: Example) -> Self {
        Self {
            id: String::new(),
            text: example.text,
            parent: example.parent,
            lang: example.lang,
            thread: String::new(),
            moderator: example.source,
            at: 0,
            labels: example.labels,
            copies_published: false,
            split: Some(example.split),
        }
    }
}

/// The site's rows that a label is learned from.
pub(super) fn of_label<'a>(
    lessons: &'a [Lesson],
    rows: &'a [Row],
    label: Label,
) -> impl Iterator<Item = (&'a Lesson, &'a Row, bool)> {
    lessons
        .iter()
        .zip(rows)
        .filter(|(_, row)| row.trust > 0.0)
        .filter_map(move |(lesson, row)| Some((lesson, row, (*lesson.labels.get(label))?)))
}

/// Whether there are lessons enough of both classes.
pub(super) fn has_enough(lessons: &[Lesson], rows: &[Row], label: Label, least: usize) -> bool {
    [true, false].into_iter().all(|class| {
        let of_class = of_label(lessons, rows, label).filter(|(_, _, present)| *present == class);
        of_class.count() >= least
    })
}

/// How often a label is met among what the site receives; none where that is not known.
pub(super) fn rate(
    lessons: &[Lesson],
    rows: &[Row],
    label: Label,
    received: Option<u64>,
) -> Option<f64> {
    let present = of_label(lessons, rows, label)
        .filter(|(lesson, _, present)| *present && lesson.split.is_none());
    let received = received.filter(|received| *received > 0)?;
    Some((present.count() as f64 / received as f64).clamp(0.002, 0.5))
}

/// Holds out the newest lessons, whole threads of them if they come to about the share, and cuts the others into folds.
pub(super) fn split(lessons: &[Lesson], rows: &mut [Row]) {
    let mut decided: Vec<usize> = (0..lessons.len())
        .filter(|at| lessons[*at].split.is_none() && rows[*at].trust > 0.0)
        .collect();
    decided.sort_by_key(|at| (lessons[*at].at, *at));
    let wanted = (decided.len() as f64 * HELD_OUT).round() as usize;
    for (row, lesson) in rows.iter_mut().zip(lessons) {
        row.measured = matches!(lesson.split, Some(Split::Valid | Split::Test));
    }
    let newest = newest_threads(lessons, &decided, wanted);
    let by_thread = (newest.len() as f64) >= wanted as f64 / ABOUT;
    let held_out = if by_thread {
        &newest[..]
    } else {
        &decided[decided.len() - wanted..]
    };
    for at in held_out {
        rows[*at].measured = true;
    }
    let threads = decided.iter().map(|at| &lessons[*at].thread);
    let threads: BTreeSet<&String> = threads.collect();
    for (at, row) in rows.iter_mut().enumerate() {
        let thread = &lessons[at].thread;
        let part = if threads.len() < FEW_THREADS || thread.is_empty() {
            (at / NEIGHBOURS) as u64
        } else {
            xxh3_64(thread.as_bytes())
        };
        row.fold = (part % FOLDS as u64) as usize;
    }
}

/// The lessons of the threads that were decided last, about as many as are wanted.
fn newest_threads(lessons: &[Lesson], decided: &[usize], wanted: usize) -> Vec<usize> {
    let mut threads: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for at in decided {
        threads.entry(&lessons[*at].thread).or_default().push(*at);
    }
    let mut threads: Vec<Vec<usize>> = threads.into_values().collect();
    threads.sort_by_key(|rows| std::cmp::Reverse(rows.first().map(|at| lessons[*at].at)));
    let mut newest = Vec::new();
    for rows in threads {
        if newest.len() >= wanted || (newest.len() + rows.len()) as f64 > wanted as f64 * ABOUT {
            break;
        }
        newest.extend(rows);
    }
    newest
}
