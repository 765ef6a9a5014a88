//! What the machine makes of a text, before anything is known of its copies and its author: scores, highlights, quotes,
//! fingerprint, links and the site's own words. Pure work, done outside any transaction.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use super::{Error, Moderation, duplicates::Found};
use crate::{
    classifier::{self, Assessment, WordList},
    domain::{Body, CommentId, Lang, Signals, Site, SiteId, Thresholds, WordEntry, count_links},
};

/// How many comments above a reply are searched for text that it quotes.
pub(super) const QUOTABLE_ANCESTORS: i64 = 8;

/// What the machine makes of a text.
#[derive(Debug)]
pub(super) struct Appraisal {
    pub assessment: Assessment,
    /// The version of the model that assessed it, and its thresholds.
    pub model: String,
    thresholds: Thresholds,
    links: usize,
    banned: Vec<String>,
    suspect: Vec<String>,
}

impl Appraisal {
    /// Everything known of the text, now that its copies are looked up.
    pub fn signals(&self, copies: &Found) -> Signals {
        Signals {
            scores: self.assessment.scores,
            thresholds: self.thresholds,
            duplicate_of: copies.duplicate_of,
            copy_approved: copies.approved,
            copy_hidden: copies.hidden,
            links: self.links,
            banned: self.banned.clone(),
            suspect: self.suspect.clone(),
        }
    }
}

/// The word lists of a site, compiled.
#[derive(Debug)]
struct SiteWords {
    policy_version: i64,
    banned: WordList,
    suspect: WordList,
}

/// The compiled word lists of every site, each as long as its policy stands.
#[derive(Debug, Default)]
pub(super) struct CompiledWords(RwLock<HashMap<SiteId, Arc<SiteWords>>>);

impl CompiledWords {
    fn of(&self, site: &Site) -> Result<Arc<SiteWords>, Error> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(words) = known.get(&site.id)
            && words.policy_version == site.policy_version
        {
            return Ok(Arc::clone(words));
        }
        drop(known);
        let words = Arc::new(SiteWords {
            policy_version: site.policy_version,
            banned: compile(&site.policy.banned_words)?,
            suspect: compile(&site.policy.suspect_words)?,
        });
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(site.id, Arc::clone(&words));
        Ok(words)
    }
}

pub(super) fn compile(words: &[WordEntry]) -> Result<WordList, Error> {
    WordList::new(words.iter().map(WordEntry::as_str)).map_err(|_| Error::WordsTooMany)
}

impl Moderation {
    /// Appraises a text of a site, which answers the texts `above`, the nearest first.
    pub(super) fn appraise(
        &self,
        site: &Site,
        body: &Body,
        above: &[String],
        lang: Option<&Lang>,
    ) -> Result<Appraisal, Error> {
        let timer = self.metrics.scoring_seconds.start_timer();
        let model = self.model();
        let above: Vec<&str> = above.iter().map(String::as_str).collect();
        let assessment = model.assess(&classifier::Comment {
            text: body.as_str(),
            ancestors: &above,
            lang: lang.map(Lang::as_str),
        });
        let words = self.words.of(site)?;
        let find = |list: &WordList| {
            let found = list.find(body.as_str()).into_iter();
            found.map(str::to_owned).collect()
        };
        let appraisal = Appraisal {
            assessment,
            model: model.version().to_owned(),
            thresholds: *model.thresholds(),
            links: count_links(body.as_str()),
            banned: find(&words.banned),
            suspect: find(&words.suspect),
        };
        timer.observe_duration();
        Ok(appraisal)
    }

    /// The texts above a reply to `parent`, nearest first: what it may quote.
    pub(super) async fn texts_above(
        &self,
        parent: Option<CommentId>,
    ) -> Result<Vec<String>, Error> {
        match parent {
            Some(parent) => {
                let mut conn = self.store.read().await?;
                Ok(conn.db().texts_above(parent, QUOTABLE_ANCESTORS).await?)
            }
            None => Ok(Vec::new()),
        }
    }
}
