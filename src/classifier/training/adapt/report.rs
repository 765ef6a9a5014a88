//! What adapting has to say: what was learned from, what was set aside, and how the candidate compares.

use std::collections::BTreeMap;
use std::fmt;

use super::closer::Closer;
use super::compare::{Compared, Held};
use super::gate::Check;
use super::guard::{Finding, FindingKind};
use super::lessons::of_label;
use super::{AdaptOptions, Lesson, Row};
use crate::classifier::artefact::Artefact;
use crate::classifier::model::Model;
use crate::domain::Label;
use serde::{Deserialize, Serialize};

/// What became of a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LabelNote {
    /// The site's decisions have a say.
    Learned,
    /// Fewer than thirty decisions of either class: the base's answer stays.
    TooFew,
    /// The texts do not tell the classes apart better than chance: the base's answer stays.
    NothingLearned,
    /// More was lost elsewhere than won at the site: the base's answer stays.
    TooCostly,
}

/// How many lessons there were for a label.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Taught {
    pub present: usize,
    pub absent: usize,
}

/// What was learned from, how the candidate compares with the live model, and whether it may go live.
#[derive(Debug, Clone, Serialize)]
pub struct AdaptReport {
    pub version: String,
    /// The model whose frozen part it stands on.
    pub base: String,
    /// The model it was compared with.
    pub live: String,
    /// Comments with a decision or a label.
    pub lessons: usize,
    /// Decisions that are not among these, as there are so many.
    pub left_aside: u64,
    /// Without those held out, copies, and what was set aside.
    pub learned_from: usize,
    pub held_out: usize,
    pub taught: BTreeMap<&'static str, Taught>,
    pub notes: BTreeMap<&'static str, LabelNote>,
    pub findings: Vec<Finding>,
    /// `site`, `folds` (out of fold, with the base alone as live), `replay` or `own` → label → set of rows → both models.
    pub compared: BTreeMap<&'static str, BTreeMap<&'static str, BTreeMap<String, Compared>>>,
    pub calm_held: BTreeMap<&'static str, Held>,
    pub harmful_held: BTreeMap<&'static str, Held>,
    pub checks: Vec<Check>,
    /// A closer look at what the site held out; none where nothing was learned.
    pub closer: Option<Closer>,
    #[serde(skip)]
    seed: u64,
}

impl AdaptReport {
    pub(super) fn new(
        base: &Artefact,
        live: &Model,
        lessons: &[Lesson],
        rows: &[Row],
        options: &AdaptOptions,
    ) -> Self {
        let trusted = || rows.iter().filter(|row| row.trust > 0.0);
        let taught = Label::ALL.map(|label| {
            let present = of_label(lessons, rows, label).filter(|(_, _, present)| *present);
            let present = present.count();
            let all = of_label(lessons, rows, label).count();
            let taught = Taught {
                present,
                absent: all - present,
            };
            (label.as_str(), taught)
        });
        Self {
            version: options.version.clone(),
            base: base.header.version.clone(),
            live: live.version().to_owned(),
            lessons: lessons.len(),
            left_aside: options.left_aside,
            learned_from: trusted().filter(|row| !row.measured).count(),
            held_out: trusted().filter(|row| row.measured).count(),
            taught: taught.into_iter().collect(),
            notes: BTreeMap::new(),
            findings: Vec::new(),
            compared: BTreeMap::new(),
            calm_held: BTreeMap::new(),
            harmful_held: BTreeMap::new(),
            checks: Vec::new(),
            closer: None,
            seed: options.seed,
        }
    }

    pub(super) fn note(&mut self, label: Label, note: LabelNote) {
        self.notes.insert(label.as_str(), note);
    }

    /// Of a label that costs more than it wins, what was learned is left out.
    pub(super) fn drop(&mut self, label: Label) {
        self.note(label, LabelNote::TooCostly);
        if let Some(folds) = self.compared.get_mut("folds") {
            folds.remove(label.as_str());
        }
    }

    pub(super) fn compared(
        &mut self,
        on: &'static str,
        label: Label,
        set: &str,
        points: &[(f32, f32, bool)],
    ) {
        if let Some(compared) = Compared::of(points, self.seed) {
            let sets = self.compared.entry(on).or_default();
            let sets = sets.entry(label.as_str()).or_default();
            sets.insert(set.to_owned(), compared);
        }
    }

    /// Both models on a set of rows.
    #[must_use]
    pub fn comparison(&self, on: &str, label: Label, set: &str) -> Option<&Compared> {
        self.compared.get(on)?.get(label.as_str())?.get(set)
    }

    /// The labels on which the site has a say.
    #[must_use]
    pub fn learned(&self) -> Vec<Label> {
        let is_learned =
            |label: &Label| self.notes.get(label.as_str()) == Some(&LabelNote::Learned);
        Label::ALL.into_iter().filter(is_learned).collect()
    }

    /// Whether the candidate may go live.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        !self.checks.is_empty() && self.checks.iter().all(|check| check.passed)
    }
}

impl fmt::Display for AdaptReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} lessons: {} to learn from, {} held out, {} set aside as copies or for what follows",
            self.lessons,
            self.learned_from,
            self.held_out,
            self.lessons - self.learned_from - self.held_out
        )?;
        if self.left_aside > 0 {
            writeln!(
                f,
                "{} more are older, or approvals beyond as many as were thinned out evenly",
                self.left_aside
            )?;
        }
        for finding in &self.findings {
            let what = match finding.kind {
                FindingKind::BothWays => "were approved here and hidden there: set aside",
                FindingKind::Pasted => {
                    "were hidden while somebody else's of the same text is published: set aside"
                }
                FindingKind::Burst => {
                    "in a row contradict what all others teach: they hardly count"
                }
            };
            let by = finding.moderator.as_ref();
            let by = by.map_or_else(String::new, |name| format!(" of {name}"));
            writeln!(f, "found: {} decisions{by} {what}", finding.lessons)?;
        }
        writeln!(
            f,
            "\n{:<16} {:>13}  {:<15} {:>7} {:>7}  gain",
            "label", "lessons + : -", "", "live", "new"
        )?;
        for label in Label::ALL {
            let taught = self.taught.get(label.as_str()).copied().unwrap_or_default();
            let note = match self.notes.get(label.as_str()) {
                Some(LabelNote::TooFew) => "too few lessons: the base's answer stays",
                Some(LabelNote::NothingLearned) => "nothing learned: the base's answer stays",
                Some(LabelNote::TooCostly) => {
                    "costs more elsewhere than it wins here: the base's answer stays"
                }
                _ => "",
            };
            let rows = format!("{} : {}", taught.present, taught.absent);
            writeln!(f, "{label:<16} {rows:>13}  {note}")?;
            for on in ["site", "folds", "replay", "own"] {
                let sets = self.compared.get(on).and_then(|on| on.get(label.as_str()));
                for (set, compared) in sets.into_iter().flatten().filter(|_| note.is_empty()) {
                    let set = if set == "all" { on } else { set };
                    let rows = format!("{} : {}", compared.positives, compared.negatives);
                    writeln!(
                        f,
                        "  {set:<14} {rows:>13}  {:<15} {:>7.3} {:>7.3}  {:+.3} [{:+.3}, {:+.3}]",
                        "",
                        compared.live,
                        compared.candidate,
                        compared.difference(),
                        compared.gain.low,
                        compared.gain.high
                    )?;
                }
            }
        }
        writeln!(f)?;
        for check in &self.checks {
            let mark = if check.passed { "ok     " } else { "REFUSED" };
            writeln!(f, "{mark}  {}: {}", check.name, check.detail)?;
        }
        Ok(())
    }
}
