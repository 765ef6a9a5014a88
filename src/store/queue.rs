//! The moderators' queue: one row for each item that waits.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    Db, StoreError, search, sql,
    writes::{Kind, Rows, Writes, row},
};
use crate::domain::{
    AuthorId, Claim, CommentId, Priority, QueueName, QueueSort, ReasonCode, SiteId, ThreadId,
    Timestamp,
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
    /// The harm to be expected of it, in ten-thousandths of a point.
    pub harm: i64,
    /// The set of [`ReasonCode::bit`]s.
    pub reason_bits: i64,
    /// The highest of its scores.
    pub max_score: f32,
    pub cluster: Option<Uuid>,
    /// Whose it is, while the lease lasts; as stored, it may have ended.
    pub claim: Option<Claim>,
    /// When the comment was posted.
    pub created_at: Timestamp,
    /// When it entered the queue it is in.
    pub entered_at: Timestamp,
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
    harm: i64,
    reason_bits: i64,
    max_score: f64,
    cluster_id: Option<Uuid>,
    claimed_by: Option<String>,
    claimed_until: Option<i64>,
    created_at: i64,
    entered_at: i64,
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
            priority: Priority::stored(
                row.priority,
                sql::from_json(&row.priority_parts, "queue.priority_parts")?,
            ),
            harm: row.harm,
            reason_bits: row.reason_bits,
            max_score: row.max_score as f32,
            cluster: row.cluster_id,
            claim: Claim::standing(row.claimed_by, row.claimed_until, Timestamp::from_millis(0)),
            created_at: Timestamp::from_millis(row.created_at),
            entered_at: Timestamp::from_millis(row.entered_at),
        })
    }
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
    /// Each must occur in the folded body, where a word begins.
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
                QueueSort::Harm => self.harm,
                QueueSort::Oldest | QueueSort::Newest => self.created_at.millis(),
            },
            comment: self.comment,
        }
    }
}

/// The order of items: by a key, then by id.
pub(super) const fn order_by(sort: QueueSort) -> &'static str {
    match sort {
        QueueSort::Priority => " ORDER BY q.priority DESC, q.comment_id",
        QueueSort::Harm => " ORDER BY q.harm DESC, q.comment_id",
        QueueSort::Oldest => " ORDER BY q.created_at, q.comment_id",
        QueueSort::Newest => " ORDER BY q.created_at DESC, q.comment_id DESC",
    }
}

/// The conditions of a filter on the rows of `queue` that go by the name of `alias`.
pub(super) fn conditions(
    db: &Db<'_>,
    select: &mut sql::Select,
    alias: &'static str,
    filter: &QueueFilter,
) {
    let column = |select: &mut sql::Select, lead: &'static str, name: &'static str| {
        select.push(lead).push(alias).push(name);
    };
    column(select, " ", ".site_id IN ");
    select.list(filter.sites.iter().map(|site| site.0));
    column(select, " AND ", ".queue = ");
    select.bind(filter.queue.as_str());
    if let Some(reason) = filter.reason {
        column(select, " AND (", ".reason_bits & ");
        select.bind(reason.bit()).push(") <> 0");
    }
    if let Some(thread) = filter.thread {
        column(select, " AND ", ".thread_id = ");
        select.bind(thread.0);
    }
    if let Some(author) = &filter.author {
        column(select, " AND ", ".author_id = ");
        select.bind(author.as_str());
    }
    if let Some(score) = filter.min_score {
        column(select, " AND ", ".max_score >= ");
        select.bind(f64::from(score));
    }
    search::conditions(db, select, alias, &filter.words);
}

static QUEUE: Rows = Rows::of(
    "queue",
    &[
        ("comment_id", Kind::Uuid),
        ("site_id", Kind::Uuid),
        ("thread_id", Kind::Uuid),
        ("author_id", Kind::Text),
        ("queue", Kind::Text),
        ("priority", Kind::Int),
        ("priority_parts", Kind::Text),
        ("reason_bits", Kind::Int),
        ("max_score", Kind::Real),
        ("cluster_id", Kind::Uuid),
        ("folded", Kind::Text),
        ("created_at", Kind::Int),
        ("entered_at", Kind::Int),
        ("harm", Kind::Int),
    ],
    // Who waits in the same queue goes on waiting.
    "ON CONFLICT (comment_id) DO UPDATE SET
         entered_at = CASE WHEN queue.queue = excluded.queue THEN queue.entered_at ELSE excluded.entered_at END,
         queue = excluded.queue, priority = excluded.priority, priority_parts = excluded.priority_parts,
         reason_bits = excluded.reason_bits, max_score = excluded.max_score, cluster_id = excluded.cluster_id,
         folded = excluded.folded, harm = excluded.harm",
);

impl<'a> Writes<'a> {
    /// Items that wait, in place of those of the same comments, each with its body without case and accents.
    ///
    /// # Errors
    /// When a value cannot be written as JSON.
    pub fn queue(self, items: &'a [(QueueRow, String)]) -> Result<Self, StoreError> {
        let rows = items
            .iter()
            .map(|(row, folded)| {
                Ok(row![
                    row.comment.0,
                    row.site.0,
                    row.thread.0,
                    row.author.as_str(),
                    row.queue.as_str(),
                    row.priority.key(),
                    sql::to_json(&row.priority.parts)?,
                    row.reason_bits,
                    f64::from(row.max_score),
                    row.cluster,
                    folded.as_str(),
                    row.created_at.millis(),
                    row.entered_at.millis(),
                    row.harm,
                ])
            })
            .collect::<Result<Vec<_>, StoreError>>()?;
        Ok(self.rows(&QUEUE, rows))
    }
}

