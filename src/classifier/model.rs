//! A loaded model, and how a comment goes through it.

use super::artefact::{self, Artefact, ModelError};
use super::context;
use super::dense::{self, Evidence, SIZE, Scout, Vector};
use super::fingerprint::Fingerprint;
use super::highlight;
use super::lexicon::Lexicon;
use super::normalise::{Glyph, glyphs};
use super::quotes;
use super::site::{self, Site, SiteEvidence};
use super::table::{LABELS, Table};
use super::tokens::{Text, tokenise};
use crate::domain::{Highlight, Label, PerLabel, Score, Scores, Span, Thresholds};
use sha2::{Digest, Sha256};

/// A label's words are highlighted from this share of its threshold.
const NOTEWORTHY: f32 = 0.5;

/// A text to look at, with what stands above it in its thread.
#[derive(Debug, Clone, Copy, Default)]
pub struct Comment<'a> {
    /// The comment as its author typed it.
    pub text: &'a str,
    /// The comments it answers, nearest (the parent) first. What is quoted of them is not scored.
    pub ancestors: &'a [&'a str],
    /// What the site says the language is. Not used so far: people mix languages in one thread, and in one sentence.
    pub lang: Option<&'a str>,
}

/// Everything a model has to say of a comment.
#[derive(Debug, Clone, PartialEq)]
pub struct Assessment {
    /// A probability per label.
    pub scores: Scores,
    /// The words that raised the labels worth a look, by label, then by place.
    pub highlights: Vec<Highlight>,
    /// Quoted text of ancestors, cut out before scoring. Sorted, disjoint.
    pub quotes: Vec<Span>,
    /// What copies of this comment are found by.
    pub fingerprint: Fingerprint,
}

/// A trained model. Immutable; share it between threads.
///
/// ```
/// use palabre::classifier::{Comment, Model};
///
/// let model = Model::from_bytes(Model::SHIPPED)?;
/// let calm = model.score(&Comment { text: "Merci pour cet article.", ..Comment::default() });
/// let rude = model.score(&Comment { text: "Ferme-la, espèce d'imbécile !", ..Comment::default() });
/// assert!(rude.insult > calm.insult);
/// # Ok::<(), palabre::classifier::ModelError>(())
/// ```
#[derive(Debug)]
pub struct Model {
    version: String,
    checksum: String,
    thresholds: Thresholds,
    report: serde_json::Value,
    weights: [[f32; SIZE]; LABELS],
    bias: [f32; LABELS],
    context: PerLabel<context::Inputs>,
    scout: Scout,
    table: Table,
    site: Option<Site>,
    lexicon: Lexicon,
}

/// What is known of a text before the second stage, by the base and by a site's own part.
pub(crate) struct Seen {
    pub base: Evidence,
    pub site: Option<SiteEvidence>,
}

/// A comment made ready to be scored.
struct Prepared {
    glyphs: Vec<Glyph>,
    quotes: Vec<Span>,
    text: Text,
}

impl Model {
    /// The model that comes with the program.
    pub const SHIPPED: &'static [u8] = include_bytes!("../../model/palabre.model");

