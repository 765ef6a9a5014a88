//! Decisions that stand, with all that is needed to learn from them.

use uuid::Uuid;

use super::{Db, StoreError, sql};
use crate::domain::{
    Action, CommentId, DecisionId, DecisionReason, LabelOverrides, Reason, SiteId, Status,
    ThreadId, Timestamp,
};

/// A comment with the decision that stands on it, and the text that was decided.
#[derive(Debug, Clone)]
pub struct DecidedComment {
    pub decision: DecisionId,
    pub at: Timestamp,
    pub action: Action,
    pub reason: Option<DecisionReason>,
    pub labels: LabelOverrides,
    pub moderator: String,
    pub comment: CommentId,
    pub author: String,
    pub created_at: Timestamp,
    pub thread: ThreadId,
    pub lang: Option<String>,
    pub text: String,
    pub parent: Option<String>,
    /// Why the machine held it; none where the text has changed since.
    pub reasons: Vec<Reason>,
    pub cluster: Option<Uuid>,
}

/// That somebody published a copy.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct PublishedCopy {
    pub cluster_id: Uuid,
    pub author_id: String,
    /// When the first of theirs was written, in unix milliseconds.
    pub since: i64,
}

#[derive(sqlx::FromRow)]
struct Row {
    decision_id: Uuid,
    at: i64,
    action: String,
    reason: Option<String>,
    labels: String,
    moderator: String,
    comment_id: Uuid,
    author_id: String,
    created_at: i64,
    edited_at: Option<i64>,
    thread_id: Uuid,
    lang: Option<String>,
    body: String,
    earlier: Option<String>,
    parent: Option<String>,
    reasons: Option<String>,
    cluster_id: Option<Uuid>,
}

impl TryFrom<Row> for DecidedComment {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let is_edited = row.edited_at.is_some_and(|edited| edited > row.at);
        let reasons = row.reasons.filter(|_| !is_edited);
        Ok(Self {
            decision: DecisionId(row.decision_id),
            at: Timestamp::from_millis(row.at),
            action: Action::from_name(&row.action)
                .ok_or(StoreError::Unreadable("decisions.action"))?,
            reason: (row.reason)
                .map(|name| {
                    DecisionReason::from_name(&name)
                        .ok_or(StoreError::Unreadable("decisions.reason"))
                })
                .transpose()?,
            labels: sql::from_json(&row.labels, "decisions.labels")?,
            moderator: row.moderator,
            comment: CommentId(row.comment_id),
            author: row.author_id,
            created_at: Timestamp::from_millis(row.created_at),
            thread: ThreadId(row.thread_id),
            lang: row.lang,
            text: row.earlier.unwrap_or(row.body),
            parent: row.parent,
            reasons: reasons
                .map(|reasons| sql::from_json(&reasons, "scores.reasons"))
                .transpose()?
                .unwrap_or_default(),
            cluster: row.cluster_id,
        })
    }
}

impl Db<'_> {
    /// The next decisions of a site, the oldest first, whether they stand or not.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn decisions_of(
        &mut self,
        site: SiteId,
        after: Option<(Timestamp, DecisionId)>,
        limit: i64,
    ) -> Result<Vec<(Timestamp, DecisionId)>, StoreError> {
        let mut select = sql::Select::new("SELECT at, id FROM decisions WHERE site_id = ");
        select.bind(site.0);
        if let Some((at, id)) = after {
            select.after("at", "id", (at, id.0));
        }
        select.push(" ORDER BY at, id LIMIT ").bind(limit);
        let rows: Vec<(i64, Uuid)> = select.fetch_all(self).await?;
        let decision = |(at, id)| (Timestamp::from_millis(at), DecisionId(id));
        Ok(rows.into_iter().map(decision).collect())
    }

    /// Of these decisions those that stand, with the comments, the oldest first. Comments that were deleted are left out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn decided_comments(
        &mut self,
        decisions: &[DecisionId],
    ) -> Result<Vec<DecidedComment>, StoreError> {
        let mut select = sql::Select::new(
            "SELECT d.id AS decision_id, d.at, d.action, d.reason, d.labels, d.moderator, d.comment_id, c.author_id,
                 c.created_at, c.edited_at, d.thread_id, t.lang, c.body,
                 (SELECT r.body FROM revisions r WHERE r.comment_id = d.comment_id AND r.at > d.at
                  ORDER BY r.version LIMIT 1) AS earlier,
                 p.body AS parent, s.reasons, f.cluster_id
             FROM decisions d
             JOIN comments c ON c.id = d.comment_id AND c.decision_id = d.id
             JOIN threads t ON t.id = d.thread_id
             LEFT JOIN comments p ON p.id = c.parent_id
             LEFT JOIN scores s ON s.comment_id = c.id
             LEFT JOIN fingerprints f ON f.comment_id = c.id
             WHERE d.id IN ",
        );
        select.list(decisions.iter().map(|decision| decision.0));
        select
            .push(" AND c.status <> ")
            .bind(Status::Deleted.as_str())
            .push(" ORDER BY d.at, d.id");
        let rows = select.fetch_all::<Row>(self).await?;
        rows.into_iter().map(DecidedComment::try_from).collect()
    }

    /// On how many comments of these sites a decision stands; those that were deleted since are counted too.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_decided(&mut self, sites: &[SiteId]) -> Result<i64, StoreError> {
        let mut select = sql::Select::new(
            "SELECT COUNT(*) FROM comments WHERE decision_id IS NOT NULL AND site_id IN ",
        );
        select.list(sites.iter().map(|site| site.0));
        let counts: Vec<(i64,)> = select.fetch_all(self).await?;
        Ok(counts.first().map_or(0, |(count,)| *count))
    }

    /// Who published members of these clusters of copies, and since when.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn published_copies(
        &mut self,
        clusters: impl IntoIterator<Item = Uuid>,
    ) -> Result<Vec<PublishedCopy>, StoreError> {
        let (join, end) = sql::by_engine!(
            &*self,
            sqlite: ("JOIN comments c ON c.id = f.comment_id AND c.status = ", ""),
            // The LIMIT keeps PostgreSQL from reading the whole table.
            postgres: (
                "CROSS JOIN LATERAL (SELECT known.author_id, known.created_at FROM comments known
                 WHERE known.id = f.comment_id AND known.status = ",
                " LIMIT 1) c"
            ),
        );
        let mut select = sql::Select::new(
            "SELECT f.cluster_id, c.author_id, MIN(c.created_at) AS since FROM fingerprints f ",
        );
        select
            .push(join)
            .bind(Status::Published.as_str())
            .push(end)
            .push(" WHERE f.cluster_id IN ")
            .list(clusters)
            .push(" GROUP BY f.cluster_id, c.author_id");
        select.fetch_all(self).await
    }

    /// How many comments these sites received since then.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_received(
        &mut self,
        sites: &[SiteId],
        since: Timestamp,
    ) -> Result<i64, StoreError> {
        let mut select = sql::Select::new("SELECT COUNT(*) FROM comments WHERE site_id IN ");
        select
            .list(sites.iter().map(|site| site.0))
            .push(" AND created_at >= ")
            .bind(since.millis());
        let counts: Vec<(i64,)> = select.fetch_all(self).await?;
        Ok(counts.first().map_or(0, |(count,)| *count))
    }
}
