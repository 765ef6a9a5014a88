//! The moderators' queue: one row for each item that waits.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Db, StoreError, sql};
use crate::domain::{
    AuthorId, CommentId, Highlight, Priority, QueueName, QueueSort, ReasonCode, SiteId, Span,
    ThreadId, Timestamp,
};

/// An item that waits.
#[derive(Debug, Clone)]
pub struct QueueRow {
    pub comment: CommentId,
    pub site: SiteId,
    pub thread: ThreadId,
    pub author: AuthorId,
    pub queue: QueueName,
    pub priority: Priority,
    /// The set of [`ReasonCode::bit`]s.
    pub reason_bits: i64,
    /// The highest of its scores.
    pub max_score: f32,
    pub cluster: Option<Uuid>,
    pub highlights: Vec<Highlight>,
    pub quotes: Vec<Span>,
    /// The body without case and accents.
    pub folded: String,
    /// When the comment was posted.
    pub created_at: Timestamp,
}

#[derive(sqlx::FromRow)]
struct Row {
    comment_id: Uuid,
    site_id: Uuid,
    thread_id: Uuid,
    author_id: String,
    queue: String,
    priority: i64,
    priority_parts: String,
    reason_bits: i64,
    max_score: f64,
    cluster_id: Option<Uuid>,
    highlights: String,
    quotes: String,
    folded: String,
    created_at: i64,
}

impl TryFrom<Row> for QueueRow {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            comment: CommentId(row.comment_id),
            site: SiteId(row.site_id),
            thread: ThreadId(row.thread_id),
            author: AuthorId::stored(row.author_id),
            queue: QueueName::from_name(&row.queue).ok_or(StoreError::Unreadable("queue.queue"))?,
            priority: Priority {
                value: row.priority as f64 / 1e4,
                parts: from_json(&row.priority_parts, "queue.priority_parts")?,
            },
            reason_bits: row.reason_bits,
            max_score: row.max_score as f32,
            cluster: row.cluster_id,
            highlights: from_json(&row.highlights, "queue.highlights")?,
            quotes: from_json(&row.quotes, "queue.quotes")?,
            folded: row.folded,
            created_at: Timestamp::from_millis(row.created_at),
        })
    }
}

fn from_json<T: for<'de> Deserialize<'de>>(
    text: &str,
    column: &'static str,
) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|_| StoreError::Unreadable(column))
}

fn to_json<T: Serialize>(value: &T, column: &'static str) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|_| StoreError::Unreadable(column))
}

/// Which items a page shows.
#[derive(Debug, Clone, Default)]
pub struct QueueFilter {
    pub sites: Vec<SiteId>,
    pub queue: QueueName,
    pub reason: Option<ReasonCode>,
    pub thread: Option<ThreadId>,
    pub author: Option<AuthorId>,
    /// At least this, for one of the labels.
    pub min_score: Option<f32>,
    /// Each must occur in the folded body.
    pub words: Vec<String>,
    /// One item for each cluster of copies: the oldest that waits.
    pub collapse: bool,
}

/// Where a page of the queue ended: the sort key of its last item, and its id.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct QueuePosition {
    pub key: i64,
    pub comment: CommentId,
}

impl QueueRow {
    /// The position of this item in that order.
    #[must_use]
    pub fn position(&self, sort: QueueSort) -> QueuePosition {
        QueuePosition {
            key: match sort {
                QueueSort::Priority => self.priority.key(),
                QueueSort::Oldest | QueueSort::Newest => self.created_at.millis(),
            },
            comment: self.comment,
        }
    }
}

/// A pattern that finds `word` anywhere, whatever characters it has.
fn like(word: &str) -> String {
    let mut pattern = String::from("%");
    for c in word.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

fn conditions(select: &mut sql::Select, filter: &QueueFilter) {
    select
        .push(" WHERE q.site_id IN ")
        .list(filter.sites.iter().map(|site| site.0))
        .push(" AND q.queue = ")
        .bind(filter.queue.as_str());
    if let Some(reason) = filter.reason {
        select
            .push(" AND (q.reason_bits & ")
            .bind(reason.bit())
            .push(") <> 0");
    }
    if let Some(thread) = filter.thread {
        select.push(" AND q.thread_id = ").bind(thread.0);
    }
    if let Some(author) = &filter.author {
        select.push(" AND q.author_id = ").bind(author.as_str());
    }
    if let Some(score) = filter.min_score {
        select.push(" AND q.max_score >= ").bind(f64::from(score));
    }
    for word in &filter.words {
        select
            .push(" AND q.folded LIKE ")
            .bind(like(word).as_str())
            .push(" ESCAPE '\\'");
    }
    if filter.collapse {
        select.push(
            " AND NOT EXISTS (SELECT 1 FROM queue older WHERE older.cluster_id = q.cluster_id
                 AND older.queue = q.queue AND older.comment_id < q.comment_id)",
        );
    }
}

