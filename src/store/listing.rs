//! The comments of a thread, as it is shown: without what the machine and moderators' lists know of each.

use uuid::Uuid;

use super::{
    Db, StoreError,
    scores::{ScoreColumns, Scored},
    sql,
};
use crate::domain::{
    Action, Author, AuthorId, AuthorName, Body, CommentId, DecisionId, DecisionReason, ExternalId,
    StandingDecision, Status, ThreadId, Timestamp,
};

/// What every query of comments selects, of `comments c` and the decision `d` that stands, if there is one.
macro_rules! listed_columns {
    () => {
        "c.id, c.parent_id, c.depth, c.external_id, c.author_id, c.author_name, c.body, c.status, c.created_at,
         c.edited_at, c.version, c.decision_id, d.action AS decision_action, d.reason AS decision_reason,
         d.moderator AS decision_moderator, d.at AS decision_at"
    };
}
pub(super) use listed_columns;

/// A comment of a thread.
#[derive(Debug, Clone)]
pub struct ListedComment {
    pub id: CommentId,
    pub parent: Option<CommentId>,
    pub depth: u8,
    pub external_id: Option<ExternalId>,
    pub author: Author,
    pub body: Body,
    pub status: Status,
    pub created_at: Timestamp,
    pub edited_at: Option<Timestamp>,
    pub version: i64,
    pub decision: Option<StandingDecision>,
}

/// The columns of [`listed_columns`].
#[derive(sqlx::FromRow)]
pub(super) struct ListedRow {
    id: Uuid,
    parent_id: Option<Uuid>,
    depth: i64,
    external_id: Option<String>,
    author_id: String,
    author_name: String,
    body: String,
    status: String,
    created_at: i64,
    edited_at: Option<i64>,
    version: i64,
    #[sqlx(flatten)]
    decision: DecisionColumns,
}

impl TryFrom<ListedRow> for ListedComment {
    type Error = StoreError;

    fn try_from(row: ListedRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: CommentId(row.id),
            parent: row.parent_id.map(CommentId),
            depth: depth(row.depth)?,
            external_id: row.external_id.map(ExternalId::stored),
            author: Author {
                id: AuthorId::stored(row.author_id),
                name: AuthorName::stored(row.author_name),
            },
            body: Body::stored(row.body),
            status: status(&row.status)?,
            created_at: Timestamp::from_millis(row.created_at),
            edited_at: row.edited_at.map(Timestamp::from_millis),
            version: row.version,
            decision: row.decision.standing()?,
        })
    }
}

/// The decision that stands on a comment, as every query of comments selects it.
#[derive(sqlx::FromRow)]
#[expect(
    clippy::struct_field_names,
    reason = "the names of the columns, beside those of the comment"
)]
struct DecisionColumns {
    decision_id: Option<Uuid>,
    decision_action: Option<String>,
    decision_reason: Option<String>,
    decision_moderator: Option<String>,
    decision_at: Option<i64>,
}

impl DecisionColumns {
    fn standing(self) -> Result<Option<StandingDecision>, StoreError> {
        let (Some(id), Some(action), Some(at)) =
            (self.decision_id, self.decision_action, self.decision_at)
        else {
            return Ok(None);
        };
        let unreadable = StoreError::Unreadable;
        Ok(Some(StandingDecision {
            id: DecisionId(id),
            action: Action::from_name(&action).ok_or(unreadable("decisions.action"))?,
            reason: self
                .decision_reason
                .map(|name| DecisionReason::from_name(&name).ok_or(unreadable("decisions.reason")))
                .transpose()?,
            moderator: self.decision_moderator.unwrap_or_default(),
            at: Timestamp::from_millis(at),
        }))
    }
}

pub(super) fn status(name: &str) -> Result<Status, StoreError> {
    Status::from_name(name).ok_or(StoreError::Unreadable("comments.status"))
}

pub(super) fn depth(stored: i64) -> Result<u8, StoreError> {
    u8::try_from(stored).map_err(|_| StoreError::Unreadable("comments.depth"))
}

#[derive(sqlx::FromRow)]
struct ScoredRow {
    comment_id: Uuid,
    #[sqlx(flatten)]
    scores: ScoreColumns,
}

impl Db<'_> {
    /// Every comment of a thread, whatever its status, in the order of time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn comments_of_thread(
        &mut self,
        thread: ThreadId,
    ) -> Result<Vec<ListedComment>, StoreError> {
        sql::fetch_all!(
            self,
            ListedRow,
            concat!(
                "SELECT ",
                listed_columns!(),
                " FROM comments c LEFT JOIN decisions d ON d.id = c.decision_id
                 WHERE c.thread_id = $1 ORDER BY c.created_at, c.id"
            ),
            thread.0
        )?
        .into_iter()
        .map(ListedComment::try_from)
        .collect()
    }

    /// What the machine said of every comment of a thread, in no order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn scores_of_thread(
        &mut self,
        thread: ThreadId,
    ) -> Result<Vec<(CommentId, Scored)>, StoreError> {
        sql::fetch_all!(
            self,
            ScoredRow,
            "SELECT s.comment_id, s.model, s.toxicity, s.insult, s.threat, s.identity_attack, s.profanity, s.spam,
                 s.reasons, s.duplicate_of, s.duplicate_kind, s.similarity
             FROM comments c JOIN scores s ON s.comment_id = c.id WHERE c.thread_id = $1",
            thread.0
        )?
        .into_iter()
        .map(|row| Ok((CommentId(row.comment_id), row.scores.try_into()?)))
        .collect()
    }
}
