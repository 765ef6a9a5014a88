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
            Error::TooDeep => Self::invalid("parent_id", "hangs 255 replies deep already"),
            Error::NoWords => Self::invalid("q", "holds nothing to search for"),
            Error::Cursor(refusal) => Self::invalid("cursor", refusal.to_string()),
            Error::Stale(current) => Self::conflict(
                "stale-version",
                "Changed meanwhile",
                "the comment is no longer at this version; here is the current one",
            )
            .with_current(current),
            Error::Refused { refusal, current } => {
                let problem = match refusal {
                    Refusal::Deleted => Self::new(
                        StatusCode::GONE,
                        "comment-deleted",
                        "Gone",
                        refusal.to_string(),
                    ),
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
            Error::ForceForbidden | Error::AllForbidden => Self::forbidden(&error.to_string()),
            Error::Store(StoreError::Unavailable(cause)) => {
                tracing::warn!(error = %cause, "the database is not available");
                Self::unavailable()
            }
            Error::Store(StoreError::Uncertain(cause)) => {
                tracing::error!(error = %cause, "the database went away during a commit");
                Self::uncertain()
            }
            Error::Store(_) | Error::Model(_) | Error::Keys => {
                tracing::error!(error = ?anyhow::Error::from(error), "request failed");
                Self::internal()
            }
        }
    }
}
