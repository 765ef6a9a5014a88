//! Lessons as the base reads them.
//!
//! What is read of a text takes some ten thousand bytes, and a text some tens of microseconds to read: so it is read again
//! wherever it is needed, and not kept.

use super::{Lesson, Row, second};
use crate::classifier::ModelError;
use crate::classifier::artefact::Artefact;
use crate::classifier::dense::{self, Evidence, Scout};
use crate::classifier::fingerprint::Fingerprint;
use crate::classifier::lexicon::Lexicon;
use crate::classifier::normalise::{Glyph, glyphs};
use crate::classifier::quotes;
use crate::classifier::site;
use crate::classifier::tokens::{Text, tokenise};
use crate::classifier::training::{Progress, TrainError};
use crate::domain::Span;
use rayon::prelude::*;

/// Reads texts with a base.
pub(super) struct Reader<'a> {
    base: &'a Artefact,
    lexicon: Lexicon,
    scout: Scout,
}

impl<'a> Reader<'a> {
    pub fn new(base: &'a Artefact) -> Result<Self, TrainError> {
        let threat = base.header.weights.threat.as_slice();
        Ok(Self {
            base,
            lexicon: Lexicon::new().map_err(|e| ModelError::Unfit(e.to_string()))?,
            scout: Scout::of(&(threat.try_into()).map_err(|_| ModelError::Damaged)?),
        })
    }

    /// Each lesson as a row, and the fingerprints by which copies are found.
    pub fn rows(
        &self,
        lessons: &[Lesson],
        progress: &dyn Progress,
    ) -> (Vec<Row>, Vec<Fingerprint>) {
        let rows = lessons.par_iter().map(|lesson| {
            progress.advance(1);
            let (glyphs, quotes, text) = take_apart(lesson);
            let row = Row {
                odds: second::base_odds(&self.base.header, &self.evidence(&text).vector),
                sums: [0.0; site::SIZE],
                trust: 1.0,
                measured: false,
                fold: 0,
            };
            (row, Fingerprint::new(&glyphs, &quotes, &text))
        });
        rows.unzip()
    }

    /// What the base makes of a text.
    pub fn evidence(&self, text: &Text) -> Evidence {
        dense::read(&self.base.table, &self.lexicon, &self.scout, text)
    }
}

fn take_apart(lesson: &Lesson) -> (Vec<Glyph>, Vec<Span>, Text) {
    let glyphs = glyphs(&lesson.text);
    let above: Vec<&str> = lesson.parent.as_deref().into_iter().collect();
    let quotes = quotes::find(&glyphs, &above);
    let text = tokenise(&glyphs, &quotes);
    (glyphs, quotes, text)
}

/// The words of a lesson, without those that are quoted.
pub(super) fn words(lesson: &Lesson) -> Text {
    take_apart(lesson).2
}
