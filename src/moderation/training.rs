//! Adapting the live model to the decisions of an instance's moderators.
//!
//! Decisions are read page by page, each page with a statement of its own, so that nobody waits for a training. The model is
//! made beside whatever serves, and written by one transaction at the end: until then nothing has changed, whatever happens.

use std::collections::HashMap;
use std::sync::Arc;

use uuid::Uuid;

use super::{Administration, Error, Thing};
use crate::{
    classifier::{
        Model,
        training::{self, AdaptOptions, Adapted, Example, Lesson, Progress},
    },
    domain::{ModelVersion, SiteId, SiteSlug, Timestamp, taught},
    store::{DecidedComment, ModelOrigin, PublishedCopy, StoredModel},
};

/// Decisions read at a time.
const PAGE: i64 = 500;
/// The newest lessons that are learned from, at most.
const MOST_LESSONS: usize = 100_000;

/// What to learn from, and what to do with the outcome.
#[derive(Debug, Clone, Default)]
pub struct TrainingRequest {
    /// Whether to learn from the decisions that stand.
    pub decisions: bool,
    /// Only from those of this site.
    pub site: Option<SiteSlug>,
    /// Labelled comments from elsewhere.
    pub examples: Vec<Example>,
    /// The model whose base to stand on; the live one if absent.
    pub base: Option<ModelVersion>,
    /// The name of the new model; the next free one if absent.
    pub version: Option<ModelVersion>,
    pub seed: u64,
    /// Whether to make it live.
    pub activate: bool,
    /// Whether to keep it though it is worse.
    pub force: bool,
    /// Who asks.
    pub by: String,
}

/// How a training ended.
#[derive(Debug)]
pub struct Trained {
    pub adapted: Adapted,
    /// Whether the model was stored; one that is worse is not.
    pub stored: bool,
    pub live: bool,
}

impl Administration {
    /// Adapts a model to decisions and labelled comments, compares it with the live one, and stores it if it is no worse.
    ///
    /// # Errors
    /// [`Error::TrainingGoesOn`] when another training does; [`Error::Training`] when a fit fails. Nothing has changed then.
    pub async fn train(
        &self,
        request: TrainingRequest,
        progress: Arc<dyn Progress + Send>,
    ) -> Result<Trained, Error> {
        let lock = self.store.lock_training().await?;
        let lock = lock.ok_or(Error::TrainingGoesOn)?;
        let trained = self.train_alone(request, progress).await;
        if let Err(error) = lock.release().await {
            // The model is there all the same; what is left of the lock goes with its connection.
            tracing::warn!(error = %error, "the lock of trainings was not given back");
        }
        trained
    }

    async fn train_alone(
        &self,
        request: TrainingRequest,
        progress: Arc<dyn Progress + Send>,
    ) -> Result<Trained, Error> {
        let live = self.live_version().await?;
        let base = match &request.base {
            Some(version) => version.as_str().to_owned(),
            None => live.clone(),
        };
        let base_artefact = self.artefact(&base).await?;
        let live_artefact = self.artefact(&live).await?;
        let version = match &request.version {
            Some(version) if self.is_taken(version.as_str()).await? => {
                return Err(Error::ModelExists);
            }
            Some(version) => version.as_str().to_owned(),
            None => self.next_version(&base).await?,
        };
        let (mut lessons, received) = if request.decisions {
            self.lessons(request.site.as_ref()).await?
        } else {
            (Vec::new(), None)
        };
        lessons.extend(request.examples.into_iter().enumerate().map(labelled));
        let options = AdaptOptions {
            seed: request.seed,
            version: version.clone(),
            received,
        };
        let adapting = tokio::task::spawn_blocking(move || {
            let live = Model::from_bytes(&live_artefact)?;
            training::adapt(&base_artefact, &live, &lessons, &options, &*progress)
        });
        let adapted = adapting.await.map_err(|_| Error::Broken)??;
        let keep = adapted.report.is_accepted() || request.force;
        let Some(artefact) = adapted.artefact.as_ref().filter(|_| keep) else {
            return Ok(Trained {
                adapted,
                stored: false,
                live: false,
            });
        };
        let forced = !adapted.report.is_accepted();
        if forced {
            tracing::warn!(version, "a model that is worse is kept, by force");
        }
        let report = &adapted.report;
        let model = StoredModel {
            version: version.clone(),
            checksum: Model::from_bytes(artefact)?.checksum().to_owned(),
            origin: ModelOrigin::Trained,
            parent: Some(base),
            made_by: Some(request.by.clone()),
            counts: Some(serde_json::json!({
                "lessons": report.lessons, "learned_from": report.learned_from, "held_out": report.held_out,
                "labels": report.taught, "forced": forced,
            })),
            created_at: Timestamp::now(),
        };
        let figures = serde_json::to_value(report).map_err(|_| Error::Broken)?;
        self.add_model(&model, &figures, artefact).await?;
        if request.activate {
            if self.live_version().await? != live {
                return Err(Error::OtherModelLive);
            }
            let version = ModelVersion::parse(&version).map_err(|_| Error::Broken)?;
            self.activate_model(&version, &request.by).await?;
        }
        Ok(Trained {
            stored: true,
            live: request.activate,
            adapted,
        })
    }

