//! The comments of a thread, as it is shown: without what the machine and moderators' lists know of each.

use uuid::Uuid;

use super::{
    Db, StoreError,
    comments::{self, DecisionColumns},
    scores::{ScoreColumns, Scored},
    sql,
};
use crate::domain::{
    Author, AuthorId, AuthorName, Body, CommentId, ExternalId, StandingDecision, Status, ThreadId,
    Timestamp,
};

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

#[derive(sqlx::FromRow)]
struct ListedRow {
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
            depth: comments::depth(row.depth)?,
            external_id: row.external_id.map(ExternalId::stored),
            author: Author {
                id: AuthorId::stored(row.author_id),
                name: AuthorName::stored(row.author_name),
            },
            body: Body::stored(row.body),
            status: comments::status(&row.status)?,
            created_at: Timestamp::from_millis(row.created_at),
            edited_at: row.edited_at.map(Timestamp::from_millis),
            version: row.version,
            decision: row.decision.standing()?,
        })
    }
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
            "SELECT c.id, c.parent_id, c.depth, c.external_id, c.author_id, c.author_name, c.body, c.status, c.created_at,
                 c.edited_at, c.version, c.decision_id, d.action AS decision_action, d.reason AS decision_reason,
                 d.moderator AS decision_moderator, d.at AS decision_at
             FROM comments c LEFT JOIN decisions d ON d.id = c.decision_id
             WHERE c.thread_id = $1 ORDER BY c.created_at, c.id",
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
