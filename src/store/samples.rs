//! Published comments that were drawn for a moderator to look at, and what became of them.

use super::{
    Db, StoreError, sql,
    stats::arrived,
    writes::{Kind, Rows, Writes, row},
};
use crate::domain::{
    Action, Answer, Answered, CommentId, DecisionReason, Judged, QueueName, Sample, SampleKind,
    SiteId, Status, Timestamp,
};

/// That a comment was drawn.
#[derive(Debug, Clone, Copy)]
pub struct SampledComment {
    pub comment: CommentId,
    pub site: SiteId,
    pub sample: Sample,
    pub at: Timestamp,
}

/// How many comments that moderators hid for what they say were held, and how many were published, when they came.
#[derive(Debug, Clone, Copy, Default)]
pub struct WrongCount {
    /// By the policy, which held or hid them.
    pub held: u64,
    pub published: u64,
}

static SAMPLES: Rows = Rows::of(
    "samples",
    &[
        ("comment_id", Kind::Uuid),
        ("site_id", Kind::Uuid),
        ("kind", Kind::Text),
        ("probability", Kind::Real),
        ("at", Kind::Int),
    ],
    "",
);

impl<'a> Writes<'a> {
    /// Comments that were drawn.
    pub fn samples(self, samples: &'a [SampledComment]) -> Self {
        let rows = samples.iter().map(|one| {
            row![
                one.comment.0,
                one.site.0,
                one.sample.kind.as_str(),
                one.sample.probability,
                one.at.millis(),
            ]
        });
        self.rows(&SAMPLES, rows)
    }
}

#[derive(sqlx::FromRow)]
struct AnswerRow {
    kind: String,
    probability: f64,
    action: Option<String>,
    reason: Option<String>,
    as_sample: i64,
}

#[derive(sqlx::FromRow)]
struct CountRow {
    held: i64,
    action: String,
    reason: Option<String>,
    count: i64,
}

/// What a decision that stands says.
fn judged(action: Option<&str>, reason: Option<&str>) -> Judged {
    let reason = reason.and_then(DecisionReason::from_name);
    let action = action.and_then(Action::from_name);
    Judged::by(action.map(|action| (action, reason)))
}

impl AnswerRow {
    fn read(self) -> Result<(SampleKind, Answer), StoreError> {
        let kind =
            SampleKind::from_name(&self.kind).ok_or(StoreError::Unreadable("samples.kind"))?;
        let action = self.action.as_deref().and_then(Action::from_name);
        let answered = match action {
            Some(Action::Approve | Action::Hide) if self.as_sample != 0 => Answered::AsSample,
            Some(Action::Approve | Action::Hide) => Answered::Otherwise,
            _ => Answered::NotYet,
        };
        let answer = Answer {
            probability: self.probability,
            answered,
            wrong: judged(self.action.as_deref(), self.reason.as_deref()) == Judged::Wrong,
        };
        Ok((kind, answer))
    }
}

