//! The one mapping from what a use case says to what the caller is told.
//!
//! A 5xx never carries what happened inside: that is logged once, here.

use actix_web::http::StatusCode;

use super::problem::Problem;
use crate::{
    domain::Refusal,
    moderation::{Error, Thing},
    store::StoreError,
};

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound(thing) => {
                let (kind, detail) = match thing {
                    Thing::Site => ("site-not-found", "there is no such site"),
                    Thing::Thread => ("thread-not-found", "the site has no thread of this key"),
                    Thing::Comment => ("comment-not-found", "there is no such comment"),
                    Thing::Parent => (
                        "parent-not-found",
                        "there is no such comment to reply to or list below",
                    ),
                    Thing::ParentElsewhere => (
                        "parent-in-another-thread",
                        "the comment of the id parent_id is in another thread",
                    ),
                    Thing::Decision => ("decision-not-found", "there is no such decision"),
                    Thing::Cluster => ("cluster-not-found", "there is no such cluster of copies"),
                    Thing::Session => ("session-not-found", "there is no such session"),
                    Thing::Moderator => ("moderator-not-found", "there is no such moderator"),
                    Thing::Model => ("model-not-found", "there is no such model"),
                    Thing::Author => ("author-not-found", "nothing is known of such an author"),
                    Thing::Sanction => (
                        "sanction-not-found",
                        "the author has no measure of this id that could be lifted",
                    ),
                };
                Self::not_found(kind, detail)
            }
            Error::SiteRequired => Self::invalid(
                "site",
                "is needed: the token covers more than one site; add ?site=slug",
            ),
            Error::SiteExists => Self::conflict(
                "site-exists",
                "Taken",
                "there is a site of that name already",
            ),
            Error::ThreadClosed => Self::conflict(
                "thread-closed",
                "Closed",
                "the thread takes no new comments",
            ),
            Error::ParentGone => Self::conflict(
                "parent-gone",
                "No replies",
                "the comment of the id parent_id is hidden or deleted and takes no replies",
            ),
            Error::AuthorBanned => Self::new(
                StatusCode::FORBIDDEN,
                "author-banned",
                "Banned",
                "the author may not post",
            ),
            Error::ModeratorExists => Self::conflict(
                "moderator-exists",
                "Name taken",
                "there is a moderator of that name already",
            ),
            Error::ModelExists => Self::conflict("model-exists", "Name taken", error.to_string()),
            Error::ModelUnusable(_) => {
                Self::conflict("model-unusable", "Not usable", error.to_string())
            }
            Error::TrainingGoesOn => {
                Self::conflict("training-goes-on", "Not now", error.to_string())
            }
            Error::OtherModelLive => Self::conflict(
                "other-model-live",
                "Another model is live",
                error.to_string(),
            ),
            Error::ModelIsLive => Self::conflict("model-is-live", "Live", error.to_string()),
            Error::NotTheShadow => Self::conflict("not-the-shadow", "No shadow", error.to_string()),
            Error::NoEarlierModel => {
                Self::conflict("no-earlier-model", "Nothing before", error.to_string())
            }
            Error::NotSignedIn => Self::unauthorized("nobody is signed in by this"),
            Error::WrongPassword => Self::invalid("old", "is not the password"),
            Error::Gone => Self::gone("the comment was deleted by its author"),
            Error::AppealedAlready => Self::conflict(
                "appealed-already",
                "Appealed already",
                "there is an appeal about this version of the comment; it is answered once",
            ),
            Error::NothingToAppeal => Self::conflict(
                "nothing-to-appeal",
                "Nothing to appeal",
                "readers see the comment",
            ),
            Error::NoteNeeded => Self::invalid(
                "note",
                "is needed: the author appealed, and is told the reasons for this decision",
            ),
            Error::AlreadyOver => Self::invalid("until", "must be in the future"),
            Error::WordsTooMany => Self::invalid("", "the word lists are too long"),
            Error::KeyReused => Self::invalid(
                "Idempotency-Key",
                "was used for another request; use a new one for each",
            ),
            Error::TooDeep => Self::invalid("parent_id", "hangs 255 replies deep already"),
            Error::BadDays => Self::invalid(
                "from",
                "must be a day before `to`, and at most 366 days before it",
            ),
            Error::NoWords => Self::invalid("q", "holds nothing to search for"),
            Error::Cursor(refusal) => Self::invalid("cursor", refusal.to_string()),
            Error::Stale(current) => Self::conflict(
                "stale-version",
                "Changed meanwhile",
                "the comment is no longer at this version; here is the current one",
            )
            .with_current(current),
            Error::Claimed { claim, current } => Self::conflict(
                "claimed",
                "Somebody else has it",
                format!("{} has it until {}", claim.by, claim.until),
            )
            .with_current(current)
            .with_claim(claim),
            Error::Refused { refusal, current } => {
                let problem = match refusal {
                    Refusal::Deleted => Self::gone(&refusal.to_string()),
                    Refusal::OwnEscalation => Self::new(
                        StatusCode::FORBIDDEN,
                        "own-escalation",
                        "Not allowed",
                        refusal.to_string(),
                    ),
                    Refusal::NotPending => {
                        Self::conflict("not-pending", "Not pending", refusal.to_string())
                    }
                    Refusal::AlreadyEscalated => Self::conflict(
                        "already-escalated",
                        "Already escalated",
                        refusal.to_string(),
                    ),
                };
                problem.with_current(current)
            }
            Error::UndoRefused { refusal, current } => {
                Self::conflict("cannot-undo", "Cannot be undone", refusal.to_string())
                    .with_current(current)
            }
            Error::ForceForbidden | Error::AllForbidden | Error::AllSitesNeeded => {
                Self::forbidden(&error.to_string())
            }
            Error::Busy => {
                tracing::warn!("too many comments wait to be stored");
                Self::unavailable()
            }
            Error::Unanswered => {
                tracing::error!("the database does not answer");
                Self::uncertain()
            }
            Error::Store(cause) => of_store(&cause),
            Error::Shared(cause) => of_store(&cause),
            Error::Model(_)
            | Error::Training(_)
            | Error::Keys
            | Error::Metrics(_)
            | Error::Broken => {
                tracing::error!(error = ?anyhow::Error::from(error), "request failed");
                Self::internal()
            }
        }
    }
}

fn of_store(error: &StoreError) -> Problem {
    match error {
        StoreError::Unavailable(cause) => {
            tracing::warn!(error = %cause, "the database is not available");
            Problem::unavailable()
        }
        StoreError::Uncertain(cause) => {
            tracing::error!(error = %cause, "the database went away during a commit");
            Problem::uncertain()
        }
        _ => {
            tracing::error!(?error, "request failed");
            Problem::internal()
        }
    }
}
