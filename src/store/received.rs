//! What a site received, with its scores and the decisions that stand.

use super::{Db, StoreError, scores::SixScores, sql};
use crate::domain::{Action, DecisionReason, Judged, Received, SiteId, Status, Timestamp};

#[derive(sqlx::FromRow)]
struct Row {
    #[sqlx(flatten)]
    six: SixScores,
    created_at: i64,
    action: Option<String>,
    reason: Option<String>,
}

impl From<Row> for Received {
    fn from(row: Row) -> Self {
        let reason = row.reason.as_deref().and_then(DecisionReason::from_name);
        let action = row.action.as_deref().and_then(Action::from_name);
        let hidden_for = reason.filter(|_| action == Some(Action::Hide));
        Self {
            scores: row.six.scores(),
            judged: Judged::by(action.map(|action| (action, reason))),
            seen: hidden_for.map_or(&[], DecisionReason::labels),
        }
    }
}

impl Db<'_> {
    /// What a site received since then, the newest `limit` comments of it, and when the oldest of these was written; those
    /// that were deleted are left out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn judged_comments(
        &mut self,
        site: SiteId,
        since: Timestamp,
        limit: i64,
    ) -> Result<(Vec<Received>, Option<Timestamp>), StoreError> {
        let rows = sql::fetch_all!(
            self,
            Row,
            "SELECT s.toxicity, s.insult, s.threat, s.identity_attack, s.profanity, s.spam, c.created_at, d.action,
                 d.reason
             FROM comments c JOIN scores s ON s.comment_id = c.id LEFT JOIN decisions d ON d.id = c.decision_id
             WHERE c.site_id = $1 AND c.created_at >= $2 AND c.status <> $3
             ORDER BY c.created_at DESC, c.id DESC LIMIT $4",
            site.0,
            since.millis(),
            Status::Deleted.as_str(),
            limit
        )?;
        let oldest = rows
            .last()
            .map(|row| Timestamp::from_millis(row.created_at));
        Ok((rows.into_iter().map(Received::from).collect(), oldest))
    }
}
