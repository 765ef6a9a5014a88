//! Models that score beside the live one, and what they say of comments.
//!
//! What is to be scored follows from the events, which nobody can skip, and how far that is done is kept with the model: each step
//! writes its scores and the new position by one transaction.

use uuid::Uuid;

use super::{
    Db, EventPosition, Rescored, StoreError,
    scores::{SixScores, score},
    sql,
    stats::earliest_id,
    writes::{Kind, Rows, Writes, row},
};
use crate::domain::{
    Action, CommentId, DecisionReason, EventKind, Judged, PerLabel, Scores, ShadowId, SiteId,
    ThreadKey, Timestamp, taught,
};

/// A model that scores beside the live one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shadow {
    pub id: ShadowId,
    pub version: String,
    pub set_by: String,
    pub set_at: Timestamp,
    /// The last event whose comment has its scores.
    pub reached: EventPosition,
}

/// A comment that a shadow scored, as both models see it.
#[derive(Debug, Clone)]
pub struct ShadowedComment {
    pub id: CommentId,
    pub site: SiteId,
    pub thread: ThreadKey,
    pub created_at: Timestamp,
    /// Whether it is still there, with the text that the shadow scored.
    pub is_current: bool,
    /// The model that gave the scores by which it was decided.
    pub model: String,
    pub scores: Scores,
    pub shadow: Scores,
    /// What the decision on this text says.
    pub judged: Judged,
    pub taught: PerLabel<Option<bool>>,
    /// The copies that it is one of.
    pub cluster: Option<Uuid>,
}

#[derive(sqlx::FromRow)]
struct ShadowRow {
    id: Uuid,
    version: String,
    set_by: String,
    set_at: i64,
    tx: i64,
    seq: i64,
}

impl From<ShadowRow> for Shadow {
    fn from(row: ShadowRow) -> Self {
        Self {
            id: ShadowId(row.id),
            version: row.version,
            set_by: row.set_by,
            set_at: Timestamp::from_millis(row.set_at),
            reached: EventPosition {
                tx: row.tx,
                seq: row.seq,
            },
        }
    }
}

#[derive(sqlx::FromRow)]
struct ShadowedRow {
    comment_id: Uuid,
    site_id: Uuid,
    key: String,
    created_at: i64,
    is_current: i64,
    model: String,
    #[sqlx(flatten)]
    six: SixScores,
    shadow_toxicity: f64,
    shadow_insult: f64,
    shadow_threat: f64,
    shadow_identity_attack: f64,
    shadow_profanity: f64,
    shadow_spam: f64,
    action: Option<String>,
    reason: Option<String>,
    labels: Option<String>,
    reasons: String,
    cluster_id: Option<Uuid>,
}

impl TryFrom<ShadowedRow> for ShadowedComment {
    type Error = StoreError;

    fn try_from(row: ShadowedRow) -> Result<Self, StoreError> {
        let reason = row.reason.as_deref().and_then(DecisionReason::from_name);
        let action = row.action.as_deref().and_then(Action::from_name);
        let taught = match (action, row.labels) {
            (Some(action), Some(labels)) => taught(
                action,
                reason,
                &sql::from_json(&labels, "decisions.labels")?,
                &sql::from_json::<Vec<_>>(&row.reasons, "scores.reasons")?,
            ),
            _ => PerLabel::default(),
        };
        Ok(Self {
            id: CommentId(row.comment_id),
            site: SiteId(row.site_id),
            thread: ThreadKey::stored(row.key),
            created_at: Timestamp::from_millis(row.created_at),
            is_current: row.is_current != 0,
            model: row.model,
            scores: row.six.scores(),
            shadow: PerLabel {
                toxicity: score(row.shadow_toxicity),
                insult: score(row.shadow_insult),
                threat: score(row.shadow_threat),
                identity_attack: score(row.shadow_identity_attack),
                profanity: score(row.shadow_profanity),
                spam: score(row.shadow_spam),
            },
            judged: Judged::by(action.map(|action| (action, reason))),
            taught,
            cluster: row.cluster_id,
        })
    }
}

static SHADOW_SCORES: Rows = Rows::of(
    "shadow_scores",
    &[
        ("shadow_id", Kind::Uuid),
        ("comment_id", Kind::Uuid),
        ("edited_at", Kind::Int),
        ("toxicity", Kind::Real),
        ("insult", Kind::Real),
        ("threat", Kind::Real),
        ("identity_attack", Kind::Real),
        ("profanity", Kind::Real),
        ("spam", Kind::Real),
    ],
    "ON CONFLICT (shadow_id, comment_id) DO UPDATE SET
         edited_at = excluded.edited_at, toxicity = excluded.toxicity, insult = excluded.insult, threat = excluded.threat,
         identity_attack = excluded.identity_attack, profanity = excluded.profanity, spam = excluded.spam",
);

