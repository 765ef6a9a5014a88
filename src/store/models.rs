//! Models and which of them is live.

use super::{Db, StoreError, sql};
use crate::domain::Timestamp;

/// Where a model came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelOrigin {
    /// With a release of Palabre.
    Shipped,
    /// From training, here or where it was exported.
    Trained,
}

impl ModelOrigin {
    /// The name in JSON and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Shipped => "shipped",
            Self::Trained => "trained",
        }
    }
}

/// What is known of a stored model without loading it.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredModel {
    pub version: String,
    pub checksum: String,
    pub origin: ModelOrigin,
    /// The model it was adapted from.
    pub parent: Option<String>,
    pub made_by: Option<String>,
    /// How much it learned from.
    pub counts: Option<serde_json::Value>,
    pub created_at: Timestamp,
}

/// One time a model went live.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Activation {
    pub seq: i64,
    pub version: String,
    /// Where a step back went back to.
    pub back_to: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct ModelRow {
    version: String,
    checksum: String,
    origin: String,
    parent: Option<String>,
    made_by: Option<String>,
    counts: Option<String>,
    created_at: i64,
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
            parent: row.parent,
            made_by: row.made_by,
            counts: (row.counts.as_deref())
                .map(|counts| sql::from_json(counts, "models.counts"))
                .transpose()?,
            created_at: Timestamp::from_millis(row.created_at),
        })
    }
}

macro_rules! select_model {
    ($rest:literal) => {
        concat!(
            "SELECT m.version, m.checksum, m.origin, m.parent, m.made_by, m.counts, m.created_at ",
            $rest
        )
    };
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

    /// Adds a model, with what was measured when it was made.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when there is one of that version.
    pub async fn insert_model(
        &mut self,
        model: &StoredModel,
        figures: &serde_json::Value,
        artefact: &[u8],
    ) -> Result<(), StoreError> {
        let counts = model.counts.as_ref().map(sql::to_json).transpose()?;
        let figures = sql::to_json(figures)?;
        sql::execute!(
            self,
            "INSERT INTO models (version, checksum, origin, parent, made_by, counts, figures, artefact, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            &model.version,
            &model.checksum,
            model.origin.as_str(),
            model.parent.as_deref(),
            model.made_by.as_deref(),
            counts.as_deref(),
            &figures,
            artefact,
            model.created_at.millis()
        )?;
        Ok(())
    }

    /// Makes a model the live one, or the one of an earlier activation again.
    ///
    /// # Errors
    /// When the database fails, or has no model of that version.
    pub async fn activate_model(
        &mut self,
        version: &str,
        back_to: Option<i64>,
        made_by: Option<&str>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        sql::execute!(
            self,
            "INSERT INTO model_activations (version, back_to, made_by, at) VALUES ($1, $2, $3, $4)",
            version,
            back_to,
            made_by,
            at.millis()
        )?;
        Ok(())
    }

    /// The latest activation, or the latest before one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn latest_activation(
        &mut self,
        before: Option<i64>,
    ) -> Result<Option<Activation>, StoreError> {
        sql::fetch_optional!(
            self,
            Activation,
            "SELECT seq, version, back_to FROM model_activations WHERE seq < $1 ORDER BY seq DESC LIMIT 1",
            before.unwrap_or(i64::MAX)
        )
    }

    /// The live model, if one was ever activated.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn live_model(&mut self) -> Result<Option<StoredModel>, StoreError> {
        sql::fetch_optional!(
            self,
            ModelRow,
            select_model!(
                "FROM model_activations a JOIN models m ON m.version = a.version ORDER BY a.seq DESC LIMIT 1"
            )
        )?
        .map(StoredModel::try_from)
        .transpose()
    }

    /// Every model, the newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn models(&mut self) -> Result<Vec<StoredModel>, StoreError> {
        sql::fetch_all!(
            self,
            ModelRow,
            select_model!("FROM models m ORDER BY m.created_at DESC, m.version DESC")
        )?
        .into_iter()
        .map(StoredModel::try_from)
        .collect()
    }

    /// The model of that version.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn model(&mut self, version: &str) -> Result<Option<StoredModel>, StoreError> {
        sql::fetch_optional!(
            self,
            ModelRow,
            select_model!("FROM models m WHERE m.version = $1"),
            version
        )?
        .map(StoredModel::try_from)
        .transpose()
    }

    /// What was measured when a model was made; none of those that an earlier version stored.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn model_figures(
        &mut self,
        version: &str,
    ) -> Result<Option<serde_json::Value>, StoreError> {
        let row = sql::fetch_optional!(
            self,
            (Option<String>,),
            "SELECT figures FROM models WHERE version = $1",
            version
        )?;
        row.and_then(|(figures,)| figures)
            .map(|figures| sql::from_json(&figures, "models.figures"))
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