impl Db<'_> {
    /// When a site's first comment was drawn, if any was.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn first_sample(&mut self, site: SiteId) -> Result<Option<Timestamp>, StoreError> {
        let (first,) = sql::fetch_one!(
            self,
            (Option<i64>,),
            "SELECT MIN(at) FROM samples WHERE site_id = $1",
            site.0
        )?;
        Ok(first.map(Timestamp::from_millis))
    }

    /// A site's samples between two moments, with the decisions that stand; those that were edited or deleted since are
    /// left out. One was answered as a sample where somebody decided it while it waited as one, whatever was decided later,
    /// such as on an appeal; not where it only went along with another comment of a group, which is the first of it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn answers(
        &mut self,
        site: SiteId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<(SampleKind, Answer)>, StoreError> {
        let rows = sql::fetch_all!(
            self,
            AnswerRow,
            "SELECT s.kind, s.probability, d.action, d.reason,
                 CAST(CASE WHEN EXISTS (
                     SELECT 1 FROM decisions a
                     WHERE a.comment_id = s.comment_id AND a.from_queue = $5 AND a.action IN ('approve', 'hide')
                         AND (a.group_id IS NULL
                             OR NOT EXISTS (SELECT 1 FROM decisions g WHERE g.group_id = a.group_id AND g.id < a.id))
                         AND NOT EXISTS (
                             SELECT 1 FROM decisions u WHERE u.comment_id = a.comment_id AND u.undoes = a.id
                                 AND NOT EXISTS (
                                     SELECT 1 FROM decisions v WHERE v.comment_id = u.comment_id AND v.undoes = u.id))
                 ) THEN 1 ELSE 0 END AS BIGINT) AS as_sample
             FROM samples s JOIN comments c ON c.id = s.comment_id LEFT JOIN decisions d ON d.id = c.decision_id
             WHERE s.site_id = $1 AND s.at >= $2 AND s.at < $3 AND c.status <> $4 AND c.edited_at IS NULL
             ORDER BY s.at, s.comment_id",
            site.0,
            from.millis(),
            to.millis(),
            Status::Deleted.as_str(),
            QueueName::Sampled.as_str()
        )?;
        rows.into_iter().map(AnswerRow::read).collect()
    }

    /// How much of what a site received between two moments moderators hid for what it says, by whether the policy had held
    /// it; without copies of earlier comments, as none of them is drawn, and without what was edited or deleted since.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn wrong_by_policy(
        &mut self,
        site: SiteId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<WrongCount, StoreError> {
        // What waits since readers reported it was published before.
        let mut select = sql::Select::new(
            r#"SELECT CASE WHEN s.reasons = '[]' OR s.reasons LIKE '%{"code":"report"%' THEN CAST(0 AS BIGINT)
                   ELSE 1 END AS held, d.action, d.reason, COUNT(*) AS count
               FROM comments c JOIN decisions d ON d.id = c.decision_id JOIN scores s ON s.comment_id = c.id WHERE"#,
        );
        arrived(&mut select, &[site], from, to);
        select
            .push(" AND s.duplicate_of IS NULL AND c.edited_at IS NULL AND c.status <> ")
            .bind(Status::Deleted.as_str())
            .push(" AND d.action = ")
            .bind(Action::Hide.as_str())
            .push(" GROUP BY held, d.action, d.reason");
        let mut wrong = WrongCount::default();
        for row in select.fetch_all::<CountRow>(self).await? {
            if judged(Some(&row.action), row.reason.as_deref()) == Judged::Wrong {
                let count = match row.held {
                    0 => &mut wrong.published,
                    _ => &mut wrong.held,
                };
                *count += row.count.cast_unsigned();
            }
        }
        Ok(wrong)
    }

    /// Takes samples of a site out of the queue that entered it before a moment and are nobody's now. How many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_samples(
        &mut self,
        site: SiteId,
        before: Timestamp,
        now: Timestamp,
        limit: i64,
    ) -> Result<u64, StoreError> {
        // What somebody has before them just now is left for the next time.
        let text = sql::by_engine!(
            self,
            sqlite: "DELETE FROM queue WHERE comment_id IN (
                 SELECT comment_id FROM queue WHERE site_id = $1 AND queue = $2 AND created_at < $3
                     AND COALESCE(entered_at, created_at) < $3 AND (claimed_until IS NULL OR claimed_until <= $4)
                 ORDER BY created_at LIMIT $5)",
            postgres: "DELETE FROM queue WHERE comment_id IN (
                 SELECT comment_id FROM queue WHERE site_id = $1 AND queue = $2 AND created_at < $3
                     AND COALESCE(entered_at, created_at) < $3 AND (claimed_until IS NULL OR claimed_until <= $4)
                 ORDER BY created_at LIMIT $5 FOR UPDATE SKIP LOCKED)",
        );
        sql::execute!(
            self,
            text,
            site.0,
            QueueName::Sampled.as_str(),
            before.millis(),
            now.millis(),
            limit
        )
    }
}
