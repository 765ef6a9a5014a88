//! A closer look at both models on what the site held out: curves, threads, and the comments on which they differ most.
//!
//! It is kept with the model, and longer than a comment may be: so it has ids and numbers, and no word of anybody's.

use std::collections::{BTreeMap, BTreeSet};

use super::lessons::Lesson;
use super::measure::is_held;
use crate::classifier::training::evaluate::{self, LEAST_ROWS, sweep};
use crate::classifier::training::study::{Point, thinned};
use crate::domain::{Label, PerLabel, Thresholds};
use serde::{Deserialize, Serialize};

/// Points of a curve, at most.
const POINTS: usize = 60;
/// Comments that are listed, and threads.
const MOVERS: usize = 50;
const THREADS: usize = 20;
/// Scores closer to certainty than this are not told apart: nobody minds whether it is one in a thousand or in ten thousand.
const CERTAIN: f32 = 0.01;

/// The same of the live model and of the candidate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Sides<T> {
    pub live: T,
    pub candidate: T,
}

/// What one model's scores of a label are like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shape {
    /// Precision over recall.
    pub precision_recall: Vec<Point>,
    /// The share of positives over the share of comments held.
    pub load: Vec<Point>,
    /// One for each tenth of the scores that has any.
    pub calibration: Vec<Tenth>,
    pub at_threshold: Operating,
}

/// Comments whose scores lie in one tenth.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Tenth {
    pub rows: usize,
    /// Their mean score: the share with the label that there should be.
    pub predicted: f64,
    pub observed: f64,
}

/// What a label's threshold does.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Operating {
    pub threshold: f64,
    /// Of all, the share at or above it.
    pub held: f64,
    /// Of the positives, the share at or above it.
    pub recall: f64,
    /// Of those at or above it, the share that is positive; none where there are none.
    pub precision: Option<f64>,
}

/// How well comments are told apart from others of their own thread.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Within {
    /// Threads with comments of either class.
    pub threads: usize,
    /// Pairs of such comments.
    pub pairs: usize,
    /// The share of pairs in the right order; ties count half.
    pub live: f64,
    pub candidate: f64,
}

/// What either model holds of a group of comments.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// The thread's id, or the language.
    pub name: String,
    pub rows: usize,
    /// Of these, with something wrong.
    pub harmful: usize,
    /// Harmful ones that wait.
    pub found: Sides<usize>,
    /// Calm ones that wait.
    pub calm_held: Sides<usize>,
}

/// A comment on which the models differ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mover {
    pub comment: String,
    /// The labels that a moderator saw in it.
    pub verdict: Vec<Label>,
    /// The label by which one of the models alone holds it, or else the one that moves farthest.
    pub label: Label,
    pub live: PerLabel<f32>,
    pub candidate: PerLabel<f32>,
    /// Whether it waits.
    pub held: Sides<bool>,
}

/// Both models on what the site held out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Closer {
    pub shapes: BTreeMap<Label, Sides<Shape>>,
    pub within_threads: BTreeMap<Label, Within>,
    pub languages: Vec<Group>,
    /// The threads with most comments.
    pub threads: Vec<Group>,
    /// How many threads there are.
    pub all_threads: usize,
    /// Those first of which one model would hold what the other would not, then those whose scores moved farthest.
    pub movers: Vec<Mover>,
    /// Comments that wait under one of the models alone.
    pub changed: usize,
}

/// A held-out comment with the scores of both models.
pub(super) type Scored<'a> = (&'a Lesson, (PerLabel<f32>, PerLabel<f32>));

