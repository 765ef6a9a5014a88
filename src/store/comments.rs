//! Comments and their tree.

use uuid::Uuid;

use super::{Db, Explanation, Lock, Scored, StoreError, scores::ScoreColumns, sql};
use crate::domain::{
    Action, Author, AuthorId, AuthorName, Body, Comment, CommentId, DecisionId, DecisionReason,
    ExternalId, SiteId, StandingDecision, Status, ThreadId, ThreadKey, Timestamp,
};

#[derive(sqlx::FromRow)]
struct CommentRow {
    id: Uuid,
    site_id: Uuid,
    thread_id: Uuid,
    thread_key: String,
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
    decision_id: Option<Uuid>,
    decision_action: Option<String>,
    decision_reason: Option<String>,
    decision_moderator: Option<String>,
    decision_at: Option<i64>,
    #[sqlx(flatten)]
    scores: ScoreColumns,
}

macro_rules! select_comment {
    ($rest:literal) => {
        concat!(
            "SELECT c.id, c.site_id, c.thread_id, t.key AS thread_key, c.parent_id, c.depth, c.external_id,
                 c.author_id, c.author_name, c.body, c.status, c.created_at, c.edited_at, c.version,
                 c.decision_id, d.action AS decision_action, d.reason AS decision_reason,
                 d.moderator AS decision_moderator, d.at AS decision_at,
                 s.model, s.toxicity, s.insult, s.threat, s.identity_attack, s.profanity, s.spam, s.reasons,
                 s.duplicate_of, s.duplicate_kind, s.similarity
             FROM comments c
             JOIN threads t ON t.id = c.thread_id
             JOIN scores s ON s.comment_id = c.id
             LEFT JOIN decisions d ON d.id = c.decision_id ",
            $rest
        )
    };
}

fn decision_reason(name: Option<String>) -> Result<Option<DecisionReason>, StoreError> {
    name.map(|name| {
        DecisionReason::from_name(&name).ok_or(StoreError::Unreadable("decisions.reason"))
    })
    .transpose()
}

impl TryFrom<CommentRow> for Comment {
    type Error = StoreError;

    fn try_from(row: CommentRow) -> Result<Self, StoreError> {
        let decision = match (row.decision_id, row.decision_action, row.decision_at) {
            (Some(id), Some(action), Some(at)) => Some(StandingDecision {
                id: DecisionId(id),
                action: Action::from_name(&action)
                    .ok_or(StoreError::Unreadable("decisions.action"))?,
                reason: decision_reason(row.decision_reason)?,
                moderator: row.decision_moderator.unwrap_or_default(),
                at: Timestamp::from_millis(at),
            }),
            _ => None,
        };
        let scored = Scored::try_from(row.scores)?;
        Ok(Self {
            id: CommentId(row.id),
            site: SiteId(row.site_id),
            thread: ThreadId(row.thread_id),
            thread_key: ThreadKey::stored(row.thread_key),
            parent: row.parent_id.map(CommentId),
            depth: u8::try_from(row.depth).map_err(|_| StoreError::Unreadable("comments.depth"))?,
            external_id: row.external_id.map(ExternalId::stored),
            author: Author {
                id: AuthorId::stored(row.author_id),
                name: AuthorName::stored(row.author_name),
            },
            body: Body::stored(row.body),
            status: Status::from_name(&row.status)
                .ok_or(StoreError::Unreadable("comments.status"))?,
            created_at: Timestamp::from_millis(row.created_at),
            edited_at: row.edited_at.map(Timestamp::from_millis),
            version: row.version,
            scores: scored.scores,
            reasons: scored.reasons,
            duplicate_of: scored.duplicate_of,
            decision,
            model: scored.model,
        })
    }
}

fn comments(rows: Vec<CommentRow>) -> Result<Vec<Comment>, StoreError> {
    rows.into_iter().map(Comment::try_from).collect()
}