impl Writes<'_> {
    /// What a shadow says of comments, in place of what it said before.
    pub fn shadow_scores(self, shadow: ShadowId, scored: &[Rescored]) -> Self {
        let rows = scored.iter().map(|new| {
            let scores = new.scores.map(|score| f64::from(score.value()));
            row![
                shadow.0,
                new.id.0,
                new.edited_at.map(Timestamp::millis),
                scores.toxicity,
                scores.insult,
                scores.threat,
                scores.identity_attack,
                scores.profanity,
                scores.spam,
            ]
        });
        self.rows(&SHADOW_SCORES, rows)
    }
}

impl Db<'_> {
    /// The model that scores beside the live one, if there is one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn shadow(&mut self) -> Result<Option<Shadow>, StoreError> {
        let row = sql::fetch_optional!(
            self,
            ShadowRow,
            "SELECT id, version, set_by, set_at, tx, seq FROM shadows WHERE ended_at IS NULL"
        )?;
        Ok(row.map(Shadow::from))
    }

    /// Lets a model score beside the live one. There is none other by now.
    ///
    /// # Errors
    /// When the database fails, or has no model of that version.
    pub async fn insert_shadow(&mut self, shadow: &Shadow) -> Result<(), StoreError> {
        sql::execute!(
            self,
            "INSERT INTO shadows (id, version, set_by, set_at, tx, seq) VALUES ($1, $2, $3, $4, $5, $6)",
            shadow.id.0,
            &shadow.version,
            &shadow.set_by,
            shadow.set_at.millis(),
            shadow.reached.tx,
            shadow.reached.seq
        )?;
        Ok(())
    }

    /// Ends the shadow. What it said is no longer asked for, and goes in time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_shadow(&mut self, at: Timestamp) -> Result<(), StoreError> {
        sql::execute!(
            self,
            "UPDATE shadows SET ended_at = $1 WHERE ended_at IS NULL",
            at.millis()
        )?;
        Ok(())
    }

    /// Whether a position may be one of this database's: what was dumped elsewhere may have come further than transactions
    /// have here.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_come_to(&mut self, position: EventPosition) -> Result<bool, StoreError> {
        if let Self::Sqlite(_) = self {
            return Ok(true);
        }
        let (has,) = sql::fetch_one!(
            self,
            (bool,),
            "SELECT CAST(CAST($1 AS TEXT) AS xid8) < pg_snapshot_xmax(pg_current_snapshot())",
            position.tx
        )?;
        Ok(has)
    }

    /// The next events that nothing can come before any more, and the comment of each of them that says of a text that it is
    /// new, or may be.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn texts_told(
        &mut self,
        after: EventPosition,
        limit: i64,
    ) -> Result<Vec<(EventPosition, Option<CommentId>)>, StoreError> {
        let text = sql::by_engine!(
            self,
            sqlite: "SELECT 0, seq, comment_id, kind FROM events WHERE seq > $2 AND $1 = 0 ORDER BY seq LIMIT $3",
            postgres: "SELECT CAST(CAST(tx AS TEXT) AS BIGINT), seq, comment_id, kind FROM events
                 WHERE (tx, seq) > (CAST(CAST($1 AS TEXT) AS xid8), $2)
                     AND tx < pg_snapshot_xmin(pg_current_snapshot())
                 ORDER BY tx, seq LIMIT $3",
        );
        let rows = sql::fetch_all!(
            self,
            (i64, i64, Uuid, String),
            text,
            after.tx,
            after.seq,
            limit
        )?;
        let texts = [EventKind::CommentCreated, EventKind::CommentChanged].map(EventKind::as_str);
        Ok(rows
            .into_iter()
            .map(|(tx, seq, comment, kind)| {
                let is_text = texts.contains(&kind.as_str());
                (
                    EventPosition { tx, seq },
                    is_text.then_some(CommentId(comment)),
                )
            })
            .collect())
    }

    /// When the first text after a position was written: it has no scores of the shadow yet.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn first_text_after(
        &mut self,
        after: EventPosition,
    ) -> Result<Option<Timestamp>, StoreError> {
        let text = sql::by_engine!(
            self,
            sqlite: "SELECT at FROM events WHERE seq > $2 AND $1 = 0 AND kind IN ($3, $4) ORDER BY seq LIMIT 1",
            postgres: "SELECT at FROM events WHERE (tx, seq) > (CAST(CAST($1 AS TEXT) AS xid8), $2) AND kind IN ($3, $4)
                 ORDER BY tx, seq LIMIT 1",
        );
        let row = sql::fetch_optional!(
            self,
            (i64,),
            text,
            after.tx,
            after.seq,
            EventKind::CommentCreated.as_str(),
            EventKind::CommentChanged.as_str()
        )?;
        Ok(row.map(|(at,)| Timestamp::from_millis(at)))
    }

    /// Notes how far a shadow has come, if it still stands there and was not ended. Whether that is so.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn advance_shadow(
        &mut self,
        shadow: &Shadow,
        to: EventPosition,
    ) -> Result<bool, StoreError> {
        let changed = sql::execute!(
            self,
            "UPDATE shadows SET tx = $4, seq = $5 WHERE id = $1 AND tx = $2 AND seq = $3 AND ended_at IS NULL",
            shadow.id.0,
            shadow.reached.tx,
            shadow.reached.seq,
            to.tx,
            to.seq
        )?;
        Ok(changed > 0)
    }

    /// The next comments that a shadow scored, the newest first, before one and by their ids not older than a moment.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn shadowed(
        &mut self,
        shadow: ShadowId,
        since: Option<Timestamp>,
        before: Option<CommentId>,
        limit: i64,
    ) -> Result<Vec<CommentId>, StoreError> {
        let mut select =
            sql::Select::new("SELECT comment_id FROM shadow_scores WHERE shadow_id = ");
        select.bind(shadow.0);
        if let Some(since) = since {
            select
                .push(" AND comment_id >= ")
                .bind(earliest_id(since).0);
        }
        if let Some(before) = before {
            select.push(" AND comment_id < ").bind(before.0);
        }
        select.push(" ORDER BY comment_id DESC LIMIT ").bind(limit);
        let rows: Vec<(Uuid,)> = select.fetch_all(self).await?;
        Ok(rows.into_iter().map(|(id,)| CommentId(id)).collect())
    }

    /// Of these comments those of a site, or of any, as both models see them, the newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn shadowed_comments(
        &mut self,
        shadow: ShadowId,
        site: Option<SiteId>,
        comments: &[CommentId],
    ) -> Result<Vec<ShadowedComment>, StoreError> {
        let mut select = sql::Select::new(
            "SELECT x.comment_id, c.site_id, t.key, c.created_at, s.model,
                 CAST(CASE WHEN c.status <> 'deleted' AND COALESCE(c.edited_at, 0) = COALESCE(x.edited_at, 0)
                      THEN 1 ELSE 0 END AS BIGINT) AS is_current,
                 s.toxicity, s.insult, s.threat, s.identity_attack, s.profanity, s.spam,
                 x.toxicity AS shadow_toxicity, x.insult AS shadow_insult, x.threat AS shadow_threat,
                 x.identity_attack AS shadow_identity_attack, x.profanity AS shadow_profanity, x.spam AS shadow_spam,
                 d.action, d.reason, d.labels, s.reasons, f.cluster_id
             FROM shadow_scores x
             JOIN comments c ON c.id = x.comment_id
             JOIN scores s ON s.comment_id = x.comment_id
             JOIN threads t ON t.id = c.thread_id
             LEFT JOIN decisions d ON d.id = c.decision_id AND d.at >= COALESCE(c.edited_at, 0)
             LEFT JOIN fingerprints f ON f.comment_id = x.comment_id
             WHERE x.shadow_id = ",
        );
        select
            .bind(shadow.0)
            .push(" AND x.comment_id IN ")
            .list(comments.iter().map(|comment| comment.0));
        if let Some(site) = site {
            select.push(" AND c.site_id = ").bind(site.0);
        }
        select.push(" ORDER BY x.comment_id DESC");
        let rows = select.fetch_all::<ShadowedRow>(self).await?;
        rows.into_iter().map(ShadowedComment::try_from).collect()
    }

    /// The shadows that have ended and of whose scores some are still there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn ended_shadows(&mut self) -> Result<Vec<ShadowId>, StoreError> {
        let rows = sql::fetch_all!(
            self,
            (Uuid,),
            "SELECT id FROM shadows s
             WHERE ended_at IS NOT NULL AND EXISTS (SELECT 1 FROM shadow_scores x WHERE x.shadow_id = s.id)"
        )?;
        Ok(rows.into_iter().map(|(id,)| ShadowId(id)).collect())
    }

    /// Removes scores of a shadow, so many at most. How many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_shadow_scores(
        &mut self,
        shadow: ShadowId,
        limit: i64,
    ) -> Result<u64, StoreError> {
        sql::execute!(
            self,
            "DELETE FROM shadow_scores WHERE shadow_id = $1 AND comment_id IN (
                 SELECT comment_id FROM shadow_scores WHERE shadow_id = $1 ORDER BY comment_id LIMIT $2)",
            shadow.0,
            limit
        )
    }
}
