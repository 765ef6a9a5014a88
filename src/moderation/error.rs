//! Why a use case could not do what was asked.

use super::CommentView;
use crate::{
    classifier::{ModelError, training::TrainError},
    domain::{Claim, InvalidCursor, Refusal, UndoRefusal},
    store::StoreError,
};

/// What was looked for and not found. Things of a foreign site are not found either.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thing {
    Site,
    Thread,
    Comment,
    /// The comment that a reply names as its parent.
    Parent,
    /// The same: it is in another thread.
    ParentElsewhere,
    Decision,
    Author,
    Sanction,
    Cluster,
    Session,
    Moderator,
    Model,
}

/// Why a use case could not do what was asked. Nothing was changed, unless it is [`StoreError::Uncertain`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("not found")]
    NotFound(Thing),
    /// The token covers more than one site, and none was named.
    #[error("name the site")]
    SiteRequired,
    #[error("there is a site of that name already")]
    SiteExists,
    #[error("there is a moderator of that name already")]
    ModeratorExists,
    /// What proves who somebody is proves nothing. What is wrong with it is not told.
    #[error("nobody is signed in")]
    NotSignedIn,
    #[error("that is not the password")]
    WrongPassword,
    #[error("the thread is closed")]
    ThreadClosed,
    #[error("the parent takes no replies")]
    ParentGone,
    #[error("the chain of replies is too long")]
    TooDeep,
    #[error("the author is banned")]
    AuthorBanned,
    /// Its author deleted it.
    #[error("the comment was deleted")]
    Gone,
    /// The author has appealed at this version already.
    #[error("there is an appeal already")]
    AppealedAlready,
    /// Only what is hidden or waits can be appealed against.
    #[error("there is nothing to appeal against")]
    NothingToAppeal,
    /// An appeal is answered with reasons.
    #[error("the author who appealed is told why")]
    NoteNeeded,
    #[error("the measure would end before it begins")]
    AlreadyOver,
    /// Only an admin of all sites may do that.
    #[error("only an admin of all sites may do this")]
    AllSitesNeeded,
    #[error("the word list is too long")]
    WordsTooMany,
    /// The Idempotency-Key came before, with another body.
    #[error("the key was used for another request")]
    KeyReused,
    /// Too many comments wait to be stored. Nothing was.
    #[error("too many comments arrive")]
    Busy,
    /// The database did not say in time what became of it.
    #[error("the database does not answer")]
    Unanswered,
    /// We failed in the middle; nothing was stored.
    #[error("storing failed")]
    Broken,
    /// Not one day, or more than a year of them.
    #[error("the days asked for cannot be counted")]
    BadDays,
    #[error("nothing to search for")]
    NoWords,
    #[error(transparent)]
    Cursor(#[from] InvalidCursor),
    /// The comment changed since the caller saw it; here it is.
    #[error("the comment changed")]
    Stale(Box<CommentView>),
    /// Somebody else has it before them.
    #[error("somebody else has it")]
    Claimed {
        claim: Claim,
        current: Box<CommentView>,
    },
    #[error("{refusal}")]
    Refused {
        refusal: Refusal,
        current: Box<CommentView>,
    },
    #[error("{refusal}")]
    UndoRefused {
        refusal: UndoRefusal,
        current: Box<CommentView>,
    },
    /// Only an admin may force a decision.
    #[error("only an admin may force a decision")]
    ForceForbidden,
    #[error("only moderators see every status")]
    AllForbidden,
    /// What is to go live, or was brought here, is no model to score with.
    #[error("the model cannot be used: {0}")]
    ModelUnusable(ModelError),
    #[error("there is another model of that name")]
    ModelExists,
    #[error("the model is live: a shadow is another one, that scores beside it")]
    ModelIsLive,
    #[error("the model scores nothing beside the live one: make it the shadow first")]
    NotTheShadow,
    #[error("no model was live before this one")]
    NoEarlierModel,
    #[error(
        "another model went live meanwhile: the new one is kept, and not made live; palabre models activate does it"
    )]
    OtherModelLive,
    #[error("another training goes on: wait for its end")]
    TrainingGoesOn,
    #[error("no model was made: {0}")]
    Training(#[from] TrainError),
    #[error("the live model cannot be used")]
    Model(#[from] ModelError),
    #[error("the keys in the database cannot be used")]
    Keys,
    #[error("the metrics are not declared well")]
    Metrics(#[from] prometheus::Error),
    /// What several requests that were stored together share.
    #[error(transparent)]
    Shared(std::sync::Arc<StoreError>),
    #[error(transparent)]
    Store(#[from] StoreError),
}
