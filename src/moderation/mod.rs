//! The use cases: what Palabre does, each readable as the steps it takes.
//!
//! The HTTP handlers, the command line and the importers all call these, and have no other way in. A comment travels
//! down once and up once: it is scored and fingerprinted outside any transaction; one transaction reads what the verdict
//! needs, decides, and writes everything that belongs together; then the answer is given from what is at hand.

mod accounts;
mod administration;
mod appeals;
mod appraisal;
mod audit;
mod authors;
mod cards;
mod changes;
mod claims;
mod clock;
mod clusters;
mod comparison;
mod credentials;
mod decide;
mod doctor;
mod duplicates;
mod edit;
mod error;
mod escalation;
mod fresh;
mod groups;
mod idempotency;
mod intake;
mod lessons;
mod live;
mod metrics;
mod models;
mod opinions;
mod presence;
mod queue;
mod reading;
mod registry;
mod reports;
mod rescoring;
mod retention;
mod round;
mod samples;
mod score;
mod sessions;
mod shadow;
mod simulation;
mod sites;
mod sso;
mod stats;
mod stored_texts;
mod submit;
mod threads;
mod tokens;
mod training;
mod training_report;
mod tree;
mod undo;
mod view;

use std::sync::Arc;

pub use administration::Administration;
pub use appeals::Warning;
pub use audit::AuditFilter;
pub use authors::{AuthorView, NewSanction};
pub use cards::QueueItem;
pub use changes::{ChangesFilter, ThreadsFilter};
pub use claims::{ClaimRequest, Claimed};
pub use clusters::Cluster;
pub use comparison::{ComparedItem, Comparison, ComparisonRequest};
pub use decide::{Decided, DecisionRequest};
pub use doctor::{Finding, Health, examine};
pub use edit::Edit;
pub use error::{Error, Thing};
pub use groups::Group;
pub use idempotency::{FirstAnswer, Keyed};
pub use live::{FellBehind, LOOK_EVERY, Listener, Told};
pub use metrics::Metrics;
pub use models::{LiveModel, stored_model};
pub use opinions::{Disagreement, DisagreementRequest};
pub use queue::{QueueCounts, QueueRequest};
pub use reading::{Listing, View};
pub use registry::{ModelDetails, ModelView};
pub use reports::{NewReport, Reported};
pub use rescoring::{RescoringProgress, RescoringRequest};
pub use samples::Recall;
pub use score::{ScoreRequest, ScoredText, score_text};
pub use sessions::{OpenSession, Proof, SessionView};
pub use shadow::ShadowStep;
pub use simulation::{Simulation, SimulationRequest};
pub use sites::SiteView;
pub use sso::{SsoError, SsoKeys};
pub use stats::{Day, Stats, StatsRequest, Zone};
pub use submit::{Submission, Submitted};
pub use tokens::{Rotation, TokenError};
pub use training::{Trained, TrainingRequest, labelled_id};
pub use training_report::{LabelledTexts, POLICY as REPORT_POLICY, ReportPage};
pub use view::{CommentView, Page, ReaderComment, ReaderSort, ThreadView};

use self::{
    appraisal::CompiledWords, clock::Clock, fresh::Fresh, intake::Intake, live::Live,
    shadow::ShadowModel,
};
use crate::{
    classifier::Model,
    domain::{Lang, Site, SiteId, SiteSlug, ThreadKey},
    store::Store,
};

/// The service: a database, the keys that sign tokens, and the live model.
#[derive(Debug)]
pub struct Moderation {
    administration: Administration,
    store: Store,
    model: LiveModel,
    shadow: ShadowModel,
    clock: Arc<Clock>,
    metrics: Arc<Metrics>,
    words: CompiledWords,
    fresh_sites: Fresh<SiteSlug, Arc<Site>>,
    /// The languages of threads that are there.
    fresh_threads: Fresh<(SiteId, ThreadKey), Option<Lang>>,
    intake: Intake,
    live: Live,
}

impl Moderation {
    /// Opens the service on a database: migrates it, makes the first signing key and registers the shipped model where
    /// they are missing, and loads the live model.
    ///
    /// # Errors
    /// When the database or the live model cannot be used; the message says which.
    pub async fn open(store: Store) -> Result<Self, Error> {
        Self::trusting(store, SsoKeys::default()).await
    }

    /// The same, and believes tokens of single sign-on, within what is said of each of its keys.
    ///
    /// # Errors
    /// The same.
    pub async fn trusting(store: Store, sso: SsoKeys) -> Result<Self, Error> {
        let administration = Administration::trusting(store.clone(), sso).await?;
        let model = LiveModel::open(&store).await?;
        let clock = Arc::new(Clock::default());
        let metrics = Arc::new(Metrics::new()?);
        let intake = Intake::start(&store, &clock, &metrics);
        Ok(Self {
            administration,
            store,
            model,
            shadow: ShadowModel::default(),
            clock,
            metrics,
            words: CompiledWords::default(),
            fresh_sites: Fresh::default(),
            fresh_threads: Fresh::default(),
            intake,
            live: Live::default(),
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

    /// Loads the live model again if another one went live, and the signing keys if they changed.
    ///
    /// # Errors
    /// When the database fails, or the new live model cannot be loaded; what is in use stays.
    pub async fn follow(&self) -> Result<(), Error> {
        self.administration.keyring.follow(&self.store).await?;
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
