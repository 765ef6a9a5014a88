//! What must not be learned from.
//!
//! - Copies are one lesson, the newest.
//! - Text that was approved here and hidden there says nothing of its words.
//! - Spammers paste what others wrote: a comment that was hidden while somebody else's with the same text is published
//!   would teach that calm words are spam.
//! - One moderator's burst of decisions that all others contradict: a key held down, an account in the wrong hands, a joke.
//!
//! All of it is listed; nothing is thrown away without a word.

use std::collections::{BTreeMap, HashMap};

use super::{Learned, Lesson, Row};
use crate::classifier::fingerprint::{Fingerprint, Signature};
use serde::Serialize;

/// Decisions of one moderator in a row that are looked at together.
const RUN: usize = 20;
/// Each run begins this many after the one before.
const STEP: usize = 5;
/// From this share of odd ones a run may be a burst.
const MOST_ODD: f64 = 0.5;
/// By how many standard deviations more must be odd than are elsewhere.
const DEVIATIONS: f64 = 4.0;
/// Log-odds by which a decision contradicts what the others teach.
const ODD: f64 = 0.7;
/// What a decision of a burst still counts.
const LITTLE: f32 = 0.05;

/// What kind of thing was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// The same text was approved and hidden.
    BothWays,
    /// Hidden, while somebody else's comment of the same text is published.
    Pasted,
    /// One moderator's run of decisions that the others contradict.
    Burst,
}

/// Lessons that were not learned from, or hardly.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    pub kind: FindingKind,
    /// The moderator of a burst.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moderator: Option<String>,
    /// How many.
    pub lessons: usize,
    /// The comments, the first twenty of them.
    pub comments: Vec<String>,
}

/// No more comments are listed.
const LISTED: usize = 20;

impl Finding {
    fn new(kind: FindingKind, lessons: &[Lesson], found: &[usize]) -> Self {
        let comments = found.iter().map(|at| lessons[*at].id.clone());
        Self {
            kind,
            moderator: None,
            lessons: found.len(),
            comments: comments.take(LISTED).collect(),
        }
    }
}

/// Sets aside copies, text that was decided both ways, and what was pasted.
pub(super) fn copies(lessons: &[Lesson], rows: &mut [Row], prints: &[Fingerprint]) -> Vec<Finding> {
    let (mut both_ways, mut pasted) = (Vec::new(), Vec::new());
    for cluster in clusters(prints) {
        let clean = cluster.iter().any(|at| lessons[*at].is_clean());
        let against = cluster.iter().any(|at| lessons[*at].is_against());
        let newest = cluster
            .iter()
            .copied()
            .max_by_key(|at| (lessons[*at].at, *at));
        for at in cluster {
            let copied = lessons[at].is_against() && lessons[at].copies_published;
            if clean && against {
                both_ways.push(at);
            } else if copied {
                pasted.push(at);
            }
            if clean && against || copied || Some(at) != newest {
                rows[at].trust = 0.0;
            }
        }
    }
    [
        (FindingKind::BothWays, both_ways),
        (FindingKind::Pasted, pasted),
    ]
    .into_iter()
    .filter(|(_, found)| !found.is_empty())
    .map(|(kind, mut found)| {
        found.sort_unstable();
        Finding::new(kind, lessons, &found)
    })
    .collect()
}

/// The rows in groups of the same text, or nearly so.
fn clusters(prints: &[Fingerprint]) -> Vec<Vec<usize>> {
    let mut exact: HashMap<i64, usize> = HashMap::new();
    let mut bands: HashMap<i64, Vec<usize>> = HashMap::new();
    let mut clusters: Vec<Vec<usize>> = Vec::new();
    let mut cluster_of: Vec<usize> = Vec::with_capacity(prints.len());
    for (at, print) in prints.iter().enumerate() {
        // As for comments that arrive: short texts repeat by nature, and are the same only if every letter is.
        let long = print.chars() >= crate::domain::MIN_DUPLICATE_CHARS;
        let near = || {
            let probes = print.probes();
            let met = probes.iter().filter_map(|probe| bands.get(probe)).flatten();
            let alike = |other: &&usize| {
                let other = prints[**other].signature();
                other.similarity(print.signature()) >= Signature::NEAR
            };
            met.copied().find(|other| alike(&other))
        };
        let copy_of = exact.get(&print.exact()).copied();
        let copy_of = copy_of.or_else(|| if long { near() } else { None });
        let cluster = copy_of.map_or(clusters.len(), |other| cluster_of[other]);
        if cluster == clusters.len() {
            clusters.push(Vec::new());
        }
        clusters[cluster].push(at);
        cluster_of.push(cluster);
        exact.entry(print.exact()).or_insert(at);
        if long {
            for band in print.anchors().bands() {
                bands.entry(band).or_default().push(at);
            }
        }
    }
    clusters
}

