//! What readers report, and what authors appeal against.

use uuid::Uuid;

use super::{Db, StoreError, sql};
use crate::domain::{
    Appeal, AppealId, AuthorId, Body, CommentId, DecisionId, Note, Report, ReportId, ReportReason,
    Reporter, Timestamp,
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
            "INSERT INTO reports (id, comment_id, reporter_id, reason, note, version, body, at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (comment_id, reporter_id) DO NOTHING",
            report.id.0,
            report.comment_id.0,
            report.reporter.id.as_str(),
            report.reason.as_str(),
            report.note.as_ref().map(Note::as_str),
            report.version,
            report.body.as_str(),
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
            "SELECT id, comment_id, reporter_id, reason, note, version, body, at FROM reports
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
            "SELECT id, comment_id, reporter_id, reason, note, version, body, at FROM reports WHERE comment_id IN ",
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

    /// Keeps an appeal, unless there is one of this version. Whether it was kept.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_appeal(
        &mut self,
        appeal: &Appeal,
        against: Option<DecisionId>,
    ) -> Result<bool, StoreError> {
        let inserted = sql::execute!(
            self,
            "INSERT INTO appeals (id, comment_id, text, decision_id, version, at) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (comment_id, version) DO NOTHING",
            appeal.id.0,
            appeal.comment_id.0,
            appeal.text.as_str(),
            against.map(|decision| decision.0),
            appeal.version,
            appeal.at.millis()
        )?;
        Ok(inserted == 1)
    }

    /// The appeals about these comments, the oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn appeals(
        &mut self,
        comments: impl IntoIterator<Item = CommentId>,
    ) -> Result<Vec<Appeal>, StoreError> {
        let mut select = sql::Select::new(
            "SELECT id, comment_id, text, version, at FROM appeals WHERE comment_id IN ",
        );
        select
            .list(comments.into_iter().map(|id| id.0))
            .push(" ORDER BY at, id");
        let rows: Vec<(Uuid, Uuid, String, i64, i64)> = select.fetch_all(self).await?;
        Ok(rows
            .into_iter()
            .map(|(id, comment, text, version, at)| Appeal {
                id: AppealId(id),
                comment_id: CommentId(comment),
                text: Note::stored(text),
                version,
                at: Timestamp::from_millis(at),
            })
            .collect())
    }
}
