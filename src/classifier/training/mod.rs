//! Makes a model from labelled comments.
//!
//! 1. [`dataset`] reads them; `balance` says how much each counts.
//! 2. `sparse` fits the hashed n-grams, once per fold without the fold's rows and once on all.
//! 3. Every row goes through the very code that serves, with the sparse part that has not seen it, and becomes a dense vector.
//! 4. `stack` fits linfa's logistic regression on those vectors, per label.
//! 5. `calibrate` brings the log-odds to natural rates, and `thresholds` chooses from where to hold.
//! 6. `context` fits what the comment above adds to a short reply's log-odds.
//! 7. `replay` takes a sample along, for adapting the model to a site: see [`adapt`](fn@adapt).
//! 8. [`evaluate`](fn@evaluate) measures on rows that none of it has seen.
//!
//! The same rows, options and seed make the same file, byte for byte.

mod adapt;
mod balance;
mod calibrate;
mod card;
mod context;
pub mod dataset;
mod evaluate;
mod evasion;
mod left_out;
mod marks;
mod natural;
mod pipeline;
mod replay;
mod report;
mod sparse;
mod stack;
mod study;
mod swaps;
mod thresholds;

use crate::domain::Label;

pub use adapt::{
    AdaptOptions, AdaptReport, Adapted, Check, Closer, Compared, Finding, FindingKind, Group, Held,
    Interval, LabelNote, Lesson, Mover, Operating, Shape, Sides, Taught, Tenth, Within, adapt,
    own_sentences,
};
pub use card::Card;
pub use dataset::{DatasetError, Example, Split};
pub use evaluate::{Evaluation, Metrics, evaluate};
pub use evasion::{Cost, Disguise};
pub use left_out::{LeftOut, families, leave_out};
pub use marks::Underlined;
pub use natural::{Calibration, Natural};
pub use pipeline::train;
pub use report::{Report, Stages};
pub use study::{Case, Curves, Point, Study, Worst, study};
pub use swaps::Swapped;

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
            epochs: 6,
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
    /// Its replay sample could not be written out.
    #[error("the replay sample could not be written: {0}")]
    Replay(#[from] std::io::Error),
    /// Our own sentences cannot be read: the program was built wrongly.
    #[error("{0}")]
    OwnSentences(Box<DatasetError>),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classifier::{Comment, Model};
    use crate::domain::PerLabel;

    const NAMES: [&str; 10] = [
        "Awa", "Moussa", "Fanta", "Ibrahim", "Claire", "Paul", "Oumar", "Sali", "Marc", "Nina",
    ];
    const CALM: [&str; 6] = [
        "a bien parlé",
        "vient demain",
        "cherche un logement",
        "joue samedi",
        "habite ici",
        "répond vite",
    ];
    const RUDE: [&str; 6] = [
        "est un crétin",
        "est un minable",
        "n'est qu'un bouffon",
        "est une ordure",
        "ment, ce rat",
        "pue, ce porc",
    ];

    /// 240 sentences, every other one an insult; every fifth is held out.
    fn examples() -> Vec<Example> {
        (0..240)
            .map(|n| {
                let rude = n % 2 == 0;
                let name = NAMES[n / 2 % 10];
                let saying = if rude {
                    RUDE[n / 2 / 10 % 6]
                } else {
                    CALM[n / 2 / 10 % 6]
                };
                Example {
                    text: format!("{name} {saying} depuis {n} jours."),
                    parent: None,
                    lang: "fr".into(),
                    source: if n % 3 == 0 { "a" } else { "b" }.into(),
                    split: [
                        Split::Train,
                        Split::Train,
                        Split::Train,
                        Split::Valid,
                        Split::Test,
                    ][n % 5],
                    labels: PerLabel {
                        toxicity: Some(rude),
                        insult: Some(rude),
                        ..PerLabel::default()
                    },
                    marked: Vec::new(),
                }
            })
            .collect()
    }

    fn small() -> Options {
        Options {
            version: "test-2".into(),
            lines: 1000,
            folds: 2,
            epochs: 3,
            ..Options::default()
        }
    }

    #[test]
    fn a_model_is_made_from_sentences_and_is_the_same_each_time() {
        let (bytes, report) = train(&examples(), &small(), &()).unwrap();
        let model = Model::from_bytes(&bytes).unwrap();
        let score = |text| {
            model.score(&Comment {
                text,
                ..Comment::default()
            })
        };
        let (calm, rude) = (score("Fatou vient demain."), score("Fatou est un bouffon."));
        assert!(
            rude.insult.value() > calm.insult.value() + 0.2,
            "{rude:?} {calm:?}"
        );
        assert!(
            rude.insult >= model.thresholds().insult && calm.insult < model.thresholds().insult
        );

        assert_eq!(model.version(), "test-2");
        assert_eq!(model.report()["test"]["rows"], 48);
        assert!(report.stages["insult"]["all"].both > 0.999);
        assert_eq!(
            report.not_learned,
            [
                Label::Threat,
                Label::IdentityAttack,
                Label::Profanity,
                Label::Spam
            ]
        );
        assert!(rude.threat.value() < 1e-6);

        let (again, _) = train(&examples(), &small(), &()).unwrap();
        assert!(
            bytes == again,
            "the same rows and seed must make the same file"
        );
    }

    #[test]
    fn highlights_show_the_words_that_did_it() {
        let (bytes, _) = train(&examples(), &small(), &()).unwrap();
        let model = Model::from_bytes(&bytes).unwrap();
        let text = "Fatou habite ici, et Paul est un bouffon.";
        let assessment = model.assess(&Comment {
            text,
            ..Comment::default()
        });
        let shown: Vec<String> = assessment
            .highlights
            .iter()
            .filter(|h| h.label == Label::Insult)
            .map(|h| text.chars().skip(h.start).take(h.end - h.start).collect())
            .collect();
        assert!(
            shown.iter().any(|span| span.contains("bouffon")),
            "{shown:?}"
        );
        assert!(
            !shown.iter().any(|span| span.contains("habite")),
            "{shown:?}"
        );
    }

    #[test]
    fn too_few_rows_are_refused() {
        let result = train(&examples()[..40], &small(), &());
        assert!(matches!(result, Err(TrainError::NothingToLearn)));
    }

    #[test]
    fn evaluation_names_languages_and_sources() {
        let (bytes, _) = train(&examples(), &small(), &()).unwrap();
        let evaluation = evaluate(&Model::from_bytes(&bytes).unwrap(), &examples());
        let insult = &evaluation.labels["insult"];
        assert_eq!(
            insult.keys().collect::<Vec<_>>(),
            ["all", "lang:fr", "source:a", "source:b"]
        );
        assert_eq!(insult["all"].positives, 120);
        assert!(evaluation.to_string().contains("source:b"));
    }

    #[test]
    fn shuffling_keeps_every_item() {
        let mut items: Vec<u32> = (0..100).collect();
        Random(3).shuffle(&mut items);
        assert_ne!(items, (0..100).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
    }
}
