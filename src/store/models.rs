//! Models and which of them is live.

use super::{Db, StoreError, sql};
use crate::domain::Timestamp;

/// Where a model came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelOrigin {
    /// With a release of Palabre.
    Shipped,
    /// From training here.
    Trained,
}

impl ModelOrigin {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Shipped => "shipped",
            Self::Trained => "trained",
        }
    }
}

/// What is known of a stored model without loading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredModel {
    pub version: String,
    pub checksum: String,
    pub origin: ModelOrigin,
}

#[derive(sqlx::FromRow)]
struct ModelRow {
    version: String,
    checksum: String,
    origin: String,
}

impl TryFrom<ModelRow> for StoredModel {
    type Error = StoreError;

    fn try_from(row: ModelRow) -> Result<Self, StoreError> {
        let origin = [ModelOrigin::Shipped, ModelOrigin::Trained]
            .into_iter()
            .find(|known| known.as_str() == row.origin)
            .ok_or(StoreError::Unreadable("models.origin"))?;
        Ok(Self {
            version: row.version,
            checksum: row.checksum,
            origin,
        })
    }
}

impl Db<'_> {
    /// Lets one transaction at a time register and activate models. On SQLite the write lock does that already.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lock_models(&mut self) -> Result<(), StoreError> {
        if let Self::Postgres(_) = self {
            sql::execute!(self, "LOCK TABLE models IN EXCLUSIVE MODE")?;
        }
        Ok(())
    }

    /// Adds a model.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when there is one of that version.
    pub async fn insert_model(
        &mut self,
        model: &StoredModel,
        artefact: &[u8],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        sql::execute!(
            self,
            "INSERT INTO models (version, checksum, origin, artefact, created_at) VALUES ($1, $2, $3, $4, $5)",
            &model.version,
            &model.checksum,
            model.origin.as_str(),
            artefact,
            at.millis()
        )?;
        Ok(())
    }

    /// Makes a model the live one.
    ///
    /// # Errors
    /// When the database fails, or has no model of that version.
    pub async fn activate_model(&mut self, version: &str, at: Timestamp) -> Result<(), StoreError> {
        sql::execute!(
            self,
            "INSERT INTO model_activations (version, at) VALUES ($1, $2)",
            version,
            at.millis()
        )?;
        Ok(())
    }

    /// The live model, if one was ever activated.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn live_model(&mut self) -> Result<Option<StoredModel>, StoreError> {
        sql::fetch_optional!(
            self,
            ModelRow,
            "SELECT m.version, m.checksum, m.origin FROM model_activations a JOIN models m ON m.version = a.version
             ORDER BY a.seq DESC LIMIT 1"
        )?
        .map(StoredModel::try_from)
        .transpose()
    }

    /// The model of that version.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn model(&mut self, version: &str) -> Result<Option<StoredModel>, StoreError> {
        sql::fetch_optional!(
            self,
            ModelRow,
            "SELECT version, checksum, origin FROM models WHERE version = $1",
            version
        )?
        .map(StoredModel::try_from)
        .transpose()
    }

    /// The bytes of a model.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn model_artefact(&mut self, version: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(sql::fetch_optional!(
            self,
            (Vec<u8>,),
            "SELECT artefact FROM models WHERE version = $1",
            version
        )?
        .map(|(artefact,)| artefact))
    }
}
