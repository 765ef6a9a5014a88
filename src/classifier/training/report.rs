//! What training tells about the model it made: figures that go into the model file and onto the screen.

use super::dataset::{Example, Split};
use super::evaluate::{Evaluation, auc, sets_of};
use crate::classifier::dense::{self, Vector};
use crate::domain::{Label, PerLabel, Thresholds};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// What training measured, on rows held out for it.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Rows learned from, chosen on, and measured on.
    pub rows: BTreeMap<&'static str, usize>,
    /// Labels that had too few rows and always score 0.
    pub not_learned: Vec<Label>,
    /// Thresholds chosen.
    pub thresholds: Thresholds,
    /// AUC on test rows of the sparse part alone and of both stages, per label and set of rows.
    pub stages: BTreeMap<&'static str, BTreeMap<String, Stages>>,
    /// The same on training rows, each scored by a sparse part that has not seen it. More rows than `stages`, where few
    /// were held out; the second stage has seen them.
    pub out_of_fold: BTreeMap<&'static str, BTreeMap<String, Stages>>,
    /// The full figures on test rows.
    pub test: Evaluation,
}

/// What the second stage adds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Stages {
    /// AUC of the sparse part's own answer.
    pub sparse: f64,
    /// AUC of the model.
    pub both: f64,
}

/// How many rows there are for each purpose.
pub(crate) fn count_rows(examples: &[Example]) -> BTreeMap<&'static str, usize> {
    let mut rows = BTreeMap::new();
    for example in examples {
        let name = match example.split {
            Split::Train => "train",
            Split::Valid => "valid",
            Split::Test => "test",
        };
        *rows.entry(name).or_default() += 1;
    }
    rows
}

/// Measures both stages on the rows of one split.
pub(crate) fn stages(
    split: Split,
    examples: &[Example],
    vectors: &[Vector],
    scores: &[PerLabel<f32>],
) -> BTreeMap<&'static str, BTreeMap<String, Stages>> {
    let mut stages = BTreeMap::new();
    for label in Label::ALL {
        let mut sets: BTreeMap<String, [Vec<(f32, bool)>; 2]> = BTreeMap::new();
        for (row, example) in examples
            .iter()
            .enumerate()
            .filter(|(_, e)| e.split == split)
        {
            let Some(present) = *example.labels.get(label) else {
                continue;
            };
            let both = [
                vectors[row][dense::WHOLE + label.index()],
                *scores[row].get(label),
            ];
            for set in sets_of(example) {
                let points = sets.entry(set).or_default();
                points[0].push((both[0], present));
                points[1].push((both[1], present));
            }
        }
        let measured = sets.into_iter().filter_map(|(set, mut points)| {
            for points in &mut points {
                points.sort_by(|a, b| b.0.total_cmp(&a.0));
            }
            let stages = Stages {
                sparse: auc(&points[0])?,
                both: auc(&points[1])?,
            };
            Some((set, stages))
        });
        stages.insert(label.as_str(), measured.collect());
    }
    stages
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<String> = self
            .rows
            .iter()
            .map(|(name, count)| format!("{count} {name}"))
            .collect();
        writeln!(f, "rows: {}", rows.join(", "))?;
        for label in &self.not_learned {
            writeln!(f, "{label}: too few examples, always 0")?;
        }
        writeln!(
            f,
            "\nAUC of the sparse part alone, and with the second stage"
        )?;
        writeln!(
            f,
            "{:<16} {:<32} {:>7} {:>7} {:>9} {:>9}",
            "", "", "test", "test", "left out", "left out"
        )?;
        writeln!(
            f,
            "{:<16} {:<32} {:>7} {:>7} {:>9} {:>9}",
            "label", "rows", "sparse", "both", "sparse", "both"
        )?;
        for (label, sets) in &self.stages {
            for (set, test) in sets {
                write!(
                    f,
                    "{label:<16} {set:<32} {:>7.3} {:>7.3}",
                    test.sparse, test.both
                )?;
                match self.out_of_fold.get(label).and_then(|sets| sets.get(set)) {
                    Some(left_out) => {
                        writeln!(f, " {:>9.3} {:>9.3}", left_out.sparse, left_out.both)?;
                    }
                    None => writeln!(f)?,
                }
            }
        }
        writeln!(f, "\n{}", self.test)?;
        writeln!(f, "held from")?;
        for (label, threshold) in self.thresholds.iter() {
            writeln!(f, "{label:<16} {:>6.4}", threshold.value())?;
        }
        Ok(())
    }
}
