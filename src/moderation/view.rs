//! What is shown of things: the shapes of the HTTP contract.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::{
    Author, Body, Comment, CommentId, Cursor, DuplicateOf, ExternalId, Lang, Mode, Reason, Scores,
    Site, StandingAppeal, StandingDecision, Status, Thread, ThreadCounts, ThreadKey, Timestamp,
    Title, Url,
};
use crate::store::{ListedComment, Scored};

/// One page of a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Page<T> {
    pub items: Vec<T>,
    #[schema(required)]
    pub next_cursor: Option<Cursor>,
}

impl<T> Page<T> {
    /// Cuts a page of `limit` rows from a list read with one more, and gives the cursor after the last.
    pub(super) fn cut(
        mut rows: Vec<T>,
        limit: usize,
        cursor_after: impl FnOnce(&T) -> Cursor,
    ) -> Self {
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = rows.last().filter(|_| more).map(cursor_after);
        Self {
            items: rows,
            next_cursor,
        }
    }
}

/// A thread as its site and moderators see it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Thread)]
pub struct ThreadView {
    pub key: ThreadKey,
    #[schema(required)]
    pub title: Option<Title>,
    #[schema(required)]
    pub url: Option<Url>,
    #[schema(required)]
    pub lang: Option<Lang>,
    /// By hand, or by its age where the policy says so.
    pub closed: bool,
    /// The mode in force: its own, or the policy's.
    pub mode: Mode,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = ThreadCounts)]
    pub counts: Option<ThreadCounts>,
    pub created_at: Timestamp,
}

impl ThreadView {
    pub(super) fn new(
        thread: Thread,
        site: &Site,
        counts: Option<ThreadCounts>,
        now: Timestamp,
    ) -> Self {
        Self {
            key: thread.key,
            title: thread.title,
            url: thread.url,
            lang: thread.lang,
            closed: thread.closed || site.policy.closes_by_age(thread.created_at, now),
            mode: thread.mode.unwrap_or(site.policy.mode),
            counts,
            created_at: thread.created_at,
        }
    }
}

/// A comment as its site and moderators see it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Comment)]
pub struct CommentView {
    pub id: CommentId,
    pub thread: ThreadKey,
    #[schema(required)]
    pub parent_id: Option<CommentId>,
    pub depth: u8,
    #[schema(required)]
    pub external_id: Option<ExternalId>,
    pub author: Author,
    /// Null once its author deleted it.
    #[schema(required)]
    pub body: Option<Body>,
    pub status: Status,
    pub created_at: Timestamp,
    #[schema(required)]
    pub edited_at: Option<Timestamp>,
    /// When anything of it last changed: where a list of changes goes on, by `since`.
    pub changed_at: Timestamp,
    pub version: i64,
    pub scores: Scores,
    pub reasons: Vec<Reason>,
    #[schema(required)]
    pub duplicate_of: Option<DuplicateOf>,
    #[schema(required)]
    pub decision: Option<StandingDecision>,
    /// What its author last said against its being held or hidden, and what was answered. Readers never see
    /// it. Null once its author deleted it.
    #[schema(required)]
    pub appeal: Option<StandingAppeal>,
    /// The version of the model that gave the scores.
    pub model: String,
}

impl From<Comment> for CommentView {
    fn from(comment: Comment) -> Self {
        Self {
            id: comment.id,
            thread: comment.thread_key,
            parent_id: comment.parent,
            depth: comment.depth,
            external_id: comment.external_id,
            author: comment.author,
            body: Some(comment.body).filter(|_| comment.status != Status::Deleted),
            status: comment.status,
            created_at: comment.created_at,
            edited_at: comment.edited_at,
            changed_at: comment.changed_at,
            version: comment.version,
            scores: comment.scores,
            reasons: comment.reasons,
            duplicate_of: comment.duplicate_of,
            decision: comment.decision,
            appeal: (comment.appeal).filter(|_| comment.status != Status::Deleted),
            model: comment.model,
        }
    }
}

/// The order of comments beside one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReaderSort {
    #[default]
    Oldest,
    Newest,
}

/// A comment as readers see it. One that they may not see, but under which something is left to see, is a tombstone:
/// without body and author.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReaderComment {
    pub id: CommentId,
    pub thread: ThreadKey,
    #[schema(required)]
    pub parent_id: Option<CommentId>,
    pub depth: u8,
    #[schema(required)]
    pub external_id: Option<ExternalId>,
    #[schema(required)]
    pub author: Option<Author>,
    #[schema(required)]
    pub body: Option<Body>,
    pub status: Status,
    pub created_at: Timestamp,
    #[schema(required)]
    pub edited_at: Option<Timestamp>,
    pub version: i64,
    #[schema(required)]
    pub decision: Option<StandingDecision>,
    /// What only those who see every status see.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Assessed)]
    pub assessment: Option<Assessed>,
    /// In a tree: the branches below.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Branches)]
    pub branches: Option<Branches>,
}

/// What the machine said of a comment, where all of it is shown.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Assessed {
    #[schema(required = false)]
    pub scores: Scores,
    #[schema(required = false)]
    pub reasons: Vec<Reason>,
    pub duplicate_of: Option<DuplicateOf>,
    #[schema(required = false)]
    pub model: String,
}

impl From<Scored> for Assessed {
    fn from(scored: Scored) -> Self {
        Self {
            scores: scored.scores,
            reasons: scored.reasons,
            duplicate_of: scored.duplicate_of,
            model: scored.model,
        }
    }
}

/// The replies of a comment, where it is shown in a tree.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct Branches {
    /// How many direct replies there are to show, here or on another page.
    #[schema(required = false)]
    pub reply_count: usize,
    #[schema(required = false, no_recursion)]
    pub replies: Vec<ReaderComment>,
    /// Leads to the replies that `max_depth` cut off.
    pub replies_cursor: Option<Cursor>,
}

impl ReaderComment {
    /// Shows a comment of that thread: whole, or as a tombstone.
    pub(super) fn new(thread: &ThreadKey, comment: ListedComment, visible: bool) -> Self {
        Self {
            id: comment.id,
            thread: thread.clone(),
            parent_id: comment.parent,
            depth: comment.depth,
            external_id: comment.external_id,
            author: visible.then_some(comment.author),
            body: visible.then_some(comment.body),
            status: comment.status,
            created_at: comment.created_at,
            edited_at: comment.edited_at,
            version: comment.version,
            decision: comment.decision,
            assessment: None,
            branches: None,
        }
    }
}

/// The other copies of a comment.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct Copies {
    pub cluster: Uuid,
    /// How many comments are in the cluster, this one included.
    pub count: i64,
}
