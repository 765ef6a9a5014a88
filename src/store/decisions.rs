//! The audit log: what moderators decided. Rows are added, never changed; a trigger sees to it.

use uuid::Uuid;

use super::{Db, StoreError, sql};
use crate::domain::{
    Action, CommentId, Decision, DecisionId, DecisionReason, QueueName, SiteId, Status, Subject,
    ThreadId, Timestamp,
};

#[derive(sqlx::FromRow)]
struct DecisionRow {
    id: Uuid,
    comment_id: Uuid,
    site_id: Uuid,
    thread_id: Uuid,
    action: String,
    reason: Option<String>,
    note: Option<String>,
    labels: String,
    moderator: String,
    at: i64,
    from_status: String,
    to_status: String,
    from_queue: Option<String>,
    to_queue: Option<String>,
    version: i64,
    replaces: Option<Uuid>,
    undoes: Option<Uuid>,
    group_id: Option<Uuid>,
}

impl TryFrom<DecisionRow> for Decision {
    type Error = StoreError;

    fn try_from(row: DecisionRow) -> Result<Self, StoreError> {
        let status = |name: &str| {
            Status::from_name(name).ok_or(StoreError::Unreadable("decisions.from_status"))
        };
        let queue = |name: Option<String>| {
            name.map(|name| {
                QueueName::from_name(&name).ok_or(StoreError::Unreadable("decisions.from_queue"))
            })
            .transpose()
        };
        Ok(Self {
            id: DecisionId(row.id),
            comment_id: CommentId(row.comment_id),
            site: SiteId(row.site_id),
            thread: ThreadId(row.thread_id),
            action: Action::from_name(&row.action)
                .ok_or(StoreError::Unreadable("decisions.action"))?,
            reason: row
                .reason
                .map(|name| {
                    DecisionReason::from_name(&name)
                        .ok_or(StoreError::Unreadable("decisions.reason"))
                })
                .transpose()?,
            note: row.note,
            labels: sql::from_json(&row.labels, "decisions.labels")?,
            moderator: row.moderator,
            at: Timestamp::from_millis(row.at),
            from_status: status(&row.from_status)?,
            to_status: status(&row.to_status)?,
            from_queue: queue(row.from_queue)?,
            to_queue: queue(row.to_queue)?,
            version: row.version,
            replaces: row.replaces.map(DecisionId),
            undoes: row.undoes.map(DecisionId),
            group_id: row.group_id,
        })
    }
}

macro_rules! select_decision {
    ($rest:literal) => {
        concat!(
            "SELECT id, comment_id, site_id, thread_id, action, reason, note, labels, moderator, at, from_status,
                 to_status, from_queue, to_queue, version, replaces, undoes, group_id
             FROM decisions ",
            $rest
        )
    };
}

/// Which entries of the audit log a page shows.
#[derive(Debug, Clone, Default)]
pub struct DecisionFilter {
    pub sites: Vec<SiteId>,
    pub comment: Option<CommentId>,
    pub moderator: Option<Subject>,
    pub thread: Option<ThreadId>,
    pub since: Option<Timestamp>,
}

impl Db<'_> {
    /// Adds an entry.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_decision(&mut self, decision: &Decision) -> Result<(), StoreError> {
        let labels = sql::to_json(&decision.labels)?;
        sql::execute!(
            self,
            "INSERT INTO decisions (id, comment_id, site_id, thread_id, action, reason, note, labels, moderator, at,
                 from_status, to_status, from_queue, to_queue, version, replaces, undoes, group_id)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
            decision.id.0,
            decision.comment_id.0,
            decision.site.0,
            decision.thread.0,
            decision.action.as_str(),
            decision.reason.map(DecisionReason::as_str),
            decision.note.as_deref(),
            &labels,
            &decision.moderator,
            decision.at.millis(),
            decision.from_status.as_str(),
            decision.to_status.as_str(),
            decision.from_queue.map(QueueName::as_str),
            decision.to_queue.map(QueueName::as_str),
            decision.version,
            decision.replaces.map(|id| id.0),
            decision.undoes.map(|id| id.0),
            decision.group_id
        )?;
        Ok(())
    }

    /// One entry.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn decision(&mut self, id: DecisionId) -> Result<Option<Decision>, StoreError> {
        sql::fetch_optional!(self, DecisionRow, select_decision!("WHERE id = $1"), id.0)?
            .map(Decision::try_from)
            .transpose()
    }

    /// The latest entry about a comment.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn latest_decision(
        &mut self,
        comment: CommentId,
    ) -> Result<Option<Decision>, StoreError> {
        sql::fetch_optional!(
            self,
            DecisionRow,
            select_decision!("WHERE comment_id = $1 ORDER BY at DESC, id DESC LIMIT 1"),
            comment.0
        )?
        .map(Decision::try_from)
        .transpose()
    }

    /// The next entries after a position, the newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn decision_page(
        &mut self,
        filter: &DecisionFilter,
        after: Option<(Timestamp, DecisionId)>,
        limit: i64,
    ) -> Result<Vec<Decision>, StoreError> {
        let mut select = sql::Select::new(select_decision!("WHERE site_id IN "));
        select.list(filter.sites.iter().map(|site| site.0));
        if let Some(comment) = filter.comment {
            select.push(" AND comment_id = ").bind(comment.0);
        }
        if let Some(moderator) = &filter.moderator {
            select.push(" AND moderator = ").bind(moderator.as_str());
        }
        if let Some(thread) = filter.thread {
            select.push(" AND thread_id = ").bind(thread.0);
        }
        if let Some(since) = filter.since {
            select.push(" AND at >= ").bind(since.millis());
        }
        if let Some((at, id)) = after {
            select
                .push(" AND at <= ")
                .bind(at.millis())
                .push(" AND (at < ")
                .bind(at.millis())
                .push(" OR id < ")
                .bind(id.0)
                .push(")");
        }
        select.push(" ORDER BY at DESC, id DESC LIMIT ").bind(limit);
        select
            .fetch_all::<DecisionRow>(self)
            .await?
            .into_iter()
            .map(Decision::try_from)
            .collect()
    }

    /// When a moderator decided, the latest first; what was decided together is one moment.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn moments_of(
        &mut self,
        moderator: &str,
        since: Timestamp,
        limit: i64,
    ) -> Result<Vec<Timestamp>, StoreError> {
        let rows = sql::fetch_all!(
            self,
            (i64,),
            "SELECT MIN(at) AS moment FROM decisions WHERE moderator = $1 AND at >= $2 AND action <> 'undo'
             GROUP BY COALESCE(group_id, id) ORDER BY moment DESC LIMIT $3",
            moderator,
            since.millis(),
            limit
        )?;
        Ok(rows
            .into_iter()
            .map(|(at,)| Timestamp::from_millis(at))
            .collect())
    }
}
