//! What happened, in one order, for live pages and webhooks.

use super::{CommentId, SiteId, Timestamp};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// A comment was accepted, whatever its status.
    CommentCreated,
    /// An item entered the queue.
    QueueAdded,
    /// A moderator took an item before them.
    QueueClaimed,
    /// A moderator gave an item back.
    QueueReleased,
    /// A moderator looks at an item.
    QueueViewed,
    /// A moderator decided, or took a decision back.
    CommentDecided,
    /// Its author changed it, or readers' reports made it wait.
    CommentChanged,
    /// Its author deleted it.
    CommentDeleted,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::CommentCreated,
        Self::QueueAdded,
        Self::QueueClaimed,
        Self::QueueReleased,
        Self::QueueViewed,
        Self::CommentDecided,
        Self::CommentChanged,
        Self::CommentDeleted,
    ];

    /// The kind of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The name in JSON and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CommentCreated => "comment.created",
            Self::QueueAdded => "queue.added",
            Self::QueueClaimed => "queue.claimed",
            Self::QueueReleased => "queue.released",
            Self::QueueViewed => "queue.viewed",
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
