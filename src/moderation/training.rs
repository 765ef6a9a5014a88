//! Adapting the live model to the decisions of an instance's moderators.
//!
//! The model is made beside whatever serves, and written by one transaction at the end: until then nothing has changed, whatever
//! happens.

use std::sync::Arc;

use super::{Administration, Error, Thing, lessons::Lessons};
use crate::{
    classifier::{
        Model,
        training::{self, AdaptOptions, Adapted, Example, Lesson, Progress},
    },
    domain::{ModelVersion, SiteSlug, Timestamp},
    store::{ModelOrigin, StoredModel},
};

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
        let Lessons {
            decided: mut lessons,
            received,
            left_aside,
        } = if request.decisions {
            self.lessons(request.site.as_ref(), &*progress).await?
        } else {
            Lessons::default()
        };
        lessons.extend(request.examples.into_iter().enumerate().map(labelled));
        let options = AdaptOptions {
            seed: request.seed,
            version: version.clone(),
            received,
            left_aside,
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
            let version = ModelVersion::parse(&version).map_err(|_| Error::Broken)?;
            self.activate_model_after(Some(&live), &version, &request.by)
                .await?;
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
