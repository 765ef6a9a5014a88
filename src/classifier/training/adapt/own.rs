//! Our own labelled sentences, compiled in: what a site must not unlearn.
//!
//! A site's table is fitted on some of those of the split `train` beside the site's lessons, so that its words keep the meaning
//! that they have elsewhere, and out of fold they show what it makes of texts that are not the site's. The base was fitted on
//! them, too, and is surer of them than of others: its log-odds are brought to what they are worth. On those of `valid`, by
//! which the base was calibrated, thresholds are chosen. Those of `test` only measure.

use super::lessons::{FOLDS, of_label};
use super::reader::Reader;
use super::{Lesson, Row};
use crate::classifier::site;
use crate::classifier::training::TrainError;
use crate::classifier::training::calibrate;
use crate::classifier::training::dataset::{self, DatasetError, Example, Split};
use crate::domain::Label;
use xxhash_rust::xxh3::xxh3_64;

/// `seeds/labels`, compressed.
const SENTENCES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/own_sentences.jsonl.gz"));
/// A site's table is fitted on so many for each lesson, and at least on so many in all.
const FOR_EACH: usize = 2;
const LEAST: usize = 2_400;

/// Our own sentences of a split.
///
/// # Errors
/// Never, unless the program was built wrongly.
pub fn own_sentences(split: Split) -> Result<Vec<Example>, DatasetError> {
    let mut all = dataset::read(SENTENCES, "own sentences")?;
    all.retain(|example| example.split == split);
    Ok(all)
}

/// The same, for a training.
pub(super) fn sentences(split: Split) -> Result<Vec<Example>, TrainError> {
    own_sentences(split).map_err(|error| TrainError::OwnSentences(Box::new(error)))
}

/// Sentences that the site's table is fitted and tried on.
pub(super) struct Own {
    pub lessons: Vec<Lesson>,
    pub rows: Vec<Row>,
}

impl Own {
    /// As many as go with so many lessons.
    pub fn read(reader: &Reader<'_>, lessons: usize) -> Result<Self, TrainError> {
        let sentences =
            |split| own_sentences(split).map_err(|error| TrainError::OwnSentences(Box::new(error)));
        let mut learned = sentences(Split::Train)?;
        // The same ones for the same number, from all of the files.
        learned.sort_by_cached_key(|example| xxh3_64(example.text.as_bytes()));
        learned.truncate((lessons * FOR_EACH).max(LEAST));
        learned.extend(sentences(Split::Valid)?);
        let lessons: Vec<Lesson> = learned.into_iter().map(Lesson::from).collect();
        let (mut rows, _) = reader.rows(&lessons, &());
        for (at, (row, lesson)) in rows.iter_mut().zip(&lessons).enumerate() {
            row.measured = lesson.split == Some(Split::Valid);
            row.fold = at % FOLDS;
        }
        let mut own = Self { lessons, rows };
        for label in Label::ALL {
            let slope = (own.slope(label, true) / own.slope(label, false)).clamp(0.2, 1.0);
            for row in own.rows.iter_mut().filter(|row| !row.measured) {
                *row.odds.get_mut(label) *= slope as f32;
            }
        }
        Ok(own)
    }

    /// What the base's log-odds of a label are worth on the sentences that it was fitted on, or on the others.
    fn slope(&self, label: Label, measured: bool) -> f64 {
        let rows = of_label(&self.lessons, &self.rows, label);
        let rows = rows.filter(|(_, row, _)| row.measured == measured);
        let points: Vec<(f64, bool, f64)> = rows
            .map(|(_, row, present)| (f64::from(*row.odds.get(label)), present, 1.0))
            .collect();
        calibrate::fit(&points).slope
    }

    /// What the site's table makes, out of fold, of sentences without the label and of those with it.
    pub fn sums(&self, label: Label) -> [Vec<site::Vector>; 2] {
        let mut sums = [Vec::new(), Vec::new()];
        for (_, row, present) in of_label(&self.lessons, &self.rows, label) {
            sums[usize::from(present)].push(row.sums);
        }
        for of_class in &mut sums {
            if of_class.is_empty() {
                of_class.push([0.0; site::SIZE]);
            }
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classifier::training::evaluate::LEAST_ROWS;

    #[test]
    fn our_own_test_sentences_have_every_label() {
        let own = own_sentences(Split::Test).unwrap();
        for label in Label::ALL {
            let with = own
                .iter()
                .filter(|row| *row.labels.get(label) == Some(true));
            assert!(with.count() >= LEAST_ROWS, "{label}");
        }
    }
}
