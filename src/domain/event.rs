//! What happened, in one order, for live pages and webhooks.

use super::{CommentId, SiteId, Timestamp};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// A comment was accepted, whatever its status.
    CommentCreated,
    /// An item entered the queue.
    QueueAdded,
    /// A moderator decided, or took a decision back.
    CommentDecided,
    /// Its author changed it, or readers' reports made it wait.
    CommentChanged,
    /// Its author deleted it.
    CommentDeleted,
}

impl EventKind {
    /// The name in JSON and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CommentCreated => "comment.created",
            Self::QueueAdded => "queue.added",
            Self::CommentDecided => "comment.decided",
            Self::CommentChanged => "comment.changed",
            Self::CommentDeleted => "comment.deleted",
        }
    }
}

/// One event, about one comment.
#[derive(Debug, Clone, Copy)]
pub struct Event {
    pub site: SiteId,
    pub kind: EventKind,
    pub comment: CommentId,
    pub at: Timestamp,
}
