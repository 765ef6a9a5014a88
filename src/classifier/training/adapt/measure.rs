//! The candidate and the live model, measured on what neither has seen.

use std::collections::BTreeMap;

use super::closer::{Closer, Sides};
use super::compare::Held;
use super::gate::BASE;
use super::report::AdaptReport;
use super::{Lesson, Row};
use crate::classifier::model::Model;
use crate::classifier::training::Progress;
use crate::classifier::training::dataset::Example;
use crate::classifier::training::evaluate::{is_calm, score_all, score_one};
use crate::classifier::training::replay::Replay;
use crate::domain::{Label, PerLabel, Thresholds};
use rayon::prelude::*;

/// Whether a comment of these scores waits.
pub(super) fn is_held(scores: &PerLabel<f32>, thresholds: &Thresholds) -> bool {
    let above = |label: &Label| *scores.get(*label) >= thresholds.get(*label).value();
    Label::ALL.iter().any(above)
}

/// Scores of the live model and of the candidate.
type Both = (PerLabel<f32>, PerLabel<f32>);

/// What is compared.
pub(super) struct Models<'a> {
    pub live: &'a Model,
    pub candidate: &'a Model,
    /// What the candidate is held against on the replay sample.
    pub replayed_by: &'a Model,
    /// What it stands on, where the live model is more than that.
    pub base: Option<&'a Model>,
}

/// Measures both models on all that there is.
pub(super) fn measure(
    report: &mut AdaptReport,
    models: &Models<'_>,
    lessons: &[Lesson],
    rows: &[Row],
    replay: &Replay,
    own: &[Example],
    progress: &dyn Progress,
) {
    let Models {
        live,
        candidate,
        replayed_by,
        base,
    } = *models;
    let both = |scores: Both| {
        let live_holds = is_held(&scores.0, live.thresholds());
        (live_holds, is_held(&scores.1, candidate.thresholds()))
    };
    let measured: Vec<(&Lesson, Both)> = lessons
        .par_iter()
        .zip(rows)
        .filter(|(_, row)| row.measured && row.trust > 0.0)
        .map(|(lesson, _)| {
            let above: Vec<&str> = lesson.parent.as_deref().into_iter().collect();
            let score = |model| score_one(model, &lesson.text, &above);
            (lesson, (score(live), score(candidate)))
        })
        .collect();
    progress.advance(1);
    report.closer = Some(Closer::of(
        &measured,
        Sides {
            live: live.thresholds(),
            candidate: candidate.thresholds(),
        },
    ));
    let of_site = |wanted: fn(&Lesson) -> bool| {
        let those = measured.iter().filter(|(lesson, _)| wanted(lesson));
        Held::of(those.map(|(_, scores)| both(*scores)))
    };
    report
        .harmful_held
        .insert("site", of_site(Lesson::is_against));
    report.calm_held.insert("site", of_site(Lesson::is_clean));
    let mut sets: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, (lesson, _)) in measured.iter().enumerate() {
        sets.entry("all".into()).or_default().push(at);
        sets.entry(format!("lang:{}", lesson.lang))
            .or_default()
            .push(at);
    }
    for (set, members) in &sets {
        compare(report, "site", set, || {
            let members = members.iter().map(|at| &measured[*at]);
            members.map(|(lesson, (live, candidate))| (&lesson.labels, live, candidate))
        });
    }
    if let Some(base) = base {
        let by_base: Vec<PerLabel<f32>> = measured
            .par_iter()
            .map(|(lesson, _)| {
                let above: Vec<&str> = lesson.parent.as_deref().into_iter().collect();
                score_one(base, &lesson.text, &above)
            })
            .collect();
        compare(report, "site", BASE, || {
            let both = measured.iter().zip(&by_base);
            both.map(|((lesson, (_, candidate)), base)| (&lesson.labels, base, candidate))
        });
    }

    let replayed: Vec<_> = replay
        .rows
        .par_iter()
        .filter(|row| row.measured)
        .map(|row| {
            let scores = (
                replayed_by.score_vector(&row.vector),
                candidate.score_vector(&row.vector),
            );
            (row, scores)
        })
        .collect();
    progress.advance(1);
    let natural = replayed.iter().filter(|(row, _)| row.natural);
    let calm = Held::of(natural.map(|(_, (before, after))| {
        let before = is_held(before, replayed_by.thresholds());
        (before, is_held(after, candidate.thresholds()))
    }));
    report.calm_held.insert("replay", calm);
    compare(report, "replay", "all", || {
        let rows = replayed.iter();
        rows.map(|(row, (live, candidate))| (&row.labels, live, candidate))
    });

    let scores = (score_all(live, own), score_all(candidate, own));
    progress.advance(1);
    let scored = || own.iter().zip(scores.0.iter().zip(&scores.1));
    let of_own = |wanted: fn(&Example) -> bool| {
        let those = scored().filter(|(row, _)| wanted(row));
        Held::of(those.map(|(_, (live, candidate))| both((*live, *candidate))))
    };
    let is_harmful = |row: &Example| row.labels.iter().any(|(_, label)| *label == Some(true));
    report.harmful_held.insert("own", of_own(is_harmful));
    report.calm_held.insert("own", of_own(is_calm));
    compare(report, "own", "all", || {
        scored().map(|(row, (live, candidate))| (&row.labels, live, candidate))
    });
    if let Some(base) = base {
        let by_base = score_all(base, own);
        compare(report, "own", BASE, || {
            let both = own.iter().zip(by_base.iter().zip(&scores.1));
            both.map(|(row, (base, candidate))| (&row.labels, base, candidate))
        });
    }
}

/// What a row says of each label, and what two models do.
type Compared<'a> = (
    &'a PerLabel<Option<bool>>,
    &'a PerLabel<f32>,
    &'a PerLabel<f32>,
);

/// Holds two models against one another, label by label, on the rows that say something of it.
fn compare<'a, I: Iterator<Item = Compared<'a>>>(
    report: &mut AdaptReport,
    on: &'static str,
    set: &str,
    rows: impl Fn() -> I,
) {
    for label in Label::ALL {
        let points = rows().filter_map(|(labels, live, candidate)| {
            Some((
                *live.get(label),
                *candidate.get(label),
                (*labels.get(label))?,
            ))
        });
        report.compared(on, label, set, &points.collect::<Vec<_>>());
    }
}
