//! Whether an adapted model may go live: held against the live one on what neither has seen.
//!
//! Decisions can be wrong in ways that their own held-out part shares: all of them the reverse of what was meant, or made by
//! chance, or of pasted text. So there are three things to measure on: the site's newest decisions; the replay sample of the
//! base, on which the site's words are not known; and our own test sentences, compiled in, which are read like any comment.

use std::collections::BTreeMap;

use super::closer::{Closer, Sides};
use super::compare::{Compared, ERRORS, Held, error_of_chance};
use super::lessons::of_label;
use super::own::own_sentences;
use super::report::{AdaptReport, LabelNote};
use super::{Lesson, Row};
use crate::classifier::model::Model;
use crate::classifier::training::dataset::Split;
use crate::classifier::training::evaluate::{LEAST_ROWS, auc, is_calm, score_all, score_one};
use crate::classifier::training::replay::Replay;
use crate::classifier::training::{Progress, TrainError};
use crate::domain::{Label, PerLabel, Thresholds};
use rayon::prelude::*;
use serde::Serialize;

/// The AUC that a candidate may lose on the replay sample.
const REPLAY_LOSS: f64 = 0.01;
/// The AUC that it may lose on our own sentences: another site has another taste.
const OWN_LOSS: f64 = 0.08;
/// With fewer rows of either class the replay sample says nothing of a label.
const LEAST_REPLAY: usize = 30;
/// Where more than this share of the decisions had to be set aside, the rest is not to be trusted either.
const MOST_SET_ASIDE: f64 = 0.35;

/// One condition of going live.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    pub name: &'static str,
    pub passed: bool,
    pub detail: String,
}

impl Check {
    /// A condition that every label must meet; `failing` are those that do not.
    fn of(name: &'static str, failing: &[String]) -> Self {
        Self {
            name,
            passed: failing.is_empty(),
            detail: if failing.is_empty() {
                "yes".into()
            } else {
                format!("no: {}", failing.join(", "))
            },
        }
    }
}

fn is_held(scores: &PerLabel<f32>, thresholds: &Thresholds) -> bool {
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
}

/// Measures both models and draws the conclusions.
pub(super) fn judge(
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
    for (set, calm) in [("site", of_site), ("replay", of_replay), ("own", of_own)] {
        report.calm_held.insert(set, calm);
    }
    report.checks = vec![
        agree(report),
        learned(report),
        not_the_reverse(lessons, rows, &report.learned()),
        no_worse(
            report,
            "site",
            "the site's held-out decisions",
            LEAST_ROWS,
            |compared| compared.gain.high < 0.0,
        ),
        told_from_chance(report),
        no_worse(
            report,
            "replay",
            "the replay sample",
            LEAST_REPLAY,
            loses_the_base,
        ),
        no_worse(report, "own", "our own sentences", LEAST_ROWS, loses_much),
        Check::of(
            "what it costs elsewhere is won at the site",
            &not_worth_it(report)
                .iter()
                .map(Label::to_string)
                .collect::<Vec<_>>(),
        ),
        counted("calm comments held", &report.calm_held, Held::is_more),
        counted(
            "harmful comments held",
            &report.harmful_held,
            Held::is_fewer,
        ),
        has_replay(replay),
    ];
    Ok(())
}

/// Moderators must not contradict one another, nor hide what others may say, all the time.
pub(super) fn agree(report: &AdaptReport) -> Check {
    let set_aside: usize = report.findings.iter().map(|finding| finding.lessons).sum();
    Check {
        name: "the decisions agree with one another",
        passed: (set_aside as f64) <= report.lessons as f64 * MOST_SET_ASIDE,
        detail: format!("{set_aside} of {} do not", report.lessons),
    }
}

/// Something must have been learned.
fn learned(report: &AdaptReport) -> Check {
    let in_vain: Vec<&str> = Label::ALL
        .iter()
        .filter(|label| report.notes.get(label.as_str()) == Some(&LabelNote::NothingLearned))
        .map(|label| label.as_str())
        .collect();
    let passed = !report.learned().is_empty();
    let detail = match (passed, in_vain.as_slice()) {
        (true, []) => "yes".into(),
        (true, some) => format!(
            "yes, but of {}: they keep the base's answer",
            some.join(", ")
        ),
        (false, _) => "no: these decisions cannot be told from chance by their texts".into(),
    };
    Check {
        name: "something was learned",
        passed,
        detail,
    }
}

