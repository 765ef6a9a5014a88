//! The models of an instance: which there are, which is live, and the way back.
//!
//! Models are of the whole instance. An activation is a row that is added; a step back adds one too, and says which one it
//! went back to, so that a second step goes further back and nothing of the history is lost. Servers follow by themselves.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Administration, Error, Moderation, Thing, models, sites::require_all_sites};
use crate::{
    classifier::{Model, ModelError},
    domain::{Caller, ModelVersion, Timestamp},
    store::{Db, ModelOrigin, StoredModel},
};

/// A model as admins see it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Model)]
pub struct ModelView {
    pub version: String,
    /// SHA-256 of its file, in hexadecimal.
    pub checksum: String,
    #[schema(pattern = "^(shipped|trained)$")]
    pub origin: &'static str,
    /// The model it was adapted from.
    #[schema(required)]
    pub parent: Option<String>,
    /// Who made it, or brought it here.
    #[schema(required)]
    pub made_by: Option<String>,
    pub created_at: Timestamp,
    /// Whether it scores what arrives.
    pub live: bool,
    /// Whether it scores beside the live one, and changes nothing.
    pub shadow: bool,
    /// How much it learned from.
    #[schema(required, value_type = Option<Object>)]
    pub counts: Option<serde_json::Value>,
}

/// A model with what was measured when it was made.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ModelDetails {
    #[serde(flatten)]
    pub model: ModelView,
    #[schema(value_type = Object)]
    pub figures: serde_json::Value,
}

/// The versions that score.
struct Scoring {
    live: Option<String>,
    shadow: Option<String>,
}

impl Scoring {
    async fn read(db: &mut Db<'_>) -> Result<Self, Error> {
        Ok(Self {
            live: db.live_model().await?.map(|live| live.version),
            shadow: db.shadow().await?.map(|shadow| shadow.version),
        })
    }
}

impl ModelView {
    fn new(model: StoredModel, scoring: &Scoring) -> Self {
        let is = |version: &Option<String>| version.as_ref() == Some(&model.version);
        Self {
            live: is(&scoring.live),
            shadow: is(&scoring.shadow),
            version: model.version,
            checksum: model.checksum,
            origin: model.origin.as_str(),
            parent: model.parent,
            made_by: model.made_by,
            created_at: model.created_at,
            counts: model.counts,
        }
    }
}

pub(super) async fn view(db: &mut Db<'_>, version: &str) -> Result<ModelView, Error> {
    let model = (db.model(version).await?).ok_or(Error::NotFound(Thing::Model))?;
    Ok(ModelView::new(model, &Scoring::read(db).await?))
}

impl Administration {
    /// Registers the model that this program brings, where it is new, as a server does when it starts.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn register_shipped_model(&self) -> Result<(), Error> {
        models::register_shipped(&self.store, &Model::from_bytes(Model::SHIPPED)?).await
    }

    /// Every model, the newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn models(&self) -> Result<Vec<ModelView>, Error> {
        let mut conn = self.store.read().await?;
        let scoring = Scoring::read(&mut conn.db()).await?;
        let models = conn.db().models().await?.into_iter();
        let views = models.map(|model| ModelView::new(model, &scoring));
        Ok(views.collect())
    }

    /// One model, and what was measured when it was made.
    ///
    /// # Errors
    /// When there is no such model.
    pub async fn model(&self, version: &ModelVersion) -> Result<ModelDetails, Error> {
        let mut conn = self.store.read().await?;
        let mut db = conn.db();
        let model = view(&mut db, version.as_str()).await?;
        let figures = match db.model_figures(version.as_str()).await? {
            Some(figures) => figures,
            None => usable(&mut db, version.as_str()).await?.report().clone(),
        };
        Ok(ModelDetails { model, figures })
    }

    /// The file of a model.
    ///
    /// # Errors
    /// When there is no such model.
    pub async fn export_model(&self, version: &ModelVersion) -> Result<Vec<u8>, Error> {
        let mut conn = self.store.read().await?;
        let artefact = conn.db().model_artefact(version.as_str()).await?;
        artefact.ok_or(Error::NotFound(Thing::Model))
    }

    /// Takes in a model's file. The same one again changes nothing.
    ///
    /// # Errors
    /// When it is no model that this program can use, or there is another one of its name.
    pub async fn import_model(&self, artefact: &[u8], by: &str) -> Result<ModelView, Error> {
        let model = Model::from_bytes(artefact).map_err(Error::ModelUnusable)?;
        let version = ModelVersion::parse(model.version())
            .map_err(|refusal| Error::ModelUnusable(ModelError::Unfit(refusal.0)))?;
        let stored = StoredModel {
            version: version.as_str().to_owned(),
            checksum: model.checksum().to_owned(),
            origin: ModelOrigin::Trained,
            parent: None,
            made_by: Some(by.to_owned()),
            counts: None,
            created_at: Timestamp::now(),
        };
        self.add_model(&stored, model.report(), artefact).await
    }

    /// Stores a model, unless it is there already.
    pub(super) async fn add_model(
        &self,
        model: &StoredModel,
        figures: &serde_json::Value,
        artefact: &[u8],
    ) -> Result<ModelView, Error> {
        let mut tx = self.store.begin().await?;
        let mut db = tx.db();
        db.lock_models().await?;
        match db.model(&model.version).await? {
            Some(known) if known.checksum == model.checksum => {
                return view(&mut db, &model.version).await;
            }
            Some(_) => return Err(Error::ModelExists),
            None => db.insert_model(model, figures, artefact).await?,
        }
        let view = view(&mut db, &model.version).await?;
        tx.commit().await?;
        Ok(view)
    }

    /// Makes a model the live one. One that is live already stays so; one that was the shadow is it no longer.
    ///
    /// # Errors
    /// When there is no such model, or it cannot be used; the live one stays.
    pub async fn activate_model(
        &self,
        version: &ModelVersion,
        by: &str,
    ) -> Result<ModelView, Error> {
        self.activate_model_after(None, version, by).await
    }

    /// The same, unless another model is live by now than the one that it was held against.
    pub(super) async fn activate_model_after(
        &self,
        before: Option<&str>,
        version: &ModelVersion,
        by: &str,
    ) -> Result<ModelView, Error> {
        let version = version.as_str();
        usable(&mut self.store.read().await?.db(), version).await?;
        let mut tx = self.store.begin().await?;
        let mut db = tx.db();
        db.lock_models().await?;
        let live = db.live_model().await?.map(|live| live.version);
        if before.is_some() && before != live.as_deref() {
            return Err(Error::OtherModelLive);
        }
        if live.as_deref() != Some(version) {
            make_live(&mut db, version, None, by).await?;
        }
        let view = view(&mut db, version).await?;
        tx.commit().await?;
        tracing::info!(version, "model activated");
        Ok(view)
    }

    /// Makes the model live again that was before this one; once more, the one before that.
    ///
    /// # Errors
    /// When there was none before, or it cannot be used any more; the live one stays.
    pub async fn roll_back_model(&self, by: &str) -> Result<ModelView, Error> {
        let mut tx = self.store.begin().await?;
        let mut db = tx.db();
        db.lock_models().await?;
        let before = match db.latest_activation(None).await? {
            Some(live) => {
                let stands_at = live.back_to.unwrap_or(live.seq);
                db.latest_activation(Some(stands_at)).await?
            }
            None => None,
        };
        let before = before.ok_or(Error::NoEarlierModel)?;
        usable(&mut db, &before.version).await?;
        let back_to = before.back_to.unwrap_or(before.seq);
        make_live(&mut db, &before.version, Some(back_to), by).await?;
        let view = view(&mut db, &before.version).await?;
        tx.commit().await?;
        tracing::info!(version = before.version, "model rolled back");
        Ok(view)
    }
}

