//! Moderators against the model, and against one another.

use uuid::Uuid;

use super::{Db, StoreError, scores::SixScores, sql};
use crate::domain::{
    Action, CommentId, DecisionId, DecisionReason, LabelOverrides, Opinion, OpinionPair, Reason,
    Scores, SiteId, Status, Timestamp,
};

/// A decision that stands, and what the model said of the very text.
#[derive(Debug, Clone)]
pub struct ScoredDecision {
    pub decision: DecisionId,
    pub comment: CommentId,
    pub action: Action,
    pub reason: Option<DecisionReason>,
    pub labels: LabelOverrides,
    pub scores: Scores,
    /// Why the machine held it.
    pub reasons: Vec<Reason>,
    pub cluster: Option<Uuid>,
}

#[derive(sqlx::FromRow)]
struct ScoredRow {
    id: Uuid,
    comment_id: Uuid,
    action: String,
    reason: Option<String>,
    labels: String,
    #[sqlx(flatten)]
    six: SixScores,
    reasons: String,
    cluster_id: Option<Uuid>,
}

#[derive(sqlx::FromRow)]
struct PairRow {
    first_action: String,
    first_reason: Option<String>,
    second_action: String,
    second_reason: Option<String>,
    times: i64,
}

fn action(name: &str) -> Result<Action, StoreError> {
    Action::from_name(name).ok_or(StoreError::Unreadable("decisions.action"))
}

fn reason(name: Option<&str>) -> Result<Option<DecisionReason>, StoreError> {
    let known = name.map(|name| {
        DecisionReason::from_name(name).ok_or(StoreError::Unreadable("decisions.reason"))
    });
    known.transpose()
}

impl TryFrom<ScoredRow> for ScoredDecision {
    type Error = StoreError;

    fn try_from(row: ScoredRow) -> Result<Self, StoreError> {
        Ok(Self {
            decision: DecisionId(row.id),
            comment: CommentId(row.comment_id),
            action: action(&row.action)?,
            reason: reason(row.reason.as_deref())?,
            labels: sql::from_json(&row.labels, "decisions.labels")?,
            scores: row.six.scores(),
            reasons: sql::from_json(&row.reasons, "scores.reasons")?,
            cluster: row.cluster_id,
        })
    }
}

impl TryFrom<PairRow> for OpinionPair {
    type Error = StoreError;

    fn try_from(row: PairRow) -> Result<Self, StoreError> {
        let opinion = |name: &str, why: Option<&str>| {
            Ok::<_, StoreError>(Opinion {
                hides: action(name)? == Action::Hide,
                reason: reason(why)?,
            })
        };
        Ok(Self {
            first: opinion(&row.first_action, row.first_reason.as_deref())?,
            second: opinion(&row.second_action, row.second_reason.as_deref())?,
            times: row.times.cast_unsigned(),
        })
    }
}

/// Decisions looked up at a time.
const CHUNK: usize = 500;

impl Db<'_> {
    /// Of the newest decisions on these sites those that stand, the newest first, with the scores of what was decided;
    /// without comments that were edited since, or deleted.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn scored_decisions(
        &mut self,
        sites: &[SiteId],
        newest: usize,
    ) -> Result<Vec<ScoredDecision>, StoreError> {
        // Each site's by its index: all at once would be sorted, however many there are.
        let mut decisions = Vec::new();
        for site in sites {
            decisions.extend(self.newest_decisions_of(*site, newest).await?);
            decisions.sort_unstable_by(|a, b| b.cmp(a));
            decisions.truncate(newest);
        }
        let mut scored = Vec::new();
        for chunk in decisions.chunks(CHUNK) {
            scored.extend(self.those_that_stand(chunk).await?);
        }
        Ok(scored)
    }

    /// When a site's newest decisions were made, and their ids, the newest first.
    async fn newest_decisions_of(
        &mut self,
        site: SiteId,
        limit: usize,
    ) -> Result<Vec<(i64, Uuid)>, StoreError> {
        sql::fetch_all!(
            self,
            (i64, Uuid),
            "SELECT at, id FROM decisions WHERE site_id = $1 ORDER BY at DESC, id DESC LIMIT $2",
            site.0,
            limit as i64
        )
    }

    async fn those_that_stand(
        &mut self,
        decisions: &[(i64, Uuid)],
    ) -> Result<Vec<ScoredDecision>, StoreError> {
        let mut select = sql::Select::new(
            "SELECT d.id, d.comment_id, d.action, d.reason, d.labels, s.toxicity, s.insult, s.threat, s.identity_attack,
                 s.profanity, s.spam, s.reasons, f.cluster_id
             FROM decisions d
             JOIN comments c ON c.id = d.comment_id AND c.decision_id = d.id
             JOIN scores s ON s.comment_id = c.id
             LEFT JOIN fingerprints f ON f.comment_id = c.id
             WHERE d.action IN ('approve', 'hide') AND (c.edited_at IS NULL OR c.edited_at <= d.at) AND c.status <> ",
        );
        select
            .bind(Status::Deleted.as_str())
            .push(" AND d.id IN ")
            .list(decisions.iter().map(|(_, id)| *id))
            .push(" ORDER BY d.at DESC, d.id DESC");
        let rows = select.fetch_all::<ScoredRow>(self).await?;
        rows.into_iter().map(ScoredDecision::try_from).collect()
    }

    /// How often one moderator said what of a text on these sites, and then another, between two moments: each approved or
    /// hid it by itself, nobody took the second decision back, and the text was not edited in between.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn opinion_pairs(
        &mut self,
        sites: &[SiteId],
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<OpinionPair>, StoreError> {
        // The first stood when the second was made, so nobody had taken it back.
        let mut select = sql::Select::new(
            "SELECT a.action AS first_action, a.reason AS first_reason, b.action AS second_action,
                 b.reason AS second_reason, COUNT(*) AS times
             FROM decisions b JOIN decisions a ON a.id = b.replaces
             WHERE a.action IN ('approve', 'hide') AND b.action IN ('approve', 'hide') AND a.moderator <> b.moderator
                 AND a.group_id IS NULL AND b.group_id IS NULL
                 AND NOT EXISTS (
                     SELECT 1 FROM decisions u WHERE u.comment_id = b.comment_id AND u.undoes = b.id
                         AND NOT EXISTS (SELECT 1 FROM decisions v WHERE v.comment_id = u.comment_id AND v.undoes = u.id))
                 AND NOT EXISTS (
                     SELECT 1 FROM revisions r WHERE r.comment_id = b.comment_id AND r.at >= a.at AND r.at <= b.at)
                 AND b.site_id IN ",
        );
        select
            .list(sites.iter().map(|site| site.0))
            .push(" AND b.at >= ")
            .bind(from.millis())
            .push(" AND b.at < ")
            .bind(to.millis())
            .push(" GROUP BY a.action, a.reason, b.action, b.reason");
        let rows = select.fetch_all::<PairRow>(self).await?;
        rows.into_iter().map(OpinionPair::try_from).collect()
    }
}
