//! What authors appeal against, and how that was answered: an answer is a decision.

use uuid::Uuid;

use super::{Db, StoreError, sql};
use crate::domain::{
    Action, Appeal, AppealAnswer, AppealId, AppealOutcome, CommentId, DecisionId, Note,
    StandingAppeal, Timestamp,
};

/// An answer, as every query of appeals and of comments selects it from the decision that gave it.
#[derive(sqlx::FromRow)]
#[expect(
    clippy::struct_field_names,
    reason = "the names of the columns, beside those of the appeal"
)]
struct AnswerColumns {
    answer_id: Option<Uuid>,
    answer_action: Option<String>,
    answer_note: Option<String>,
    answer_at: Option<i64>,
}

impl AnswerColumns {
    fn answer(self) -> Result<Option<AppealAnswer>, StoreError> {
        let (Some(id), Some(action), Some(at)) =
            (self.answer_id, self.answer_action, self.answer_at)
        else {
            return Ok(None);
        };
        let outcome = Action::from_name(&action).and_then(AppealOutcome::of);
        Ok(Some(AppealAnswer {
            decision: DecisionId(id),
            outcome: outcome.ok_or(StoreError::Unreadable("appeals.answer_id"))?,
            note: self.answer_note.map(Note::stored),
            at: Timestamp::from_millis(at),
        }))
    }
}

/// A comment's latest appeal, as queries of comments select it.
#[derive(sqlx::FromRow)]
pub(super) struct AppealColumns {
    appeal_id: Option<Uuid>,
    appeal_text: Option<String>,
    appeal_at: Option<i64>,
    #[sqlx(flatten)]
    answer: AnswerColumns,
}

impl AppealColumns {
    pub(super) fn standing(self) -> Result<Option<StandingAppeal>, StoreError> {
        let (Some(id), Some(text), Some(at)) = (self.appeal_id, self.appeal_text, self.appeal_at)
        else {
            return Ok(None);
        };
        Ok(Some(StandingAppeal {
            id: AppealId(id),
            at: Timestamp::from_millis(at),
            text: Note::stored(text),
            answer: self.answer.answer()?,
        }))
    }
}

#[derive(sqlx::FromRow)]
struct AppealRow {
    id: Uuid,
    comment_id: Uuid,
    text: String,
    version: i64,
    at: i64,
    #[sqlx(flatten)]
    answer: AnswerColumns,
}

impl TryFrom<AppealRow> for Appeal {
    type Error = StoreError;

    fn try_from(row: AppealRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: AppealId(row.id),
            comment_id: CommentId(row.comment_id),
            text: Note::stored(row.text),
            version: row.version,
            at: Timestamp::from_millis(row.at),
            answer: row.answer.answer()?,
        })
    }
}

impl Db<'_> {
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

    /// Notes that a decision answers what its comment's author asked before it and was not told yet.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn answer_appeals(
        &mut self,
        comment: CommentId,
        by: DecisionId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        sql::execute!(
            self,
            "UPDATE appeals SET answer_id = $2 WHERE comment_id = $1 AND answer_id IS NULL AND at <= $3",
            comment.0,
            by.0,
            at.millis()
        )?;
        Ok(())
    }

    /// Takes back the answers that a decision gave.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take_answers_back(&mut self, by: DecisionId) -> Result<(), StoreError> {
        sql::execute!(
            self,
            "UPDATE appeals SET answer_id = NULL WHERE answer_id = $1",
            by.0
        )?;
        Ok(())
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
            "SELECT a.id, a.comment_id, a.text, a.version, a.at, a.answer_id, answer.action AS answer_action,
                 answer.note AS answer_note, answer.at AS answer_at
             FROM appeals a LEFT JOIN decisions answer ON answer.id = a.answer_id WHERE a.comment_id IN ",
        );
        select
            .list(comments.into_iter().map(|id| id.0))
            .push(" ORDER BY a.at, a.id");
        let rows: Vec<AppealRow> = select.fetch_all(self).await?;
        rows.into_iter().map(Appeal::try_from).collect()
    }
}
