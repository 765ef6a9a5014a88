//! The use cases: what Palabre does, each readable as the steps it takes.
//!
//! The HTTP handlers, the command line and the importers all call these, and have no other way in. A comment travels
//! down once and up once: it is scored and fingerprinted outside any transaction; one transaction reads what the verdict
//! needs, decides, and writes everything that belongs together; then the answer is given from what is at hand.

mod administration;
mod audit;
mod decide;
mod duplicates;
mod error;
mod models;
mod queue;
mod reading;
mod score;
mod sites;
mod submit;
mod threads;
mod tokens;
mod tree;
mod undo;
mod view;

use std::sync::Arc;

pub use administration::Administration;
pub use audit::AuditFilter;
pub use decide::{Decided, DecisionRequest};
pub use error::{Error, Thing};
pub use models::LiveModel;
pub use queue::{QueueCounts, QueueItem, QueueRequest};
pub use reading::{Listing, View};
pub use score::{ScoreRequest, ScoredText, score_text};
pub use submit::{Submission, Submitted};
pub use tokens::TokenError;
pub use view::{CommentView, Page, ReaderComment, ReaderSort, ThreadView};

use crate::{classifier::Model, store::Store};

/// The service: a database, the keys that sign tokens, and the live model.
#[derive(Debug)]
pub struct Moderation {
    administration: Administration,
    store: Store,
    model: LiveModel,
}

impl Moderation {
    /// Opens the service on a database: migrates it, makes the first signing key and registers the shipped model where
    /// they are missing, and loads the live model.
    ///
    /// # Errors
    /// When the database or the live model cannot be used; the message says which.
    pub async fn open(store: Store) -> Result<Self, Error> {
        let administration = Administration::open(store.clone()).await?;
        let model = LiveModel::open(&store).await?;
        Ok(Self {
            administration,
            store,
            model,
        })
    }

    /// Sites and tokens.
    #[must_use]
    pub const fn administration(&self) -> &Administration {
        &self.administration
    }

    /// The live model.
    #[must_use]
    pub fn model(&self) -> Arc<Model> {
        self.model.get()
    }

    /// Loads the live model again if another one went live. Whether it did.
    ///
    /// # Errors
    /// When the database fails, or the new live model cannot be loaded; the one in use stays.
    pub async fn follow_model(&self) -> Result<bool, Error> {
        self.model.follow(&self.store).await
    }

    /// Whether the database answers. The model is there by construction.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ready(&self) -> Result<(), Error> {
        Ok(self.store.ping().await?)
    }

    /// Closes the database, after the statements under way.
    pub async fn close(&self) {
        self.store.close().await;
    }
}
