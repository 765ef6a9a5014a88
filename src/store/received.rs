//! What a site received, with its scores and the decisions that stand.

use super::{Db, StoreError, scores::score, sql};
use crate::domain::{
    Action, DecisionReason, Judged, PerLabel, Received, SiteId, Status, Timestamp,
};

#[derive(sqlx::FromRow)]
struct Row {
    toxicity: f64,
    insult: f64,
    threat: f64,
    identity_attack: f64,
    profanity: f64,
    spam: f64,
    action: Option<String>,
    reason: Option<String>,
}

impl From<Row> for Received {
    fn from(row: Row) -> Self {
        let reason = row.reason.as_deref().and_then(DecisionReason::from_name);
        let action = row.action.as_deref().and_then(Action::from_name);
        Self {
            scores: PerLabel {
                toxicity: score(row.toxicity),
                insult: score(row.insult),
                threat: score(row.threat),
                identity_attack: score(row.identity_attack),
                profanity: score(row.profanity),
                spam: score(row.spam),
            },
            judged: Judged::by(action.map(|action| (action, reason))),
        }
    }
}

impl Db<'_> {
    /// What a site received since then, the newest `limit` comments of it; those that were deleted are left out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn judged_comments(
        &mut self,
        site: SiteId,
        since: Timestamp,
        limit: i64,
    ) -> Result<Vec<Received>, StoreError> {
        let rows = sql::fetch_all!(
            self,
            Row,
            "SELECT s.toxicity, s.insult, s.threat, s.identity_attack, s.profanity, s.spam, d.action, d.reason
             FROM comments c JOIN scores s ON s.comment_id = c.id LEFT JOIN decisions d ON d.id = c.decision_id
             WHERE c.site_id = $1 AND c.created_at >= $2 AND c.status <> $3
             ORDER BY c.created_at DESC, c.id DESC LIMIT $4",
            site.0,
            since.millis(),
            Status::Deleted.as_str(),
            limit
        )?;
        Ok(rows.into_iter().map(Received::from).collect())
    }
}