    /// Loads a model file.
    ///
    /// # Errors
    /// If the bytes are no model, damaged, or made for another version of the program.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelError> {
        let artefact = artefact::read(bytes)?;
        let checksum = format!("{:x}", Sha256::digest(bytes));
        Self::assemble(artefact, checksum)
    }

    pub(crate) fn assemble(artefact: Artefact, checksum: String) -> Result<Self, ModelError> {
        let header = artefact.header;
        let mut weights = [[0.0; SIZE]; LABELS];
        for (label, given) in header.weights.iter() {
            if given.len() != SIZE {
                return Err(ModelError::Unfit("it has other inputs".into()));
            }
            weights[label.index()].copy_from_slice(given);
        }
        let mut context = PerLabel::<context::Inputs>::default();
        for (label, given) in header.context.iter() {
            // Empty where the model was made before it looked above.
            for (weight, given) in context.get_mut(label).iter_mut().zip(given) {
                *weight = *given;
            }
        }
        // The base stays frozen: which sentence is the worst is for its own weights to say.
        let scout = Scout::of(&weights[Label::Threat.index()]);
        let (mut bias, mut thresholds) = (header.bias, header.thresholds);
        let site = match header.site.zip(artefact.site) {
            Some((own, table)) => {
                let mut further = [[0.0; site::SIZE]; LABELS];
                for (label, given) in own.weights.iter() {
                    let (bases, sites) = given.split_at(SIZE);
                    weights[label.index()].copy_from_slice(bases);
                    further[label.index()].copy_from_slice(sites);
                }
                (bias, thresholds) = (own.bias, own.thresholds);
                Some(Site {
                    table,
                    weights: further,
                })
            }
            None => None,
        };
        Ok(Self {
            version: header.version,
            checksum,
            thresholds,
            report: header.report,
            scout,
            weights,
            bias: Label::ALL.map(|label| *bias.get(label)),
            context,
            table: artefact.table,
            site,
            lexicon: Lexicon::new().map_err(|error| ModelError::Unfit(error.to_string()))?,
        })
    }

    /// The model's name, as in `2026.11-1`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// SHA-256 of the model file, in hexadecimal.
    #[must_use]
    pub fn checksum(&self) -> &str {
        &self.checksum
    }

    /// Scores from which a comment should be held, per label, as chosen in training.
    #[must_use]
    pub const fn thresholds(&self) -> &Thresholds {
        &self.thresholds
    }

    /// What training measured.
    #[must_use]
    pub const fn report(&self) -> &serde_json::Value {
        &self.report
    }

    /// Scores a comment, says why, and fingerprints it. Time is linear in the length of the text and its ancestors.
    #[must_use]
    pub fn assess(&self, comment: &Comment<'_>) -> Assessment {
        let prepared = prepare(comment);
        let seen = self.look_at(&prepared.text);
        let scores = self.scores_of(&seen, comment.ancestors);
        let highlights = self.highlights(&scores, &seen, &prepared.text);
        let fingerprint = Fingerprint::new(&prepared.glyphs, &prepared.quotes, &prepared.text);
        Assessment {
            scores,
            highlights,
            quotes: prepared.quotes,
            fingerprint,
        }
    }

    /// Scores a comment.
    #[must_use]
    pub fn score(&self, comment: &Comment<'_>) -> Scores {
        self.scores_of(&self.look_at(&prepare(comment).text), comment.ancestors)
    }

    fn look_at(&self, text: &Text) -> Seen {
        let base = dense::read(&self.table, &self.lexicon, &self.scout, text);
        let site = self.site.as_ref();
        let site = site.map(|site| site::read(&site.table, text, &base));
        Seen { base, site }
    }

    fn scores_of(&self, seen: &Seen, ancestors: &[&str]) -> Scores {
        let mut log_odds = self.log_odds(seen);
        if let Some((parent, above)) = ancestors.split_first()
            && context::depends(&seen.base)
        {
            let inputs = self.context(&seen.base, parent, above);
            for label in Label::ALL {
                let weights = self.context.get(label);
                *log_odds.get_mut(label) += dot(weights, inputs.get(label));
            }
        }
        PerLabel::from_fn(|label| Score::clamped(1.0 / (1.0 + (-log_odds.get(label)).exp())))
    }

    /// Whether it has a part of a site's own.
    pub(crate) const fn is_adapted(&self) -> bool {
        self.site.is_some()
    }

    /// Whether its vectors are those of a base with this table.
    pub(crate) fn stands_on(&self, table: &Table) -> bool {
        self.table == *table
    }

    /// Scores of a text that is known by its dense vector alone: what a site's own part makes of its words is left out.
    pub(crate) fn score_vector(&self, vector: &Vector) -> PerLabel<f32> {
        PerLabel::from_fn(|label| {
            let label = label.index();
            let log_odds = self.bias[label] + dot(&self.weights[label], vector);
            1.0 / (1.0 + (-log_odds).exp())
        })
    }

    fn log_odds(&self, seen: &Seen) -> PerLabel<f32> {
        let of_the_site = self.site.as_ref().zip(seen.site.as_ref());
        PerLabel::from_fn(|label| {
            let label = label.index();
            let base = self.bias[label] + dot(&self.weights[label], &seen.base.vector);
            of_the_site.map_or(base, |(site, seen)| {
                base + dot(&site.weights[label], &seen.vector)
            })
        })
    }

    /// What a reply and the comment above it make together.
    fn context(&self, reply: &Evidence, parent: &str, above: &[&str]) -> PerLabel<context::Inputs> {
        let text = prepare(&Comment {
            text: context::beginning(parent),
            ancestors: above,
            lang: None,
        })
        .text;
        let parent = self.look_at(&text);
        let above = self.log_odds(&parent);
        context::read(reply, &parent.base, &above, &self.thresholds)
    }

    fn highlights(&self, scores: &Scores, seen: &Seen, text: &Text) -> Vec<Highlight> {
        let noteworthy = Label::ALL.into_iter().filter(|label| {
            scores.get(*label).value() >= self.thresholds.get(*label).value() * NOTEWORTHY
        });
        noteworthy
            .flat_map(|label| {
                let weights = &self.weights[label.index()];
                let mut shares = highlight::shares(weights, &seen.base, &self.table);
                if let Some((site, seen_by_site)) = self.site.as_ref().zip(seen.site.as_ref()) {
                    let weights = &site.weights[label.index()];
                    highlight::add_site(
                        &mut shares,
                        weights,
                        seen_by_site,
                        &seen.base,
                        &site.table,
                    );
                }
                highlight::spans(label, &shares, text)
            })
            .collect()
    }
}

fn dot(weights: &[f32], values: &[f32]) -> f32 {
    weights.iter().zip(values).map(|(w, x)| w * x).sum()
}

