//! The shadow: a model that scores beside the live one what arrives, and changes nothing.
//!
//! Nothing of it is on the way of a comment. Servers look for new texts in the events, a little after they were stored, score them
//! in small batches, and note how far they came in the transaction that stores the scores: whoever is stopped or killed goes on
//! there. Of several servers one gets a batch and the others see it done.

use std::{collections::BTreeSet, sync::Arc};

use tokio::sync::Mutex;

use super::{
    Administration, Error, ModelView, Moderation, Thing, models, registry,
    sites::require_all_sites, stored_texts::StoredText,
};
use crate::{
    classifier::Model,
    domain::{Caller, ModelVersion, ShadowId, Timestamp},
    store::{Db, EventPosition, Shadow, Writes},
};

/// Events looked at at a time, and so comments scored: a transaction of some milliseconds.
const BATCH: i64 = 100;

/// What a server has in hand of the shadow.
#[derive(Debug, Default)]
pub(super) struct ShadowModel(Mutex<Option<InHand>>);

#[derive(Debug)]
struct InHand {
    shadow: ShadowId,
    /// None where this program cannot use it, as after an upgrade of another server.
    model: Option<Arc<Model>>,
    /// Events up to here say of no text that has no scores yet.
    passed: EventPosition,
}

/// How a step of scoring for the shadow ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShadowStep {
    /// There may be more to do.
    Scored,
    /// There was nothing to do, or another server did it.
    Idle,
}

impl Administration {
    /// Lets a model score beside the live one what is written or edited from now on, in place of another that did.
    ///
    /// # Errors
    /// When there is no such model, it cannot be used, or it is the live one.
    pub async fn set_shadow(&self, version: &ModelVersion, by: &str) -> Result<ModelView, Error> {
        let version = version.as_str();
        registry::usable(&mut self.store.read().await?.db(), version).await?;
        let mut tx = self.store.begin().await?;
        let mut db = tx.db();
        db.lock_models().await?;
        let live = db.live_model().await?;
        if live.is_some_and(|live| live.version == version) {
            return Err(Error::ModelIsLive);
        }
        let before = db.shadow().await?;
        if before.is_none_or(|before| before.version != version) {
            let now = Timestamp::now();
            db.end_shadow(now).await?;
            let shadow = Shadow {
                id: ShadowId::generate(),
                version: version.to_owned(),
                set_by: by.to_owned(),
                set_at: now,
                reached: db.latest_event().await?,
            };
            db.insert_shadow(&shadow).await?;
        }
        let view = registry::view(&mut db, version).await?;
        tx.commit().await?;
        tracing::info!(version, "model scores beside the live one");
        Ok(view)
    }

    /// Ends the shadow, if there is one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_shadow(&self) -> Result<(), Error> {
        let mut tx = self.store.begin().await?;
        let mut db = tx.db();
        db.lock_models().await?;
        db.end_shadow(Timestamp::now()).await?;
        tx.commit().await?;
        tracing::info!("no model scores beside the live one any more");
        Ok(())
    }
}

impl Moderation {
    /// Lets a model score beside the live one.
    ///
    /// # Errors
    /// When the caller is no admin of all sites, or there is no such model that can be used, or it is the live one.
    #[tracing::instrument(skip_all)]
    pub async fn set_shadow(
        &self,
        caller: &Caller,
        version: &ModelVersion,
    ) -> Result<ModelView, Error> {
        require_all_sites(caller)?;
        let by = caller.subject.as_str();
        self.administration.set_shadow(version, by).await
    }

    /// Ends the shadow, if there is one.
    ///
    /// # Errors
    /// When the caller is no admin of all sites.
    #[tracing::instrument(skip_all)]
    pub async fn end_shadow(&self, caller: &Caller) -> Result<(), Error> {
        require_all_sites(caller)?;
        self.administration.end_shadow().await
    }

    /// Gives the next comments that were written or edited scores of the shadow, if there is one.
    ///
    /// # Errors
    /// When the database fails; nothing is skipped then.
    #[tracing::instrument(skip_all)]
    pub async fn score_for_shadow(&self) -> Result<ShadowStep, Error> {
        let mut held = self.shadow.0.lock().await;
        let mut conn = self.store.read().await?;
        let mut db = conn.db();
        let Some(shadow) = db.shadow().await? else {
            *held = None;
            return Ok(ShadowStep::Idle);
        };
        let is_new = held.as_ref().is_none_or(|known| known.shadow != shadow.id);
        if is_new && !db.has_come_to(shadow.reached).await? {
            drop(conn);
            return self.begin_anew(&shadow).await;
        }
        let known = held.take().filter(|known| known.shadow == shadow.id);
        let in_hand = held.insert(match known {
            Some(known) => known,
            None => take_in_hand(&mut db, &shadow).await?,
        });
        let Some(model) = in_hand.model.clone() else {
            return Ok(ShadowStep::Idle);
        };
        let told = (db.texts_told(shadow.reached.max(in_hand.passed), BATCH)).await?;
        let Some((last, _)) = told.last() else {
            return Ok(ShadowStep::Idle);
        };
        let last = *last;
        let new: BTreeSet<_> = told.iter().filter_map(|(_, comment)| *comment).collect();
        if new.is_empty() {
            // Not worth a transaction: who starts anew passes them again.
            in_hand.passed = last;
            return Ok(ShadowStep::Scored);
        }
        let texts = db.texts_to_score(new).await?;
        let texts = StoredText::read(&mut db, texts).await?;
        drop(conn);
        let scoring = tokio::task::spawn_blocking(move || {
            let texts = texts.into_iter();
            texts.map(|text| text.assess(&model)).collect::<Vec<_>>()
        });
        let scored = scoring.await.map_err(|_| Error::Broken)?;
        let mut tx = self.store.begin().await?;
        let mut db = tx.db();
        if !db.advance_shadow(&shadow, last).await? {
            return Ok(ShadowStep::Idle);
        }
        db.write(Writes::default().shadow_scores(shadow.id, &scored))
            .await?;
        tx.commit().await?;
        in_hand.passed = last;
        Ok(ShadowStep::Scored)
    }

    /// Lets a shadow go on with what is written from now on, where its position is of another database: of a dump that was
    /// restored into a younger PostgreSQL.
    async fn begin_anew(&self, shadow: &Shadow) -> Result<ShadowStep, Error> {
        let mut tx = self.store.begin().await?;
        let mut db = tx.db();
        let latest = db.latest_event().await?;
        let advanced = db.advance_shadow(shadow, latest).await?;
        tx.commit().await?;
        if advanced {
            tracing::warn!("the shadow's position is of another database; it begins anew");
        }
        Ok(ShadowStep::Scored)
    }
}

/// Loads a shadow. One that this program cannot use is left to other servers.
async fn take_in_hand(db: &mut Db<'_>, shadow: &Shadow) -> Result<InHand, Error> {
    let version = &shadow.version;
    let stored = (db.model(version).await?).ok_or(Error::NotFound(Thing::Model))?;
    let model = match models::fetch(db, &stored).await {
        Ok(model) => Some(Arc::new(model)),
        Err(Error::Model(error)) => {
            tracing::warn!(%error, version, "the shadow cannot be used here, and scores nothing");
            None
        }
        Err(error) => return Err(error),
    };
    Ok(InHand {
        shadow: shadow.id,
        model,
        passed: shadow.reached,
    })
}
