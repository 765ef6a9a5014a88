//! Stored comments that another model scored, and their new scores.

use std::collections::HashMap;

use uuid::Uuid;

use super::{Db, Explanation, StoreError, sql};
use crate::domain::{CommentId, Priority, Scores, ThreadId, Timestamp};

/// Which comments to score anew: those that this model did not score.
#[derive(Debug, Clone)]
pub struct RescoringFilter {
    pub model: String,
    /// Written at this moment or later.
    pub since: Option<Timestamp>,
    pub thread: Option<ThreadId>,
}

/// A stored comment that a model is to score.
#[derive(Debug, Clone)]
pub struct ToScore {
    pub id: CommentId,
    pub parent: Option<CommentId>,
    pub text: String,
    pub lang: Option<String>,
    /// When its text last changed.
    pub edited_at: Option<Timestamp>,
}

/// New scores of a comment.
#[derive(Debug, Clone)]
pub struct Rescored {
    pub id: CommentId,
    pub edited_at: Option<Timestamp>,
    pub scores: Scores,
    pub explanation: Explanation,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    parent_id: Option<Uuid>,
    body: String,
    lang: Option<String>,
    edited_at: Option<i64>,
}

impl From<Row> for ToScore {
    fn from(row: Row) -> Self {
        Self {
            id: CommentId(row.id),
            parent: row.parent_id.map(CommentId),
            text: row.body,
            lang: row.lang,
            edited_at: row.edited_at.map(Timestamp::from_millis),
        }
    }
}

impl RescoringFilter {
    fn conditions(&self, select: &mut sql::Select) {
        // Deleted comments keep what they had: nobody reads them any more.
        select
            .push("FROM comments c JOIN scores s ON s.comment_id = c.id JOIN threads t ON t.id = c.thread_id WHERE s.model <> ")
            .bind(self.model.as_str())
            .push(" AND c.status <> 'deleted'");
        if let Some(since) = self.since {
            select.push(" AND c.created_at >= ").bind(since.millis());
        }
        if let Some(thread) = self.thread {
            select.push(" AND c.thread_id = ").bind(thread.0);
        }
    }
}

impl Db<'_> {
    /// How many comments there are to score anew.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_to_rescore(&mut self, filter: &RescoringFilter) -> Result<i64, StoreError> {
        let mut select = sql::Select::new("SELECT COUNT(*) ");
        filter.conditions(&mut select);
        let counts: Vec<(i64,)> = select.fetch_all(self).await?;
        Ok(counts.first().map_or(0, |(count,)| *count))
    }

    /// The next comments to score anew, the oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn comments_to_rescore(
        &mut self,
        filter: &RescoringFilter,
        after: Option<CommentId>,
        limit: i64,
    ) -> Result<Vec<ToScore>, StoreError> {
        let mut select = sql::Select::new("SELECT c.id, c.parent_id, c.body, t.lang, c.edited_at ");
        filter.conditions(&mut select);
        if let Some(after) = after {
            select.push(" AND c.id > ").bind(after.0);
        }
        select.push(" ORDER BY c.id LIMIT ").bind(limit);
        let rows = select.fetch_all::<Row>(self).await?;
        Ok(rows.into_iter().map(ToScore::from).collect())
    }

    /// Those of these comments that were not deleted, in no order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn texts_to_score(
        &mut self,
        comments: impl IntoIterator<Item = CommentId>,
    ) -> Result<Vec<ToScore>, StoreError> {
        let mut select = sql::Select::new(
            "SELECT c.id, c.parent_id, c.body, t.lang, c.edited_at FROM comments c JOIN threads t ON t.id = c.thread_id
             WHERE c.status <> 'deleted' AND c.id IN ",
        );
        select.list(comments.into_iter().map(|id| id.0));
        let rows = select.fetch_all::<Row>(self).await?;
        Ok(rows.into_iter().map(ToScore::from).collect())
    }

    /// Holds comments until the transaction ends, so that nobody edits or reports one meanwhile.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hold_comments(
        &mut self,
        comments: impl IntoIterator<Item = CommentId>,
    ) -> Result<(), StoreError> {
        if let Self::Postgres(_) = self {
            let mut select = sql::Select::new("SELECT id FROM comments WHERE id IN ");
            select
                .list(comments.into_iter().map(|id| id.0))
                .push(" ORDER BY id FOR UPDATE");
            let _: Vec<(Uuid,)> = select.fetch_all(self).await?;
        }
        Ok(())
    }

    /// Gives a comment its new scores, unless its text changed meanwhile. Status, reasons, version and
    /// decisions stay. Whether it was done.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn rescore(&mut self, model: &str, new: &Rescored) -> Result<bool, StoreError> {
        let scores = new.scores.map(|score| f64::from(score.value()));
        let highlights = sql::to_json(&new.explanation.highlights)?;
        let quotes = sql::to_json(&new.explanation.quotes)?;
        let changed = sql::execute!(
            self,
            "UPDATE scores SET model = $2, toxicity = $3, insult = $4, threat = $5, identity_attack = $6, profanity = $7,
                 spam = $8, highlights = $9, quotes = $10
             WHERE comment_id = $1
                 AND EXISTS (SELECT 1 FROM comments c WHERE c.id = $1 AND COALESCE(c.edited_at, 0) = $11)",
            new.id.0,
            model,
            scores.toxicity,
            scores.insult,
            scores.threat,
            scores.identity_attack,
            scores.profanity,
            scores.spam,
            &highlights,
            &quotes,
            new.edited_at.map_or(0, Timestamp::millis)
        )?;
        Ok(changed > 0)
    }

    /// The priorities of those of these comments that wait.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn priorities(
        &mut self,
        comments: impl IntoIterator<Item = CommentId>,
    ) -> Result<HashMap<CommentId, Priority>, StoreError> {
        let mut select = sql::Select::new(
            "SELECT comment_id, priority, priority_parts FROM queue WHERE comment_id IN ",
        );
        select.list(comments.into_iter().map(|id| id.0));
        let rows: Vec<(Uuid, i64, String)> = select.fetch_all(self).await?;
        rows.into_iter()
            .map(|(id, key, parts)| {
                let parts = sql::from_json(&parts, "queue.priority_parts")?;
                Ok((CommentId(id), Priority::stored(key, parts)))
            })
            .collect()
    }

    /// Gives an item that waits its place by other scores.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reorder(
        &mut self,
        comment: CommentId,
        scores: &Scores,
        priority: &Priority,
    ) -> Result<(), StoreError> {
        let parts = sql::to_json(&priority.parts)?;
        sql::execute!(
            self,
            "UPDATE queue SET priority = $2, priority_parts = $3, harm = $4, max_score = $5 WHERE comment_id = $1",
            comment.0,
            priority.key(),
            &parts,
            Priority::harm_key(scores),
            f64::from(scores.highest().value())
        )?;
        Ok(())
    }
}