macro_rules! select_rows {
    ($rest:literal) => {
        concat!(
            "SELECT q.comment_id, q.site_id, q.thread_id, q.author_id, q.queue, q.priority, q.priority_parts,
                 q.harm, q.reason_bits, q.max_score, q.cluster_id, q.claimed_by, q.claimed_until, q.created_at,
                 COALESCE(q.entered_at, q.created_at) AS entered_at
             FROM queue q",
            $rest
        )
    };
}

impl Db<'_> {
    /// Moves an item to another queue, where it is nobody's, leaving the rest of it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn move_queue_row(
        &mut self,
        comment: CommentId,
        queue: QueueName,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        sql::execute!(
            self,
            "UPDATE queue SET queue = $2, entered_at = $3, claimed_by = NULL, claimed_until = NULL
             WHERE comment_id = $1",
            comment.0,
            queue.as_str(),
            at.millis()
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

    /// The next comments of a site that have waited since before a moment and are nobody's, after one, by id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn overdue(
        &mut self,
        site: SiteId,
        since: Timestamp,
        now: Timestamp,
        after: Option<CommentId>,
        limit: i64,
    ) -> Result<Vec<CommentId>, StoreError> {
        // Nothing enters before its comment is there, so that the index by that time finds all of them.
        let rows = sql::fetch_all!(
            self,
            (Uuid,),
            "SELECT comment_id FROM queue
             WHERE site_id = $1 AND queue = $2 AND created_at <= $3 AND COALESCE(entered_at, created_at) <= $3
                 AND (claimed_until IS NULL OR claimed_until <= $4) AND comment_id > $5
             ORDER BY comment_id LIMIT $6",
            site.0,
            QueueName::Waiting.as_str(),
            since.millis(),
            now.millis(),
            after.map_or(Uuid::nil(), |comment| comment.0),
            limit
        )?;
        Ok(rows.into_iter().map(|(id,)| CommentId(id)).collect())
    }

    /// These items, in that order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn queue_rows(
        &mut self,
        ids: &[CommentId],
        sort: QueueSort,
    ) -> Result<Vec<QueueRow>, StoreError> {
        let mut select = sql::Select::new(select_rows!(" WHERE q.comment_id IN "));
        select.list(ids.iter().map(|id| id.0)).push(order_by(sort));
        let rows = select.fetch_all::<Row>(self).await?;
        rows.into_iter().map(QueueRow::try_from).collect()
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
        let mut select = sql::Select::new(select_rows!(""));
        select.push(" WHERE");
        conditions(self, &mut select, "q", filter);
        if filter.collapse {
            select.push(
                " AND NOT EXISTS (SELECT 1 FROM queue older
                     WHERE older.cluster_id = q.cluster_id AND older.comment_id < q.comment_id AND",
            );
            conditions(self, &mut select, "older", filter);
            select.push(")");
        }
        if let Some(after) = after {
            // The first bound lets the engine seek in the index; the rest settles ties.
            let [bound, beyond, tie] = match sort {
                QueueSort::Priority => [
                    " AND q.priority <= ",
                    " AND (q.priority < ",
                    " OR q.comment_id > ",
                ],
                QueueSort::Harm => [" AND q.harm <= ", " AND (q.harm < ", " OR q.comment_id > "],
                QueueSort::Oldest => [
                    " AND q.created_at >= ",
                    " AND (q.created_at > ",
                    " OR q.comment_id > ",
                ],
                QueueSort::Newest => [
                    " AND q.created_at <= ",
                    " AND (q.created_at < ",
                    " OR q.comment_id < ",
                ],
            };
            select
                .push(bound)
                .bind(after.key)
                .push(beyond)
                .bind(after.key)
                .push(tie)
                .bind(after.comment.0)
                .push(")");
        }
        select.push(order_by(sort)).push(" LIMIT ").bind(limit);
        select
            .fetch_all::<Row>(self)
            .await?
            .into_iter()
            .map(QueueRow::try_from)
            .collect()
    }

    /// Of each queue of the whole instance: how many items wait, and since when the oldest.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn queue_depths(&mut self) -> Result<Vec<(QueueName, i64, Timestamp)>, StoreError> {
        let rows = sql::fetch_all!(
            self,
            (String, i64, i64),
            "SELECT queue, COUNT(*), MIN(created_at) FROM queue GROUP BY queue"
        )?;
        rows.into_iter()
            .map(|(name, count, oldest)| {
                QueueName::from_name(&name)
                    .map(|queue| (queue, count, Timestamp::from_millis(oldest)))
                    .ok_or(StoreError::Unreadable("queue.queue"))
            })
            .collect()
    }

    /// How many items of these sites wait for each set of reasons, before readers saw them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reason_counts(&mut self, sites: &[SiteId]) -> Result<Vec<(i64, i64)>, StoreError> {
        let mut select =
            sql::Select::new("SELECT reason_bits, COUNT(*) FROM queue WHERE site_id IN ");
        select
            .list(sites.iter().map(|site| site.0))
            .push(" AND queue = ")
            .bind(QueueName::Waiting.as_str())
            .push(" GROUP BY reason_bits");
        select.fetch_all(self).await
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