fn prepare(comment: &Comment<'_>) -> Prepared {
    let glyphs = glyphs(comment.text);
    let quotes = quotes::find(&glyphs, comment.ancestors);
    let text = tokenise(&glyphs, &quotes);
    Prepared {
        glyphs,
        quotes,
        text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn small() -> Model {
        Model::from_bytes(&artefact::tests::small()).unwrap()
    }

    #[test]
    fn a_quote_is_not_scored_again() {
        let model = small();
        let parent = "tu es un imbécile et un menteur, voilà tout ce que tu es";
        let reply = format!("« {parent} » Pardon ?");
        let assess = |ancestors| {
            model.assess(&Comment {
                text: &reply,
                ancestors,
                lang: None,
            })
        };
        let (quoted, own) = (assess(&[parent]), assess(&[]));
        assert_eq!(quoted.quotes.len(), 1);
        assert!(own.quotes.is_empty());
        assert!(quoted.scores.insult < own.scores.insult);
        assert!(
            quoted
                .highlights
                .iter()
                .all(|h| h.start >= quoted.quotes[0].end)
        );
        assert_ne!(quoted.fingerprint.exact(), own.fingerprint.exact());
    }

    #[test]
    fn a_model_can_be_shared_between_threads() {
        fn shared<T: Send + Sync + 'static>() {}
        shared::<Model>();
    }

    #[test]
    fn the_shipped_model_tells_a_wish_from_a_report() {
        let model = Model::from_bytes(Model::SHIPPED).unwrap();
        let threat = |text| {
            let comment = Comment {
                text,
                ..Comment::default()
            };
            model.score(&comment).threat
        };
        let held_from = model.thresholds().threat;
        assert!(
            threat("Mort aux voleurs de bétail ! On va tous les pendre devant la mairie.")
                >= held_from
        );
        assert!(threat("Deux voleurs de bétail sont morts hier, selon la mairie.") < held_from);
        assert!(
            threat("QUE DIEU VOUS BENISSE, MERCI POUR TOUT, VOUS ETES FORMIDABLES !!!") < held_from
        );
    }

    #[test]
    fn capitals_and_phone_french_score_alike() {
        let model = Model::from_bytes(Model::SHIPPED).unwrap();
        let insult = |text| {
            let comment = Comment {
                text,
                ..Comment::default()
            };
            model.score(&comment).insult.value()
        };
        let typed = insult("Ce député est un âne bâté, un incapable.");
        assert!((insult("CE DÉPUTÉ EST UN ÂNE BÂTÉ, UN INCAPABLE.") - typed).abs() < 1e-6);
        assert!((insult("ce depute est un ane bate, un incapable.") - typed).abs() < 0.15);
    }

    #[test]
    fn a_short_reply_is_judged_with_what_it_answers() {
        let model = Model::from_bytes(Model::SHIPPED).unwrap();
        let score = |text: &str, parent: Option<&str>| {
            let ancestors: Vec<&str> = parent.into_iter().collect();
            model.score(&Comment {
                text,
                ancestors: &ancestors,
                lang: None,
            })
        };
        let held = |scores: &Scores| {
            Label::ALL
                .iter()
                .any(|label| scores.get(*label) >= model.thresholds().get(*label))
        };
        let call = "Mort aux voleurs de bétail ! On va tous les pendre devant la mairie.";
        let invitation =
            "Le comité nettoie la place du marché samedi matin, venez avec des balais.";
        let alone = score("Tout à fait, je viens !", None);
        assert!(!held(&alone));
        assert!(held(&score("Tout à fait, je viens !", Some(call))));
        assert_eq!(score("Tout à fait, je viens !", Some(invitation)), alone);
        assert!(!held(&score(
            "Non, ça suffit. La justice est là pour ça.",
            Some(call)
        )));
        // A long reply says itself what it means.
        let long = "Tout à fait pour la surveillance des troupeaux et pour des patrouilles payées par la commune, et que chacun rentre chez soi.";
        assert_eq!(score(long, Some(call)), score(long, None));
    }

    #[test]
    fn assess_and_score_agree() {
        let model = small();
        let comment = Comment {
            text: "Bande d'idiots !",
            ..Comment::default()
        };
        assert_eq!(model.assess(&comment).scores, model.score(&comment));
    }

    proptest! {
        #[test]
        fn any_text_has_scores_and_highlights_inside_it(text in "\\PC{0,200}|[a-z é!?\n.*@0-9😡]{0,200}") {
            let assessment = small().assess(&Comment { text: &text, ..Comment::default() });
            let length = text.chars().count();
            for (_, score) in assessment.scores.iter() {
                prop_assert!((0.0..=1.0).contains(&score.value()));
            }
            for highlight in &assessment.highlights {
                prop_assert!(highlight.start < highlight.end && highlight.end <= length);
                prop_assert!(highlight.weight > 0.0);
            }
        }
    }
}
