//! What the machine said of a comment, and which model said it.

use uuid::Uuid;

use super::{
    Db, StoreError, sql,
    writes::{Kind, Rows, Writes, row},
};
use crate::domain::{
    Comment, CommentId, DuplicateKind, DuplicateOf, Highlight, PerLabel, Reason, Score, Scores,
    Span,
};

/// The machine's part of a comment, as read.
#[derive(Debug, Clone)]
pub struct Scored {
    pub model: String,
    pub scores: Scores,
    pub reasons: Vec<Reason>,
    pub duplicate_of: Option<DuplicateOf>,
}

/// Why a comment was scored so: spans of its text.
#[derive(Debug, Clone, Default)]
pub struct Explanation {
    pub highlights: Vec<Highlight>,
    /// Text of the comments above that it quotes.
    pub quotes: Vec<Span>,
}

/// The six columns of scores, wherever they are selected.
#[derive(sqlx::FromRow)]
pub(super) struct SixScores {
    toxicity: f64,
    insult: f64,
    threat: f64,
    identity_attack: f64,
    profanity: f64,
    spam: f64,
}

impl SixScores {
    pub(super) fn scores(&self) -> Scores {
        PerLabel {
            toxicity: score(self.toxicity),
            insult: score(self.insult),
            threat: score(self.threat),
            identity_attack: score(self.identity_attack),
            profanity: score(self.profanity),
            spam: score(self.spam),
        }
    }
}

/// The columns of `scores`, as every query of comments selects them.
#[derive(sqlx::FromRow)]
pub(super) struct ScoreColumns {
    model: String,
    #[sqlx(flatten)]
    six: SixScores,
    reasons: String,
    duplicate_of: Option<Uuid>,
    duplicate_kind: Option<String>,
    similarity: Option<f64>,
}

const EXACT: &str = "exact";
const NEAR: &str = "near";

pub(super) fn score(stored: f64) -> Score {
    Score::clamped(stored as f32)
}

impl TryFrom<ScoreColumns> for Scored {
    type Error = StoreError;

    fn try_from(row: ScoreColumns) -> Result<Self, StoreError> {
        let duplicate_of = match (row.duplicate_of, row.duplicate_kind.as_deref()) {
            (Some(id), Some(kind)) => Some(DuplicateOf {
                id: CommentId(id),
                kind: match kind {
                    EXACT => DuplicateKind::Exact,
                    NEAR => DuplicateKind::Near,
                    _ => return Err(StoreError::Unreadable("scores.duplicate_kind")),
                },
                similarity: score(row.similarity.unwrap_or(1.0)),
            }),
            _ => None,
        };
        Ok(Self {
            scores: row.six.scores(),
            reasons: sql::from_json(&row.reasons, "scores.reasons")?,
            duplicate_of,
            model: row.model,
        })
    }
}

static SCORES: Rows = Rows::of(
    "scores",
    &[
        ("comment_id", Kind::Uuid),
        ("model", Kind::Text),
        ("toxicity", Kind::Real),
        ("insult", Kind::Real),
        ("threat", Kind::Real),
        ("identity_attack", Kind::Real),
        ("profanity", Kind::Real),
        ("spam", Kind::Real),
        ("reasons", Kind::Text),
        ("duplicate_of", Kind::Uuid),
        ("duplicate_kind", Kind::Text),
        ("similarity", Kind::Real),
        ("highlights", Kind::Text),
        ("quotes", Kind::Text),
    ],
    "ON CONFLICT (comment_id) DO UPDATE SET
         model = excluded.model, toxicity = excluded.toxicity, insult = excluded.insult, threat = excluded.threat,
         identity_attack = excluded.identity_attack, profanity = excluded.profanity, spam = excluded.spam,
         reasons = excluded.reasons, duplicate_of = excluded.duplicate_of, duplicate_kind = excluded.duplicate_kind,
         similarity = excluded.similarity, highlights = excluded.highlights, quotes = excluded.quotes",
);

impl<'a> Writes<'a> {
    /// What the machine says of comments, in place of what it said before.
    ///
    /// # Errors
    /// When a value cannot be written as JSON.
    pub fn scores(
        self,
        scored: impl IntoIterator<Item = (&'a Comment, &'a Explanation)>,
    ) -> Result<Self, StoreError> {
        let rows = scored
            .into_iter()
            .map(|(comment, explanation)| {
                let copy = comment.duplicate_of;
                let scores = comment.scores.map(|score| f64::from(score.value()));
                Ok(row![
                    comment.id.0,
                    comment.model.as_str(),
                    scores.toxicity,
                    scores.insult,
                    scores.threat,
                    scores.identity_attack,
                    scores.profanity,
                    scores.spam,
                    sql::to_json(&comment.reasons)?,
                    copy.map(|copy| copy.id.0),
                    copy.map(|copy| match copy.kind {
                        DuplicateKind::Exact => EXACT,
                        DuplicateKind::Near => NEAR,
                    }),
                    copy.map(|copy| f64::from(copy.similarity.value())),
                    sql::to_json(&explanation.highlights)?,
                    sql::to_json(&explanation.quotes)?,
                ])
            })
            .collect::<Result<Vec<_>, StoreError>>()?;
        Ok(self.rows(&SCORES, rows))
    }
}

impl Db<'_> {
    /// Gives a comment other reasons.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_reasons(
        &mut self,
        comment: CommentId,
        reasons: &[Reason],
    ) -> Result<(), StoreError> {
        let reasons = sql::to_json(&reasons)?;
        sql::execute!(
            self,
            "UPDATE scores SET reasons = $2 WHERE comment_id = $1",
            comment.0,
            &reasons
        )?;
        Ok(())
    }

    /// Why each of these comments was scored so, in no order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn explanations(
        &mut self,
        comments: impl IntoIterator<Item = CommentId>,
    ) -> Result<Vec<(CommentId, Explanation)>, StoreError> {
        let mut select = sql::Select::new(
            "SELECT comment_id, highlights, quotes FROM scores WHERE comment_id IN ",
        );
        select.list(comments.into_iter().map(|id| id.0));
        let rows: Vec<(Uuid, String, String)> = select.fetch_all(self).await?;
        rows.into_iter()
            .map(|(id, highlights, quotes)| {
                let explanation = Explanation {
                    highlights: sql::from_json(&highlights, "scores.highlights")?,
                    quotes: sql::from_json(&quotes, "scores.quotes")?,
                };
                Ok((CommentId(id), explanation))
            })
            .collect()
    }
}