impl Db<'_> {
    /// Stores a new comment with its scores. Its author and thread are stored before it.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when the site has a comment of that external id.
    pub async fn insert_comment(
        &mut self,
        comment: &Comment,
        explanation: &Explanation,
    ) -> Result<(), StoreError> {
        sql::execute!(
            self,
            "INSERT INTO comments (id, site_id, thread_id, parent_id, depth, external_id, author_id, author_name,
                 body, status, created_at, edited_at, version, decision_id)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
            comment.id.0,
            comment.site.0,
            comment.thread.0,
            comment.parent.map(|parent| parent.0),
            i64::from(comment.depth),
            comment.external_id.as_ref().map(ExternalId::as_str),
            comment.author.id.as_str(),
            comment.author.name.as_str(),
            comment.body.as_str(),
            comment.status.as_str(),
            comment.created_at.millis(),
            comment.edited_at.map(Timestamp::millis),
            comment.version,
            comment.decision.as_ref().map(|decision| decision.id.0)
        )?;
        let scored = Scored {
            model: comment.model.clone(),
            scores: comment.scores,
            reasons: comment.reasons.clone(),
            duplicate_of: comment.duplicate_of,
        };
        self.insert_scores(comment.id, &scored, explanation).await
    }

    /// One comment.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn comment(
        &mut self,
        id: CommentId,
        lock: Lock,
    ) -> Result<Option<Comment>, StoreError> {
        // After waiting for a lock PostgreSQL reads only the locked row anew, and joined rows stay those of before:
        // so the row is locked first, then read by a statement of its own.
        let lock_row = match lock {
            Lock::None => None,
            Lock::Share => Some("SELECT id FROM comments WHERE id = $1 FOR SHARE"),
            Lock::Update => Some("SELECT id FROM comments WHERE id = $1 FOR NO KEY UPDATE"),
        };
        if let (Self::Postgres(_), Some(text)) = (&*self, lock_row) {
            sql::execute!(self, text, id.0)?;
        }
        sql::fetch_optional!(self, CommentRow, select_comment!("WHERE c.id = $1"), id.0)?
            .map(Comment::try_from)
            .transpose()
    }

    /// The site's comment of that external id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn comment_by_external_id(
        &mut self,
        site: SiteId,
        external: &ExternalId,
    ) -> Result<Option<Comment>, StoreError> {
        sql::fetch_optional!(
            self,
            CommentRow,
            select_comment!("WHERE c.site_id = $1 AND c.external_id = $2"),
            site.0,
            external.as_str()
        )?
        .map(Comment::try_from)
        .transpose()
    }

    /// The comments of these ids, in no order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn comments(
        &mut self,
        ids: impl IntoIterator<Item = CommentId>,
    ) -> Result<Vec<Comment>, StoreError> {
        let mut select = sql::Select::new(select_comment!("WHERE c.id IN "));
        select.list(ids.into_iter().map(|id| id.0));
        comments(select.fetch_all(self).await?)
    }

    /// Every comment of a thread, whatever its status, in the order of time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn comments_of_thread(
        &mut self,
        thread: ThreadId,
    ) -> Result<Vec<Comment>, StoreError> {
        comments(sql::fetch_all!(
            self,
            CommentRow,
            select_comment!("WHERE c.thread_id = $1 ORDER BY c.created_at, c.id"),
            thread.0
        )?)
    }

    /// The chain of comments above one, nearest first, at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn ancestors(
        &mut self,
        comment: CommentId,
        limit: i64,
    ) -> Result<Vec<Comment>, StoreError> {
        comments(sql::fetch_all!(
            self,
            CommentRow,
            concat!(
                "WITH RECURSIVE chain (id, steps) AS (
                     SELECT parent_id, CAST(1 AS BIGINT) FROM comments WHERE id = $1 AND parent_id IS NOT NULL
                     UNION ALL
                     SELECT c.parent_id, chain.steps + 1 FROM chain JOIN comments c ON c.id = chain.id
                     WHERE c.parent_id IS NOT NULL AND chain.steps < $2
                 ) ",
                select_comment!("JOIN chain ON chain.id = c.id ORDER BY chain.steps")
            ),
            comment.0,
            limit
        )?)
    }

    /// Gives a comment another status and standing decision. The caller holds the comment by [`Lock::Update`].
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_status(
        &mut self,
        comment: CommentId,
        status: Status,
        version: i64,
        decision: Option<DecisionId>,
    ) -> Result<(), StoreError> {
        sql::execute!(
            self,
            "UPDATE comments SET status = $2, version = $3, decision_id = $4 WHERE id = $1",
            comment.0,
            status.as_str(),
            version,
            decision.map(|decision| decision.0)
        )?;
        Ok(())
    }
}
