//! The first answers to requests with an `Idempotency-Key`.

use super::{
    Db, StoreError, sql,
    writes::{Kind, Rows, Writes, row},
};
use crate::domain::Timestamp;

/// What was answered first.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Remembered {
    /// A digest of site, method, path and key.
    pub id: String,
    /// A digest of the request's body.
    pub request: String,
    pub status: i64,
    pub answer: String,
}

static KEYS: Rows = Rows::of(
    "idempotency_keys",
    &[
        ("id", Kind::Text),
        ("request", Kind::Text),
        ("status", Kind::Int),
        ("answer", Kind::Text),
        ("at", Kind::Int),
    ],
    // One that is too old to count is replaced.
    "ON CONFLICT (id) DO UPDATE SET request = excluded.request, status = excluded.status, answer = excluded.answer,
         at = excluded.at
     WHERE idempotency_keys.at < excluded.at - 86400000",
);

impl<'a> Writes<'a> {
    /// First answers; a key that has one already keeps that.
    pub fn answers(self, answers: &'a [Remembered], at: Timestamp) -> Self {
        let rows = answers.iter().map(|first| {
            row![
                first.id.as_str(),
                first.request.as_str(),
                first.status,
                first.answer.as_str(),
                at.millis(),
            ]
        });
        self.rows(&KEYS, rows)
    }
}

impl Db<'_> {
    /// What was answered to these keys, since then; in no order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remembered(
        &mut self,
        ids: &[&str],
        since: Timestamp,
    ) -> Result<Vec<Remembered>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let text = sql::by_engine!(
            &*self,
            sqlite: "SELECT id, request, status, answer FROM idempotency_keys
                     WHERE at >= $2 AND id IN (SELECT value FROM json_each($1))",
            postgres: "SELECT id, request, status, answer FROM idempotency_keys
                       WHERE at >= $2 AND id IN (SELECT value FROM json_array_elements_text(CAST($1 AS json)) AS value)",
        );
        let ids = sql::to_json(&ids)?;
        sql::fetch_all!(self, Remembered, text, &ids, since.millis())
    }

    /// Forgets answers given before then, at most `limit`. How many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_answers(
        &mut self,
        before: Timestamp,
        limit: i64,
    ) -> Result<u64, StoreError> {
        sql::execute!(
            self,
            "DELETE FROM idempotency_keys WHERE id IN (SELECT id FROM idempotency_keys WHERE at < $1 ORDER BY at LIMIT $2)",
            before.millis(),
            limit
        )
    }
}
