//! Whether an adapted model may go live: held against the live one on what neither has seen.
//!
//! Decisions can be wrong in ways that their own held-out part shares: all of them the reverse of what was meant, or made by
//! chance, or of pasted text. So there are three things to measure on: the site's newest decisions; the replay sample of the
//! base, on which the site's words are not known; and our own test sentences, compiled in, which are read like any comment.

use std::collections::BTreeMap;

use super::compare::{Compared, ERRORS, Held, error_of_chance};
use super::lessons::of_label;
use super::report::{AdaptReport, LabelNote};
use super::{Lesson, Row};
use crate::classifier::training::evaluate::{LEAST_ROWS, auc};
use crate::classifier::training::replay::Replay;
use crate::domain::Label;
use serde::Serialize;

/// The AUC that a candidate may lose on the replay sample.
const REPLAY_LOSS: f64 = 0.01;
/// The AUC that it may lose on our own sentences: another site has another taste.
const OWN_LOSS: f64 = 0.08;
/// The AUC that it may lose there where the site's gain is only told out of fold, by what is learned from.
const LITTLE_OWN_LOSS: f64 = 0.03;
/// With fewer rows of either class held out at the site, no gain of a few hundredths can be told.
const TELLS: usize = 50;
/// With fewer rows of either class the replay sample says nothing of a label.
const LEAST_REPLAY: usize = 30;
/// Where more than this share of the decisions had to be set aside, the rest is not to be trusted either.
const MOST_SET_ASIDE: f64 = 0.35;

/// A set of rows on which the candidate is held against the base alone.
pub(super) const BASE: &str = "base";

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

/// The conditions, by what was measured. `enough` are the labels with enough lessons, learned or not.
pub(super) fn checks(
    report: &AdaptReport,
    lessons: &[Lesson],
    rows: &[Row],
    replay: &Replay,
    enough: &[Label],
) -> Vec<Check> {
    vec![
        agree(report),
        learned(report),
        not_the_reverse(lessons, rows, enough),
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
    ]
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
        let lost = |on, set, least, loses: fn(&Compared) -> bool| {
            let compared = report.comparison(on, *label, set);
            compared.is_some_and(|compared| compared.has_enough(least) && loses(compared))
        };
        ["all", BASE].map(|set| lost("own", set, LEAST_ROWS, loses_much))[..].contains(&true)
            || lost("replay", "all", LEAST_REPLAY, loses_the_base)
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

/// Labels on which something is lost on our own sentences and nothing won at the site. Both against the base alone: what earlier
/// trainings won and lost is not won and lost again.
fn not_worth_it(report: &AdaptReport) -> Vec<Label> {
    let mut labels = report.learned();
    labels.retain(|label| {
        let against_base = |on| {
            let alone = report.comparison(on, *label, BASE);
            alone.or_else(|| report.comparison(on, *label, "all"))
        };
        let folds = report.comparison("folds", *label, "all");
        let own = against_base("own");
        own.is_some_and(|own| !is_worth_it(own, against_base("site"), folds))
    });
    labels
}

/// Whether what is lost on our own sentences is won at the site, both beyond noise.
///
/// Where too little was held out to tell a gain, and little is lost, it may be told out of fold. Not otherwise: what is wrong
/// with the older decisions is told well, out of fold, by what is wrong with them.
fn is_worth_it(own: &Compared, site: Option<&Compared>, folds: Option<&Compared>) -> bool {
    let won = |compared: &Compared| compared.gain.low > 0.0;
    if own.gain.high >= 0.0 || site.is_some_and(won) {
        return true;
    }
    let little = own.candidate >= own.live - LITTLE_OWN_LOSS;
    let open = site.is_none_or(|site| !site.has_enough(TELLS) && site.candidate >= site.live);
    little && open && folds.is_some_and(won)
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
        let compared = ["all", BASE].map(|set| report.comparison(on, label, set));
        let compared = compared.into_iter().flatten();
        let compared: Vec<_> = compared.filter(|both| both.has_enough(least)).collect();
        measured += usize::from(!compared.is_empty());
        if let Some(worst) = compared.into_iter().find(|both| is_worse(both)) {
            worse.push(format!(
                "{label} {:.3} to {:.3}",
                worst.live, worst.candidate
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

#[cfg(test)]
mod tests {
    use super::super::compare::Interval;
    use super::*;

    fn compared(rows: usize, gain: f64) -> Compared {
        Compared {
            positives: rows,
            negatives: rows,
            live: 0.8,
            candidate: 0.8 + gain,
            gain: Interval {
                low: gain - 0.01,
                high: gain + 0.01,
            },
        }
    }

    #[test]
    fn what_is_lost_elsewhere_must_be_won_at_the_site() {
        let worth = |own, site: (usize, f64), folds| {
            is_worth_it(
                &compared(400, own),
                Some(&compared(site.0, site.1)),
                Some(&compared(300, folds)),
            )
        };
        assert!(worth(-0.005, (100, -0.005), 0.0), "nothing is lost");
        assert!(worth(-0.06, (100, 0.05), 0.05), "it is won");
        assert!(
            !worth(-0.06, (100, 0.004), 0.2),
            "only by what was learned from"
        );
        assert!(
            worth(-0.02, (10, 0.004), 0.2),
            "too few are held out to tell"
        );
        assert!(
            !worth(-0.06, (10, 0.004), 0.2),
            "and too much is lost for that"
        );
        assert!(!worth(-0.02, (10, 0.004), 0.0), "nothing is won");
        assert!(!worth(-0.02, (10, -0.004), 0.2), "rather lost");
    }
}