impl Closer {
    pub(super) fn of(measured: &[Scored<'_>], thresholds: Sides<&Thresholds>) -> Self {
        let held: Vec<Sides<bool>> = measured
            .iter()
            .map(|(_, (live, candidate))| Sides {
                live: is_held(live, thresholds.live),
                candidate: is_held(candidate, thresholds.candidate),
            })
            .collect();
        let mut shapes = BTreeMap::new();
        let mut within_threads = BTreeMap::new();
        for label in Label::ALL {
            let rows = measured.iter().filter_map(|(lesson, (live, candidate))| {
                let present = (*lesson.labels.get(label))?;
                Some((
                    lesson.thread.as_str(),
                    *live.get(label),
                    *candidate.get(label),
                    present,
                ))
            });
            let rows: Vec<(&str, f32, f32, bool)> = rows.collect();
            let live = shape(
                rows.iter().map(|row| (row.1, row.3)),
                thresholds.live.get(label).value(),
            );
            let candidate = shape(
                rows.iter().map(|row| (row.2, row.3)),
                thresholds.candidate.get(label).value(),
            );
            if let (Some(live), Some(candidate)) = (live, candidate) {
                shapes.insert(label, Sides { live, candidate });
            }
            if let Some(within) = within(&rows) {
                within_threads.insert(label, within);
            }
        }
        let mut threads = groups(measured, &held, |lesson| &lesson.thread);
        let all_threads = threads.len();
        threads.truncate(THREADS);
        Self {
            shapes,
            within_threads,
            languages: groups(measured, &held, |lesson| &lesson.lang),
            threads,
            all_threads,
            movers: movers(measured, &held, thresholds),
            changed: held
                .iter()
                .filter(|held| held.live != held.candidate)
                .count(),
        }
    }
}

fn shape(points: impl Iterator<Item = (f32, bool)>, threshold: f32) -> Option<Shape> {
    let mut points: Vec<(f32, bool)> = points.collect();
    points.sort_by(|a, b| b.0.total_cmp(&a.0));
    let positives = points.iter().filter(|(_, present)| *present).count();
    if positives < LEAST_ROWS || points.len() - positives < LEAST_ROWS {
        return None;
    }
    let (positives, rows) = (positives as f64, points.len() as f64);
    let (mut precision_recall, mut load) = (Vec::new(), vec![(0.0, 0.0)]);
    let mut at_threshold = Operating {
        threshold: short(f64::from(threshold)),
        held: 0.0,
        recall: 0.0,
        precision: None,
    };
    for step in sweep(&points) {
        let (recall, held) = (step.hits / positives, (step.hits + step.misses) / rows);
        let precision = step.hits / (step.hits + step.misses);
        precision_recall.push((short(recall), short(precision)));
        load.push((short(held), short(recall)));
        if step.score >= threshold {
            at_threshold = Operating {
                held: short(held),
                recall: short(recall),
                precision: Some(short(precision)),
                ..at_threshold
            };
        }
    }
    let tenths = evaluate::bins(&points)
        .into_iter()
        .filter(|bin| bin.rows > 0.0);
    let tenths = tenths.map(|bin| Tenth {
        rows: bin.rows as usize,
        predicted: short(bin.expected / bin.rows),
        observed: short(bin.positives / bin.rows),
    });
    Some(Shape {
        precision_recall: thinned(precision_recall, POINTS),
        load: thinned(load, POINTS),
        calibration: tenths.collect(),
        at_threshold,
    })
}

/// Four digits are enough for a plot, and short to write down.
fn short(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

/// Of the pairs of a positive and a negative in the same thread, how many are in the right order.
fn within(rows: &[(&str, f32, f32, bool)]) -> Option<Within> {
    let mut threads: BTreeMap<&str, Vec<&(&str, f32, f32, bool)>> = BTreeMap::new();
    for row in rows.iter().filter(|row| !row.0.is_empty()) {
        threads.entry(row.0).or_default().push(row);
    }
    let (mut live, mut candidate, mut pairs, mut of_both) = (0.0, 0.0, 0.0, 0);
    for rows in threads.values() {
        let positives = rows.iter().filter(|row| row.3).count();
        let here = (positives * (rows.len() - positives)) as f64;
        if here == 0.0 {
            continue;
        }
        let auc = |score: fn(&(&str, f32, f32, bool)) -> f32| {
            let mut points: Vec<(f32, bool)> = rows.iter().map(|row| (score(row), row.3)).collect();
            points.sort_by(|a, b| b.0.total_cmp(&a.0));
            evaluate::auc(&points).unwrap_or_default()
        };
        live += here * auc(|row| row.1);
        candidate += here * auc(|row| row.2);
        pairs += here;
        of_both += 1;
    }
    (pairs > 0.0).then(|| Within {
        threads: of_both,
        pairs: pairs as usize,
        live: short(live / pairs),
        candidate: short(candidate / pairs),
    })
}

/// What is held of each group, the one with most comments first; those of no group are left out.
fn groups(
    measured: &[Scored<'_>],
    held: &[Sides<bool>],
    name: fn(&Lesson) -> &String,
) -> Vec<Group> {
    let mut groups: BTreeMap<&str, Group> = BTreeMap::new();
    for ((lesson, _), held) in measured.iter().zip(held) {
        let name = name(lesson);
        // Some decisions say neither that there is something wrong nor that there is nothing.
        if name.is_empty() || !lesson.is_against() && !lesson.is_clean() {
            continue;
        }
        let group = groups.entry(name).or_default();
        group.rows += 1;
        let count = if lesson.is_against() {
            group.harmful += 1;
            &mut group.found
        } else {
            &mut group.calm_held
        };
        count.live += usize::from(held.live);
        count.candidate += usize::from(held.candidate);
    }
    let named = groups.into_iter().map(|(name, group)| Group {
        name: name.to_owned(),
        ..group
    });
    let mut groups: Vec<Group> = named.collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.rows));
    groups
}

fn movers(
    measured: &[Scored<'_>],
    held: &[Sides<bool>],
    thresholds: Sides<&Thresholds>,
) -> Vec<Mover> {
    let odds = |score: f32| {
        let p = score.clamp(CERTAIN, 1.0 - CERTAIN);
        (p / (1.0 - p)).ln()
    };
    // By which label it moves, and how far.
    let moved = |at: usize| {
        let (_, (live, candidate)) = &measured[at];
        let by = |label: Label| {
            let beyond = |scores: &PerLabel<f32>, thresholds: &Thresholds| {
                odds(*scores.get(label)) - odds(thresholds.get(label).value())
            };
            match (held[at].live, held[at].candidate) {
                (true, false) => beyond(live, thresholds.live),
                (false, true) => beyond(candidate, thresholds.candidate),
                _ => (odds(*live.get(label)) - odds(*candidate.get(label))).abs(),
            }
        };
        let all = Label::ALL.map(|label| (label, by(label)));
        let farthest = all.into_iter().max_by(|a, b| a.1.total_cmp(&b.1));
        let label = farthest.map_or(Label::Toxicity, |(label, _)| label);
        let far = (odds(*live.get(label)) - odds(*candidate.get(label))).abs();
        (held[at].live != held[at].candidate, far, label)
    };
    let mut order: Vec<(usize, (bool, f32, Label))> = (0..measured.len())
        .map(|at| (at, moved(at)))
        .filter(|(_, (changes, far, _))| *changes || *far > 0.0)
        .collect();
    order.sort_by(|(a, x), (b, y)| y.0.cmp(&x.0).then(y.1.total_cmp(&x.1)).then(a.cmp(b)));
    let mut listed = BTreeSet::new();
    let first = order
        .into_iter()
        .filter(|(at, _)| listed.insert(measured[*at].0.id.as_str()));
    first
        .take(MOVERS)
        .map(|(at, (_, _, label))| {
            let (lesson, (live, candidate)) = &measured[at];
            let seen = lesson
                .labels
                .iter()
                .filter(|(_, label)| **label == Some(true));
            Mover {
                comment: lesson.id.clone(),
                verdict: seen.map(|(label, _)| label).collect(),
                label,
                live: live.map(|score| short(f64::from(*score)) as f32),
                candidate: candidate.map(|score| short(f64::from(*score)) as f32),
                held: held[at],
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Score;

    fn lesson(at: usize, harmful: bool) -> Lesson {
        Lesson {
            id: format!("comment-{at}"),
            text: "words of somebody".into(),
            parent: None,
            lang: if at.is_multiple_of(4) { "fr" } else { "en" }.into(),
            thread: format!("thread-{}", at % 70),
            moderator: "awa".into(),
            at: at as i64,
            labels: PerLabel::from_fn(|_| Some(harmful)),
            copies_published: false,
            split: None,
        }
    }

    /// Every third is harmful: the candidate knows them all, the live model knows half of them.
    fn looked_at(rows: usize) -> Closer {
        let lessons: Vec<Lesson> = (0..rows)
            .map(|at| lesson(at, at.is_multiple_of(3)))
            .collect();
        let scored = lessons.iter().enumerate().map(|(at, lesson)| {
            let harmful = lesson.is_against();
            let noise = (at % 97) as f32 / 1000.0;
            let knows = harmful && at.is_multiple_of(2);
            let live = noise + if knows { 0.8 } else { 0.1 };
            let candidate = if harmful { 0.85 } else { 0.05 } + noise;
            let both = [live, candidate].map(|score| PerLabel::from_fn(|_| score));
            (lesson, both.into())
        });
        from_a_half(&scored.collect::<Vec<_>>())
    }

    fn from_a_half(scored: &[Scored<'_>]) -> Closer {
        let half = PerLabel::from_fn(|_| Score::clamped(0.5));
        let (live, candidate) = (&half, &half);
        Closer::of(scored, Sides { live, candidate })
    }

    #[test]
    fn it_shows_what_either_model_finds_and_holds() {
        let closer = looked_at(600);
        let insult = &closer.shapes[&Label::Insult];
        assert_eq!(insult.live.at_threshold.recall, 0.5);
        assert_eq!(insult.candidate.at_threshold.recall, 1.0);
        assert_eq!(insult.candidate.at_threshold.precision, Some(1.0));
        assert_eq!(insult.candidate.at_threshold.held, 0.3333);
        assert_eq!(insult.candidate.load.last(), Some(&(1.0, 1.0)));
        let rows: usize = insult.live.calibration.iter().map(|tenth| tenth.rows).sum();
        assert_eq!(rows, 600);
        let within = closer.within_threads[&Label::Insult];
        assert!(within.candidate == 1.0 && within.live < 0.9 && within.threads == 70);
        assert_eq!((closer.all_threads, closer.threads.len()), (70, 20));
        let [en, fr] = &closer.languages[..] else {
            panic!("two languages")
        };
        assert_eq!((en.name.as_str(), en.rows, fr.rows), ("en", 450, 150));
        assert_eq!(fr.harmful, fr.found.candidate);
        assert_eq!(en.found.live + fr.found.live, 100);
    }

    #[test]
    fn what_changes_sides_comes_first_and_says_no_word() {
        let closer = looked_at(600);
        assert_eq!(closer.changed, 100);
        assert_eq!(closer.movers.len(), 50);
        assert!(
            closer
                .movers
                .iter()
                .all(|mover| mover.held.candidate && !mover.held.live)
        );
        let written = serde_json::to_string(&looked_at(20_000)).unwrap();
        assert!(!written.contains("words of somebody"));
        assert!(written.len() < 120_000, "{}", written.len());
        let read: Closer = serde_json::from_str(&written).unwrap();
        assert_eq!(read.movers.len(), 50, "what was written can be read");
    }

    #[test]
    fn a_small_step_over_a_threshold_comes_before_a_long_one_beyond_it() {
        let lessons = [lesson(0, true), lesson(1, true)];
        let moves = [(0.6, 0.99), (0.49, 0.51)];
        let scored = lessons.iter().zip(moves);
        let scored = scored.map(|(lesson, (live, candidate))| {
            let both = [live, candidate].map(|score| PerLabel::from_fn(|_| score));
            (lesson, both.into())
        });
        let closer = from_a_half(&scored.collect::<Vec<_>>());
        let listed: Vec<&str> = closer.movers.iter().map(|m| m.comment.as_str()).collect();
        assert_eq!(listed, ["comment-1", "comment-0"]);
    }

    #[test]
    fn few_comments_have_no_curves() {
        let closer = looked_at(12);
        assert!(closer.shapes.is_empty() && !closer.movers.is_empty());
    }
}
