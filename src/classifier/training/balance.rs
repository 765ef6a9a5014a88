//! How much each row counts.
//!
//! Labelled comments were collected in ways that have nothing to do with a comment section: one source is all slurs, another
//! all calm, one is forty times the size of the next. Left alone, a model learns the sources. So each source's mass grows
//! slower than its size, its two classes are evened out, sources that are known to be noisy count less, and over all
//! sources of a language the two classes weigh the same.
//!
//! To judge a new source: add it to [`trust`] if it deserves more or less than others.

use super::dataset::Example;
use crate::domain::{Label, PerLabel};
use std::collections::{HashMap, HashSet};

/// Size of a source to this power is its mass.
const MASS: f32 = 0.7;
/// No row of a rare class counts more than this many times one of the other.
const MOST: f32 = 6.0;
/// What a label counts that is not annotated but follows from another.
const IMPLIED: f32 = 0.8;

/// What a row says of one label, and how much it counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Target {
    pub present: bool,
    pub weight: f32,
}

/// The targets of a row.
pub(crate) type Targets = PerLabel<Option<Target>>;

/// How far a source's labels are to be believed, 1 being ordinary.
pub(crate) fn trust(source: &str) -> f32 {
    match source {
        // Crowd labels near chance; positives chosen by keyword.
        "mlma_en" => 0.2,
        "mlma_fr" => 0.7,
        // The only native French forum, read by people, and small.
        "toxifrench_fr" => 4.0,
        // Counts common African-American English as offensive.
        "davidson_en" => 0.25,
        // Sentiment never read for toxicity; prompts and SMS, far from comments.
        "tweets_benign_fr" | "openai_moderation_mixed" | "sms_spam_en" => 0.5,
        "jigsaw_subset_en" | "jigsaw_mt_fr" => 1.5,
        // As comments come, neither picked for their abuse nor written to be labelled.
        "jigsaw_wiki5k_en" | "wikitalk_gn_en" => 2.2,
        // Written for this, and so many small sources that more would drown the rest.
        source if source.starts_with("palabre") => 2.0,
        _ => 1.0,
    }
}

/// Labels that follow from those given: a comment that is not toxic neither insults nor threatens anybody.
fn implied(example: &Example, label: Label) -> Option<bool> {
    let calm = example.labels.toxicity == Some(false);
    match label {
        Label::Insult | Label::Threat | Label::IdentityAttack | Label::Profanity if calm => {
            Some(false)
        }
        // Nobody collects hate that advertises.
        Label::Spam
            if example.labels.toxicity.is_some() || example.labels.identity_attack.is_some() =>
        {
            Some(false)
        }
        _ => None,
    }
}

/// Texts that say yes below one comment and no below another: only what stands above them can tell, and the text by itself
/// teaches nothing.
fn contradicted(examples: &[Example], label: Label) -> HashSet<&str> {
    let mut said: HashMap<&str, bool> = HashMap::new();
    let replies = examples.iter().filter(|example| example.parent.is_some());
    replies
        .filter_map(|example| Some((example.text.as_str(), (*example.labels.get(label))?)))
        .filter(|(text, present)| *said.entry(text).or_insert(*present) != *present)
        .map(|(text, _)| text)
        .collect()
}

/// Weighs all rows, so that for each label the mean weight of the annotated ones is 1.
pub(crate) fn targets(examples: &[Example]) -> Vec<Targets> {
    let mut targets = vec![Targets::default(); examples.len()];
    for label in Label::ALL {
        let mut counts: HashMap<(&str, bool), f32> = HashMap::new();
        let contradicted = contradicted(examples, label);
        for (example, target) in examples.iter().zip(&mut targets) {
            if contradicted.contains(example.text.as_str()) {
                continue;
            }
            let given = example.labels.get(label).map(|present| (present, 1.0));
            let found = given.or_else(|| implied(example, label).map(|present| (present, IMPLIED)));
            *target.get_mut(label) = found.map(|(present, weight)| Target { present, weight });
            if let Some((present, _)) = found {
                *counts.entry((&example.source, present)).or_default() += 1.0;
            }
        }
        let count = |source: &str, present| counts.get(&(source, present)).copied().unwrap_or(0.0);
        let mut sums: HashMap<(&str, bool), f32> = HashMap::new();
        for (example, target) in examples.iter().zip(&mut targets) {
            let Some(target) = target.get_mut(label) else {
                continue;
            };
            let own = count(&example.source, target.present);
            let other = count(&example.source, !target.present);
            let mass = (own + other).powf(MASS) / (own + other);
            let evened = if other > 0.0 {
                ((own + other) / (2.0 * own)).clamp(1.0 / MOST, MOST)
            } else {
                0.5
            };
            target.weight *= mass * evened * trust(&example.source);
            *sums.entry((&example.lang, target.present)).or_default() += target.weight;
        }
        for (example, target) in examples.iter().zip(&mut targets) {
            let Some(target) = target.get_mut(label) else {
                continue;
            };
            let sum = |present| {
                sums.get(&(example.lang.as_str(), present))
                    .copied()
                    .unwrap_or(0.0)
            };
            let (own, other) = (sum(target.present), sum(!target.present));
            if other > 0.0 {
                target.weight *= ((own + other) / (2.0 * own)).clamp(1.0 / MOST, MOST);
            }
        }
        normalise(&mut targets, label);
    }
    targets
}

fn normalise(targets: &mut [Targets], label: Label) {
    let annotated = targets.iter().filter_map(|target| *target.get(label));
    let (sum, count) = annotated.fold((0f32, 0f32), |(sum, count), t| {
        (sum + t.weight, count + 1.0)
    });
    if sum > 0.0 {
        for target in targets
            .iter_mut()
            .filter_map(|target| target.get_mut(label).as_mut())
        {
            target.weight *= count / sum;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::dataset::Split;
    use super::*;

    fn row(source: &str, toxic: bool) -> Example {
        Example {
            text: String::new(),
            parent: None,
            lang: "fr".into(),
            source: source.into(),
            split: Split::Train,
            labels: PerLabel {
                toxicity: Some(toxic),
                ..PerLabel::default()
            },
            marked: Vec::new(),
        }
    }

    #[test]
    fn classes_weigh_the_same_and_sources_nearly() {
        let mut rows = vec![row("big", true); 900];
        rows.extend(vec![row("big", false); 300]);
        rows.extend(vec![row("small", true); 10]);
        rows.extend(vec![row("small", false); 40]);
        let targets = targets(&rows);
        let weight = |wanted: &dyn Fn(&Example) -> bool| -> f32 {
            let chosen = rows.iter().zip(&targets).filter(|(row, _)| wanted(row));
            chosen
                .filter_map(|(_, target)| target.toxicity)
                .map(|t| t.weight)
                .sum()
        };
        let toxic = weight(&|row| row.labels.toxicity == Some(true));
        let calm = weight(&|row| row.labels.toxicity == Some(false));
        assert!((toxic / calm - 1.0).abs() < 0.2, "{toxic} {calm}");
        assert!(weight(&|row| row.source == "big") < 12.0 * weight(&|row| row.source == "small"));
        assert!((toxic + calm - rows.len() as f32).abs() < 1.0);
    }

    #[test]
    fn a_calm_comment_threatens_nobody_but_a_rude_one_may() {
        let targets = targets(&[row("a", false), row("a", true)]);
        assert_eq!(targets[0].threat.map(|t| t.present), Some(false));
        assert_eq!(targets[1].threat, None);
    }
}
