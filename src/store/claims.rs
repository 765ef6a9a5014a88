//! Leases: which moderator has which item of the queue before them, and until when.

use uuid::Uuid;

use super::{
    Db, QueueFilter, StoreError,
    queue::{conditions, order_by},
    sql,
};
use crate::domain::{Claim, CommentId, QueueSort, SiteId, Timestamp};

impl Db<'_> {
    /// Leases the next items that nobody has to `claim.by`, in that order. Two who ask at the same moment get different
    /// ones.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim_next(
        &mut self,
        filter: &QueueFilter,
        sort: QueueSort,
        claim: &Claim,
        now: Timestamp,
        limit: i64,
    ) -> Result<Vec<CommentId>, StoreError> {
        let mut select = sql::Select::new("SELECT q.comment_id FROM queue q WHERE");
        conditions(self, &mut select, "q", filter);
        select
            .push(" AND (q.claimed_until IS NULL OR q.claimed_until <= ")
            .bind(now.millis())
            .push(")")
            .push(order_by(sort))
            .push(" LIMIT ")
            .bind(limit)
            .push(sql::by_engine!(self, sqlite: "", postgres: " FOR UPDATE SKIP LOCKED"));
        let free: Vec<(Uuid,)> = select.fetch_all(self).await?;
        let mut update = sql::Select::new("UPDATE queue SET claimed_by = ");
        update
            .bind(claim.by.as_str())
            .push(", claimed_until = ")
            .bind(claim.until.millis())
            .push(" WHERE comment_id IN ")
            .list(free.iter().map(|(id,)| *id))
            .push(" RETURNING comment_id");
        update.fetch_all::<(Uuid,)>(self).await?;
        Ok(free.into_iter().map(|(id,)| CommentId(id)).collect())
    }

    /// Whose an item is; it stays so until the transaction ends.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim_of(
        &mut self,
        comment: CommentId,
        now: Timestamp,
    ) -> Result<Option<Claim>, StoreError> {
        let text = sql::by_engine!(
            self,
            sqlite: "SELECT claimed_by, claimed_until FROM queue WHERE comment_id = $1",
            postgres: "SELECT claimed_by, claimed_until FROM queue WHERE comment_id = $1 FOR UPDATE",
        );
        let row = sql::fetch_optional!(self, (Option<String>, Option<i64>), text, comment.0)?;
        Ok(row.and_then(|(by, until)| Claim::standing(by, until, now)))
    }

    /// How many items somebody has, and when the first of their leases ends.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claims_by(
        &mut self,
        by: &str,
        now: Timestamp,
    ) -> Result<(i64, Option<Timestamp>), StoreError> {
        let (count, first) = sql::fetch_one!(
            self,
            (i64, Option<i64>),
            "SELECT COUNT(*), MIN(claimed_until) FROM queue WHERE claimed_by = $1 AND claimed_until > $2",
            by,
            now.millis()
        )?;
        Ok((count, first.map(Timestamp::from_millis)))
    }

    /// Lets what somebody has last longer, since they are at work. What is being decided just now is nobody's soon, and
    /// is not waited for.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn renew_claims(&mut self, claim: &Claim, now: Timestamp) -> Result<(), StoreError> {
        let text = sql::by_engine!(
            self,
            sqlite: "UPDATE queue SET claimed_until = $2 WHERE claimed_by = $1 AND claimed_until > $3",
            postgres: "UPDATE queue SET claimed_until = $2 WHERE comment_id IN (
                 SELECT comment_id FROM queue WHERE claimed_by = $1 AND claimed_until > $3 FOR UPDATE SKIP LOCKED)",
        );
        sql::execute!(self, text, &claim.by, claim.until.millis(), now.millis())?;
        Ok(())
    }

    /// Gives back what somebody has: one item, or all. What was given back; what is being decided just now is not waited
    /// for.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn release_claims(
        &mut self,
        by: &str,
        comment: Option<CommentId>,
    ) -> Result<Vec<(CommentId, SiteId)>, StoreError> {
        let mut update = sql::Select::new(
            "UPDATE queue SET claimed_by = NULL, claimed_until = NULL
             WHERE comment_id IN (SELECT comment_id FROM queue WHERE claimed_by = ",
        );
        update.bind(by);
        if let Some(comment) = comment {
            update.push(" AND comment_id = ").bind(comment.0);
        }
        update.push(sql::by_engine!(self, sqlite: ")", postgres: " FOR UPDATE SKIP LOCKED)"));
        update.push(" RETURNING comment_id, site_id");
        let rows: Vec<(Uuid, Uuid)> = update.fetch_all(self).await?;
        Ok(rows
            .into_iter()
            .map(|(comment, site)| (CommentId(comment), SiteId(site)))
            .collect())
    }

    /// Whether somebody has that item, or any, as stored: a lease that ended counts until it is another's.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_claims(
        &mut self,
        by: &str,
        comment: Option<CommentId>,
    ) -> Result<bool, StoreError> {
        let mut select = sql::Select::new("SELECT comment_id FROM queue WHERE claimed_by = ");
        select.bind(by);
        if let Some(comment) = comment {
            select.push(" AND comment_id = ").bind(comment.0);
        }
        select.push(" LIMIT 1");
        let rows: Vec<(Uuid,)> = select.fetch_all(self).await?;
        Ok(!rows.is_empty())
    }
}