/// Makes a model the live one, as of now; it has no shadow that is itself.
async fn make_live(
    db: &mut Db<'_>,
    version: &str,
    back_to: Option<i64>,
    by: &str,
) -> Result<(), Error> {
    let now = Timestamp::now();
    db.activate_model(version, back_to, Some(by), now).await?;
    let shadow = db.shadow().await?;
    if shadow.is_some_and(|shadow| shadow.version == version) {
        db.end_shadow(now).await?;
    }
    Ok(())
}

/// A stored model, loaded; what cannot be loaded must not go live.
pub(super) async fn usable(db: &mut Db<'_>, version: &str) -> Result<Model, Error> {
    let stored = (db.model(version).await?).ok_or(Error::NotFound(Thing::Model))?;
    let artefact = (db.model_artefact(version).await?).ok_or(Error::NotFound(Thing::Model))?;
    models::load(&stored, &artefact).map_err(Error::ModelUnusable)
}

impl Moderation {
    /// Every model, the newest first.
    ///
    /// # Errors
    /// When the caller is no admin of all sites.
    pub async fn list_models(&self, caller: &Caller) -> Result<Vec<ModelView>, Error> {
        require_all_sites(caller)?;
        self.administration.models().await
    }

    /// One model, and what was measured when it was made.
    ///
    /// # Errors
    /// When the caller is no admin of all sites, or there is no such model.
    pub async fn show_model(
        &self,
        caller: &Caller,
        version: &ModelVersion,
    ) -> Result<ModelDetails, Error> {
        require_all_sites(caller)?;
        self.administration.model(version).await
    }

    /// Makes a model the live one, here at once and elsewhere within seconds.
    ///
    /// # Errors
    /// When the caller is no admin of all sites, or there is no such model that can be used.
    #[tracing::instrument(skip_all)]
    pub async fn activate_model(
        &self,
        caller: &Caller,
        version: &ModelVersion,
    ) -> Result<ModelView, Error> {
        require_all_sites(caller)?;
        let by = caller.subject.as_str();
        let view = self.administration.activate_model(version, by).await?;
        self.model.follow(&self.store).await?;
        Ok(view)
    }

    /// Goes back to the model before, here at once and elsewhere within seconds.
    ///
    /// # Errors
    /// When the caller is no admin of all sites, or there was none before.
    #[tracing::instrument(skip_all)]
    pub async fn roll_back_model(&self, caller: &Caller) -> Result<ModelView, Error> {
        require_all_sites(caller)?;
        let by = caller.subject.as_str();
        let view = self.administration.roll_back_model(by).await?;
        self.model.follow(&self.store).await?;
        Ok(view)
    }
}
