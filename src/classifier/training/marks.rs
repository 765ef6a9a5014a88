//! Whether highlights are what a moderator would underline: overlap, in characters, with what people marked.

use super::dataset::Example;
use super::evaluate::assess;
use crate::classifier::model::Model;
use crate::domain::Label;
use rayon::prelude::*;
use serde::Serialize;
use std::fmt;

/// How far highlights and marks agree, as means over the rows somebody marked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Underlined {
    /// Rows that have a label and marks.
    pub rows: usize,
    /// Of the characters highlighted, the share that is marked; over the rows with a highlight.
    pub precision: f64,
    /// Of the characters marked, the share that is highlighted.
    pub recall: f64,
    /// Harmonic mean of both for each row, 0 where nothing is highlighted; what the Toxic Spans task measures.
    pub f1: f64,
    /// Share of rows in which a highlight touches a mark.
    pub touched: f64,
}

impl fmt::Display for Underlined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [precision, recall, touched] =
            [self.precision, self.recall, self.touched].map(|share| share * 100.0);
        write!(
            f,
            "Of the letters highlighted in {} comments that somebody underlined, {precision:.0} % are underlined; of those underlined, \
             {recall:.0} % are highlighted; F1 by comment {:.2}; a highlight touches a mark in {touched:.0} %.",
            self.rows, self.f1
        )
    }
}

/// Highlights of the labels that a row has, against its marks.
pub(crate) fn underlined(model: &Model, examples: &[Example]) -> Underlined {
    let measured: Vec<[usize; 3]> = examples
        .par_iter()
        .filter(|example| !example.marked.is_empty())
        .map(|example| overlap(model, example))
        .collect();
    let rows = measured.len();
    let mean = |of: &dyn Fn(&[usize; 3]) -> Option<f64>| {
        let values: Vec<f64> = measured.iter().filter_map(of).collect();
        values.iter().sum::<f64>() / values.len().max(1) as f64
    };
    let ratio = |part: usize, whole: usize| (whole > 0).then(|| part as f64 / whole as f64);
    Underlined {
        rows,
        precision: mean(&|[both, ours, _]| ratio(*both, *ours)),
        recall: mean(&|[both, _, theirs]| ratio(*both, *theirs)),
        f1: mean(&|[both, ours, theirs]| ratio(2 * both, ours + theirs)),
        touched: mean(&|[both, ..]| Some(f64::from(u8::from(*both > 0)))),
    }
}

/// Characters highlighted and marked, highlighted, marked. Blanks and signs count for nobody.
fn overlap(model: &Model, example: &Example) -> [usize; 3] {
    let assessment = assess(model, example);
    let letters: Vec<char> = example.text.chars().collect();
    let (mut ours, mut theirs) = (vec![false; letters.len()], vec![false; letters.len()]);
    let has = |label: Label| *example.labels.get(label) == Some(true);
    for highlight in assessment.highlights.iter().filter(|h| has(h.label)) {
        ours[highlight.start..highlight.end].fill(true);
    }
    for mark in &example.marked {
        for (at, found) in example.text.match_indices(mark.as_str()) {
            let start = example.text[..at].chars().count();
            theirs[start..start + found.chars().count()].fill(true);
        }
    }
    let mut counts = [0; 3];
    for ((ours, theirs), letter) in ours.into_iter().zip(theirs).zip(letters) {
        if letter.is_alphanumeric() {
            counts[0] += usize::from(ours && theirs);
            counts[1] += usize::from(ours);
            counts[2] += usize::from(theirs);
        }
    }
    counts
}
