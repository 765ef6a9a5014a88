//! Makes a model from labelled comments.
//!
//! 1. [`dataset`] reads them; `balance` says how much each counts.
//! 2. `sparse` fits the hashed n-grams, once per fold without the fold's rows and once on all.
//! 3. Every row goes through the very code that serves, with the sparse part that has not seen it, and becomes a dense vector.
//! 4. `stack` fits linfa's logistic regression on those vectors, per label.
//! 5. `calibrate` brings the log-odds to natural rates, `thresholds` chooses from where to hold, [`evaluate`](fn@evaluate)
//!    measures on rows that none of it has seen.
//!
//! The same rows, options and seed make the same file, byte for byte.

mod balance;
mod calibrate;
pub mod dataset;
mod evaluate;
mod pipeline;
mod sparse;
mod stack;
mod thresholds;

use crate::domain::Label;

pub use dataset::{DatasetError, Example, Split};
pub use evaluate::{Evaluation, Metrics, evaluate};
pub use pipeline::{Report, train};

/// What training may be told.
#[derive(Debug, Clone)]
pub struct Options {
    /// Starts every random choice.
    pub seed: u64,
    /// Name of the model to be made.
    pub version: String,
    /// Lines of the sparse table, 64 bytes and up to eight features each.
    pub lines: usize,
    /// Parts the rows are cut into for out-of-fold vectors, at least 2.
    pub folds: usize,
    /// Passes over the rows in the first stage.
    pub epochs: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 1,
            version: "unnamed".into(),
            lines: 112_000,
            folds: 4,
            epochs: 4,
        }
    }
}

/// Told how far training is. `()` does not care.
pub trait Progress: Sync {
    /// A stage of `steps` steps begins.
    fn stage(&self, _name: &str, _steps: u64) {}
    /// Some steps of the stage are done.
    fn advance(&self, _steps: u64) {}
}

impl Progress for () {}

/// Why no model was made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// No label has enough rows of both classes.
    #[error("nothing to learn: no label has {least} examples of either class", least = pipeline::LEAST_ROWS)]
    NothingToLearn,
    /// linfa failed, or its answer is not to be trusted.
    #[error("the second stage of {label} failed: {reason}")]
    SecondStage {
        /// Which label.
        label: Label,
        /// What happened.
        reason: String,
    },
    /// The model could not be written out.
    #[error("the model could not be written: {0}")]
    Write(#[from] serde_json::Error),
    /// The model does not load again.
    #[error("the model that was made does not load: {0}")]
    Model(#[from] super::ModelError),
}

/// A small generator of pseudo-random numbers (`SplitMix64`), so that the order of training is ours for ever.
pub(crate) struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Uniform in 0..1.
    pub fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u32 << 24) as f32
    }

    /// Fisher and Yates.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = (self.next() % (last as u64 + 1)) as usize;
            items.swap(last, other);
        }
    }
}
