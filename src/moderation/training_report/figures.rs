//! The figures of a training as they were written down, perhaps by an earlier version: what is not there is nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    classifier::training::{Closer, Compared, Held, Taught},
    domain::Label,
};

/// Label → set of rows → both models.
pub type Sets = BTreeMap<String, BTreeMap<String, Compared>>;

/// All that a page may have to show.
pub struct Figures {
    pub version: String,
    pub live: String,
    pub lessons: usize,
    /// Decisions beyond those.
    pub left_aside: usize,
    pub learned_from: usize,
    pub held_out: usize,
    pub taught: BTreeMap<String, Taught>,
    pub notes: BTreeMap<String, String>,
    pub findings: Vec<Finding>,
    /// What it was measured on → label → set of rows → both models.
    pub compared: BTreeMap<String, Sets>,
    pub calm_held: BTreeMap<String, Held>,
    pub harmful_held: BTreeMap<String, Held>,
    pub checks: Vec<Check>,
    pub closer: Option<Closer>,
    /// Of a model from scratch: label → set of rows → figures.
    pub test: BTreeMap<String, BTreeMap<String, Measured>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Finding {
    pub kind: String,
    pub moderator: Option<String>,
    pub lessons: usize,
    pub comments: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Check {
    pub name: String,
    pub passed: bool,
    pub detail: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Measured {
    pub positives: usize,
    pub negatives: usize,
    pub auc: Option<f64>,
    pub precision: Option<f64>,
    pub recall: Option<f64>,
    pub false_held: Option<f64>,
}

impl Figures {
    /// Reads what it knows, part by part: one that it cannot read is as if it were not there.
    pub fn read(figures: &Value) -> Self {
        fn part<T: DeserializeOwned>(value: &Value) -> Option<T> {
            T::deserialize(value).ok()
        }
        let text = |name: &str| figures[name].as_str().unwrap_or_default().to_owned();
        let count = |name: &str| figures[name].as_u64().unwrap_or_default() as usize;
        Self {
            version: text("version"),
            live: text("live"),
            lessons: count("lessons"),
            left_aside: count("left_aside"),
            learned_from: count("learned_from"),
            held_out: count("held_out"),
            taught: part(&figures["taught"]).unwrap_or_default(),
            notes: part(&figures["notes"]).unwrap_or_default(),
            findings: part(&figures["findings"]).unwrap_or_default(),
            compared: part(&figures["compared"]).unwrap_or_default(),
            calm_held: part(&figures["calm_held"]).unwrap_or_default(),
            harmful_held: part(&figures["harmful_held"]).unwrap_or_default(),
            checks: part(&figures["checks"]).unwrap_or_default(),
            closer: part(&figures["closer"]),
            test: part(&figures["test"]["labels"]).unwrap_or_default(),
        }
    }

    /// Whether these are figures of a model that was held against another.
    pub fn is_comparison(&self) -> bool {
        !self.live.is_empty()
    }

    pub fn failed(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| !check.passed)
    }

    /// Whether any label had enough to learn from.
    pub fn learned(&self) -> bool {
        self.notes.values().any(|note| note == "learned")
    }

    /// Both models on all rows of one kind, by label, in the order of the labels.
    pub fn on(&self, kind: &str) -> Vec<(Label, &Compared)> {
        let all = |label: &Label| {
            let sets = self.compared.get(kind)?.get(label.as_str())?;
            Some((*label, sets.get("all")?))
        };
        Label::ALL.iter().filter_map(all).collect()
    }
}

/// A label in words.
pub const fn name(label: Label) -> &'static str {
    match label {
        Label::Toxicity => "toxicity",
        Label::Insult => "insult",
        Label::Threat => "threat",
        Label::IdentityAttack => "identity attack",
        Label::Profanity => "profanity",
        Label::Spam => "spam",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn figures_of_another_version_still_show() {
        let figures = Figures::read(&json!({
            "version": "b", "live": "a", "lessons": 3, "closer": {"movers": "not a list"}, "checks": [{"name": "x", "new": 1}],
            "compared": {"site": {"insult": {"all": {"live": 0.5, "candidate": 0.75}}}},
        }));
        assert!(figures.is_comparison() && figures.closer.is_none());
        assert_eq!((figures.lessons, figures.failed().count()), (3, 1));
        assert_eq!(figures.on("site")[0].1.difference(), 0.25);
        assert!(!Figures::read(&json!({})).is_comparison());
        assert!(!Figures::read(&json!("nothing")).is_comparison());
    }
}
