//! What was received and decided, counted.

use uuid::Uuid;

use super::{Db, StoreError, sql};
use crate::domain::{CommentId, QueueName, Reason, ReasonCode, SiteId, Timestamp};

/// A quarter of an hour, in milliseconds: every time zone's days begin at one.
pub const QUARTER: i64 = 15 * 60 * 1000;

/// Comments of one quarter of an hour.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
pub struct ReceivedRow {
    /// Quarters since the epoch.
    pub quarter: i64,
    pub received: i64,
    /// Those that the machine had a reason to hold.
    pub held: i64,
}

/// Decisions of one moderator in one quarter of an hour.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct DecidedRow {
    /// Quarters since the epoch.
    pub quarter: i64,
    pub moderator: String,
    pub approved: i64,
    pub hidden: i64,
}

/// How long a comment had been there when it was decided.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct WaitedRow {
    pub at: i64,
    pub moderator: String,
    /// In milliseconds.
    pub waited: i64,
}

/// The most decisions whose waits are looked at, the newest.
const MOST_WAITS: i64 = 100_000;

/// The first id that a comment of this moment can have.
fn first_id(at: Timestamp) -> Uuid {
    let millis = u64::try_from(at.millis()).unwrap_or(0);
    Uuid::from_u64_pair(millis << 16, 0)
}

impl Db<'_> {
    /// What arrived on these sites between two moments, by quarters of an hour.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn received(
        &mut self,
        sites: &[SiteId],
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<ReceivedRow>, StoreError> {
        let mut select = sql::Select::new("SELECT c.created_at / ");
        select.bind(QUARTER).push(
            " AS quarter, COUNT(*) AS received, CAST(SUM(CASE WHEN s.reasons = '[]' THEN 0 ELSE 1 END) AS BIGINT) AS held
             FROM comments c JOIN scores s ON s.comment_id = c.id WHERE",
        );
        arrived(&mut select, sites, from, to);
        select.push(" GROUP BY quarter");
        select.fetch_all(self).await
    }

    /// How many of them had which reason.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reasons_received(
        &mut self,
        sites: &[SiteId],
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<(ReasonCode, i64)>, StoreError> {
        let mut counts: Vec<(ReasonCode, i64)> = Vec::new();
        let mut select = sql::Select::new(
            "SELECT s.reasons, COUNT(*) FROM comments c JOIN scores s ON s.comment_id = c.id WHERE",
        );
        arrived(&mut select, sites, from, to);
        select.push(" AND s.reasons <> '[]' GROUP BY s.reasons");
        let rows: Vec<(String, i64)> = select.fetch_all(self).await?;
        for (reasons, count) in rows {
            let reasons: Vec<Reason> = sql::from_json(&reasons, "scores.reasons")?;
            for reason in reasons {
                match counts.iter_mut().find(|(code, _)| *code == reason.code) {
                    Some((_, sum)) => *sum += count,
                    None => counts.push((reason.code, count)),
                }
            }
        }
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        Ok(counts)
    }

    /// What was approved and hidden on these sites between two moments, by quarters of an hour.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn decided(
        &mut self,
        sites: &[SiteId],
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<DecidedRow>, StoreError> {
        let mut select = sql::Select::new("SELECT d.at / ");
        select.bind(QUARTER).push(
            " AS quarter, d.moderator, SUM(CASE d.action WHEN 'approve' THEN 1 ELSE 0 END) AS approved,
                 SUM(CASE d.action WHEN 'hide' THEN 1 ELSE 0 END) AS hidden
             FROM decisions d WHERE",
        );
        decided(&mut select, sites, from, to);
        select.push(" GROUP BY quarter, d.moderator");
        select.fetch_all(self).await
    }

    /// How long comments had waited for these decisions, of the newest [`MOST_WAITS`] of them. Nobody waits for what was
    /// decided as a sample.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn waited(
        &mut self,
        sites: &[SiteId],
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<WaitedRow>, StoreError> {
        let mut select = sql::Select::new(
            "SELECT d.at, d.moderator, d.at - c.created_at AS waited
             FROM decisions d JOIN comments c ON c.id = d.comment_id WHERE",
        );
        decided(&mut select, sites, from, to);
        select
            .push(" AND COALESCE(d.from_queue, '') <> ")
            .bind(QueueName::Sampled.as_str())
            .push(" ORDER BY d.at DESC LIMIT ")
            .bind(MOST_WAITS);
        select.fetch_all(self).await
    }
}

fn decided(select: &mut sql::Select, sites: &[SiteId], from: Timestamp, to: Timestamp) {
    select.push(" d.site_id IN ");
    select
        .list(sites.iter().map(|site| site.0))
        .push(" AND d.at >= ")
        .bind(from.millis())
        .push(" AND d.at < ")
        .bind(to.millis())
        .push(" AND d.action IN ('approve', 'hide')");
}

/// How far a clock may have been set back, so that an id is older than its comment.
const HOUR: i64 = 4 * QUARTER;

/// No comment that was written then or later has an earlier id.
pub(super) fn earliest_id(from: Timestamp) -> CommentId {
    CommentId(first_id(Timestamp::from_millis(from.millis() - HOUR)))
}

/// Ids go by the time they were made, so that no other index is needed; a clock that was set back is allowed an hour.
pub(super) fn arrived(select: &mut sql::Select, sites: &[SiteId], from: Timestamp, to: Timestamp) {
    let earliest = earliest_id(from);
    let latest = CommentId(first_id(Timestamp::from_millis(to.millis() + HOUR)));
    select.push(" c.site_id IN ");
    select
        .list(sites.iter().map(|site| site.0))
        .push(" AND c.id >= ")
        .bind(earliest.0)
        .push(" AND c.id < ")
        .bind(latest.0)
        .push(" AND c.created_at >= ")
        .bind(from.millis())
        .push(" AND c.created_at < ")
        .bind(to.millis());
}