    async fn live_version(&self) -> Result<String, Error> {
        let mut conn = self.store.read().await?;
        let live = conn.db().live_model().await?;
        Ok(live.ok_or(Error::NotFound(Thing::Model))?.version)
    }

    async fn artefact(&self, version: &str) -> Result<Vec<u8>, Error> {
        let mut conn = self.store.read().await?;
        let artefact = conn.db().model_artefact(version).await?;
        artefact.ok_or(Error::NotFound(Thing::Model))
    }

    async fn is_taken(&self, version: &str) -> Result<bool, Error> {
        let mut conn = self.store.read().await?;
        Ok(conn.db().model(version).await?.is_some())
    }

    /// `2026.11-3.site-2` after `2026.11-3.site-1`, and that after `2026.11-3`.
    async fn next_version(&self, base: &str) -> Result<String, Error> {
        let stem = base.split(".site-").next().unwrap_or(base);
        for number in 1_u32.. {
            let version = format!("{stem}.site-{number}");
            if !self.is_taken(&version).await? {
                return Ok(version);
            }
        }
        Err(Error::ModelExists)
    }

    /// The decisions that stand as lessons, and how many comments arrived since the first of them was made.
    async fn lessons(&self, site: Option<&SiteSlug>) -> Result<(Vec<Lesson>, Option<u64>), Error> {
        let mut sites = self.sites().await?;
        if let Some(site) = site {
            sites.retain(|known| known.slug == *site);
            if sites.is_empty() {
                return Err(Error::NotFound(Thing::Site));
            }
        }
        let sites: Vec<SiteId> = sites.iter().map(|site| site.id).collect();
        let mut lessons = Vec::new();
        let mut after = None;
        loop {
            // A connection for each page: nobody is kept waiting in between.
            let mut conn = self.store.read().await?;
            let mut db = conn.db();
            let page = db.decided_comments(&sites, after, PAGE).await?;
            let Some(last) = page.last() else {
                break;
            };
            after = Some((last.at, last.decision));
            let clusters = page.iter().filter_map(|decided| decided.cluster);
            let published = published(db.published_copies(clusters).await?);
            let taught = page.into_iter();
            lessons.extend(taught.filter_map(|decided| lesson(decided, &published)));
        }
        // The newest teach what the site is like now, and memory is not for all there ever were.
        lessons.drain(..lessons.len().saturating_sub(MOST_LESSONS));
        let received = match lessons.first() {
            Some(first) => {
                let first = Timestamp::from_millis(first.at);
                let mut conn = self.store.read().await?;
                let received = conn.db().count_received(&sites, first).await?;
                Some(received.cast_unsigned())
            }
            None => None,
        };
        Ok((lessons, received))
    }
}

/// A labelled comment as a lesson, named by its place among all of them.
fn labelled((at, example): (usize, Example)) -> Lesson {
    Lesson {
        id: labelled_id(at),
        ..Lesson::from(example)
    }
}

/// What the report calls the labelled comment at that place, from nought.
#[must_use]
pub fn labelled_id(at: usize) -> String {
    format!("labelled {}", at + 1)
}

/// Published copies by cluster.
fn published(copies: Vec<PublishedCopy>) -> HashMap<Uuid, Vec<PublishedCopy>> {
    let mut published: HashMap<Uuid, Vec<PublishedCopy>> = HashMap::new();
    for copy in copies {
        published.entry(copy.cluster_id).or_default().push(copy);
    }
    published
}

/// What a decision teaches; none where that is nothing.
fn lesson(
    decided: DecidedComment,
    published: &HashMap<Uuid, Vec<PublishedCopy>>,
) -> Option<Lesson> {
    let labels = taught(
        decided.action,
        decided.reason,
        &decided.labels,
        &decided.reasons,
    );
    if labels.iter().all(|(_, label)| label.is_none()) {
        return None;
    }
    let copies = decided.cluster.and_then(|cluster| published.get(&cluster));
    let copies_published = copies
        .into_iter()
        .flatten()
        .any(|copy| copy.author_id != decided.author && copy.since < decided.created_at.millis());
    Some(Lesson {
        id: decided.comment.to_string(),
        text: decided.text,
        parent: decided.parent,
        lang: decided.lang.unwrap_or_default(),
        thread: decided.thread.to_string(),
        moderator: decided.moderator,
        at: decided.at.millis(),
        labels,
        copies_published,
        split: None,
    })
}