/// Labels on which more is lost elsewhere than is won at the site.
pub(super) fn costly(report: &AdaptReport) -> Vec<Label> {
    let lost = |label: &Label| {
        let lost = |on, least, loses: fn(&Compared) -> bool| {
            let compared = report.comparison(on, *label, "all");
            compared.is_some_and(|compared| compared.has_enough(least) && loses(compared))
        };
        lost("own", LEAST_ROWS, loses_much) || lost("replay", LEAST_REPLAY, loses_the_base)
    };
    let mut costly = not_worth_it(report);
    costly.extend(report.learned().into_iter().filter(lost));
    costly.sort_unstable_by_key(|label| label.index());
    costly.dedup();
    costly
}

/// Whether the base is unlearned.
fn loses_the_base(replay: &Compared) -> bool {
    replay.candidate < replay.live - REPLAY_LOSS
}

/// Whether more is lost than another site's taste explains, and beyond noise.
fn loses_much(own: &Compared) -> bool {
    own.candidate < own.live - OWN_LOSS && own.gain.high < 0.0
}

/// Labels on which something is lost on our own sentences and nothing won at the site, neither on what was held out nor out
/// of fold, all beyond noise.
fn not_worth_it(report: &AdaptReport) -> Vec<Label> {
    let mut labels = report.learned();
    labels.retain(|label| {
        let gain = |set| Some(report.comparison(set, *label, "all")?.gain);
        let lost = gain("own").is_some_and(|own| own.high < 0.0);
        let won = |set| gain(set).is_some_and(|site| site.low > 0.0);
        lost && !won("site") && !won("folds")
    });
    labels
}

/// What was learned must tell the held-out decisions better than chance, where there are enough of them.
fn told_from_chance(report: &AdaptReport) -> Check {
    let by_chance: Vec<String> = report
        .learned()
        .into_iter()
        .filter_map(|label| {
            let compared = report.comparison("site", label, "all")?;
            let is_chance =
                compared.has_enough(LEAST_ROWS) && compared.candidate < 0.5 + compared.error();
            is_chance.then(|| format!("{label} (AUC {:.2})", compared.candidate))
        })
        .collect();
    Check::of("the held-out decisions are told from chance", &by_chance)
}

/// The base must not do worse than chance on the decisions: then they say the reverse of what was meant.
fn not_the_reverse(lessons: &[Lesson], rows: &[Row], labels: &[Label]) -> Check {
    let reversed: Vec<String> = labels
        .iter()
        .filter_map(|label| {
            let mut points: Vec<(f32, bool)> = of_label(lessons, rows, *label)
                .map(|(_, row, present)| (*row.odds.get(*label), present))
                .collect();
            points.sort_by(|a, b| b.0.total_cmp(&a.0));
            let positives = points.iter().filter(|(_, present)| *present).count() as f64;
            let negatives = points.len() as f64 - positives;
            let error = error_of_chance(positives, negatives);
            let auc = auc(&points).filter(|auc| *auc < 0.5 - ERRORS * error)?;
            Some(format!("{label} (AUC {auc:.2})"))
        })
        .collect();
    Check::of(
        "the decisions are not the reverse of what the base knows",
        &reversed,
    )
}

fn no_worse(
    report: &AdaptReport,
    on: &'static str,
    name: &'static str,
    least: usize,
    is_worse: impl Fn(&Compared) -> bool,
) -> Check {
    let mut measured = 0;
    let mut worse = Vec::new();
    // All of them: on what it learned nothing of, the candidate answers as the base does, and the live model may know more.
    for label in Label::ALL {
        let Some(compared) = report.comparison(on, label, "all") else {
            continue;
        };
        if !compared.has_enough(least) {
            continue;
        }
        measured += 1;
        if is_worse(compared) {
            worse.push(format!(
                "{label} {:.3} to {:.3}",
                compared.live, compared.candidate
            ));
        }
    }
    let detail = match (measured, worse.as_slice()) {
        (0, _) => "too few rows to say".into(),
        (_, []) => format!("no worse, on {measured} labels"),
        (_, worse) => format!("worse: {}", worse.join(", ")),
    };
    Check {
        name,
        passed: worse.is_empty(),
        detail,
    }
}

/// That neither model holds comments which the other does not, beyond noise and in the wrong direction.
fn counted(
    name: &'static str,
    sets: &BTreeMap<&'static str, Held>,
    is_wrong: impl Fn(&Held) -> bool,
) -> Check {
    let said: Vec<String> = sets
        .iter()
        .map(|(set, held)| {
            let (live, candidate, rows) = (held.live, held.candidate, held.rows);
            format!("{set}: {live} to {candidate} of {rows}")
        })
        .collect();
    Check {
        name,
        passed: !sets.values().any(is_wrong),
        detail: said.join(", "),
    }
}

/// Without a replay sample nobody can say whether the base is unlearned.
fn has_replay(replay: &Replay) -> Check {
    let rows = replay.rows.len();
    Check {
        name: "the base carries a replay sample",
        passed: rows > 0,
        detail: format!("{rows} comments"),
    }
}
