//! The candidate and the live model, measured on what neither has seen.

use std::collections::BTreeMap;

use super::closer::{Closer, Sides};
use super::compare::Held;
use super::gate::BASE;
use super::own::own_sentences;
use super::report::AdaptReport;
use super::{Lesson, Row};
use crate::classifier::model::Model;
use crate::classifier::training::dataset::Split;
use crate::classifier::training::evaluate::{is_calm, score_all, score_one};
use crate::classifier::training::replay::Replay;
use crate::classifier::training::{Progress, TrainError};
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
    progress: &dyn Progress,
) -> Result<(), TrainError> {
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
    let of_site = |clean| {
        let those = measured
            .iter()
            .filter(|(lesson, _)| lesson.is_clean() == clean);
        Held::of(those.map(|(_, scores)| both(*scores)))
    };
    report.harmful_held.insert("site", of_site(false));
    let of_site = of_site(true);
    let mut sets: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, (lesson, _)) in measured.iter().enumerate() {
        sets.entry("all".into()).or_default().push(at);
        sets.entry(format!("lang:{}", lesson.lang))
            .or_default()
            .push(at);
    }
    for label in Label::ALL {
        for (set, members) in &sets {
            let points = members.iter().filter_map(|at| {
                let (lesson, (live, candidate)) = &measured[*at];
                let present = (*lesson.labels.get(label))?;
                Some((*live.get(label), *candidate.get(label), present))
            });
            report.compared("site", label, set, &points.collect::<Vec<_>>());
        }
    }
    if let Some(base) = base {
        let by_base: Vec<PerLabel<f32>> = measured
            .par_iter()
            .map(|(lesson, _)| {
                let above: Vec<&str> = lesson.parent.as_deref().into_iter().collect();
                score_one(base, &lesson.text, &above)
            })
            .collect();
        for label in Label::ALL {
            let points = measured.iter().zip(&by_base).filter_map(|(one, base)| {
                let (lesson, (_, candidate)) = one;
                let present = (*lesson.labels.get(label))?;
                Some((*base.get(label), *candidate.get(label), present))
            });
            report.compared("site", label, BASE, &points.collect::<Vec<_>>());
        }
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
    let of_replay = Held::of(natural.map(|(_, (before, after))| {
        let before = is_held(before, replayed_by.thresholds());
        (before, is_held(after, candidate.thresholds()))
    }));
    for label in Label::ALL {
        let points = replayed.iter().filter_map(|(row, (live, candidate))| {
            Some((
                *live.get(label),
                *candidate.get(label),
                (*row.labels.get(label))?,
            ))
        });
        report.compared("replay", label, "all", &points.collect::<Vec<_>>());
    }

    let own =
        own_sentences(Split::Test).map_err(|error| TrainError::OwnSentences(Box::new(error)))?;
    let scores = (score_all(live, &own), score_all(candidate, &own));
    progress.advance(1);
    let scored = || {
        own.iter()
            .zip(scores.0.iter().copied().zip(scores.1.iter().copied()))
    };
    let of_own = |calm| {
        let those = scored().filter(|(row, _)| is_calm(row) == calm);
        Held::of(those.map(|(_, scores)| both(scores)))
    };
    report.harmful_held.insert("own", of_own(false));
    let of_own = of_own(true);
    for label in Label::ALL {
        let points = scored().filter_map(|(row, (live, candidate))| {
            Some((
                *live.get(label),
                *candidate.get(label),
                (*row.labels.get(label))?,
            ))
        });
        report.compared("own", label, "all", &points.collect::<Vec<_>>());
    }
    if let Some(base) = base {
        let by_base = score_all(base, &own);
        for label in Label::ALL {
            let points = own.iter().zip(by_base.iter().zip(&scores.1));
            let points = points.filter_map(|(row, (base, candidate))| {
                let present = (*row.labels.get(label))?;
                Some((*base.get(label), *candidate.get(label), present))
            });
            report.compared("own", label, BASE, &points.collect::<Vec<_>>());
        }
    }
    for (set, calm) in [("site", of_site), ("replay", of_replay), ("own", of_own)] {
        report.calm_held.insert(set, calm);
    }
    Ok(())
}
