//! The live model: the database says which, every process keeps it loaded.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use super::Error;
use crate::{
    classifier::{Model, ModelError},
    domain::{ModelVersion, Timestamp},
    store::{Db, ModelOrigin, Store, StoredModel},
};

/// The loaded live model. Replaced as a whole; who holds the old one finishes with it.
#[derive(Debug)]
pub struct LiveModel {
    model: RwLock<Arc<Model>>,
    /// The checksum of one that this program cannot use, as after an upgrade of another server: it is not loaded again.
    unusable: Mutex<Option<String>>,
}

impl LiveModel {
    /// Registers the shipped model if it is new here, makes it live unless the site runs one of its own, and loads the
    /// live one.
    pub(super) async fn open(store: &Store) -> Result<Self, Error> {
        let shipped = Model::from_bytes(Model::SHIPPED)?;
        register_shipped(store, &shipped).await?;
        let live = match load_live(store, shipped.checksum()).await? {
            Some(other) => other,
            None => shipped,
        };
        tracing::info!(version = live.version(), "model loaded");
        Ok(Self {
            model: RwLock::new(Arc::new(live)),
            unusable: Mutex::new(None),
        })
    }

    /// The live model of a migrated database, the shipped one where none went live yet. Changes nothing.
    ///
    /// # Errors
    /// When the database fails or its live model cannot be loaded.
    pub async fn of(store: &Store) -> Result<Model, Error> {
        let shipped = Model::from_bytes(Model::SHIPPED)?;
        Ok(load_live(store, shipped.checksum())
            .await?
            .unwrap_or(shipped))
    }

    /// The live model.
    pub(super) fn get(&self) -> Arc<Model> {
        Arc::clone(&self.model.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn unusable(&self) -> MutexGuard<'_, Option<String>> {
        self.unusable.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Loads the live model again if another one went live.
    pub(super) async fn follow(&self, store: &Store) -> Result<(), Error> {
        let current = self.get();
        let known = |stored: &StoredModel| {
            stored.checksum == current.checksum()
                || self.unusable().as_ref() == Some(&stored.checksum)
        };
        let mut conn = store.read().await?;
        let Some(stored) = conn.db().live_model().await?.filter(|live| !known(live)) else {
            return Ok(());
        };
        let next = match fetch(&mut conn.db(), &stored).await {
            Err(Error::Model(error)) => {
                *self.unusable() = Some(stored.checksum);
                return Err(error.into());
            }
            outcome => outcome?,
        };
        tracing::info!(
            from = current.version(),
            to = next.version(),
            "model changed"
        );
        *self.model.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
        Ok(())
    }
}

/// Registers the shipped model if it is new here, and makes it live unless the site runs one of its own.
pub(super) async fn register_shipped(store: &Store, shipped: &Model) -> Result<(), Error> {
    if is_registered(&mut store.read().await?.db(), shipped).await? {
        return Ok(());
    }
    let now = Timestamp::now();
    let mut tx = store.begin().await?;
    let mut db = tx.db();
    db.lock_models().await?;
    if is_registered(&mut db, shipped).await? {
        return Ok(());
    }
    let model = StoredModel {
        version: shipped.version().to_owned(),
        checksum: shipped.checksum().to_owned(),
        origin: ModelOrigin::Shipped,
        parent: None,
        made_by: Some(concat!("palabre ", env!("CARGO_PKG_VERSION")).to_owned()),
        counts: None,
        created_at: now,
    };
    db.insert_model(&model, shipped.report(), Model::SHIPPED)
        .await?;
    let live = db.live_model().await?;
    if live.is_none_or(|live| live.origin == ModelOrigin::Shipped) {
        db.activate_model(&model.version, None, model.made_by.as_deref(), now)
            .await?;
    }
    tx.commit().await?;
    Ok(())
}

async fn is_registered(db: &mut Db<'_>, shipped: &Model) -> Result<bool, Error> {
    let known = db.model(shipped.version()).await?;
    if known
        .as_ref()
        .is_some_and(|known| known.checksum != shipped.checksum())
    {
        tracing::warn!(
            version = shipped.version(),
            "the database has another model of this version; the one of this release stays aside"
        );
    }
    Ok(known.is_some())
}

/// The model of that version in a migrated database, if it has one. Changes nothing.
///
/// # Errors
/// When the database fails or the model cannot be loaded.
pub async fn stored_model(store: &Store, version: &ModelVersion) -> Result<Option<Model>, Error> {
    let mut conn = store.read().await?;
    let mut db = conn.db();
    match db.model(version.as_str()).await? {
        Some(stored) => fetch(&mut db, &stored).await.map(Some),
        None => Ok(None),
    }
}

/// The live model, unless it is the one of that checksum.
async fn load_live(store: &Store, known_checksum: &str) -> Result<Option<Model>, Error> {
    let mut conn = store.read().await?;
    let Some(live) = conn.db().live_model().await? else {
        return Ok(None);
    };
    if live.checksum == known_checksum {
        return Ok(None);
    }
    Ok(Some(fetch(&mut conn.db(), &live).await?))
}

pub(super) async fn fetch(db: &mut Db<'_>, stored: &StoredModel) -> Result<Model, Error> {
    let artefact = db.model_artefact(&stored.version).await?;
    Ok(load(stored, &artefact.unwrap_or_default())?)
}

/// Loads a stored model, if its file is what it was when it was stored.
pub(super) fn load(stored: &StoredModel, artefact: &[u8]) -> Result<Model, ModelError> {
    let model = Model::from_bytes(artefact)?;
    if model.checksum() == stored.checksum {
        Ok(model)
    } else {
        Err(ModelError::Damaged)
    }
}