impl Db<'_> {
    /// Puts an item into the queue, or moves it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn upsert_queue_row(&mut self, row: &QueueRow) -> Result<(), StoreError> {
        sql::execute!(
            self,
            "INSERT INTO queue (comment_id, site_id, thread_id, author_id, queue, priority, priority_parts,
                 reason_bits, max_score, cluster_id, highlights, quotes, folded, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
             ON CONFLICT (comment_id) DO UPDATE SET
                 queue = excluded.queue,
                 priority = excluded.priority,
                 priority_parts = excluded.priority_parts,
                 reason_bits = excluded.reason_bits,
                 max_score = excluded.max_score,
                 cluster_id = excluded.cluster_id,
                 highlights = excluded.highlights,
                 quotes = excluded.quotes,
                 folded = excluded.folded",
            row.comment.0,
            row.site.0,
            row.thread.0,
            row.author.as_str(),
            row.queue.as_str(),
            row.priority.key(),
            to_json(&row.priority.parts, "queue.priority_parts")?,
            row.reason_bits,
            f64::from(row.max_score),
            row.cluster,
            to_json(&row.highlights, "queue.highlights")?,
            to_json(&row.quotes, "queue.quotes")?,
            &row.folded,
            row.created_at.millis()
        )?;
        Ok(())
    }

    /// Moves an item to another queue, leaving the rest of it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn move_queue_row(
        &mut self,
        comment: CommentId,
        queue: QueueName,
    ) -> Result<(), StoreError> {
        sql::execute!(
            self,
            "UPDATE queue SET queue = $2 WHERE comment_id = $1",
            comment.0,
            queue.as_str()
        )?;
        Ok(())
    }

    /// Takes an item out of the queue.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_queue_row(&mut self, comment: CommentId) -> Result<(), StoreError> {
        sql::execute!(self, "DELETE FROM queue WHERE comment_id = $1", comment.0)?;
        Ok(())
    }

    /// The queue a comment waits in, if it waits.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn queue_of(&mut self, comment: CommentId) -> Result<Option<QueueName>, StoreError> {
        sql::fetch_optional!(
            self,
            (String,),
            "SELECT queue FROM queue WHERE comment_id = $1",
            comment.0
        )?
        .map(|(name,)| QueueName::from_name(&name).ok_or(StoreError::Unreadable("queue.queue")))
        .transpose()
    }

    /// The next items after a position, in that order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn queue_page(
        &mut self,
        filter: &QueueFilter,
        sort: QueueSort,
        after: Option<QueuePosition>,
        limit: i64,
    ) -> Result<Vec<QueueRow>, StoreError> {
        let mut select = sql::Select::new(
            "SELECT q.comment_id, q.site_id, q.thread_id, q.author_id, q.queue, q.priority, q.priority_parts,
                 q.reason_bits, q.max_score, q.cluster_id, q.highlights, q.quotes, q.folded, q.created_at
             FROM queue q",
        );
        conditions(&mut select, filter);
        if let Some(after) = after {
            let [before_key, same_key, id] = match sort {
                QueueSort::Priority => [
                    " AND (q.priority < ",
                    " OR (q.priority = ",
                    " AND q.comment_id > ",
                ],
                QueueSort::Oldest => [
                    " AND (q.created_at > ",
                    " OR (q.created_at = ",
                    " AND q.comment_id > ",
                ],
                QueueSort::Newest => [
                    " AND (q.created_at < ",
                    " OR (q.created_at = ",
                    " AND q.comment_id < ",
                ],
            };
            select
                .push(before_key)
                .bind(after.key)
                .push(same_key)
                .bind(after.key)
                .push(id)
                .bind(after.comment.0)
                .push("))");
        }
        select
            .push(match sort {
                QueueSort::Priority => " ORDER BY q.priority DESC, q.comment_id LIMIT ",
                QueueSort::Oldest => " ORDER BY q.created_at, q.comment_id LIMIT ",
                QueueSort::Newest => " ORDER BY q.created_at DESC, q.comment_id DESC LIMIT ",
            })
            .bind(limit);
        select
            .fetch_all::<Row>(self)
            .await?
            .into_iter()
            .map(QueueRow::try_from)
            .collect()
    }

    /// How many items wait in each queue of these sites.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn queue_counts(
        &mut self,
        sites: &[SiteId],
    ) -> Result<Vec<(QueueName, i64)>, StoreError> {
        let mut select = sql::Select::new("SELECT queue, COUNT(*) FROM queue WHERE site_id IN ");
        select
            .list(sites.iter().map(|site| site.0))
            .push(" GROUP BY queue");
        let rows: Vec<(String, i64)> = select.fetch_all(self).await?;
        rows.into_iter()
            .map(|(name, count)| {
                QueueName::from_name(&name)
                    .map(|queue| (queue, count))
                    .ok_or(StoreError::Unreadable("queue.queue"))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::like;

    #[test]
    fn a_readers_words_are_never_query_syntax() {
        assert_eq!(like("50%_\\"), "%50\\%\\_\\\\%");
    }
}