/// Finds moderators' bursts of odd decisions, and has them count little.
pub(super) fn bursts(lessons: &[Lesson], rows: &mut [Row], learned: &Learned) -> Vec<Finding> {
    let is_odd = |at: usize| {
        let (lesson, row) = (&lessons[at], &rows[at]);
        let contradicts = learned.stages.iter().filter_map(|(label, stage)| {
            let z = stage.as_ref()?.stage.apply(&row.odds, &row.sums);
            let present = (*lesson.labels.get(*label))?;
            Some(if present { z < -ODD } else { z > ODD })
        });
        contradicts.into_iter().any(|odd| odd)
    };
    let mut moderators: BTreeMap<&str, Vec<(usize, bool)>> = BTreeMap::new();
    for at in (0..lessons.len()).filter(|at| rows[*at].trust > 0.0 && lessons[*at].split.is_none())
    {
        let decided = moderators.entry(&lessons[at].moderator).or_default();
        decided.push((at, is_odd(at)));
    }
    let mut findings = Vec::new();
    for (moderator, mut decided) in moderators {
        decided.sort_by_key(|(at, _)| (lessons[*at].at, *at));
        let found = odd_runs(&decided);
        if found.is_empty() {
            continue;
        }
        for at in &found {
            // The measure stays as it is: a candidate must not choose what it is measured by.
            if !rows[*at].measured {
                rows[*at].trust = LITTLE;
            }
        }
        findings.push(Finding {
            moderator: Some(moderator.to_owned()),
            ..Finding::new(FindingKind::Burst, lessons, &found)
        });
    }
    findings
}

/// The odd decisions in runs that hold far more of them than the rest of the moderator's, whose decisions these are in the
/// order of time. Who is odd throughout has another opinion, or another kind of comments: that is no burst.
fn odd_runs(decided: &[(usize, bool)]) -> Vec<usize> {
    let mut in_run = vec![false; decided.len()];
    let all_odd = decided.iter().filter(|(_, odd)| *odd).count() as f64;
    for from in (0..(decided.len() + 1).saturating_sub(RUN)).step_by(STEP) {
        let odd = decided[from..from + RUN]
            .iter()
            .filter(|(_, odd)| *odd)
            .count() as f64;
        let (run, rest) = (RUN as f64, (decided.len() - RUN) as f64);
        // With one more of either kind, so that no share is nought.
        let elsewhere = (all_odd - odd + 1.0) / (rest + 2.0);
        let expected = run * elsewhere;
        let deviation = (expected * (1.0 - elsewhere)).sqrt();
        if odd >= run * MOST_ODD && odd > expected + DEVIATIONS * deviation {
            in_run[from..from + RUN].fill(true);
        }
    }
    let odd = decided.iter().zip(in_run);
    odd.filter(|((_, odd), in_run)| *odd && *in_run)
        .map(|((at, _), _)| *at)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(odd: impl Fn(usize) -> bool) -> Vec<(usize, bool)> {
        (0..200).map(|at| (at, odd(at))).collect()
    }

    #[test]
    fn a_burst_is_found_and_an_opinion_is_not() {
        let burst = odd_runs(&decided(|at| {
            (60..95).contains(&at) || at.is_multiple_of(17)
        }));
        assert!((33..45).contains(&burst.len()), "{}", burst.len());
        assert!(burst.iter().filter(|at| (60..95).contains(*at)).count() >= 33);
        assert!(odd_runs(&decided(|at| at.is_multiple_of(2))).is_empty());
        assert!(odd_runs(&decided(|at| at.is_multiple_of(9))).is_empty());
        assert!(odd_runs(&[]).is_empty());
    }
}
