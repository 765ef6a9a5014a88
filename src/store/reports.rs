//! What readers report, and how often they were right.

use uuid::Uuid;

use super::{Db, StoreError, sql};
use crate::domain::{
    AuthorId, Body, CommentId, Note, Report, ReportId, ReportReason, Reporter, ReporterRecord,
    SiteId, Timestamp,
};

#[derive(sqlx::FromRow)]
struct ReportRow {
    id: Uuid,
    comment_id: Uuid,
    reporter_id: String,
    reason: String,
    note: Option<String>,
    version: i64,
    body: String,
    weight: f64,
    at: i64,
}

impl TryFrom<ReportRow> for Report {
    type Error = StoreError;

    fn try_from(row: ReportRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: ReportId(row.id),
            comment_id: CommentId(row.comment_id),
            reporter: Reporter {
                id: AuthorId::stored(row.reporter_id),
            },
            reason: ReportReason::from_name(&row.reason)
                .ok_or(StoreError::Unreadable("reports.reason"))?,
            note: row.note.map(Note::stored),
            version: row.version,
            body: Body::stored(row.body),
            weight: row.weight,
            at: Timestamp::from_millis(row.at),
        })
    }
}

impl Db<'_> {
    /// Keeps a report, unless its reporter reported the comment before. Whether it was kept.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_report(&mut self, report: &Report) -> Result<bool, StoreError> {
        let inserted = sql::execute!(
            self,
            "INSERT INTO reports (id, comment_id, reporter_id, reason, note, version, body, weight, at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             ON CONFLICT (comment_id, reporter_id) DO NOTHING",
            report.id.0,
            report.comment_id.0,
            report.reporter.id.as_str(),
            report.reason.as_str(),
            report.note.as_ref().map(Note::as_str),
            report.version,
            report.body.as_str(),
            report.weight,
            report.at.millis()
        )?;
        Ok(inserted == 1)
    }

    /// A reader's report of a comment.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn report_by(
        &mut self,
        comment: CommentId,
        reporter: &AuthorId,
    ) -> Result<Option<Report>, StoreError> {
        sql::fetch_optional!(
            self,
            ReportRow,
            "SELECT id, comment_id, reporter_id, reason, note, version, body, weight, at FROM reports
             WHERE comment_id = $1 AND reporter_id = $2",
            comment.0,
            reporter.as_str()
        )?
        .map(Report::try_from)
        .transpose()
    }

    /// The reports of these comments, the oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reports(
        &mut self,
        comments: impl IntoIterator<Item = CommentId>,
    ) -> Result<Vec<Report>, StoreError> {
        let mut select = sql::Select::new(
            "SELECT id, comment_id, reporter_id, reason, note, version, body, weight, at FROM reports WHERE comment_id IN ",
        );
        select
            .list(comments.into_iter().map(|id| id.0))
            .push(" ORDER BY at, id");
        select
            .fetch_all::<ReportRow>(self)
            .await?
            .into_iter()
            .map(Report::try_from)
            .collect()
    }

    /// How many reports a comment has of this version or a later one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_reports(
        &mut self,
        comment: CommentId,
        version: i64,
    ) -> Result<i64, StoreError> {
        let (count,) = sql::fetch_one!(
            self,
            (i64,),
            "SELECT COUNT(*) FROM reports WHERE comment_id = $1 AND version >= $2",
            comment.0,
            version
        )?;
        Ok(count)
    }

    /// How often these readers' latest reports on a site were right: those of texts that a moderator decided on after they
    /// were reported, and as they were. Without reports of `comment`, which is still to be decided.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reporter_record(
        &mut self,
        site: SiteId,
        reporter: &AuthorId,
        comment: CommentId,
    ) -> Result<ReporterRecord, StoreError> {
        let (right, wrong) = sql::fetch_one!(
            self,
            (i64, i64),
            "SELECT CAST(COALESCE(SUM(CASE action WHEN 'hide' THEN 1 ELSE 0 END), 0) AS BIGINT),
                 CAST(COALESCE(SUM(CASE action WHEN 'approve' THEN 1 ELSE 0 END), 0) AS BIGINT)
             FROM (
                 SELECT d.action FROM reports r
                 JOIN comments c ON c.id = r.comment_id
                 JOIN decisions d ON d.id = c.decision_id
                 WHERE r.reporter_id = $1 AND c.site_id = $2 AND r.comment_id <> $3
                     AND r.body = c.body AND d.at >= r.at AND d.action IN ('approve', 'hide')
                 ORDER BY r.at DESC LIMIT $4
             ) AS latest",
            reporter.as_str(),
            site.0,
            comment.0,
            ReporterRecord::LATEST
        )?;
        Ok(ReporterRecord { right, wrong })
    }

    /// How much each of the latest reports of a comment counts that are about this text.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn report_weights(
        &mut self,
        comment: CommentId,
        body: &Body,
    ) -> Result<Vec<f64>, StoreError> {
        let rows = sql::fetch_all!(
            self,
            (f64,),
            "SELECT weight FROM reports WHERE comment_id = $1 AND body = $2 ORDER BY at DESC, id LIMIT 100",
            comment.0,
            body.as_str()
        )?;
        Ok(rows.into_iter().map(|(weight,)| weight).collect())
    }
}
