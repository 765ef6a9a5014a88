//! How a statement written once runs on either engine.

use serde::{Serialize, de::DeserializeOwned};
use sqlx::{AssertSqlSafe, FromRow, Postgres, Sqlite, postgres::PgRow, sqlite::SqliteRow};
use uuid::Uuid;

use super::{Db, StoreError, pool::asked};
use crate::domain::Timestamp;

/// Runs a statement that answers no rows; how many rows it changed.
macro_rules! execute {
    ($db:expr, $sql:expr $(, $bind:expr)* $(,)?) => {
        match $db {
            $crate::store::Db::Sqlite(connection) => sqlx::query::<sqlx::Sqlite>($sql)
                $(.bind($bind))*
                .execute(&mut **connection)
                .await
                .map(|done| done.rows_affected()),
            $crate::store::Db::Postgres(lease) => $crate::store::pool::asked!(
                lease,
                connection => sqlx::query::<sqlx::Postgres>($sql)$(.bind($bind))*.execute(connection)
            )
            .map(|done| done.rows_affected()),
        }
        .map_err($crate::store::StoreError::from)
    };
}

macro_rules! fetch {
    ($how:ident, $db:expr, $row:ty, $sql:expr $(, $bind:expr)* $(,)?) => {
        match $db {
            $crate::store::Db::Sqlite(connection) => sqlx::query_as::<sqlx::Sqlite, $row>($sql)
                $(.bind($bind))*
                .$how(&mut **connection)
                .await,
            $crate::store::Db::Postgres(lease) => $crate::store::pool::asked!(
                lease,
                connection => sqlx::query_as::<sqlx::Postgres, $row>($sql)$(.bind($bind))*.$how(connection)
            ),
        }
        .map_err($crate::store::StoreError::from)
    };
}

/// All rows of a query.
macro_rules! fetch_all {
    ($($arguments:tt)*) => { $crate::store::sql::fetch!(fetch_all, $($arguments)*) };
}

/// The one row of a query.
macro_rules! fetch_one {
    ($($arguments:tt)*) => { $crate::store::sql::fetch!(fetch_one, $($arguments)*) };
}

/// The row of a query, if there is one.
macro_rules! fetch_optional {
    ($($arguments:tt)*) => { $crate::store::sql::fetch!(fetch_optional, $($arguments)*) };
}

/// A value that a TEXT column holds as JSON.
pub(super) fn from_json<T: DeserializeOwned>(
    text: &str,
    column: &'static str,
) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|_| StoreError::Unreadable(column))
}

/// The JSON of a value for a TEXT column.
pub(super) fn to_json<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(StoreError::Unwritable)
}

pub(super) use {execute, fetch, fetch_all, fetch_one, fetch_optional};

/// The text of a statement for the engine at hand, where the two differ.
macro_rules! by_engine {
    ($db:expr, sqlite: $sqlite:expr, postgres: $postgres:expr $(,)?) => {
        match $db {
            $crate::store::Db::Sqlite(_) => $sqlite,
            $crate::store::Db::Postgres(_) => $postgres,
        }
    };
}
pub(super) use by_engine;

/// A value bound to a statement put together by [`Select`].
#[derive(Debug, Clone)]
pub(super) enum Value {
    Int(i64),
    Real(f64),
    Text(String),
    Uuid(Uuid),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<Uuid> for Value {
    fn from(value: Uuid) -> Self {
        Self::Uuid(value)
    }
}

/// A query whose filters vary. Its text is made of literals only; values from outside are always bound.
pub(super) struct Select {
    text: String,
    values: Vec<Value>,
}

impl Select {
    pub(super) fn new(text: &'static str) -> Self {
        Self {
            text: text.to_owned(),
            values: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, text: &'static str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Adds the next placeholder and its value.
    pub(super) fn bind(&mut self, value: impl Into<Value>) -> &mut Self {
        self.values.push(value.into());
        self.text.push('$');
        self.text.push_str(&self.values.len().to_string());
        self
    }

    /// Adds `($1, $2, ...)`; of no values, a list that nothing is in.
    pub(super) fn list<V: Into<Value>>(
        &mut self,
        values: impl IntoIterator<Item = V>,
    ) -> &mut Self {
        self.text.push('(');
        let before = self.values.len();
        for value in values {
            if self.values.len() > before {
                self.text.push_str(", ");
            }
            self.bind(value);
        }
        if self.values.len() == before {
            self.text.push_str("NULL");
        }
        self.text.push(')');
        self
    }

    /// Adds that a row comes after this position in the order of `time`, then `id`. The first bound lets the engine seek
    /// in the index; the rest settles ties.
    pub(super) fn after(
        &mut self,
        time: &'static str,
        id: &'static str,
        position: (Timestamp, Uuid),
    ) -> &mut Self {
        let (at, row) = (position.0.millis(), position.1);
        self.push(" AND ").push(time).push(" >= ").bind(at);
        self.push(" AND (").push(time).push(" > ").bind(at);
        self.push(" OR ").push(id).push(" > ").bind(row).push(")")
    }

    pub(super) async fn fetch_all<T>(self, db: &mut Db<'_>) -> Result<Vec<T>, StoreError>
    where
        T: Send + Unpin + for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow>,
    {
        macro_rules! run {
            ($engine:ty, $connection:expr) => {{
                let mut query = sqlx::query_as::<$engine, T>(AssertSqlSafe(self.text));
                for value in self.values {
                    query = match value {
                        Value::Int(value) => query.bind(value),
                        Value::Real(value) => query.bind(value),
                        Value::Text(value) => query.bind(value),
                        Value::Uuid(value) => query.bind(value),
                    };
                }
                query.fetch_all($connection)
            }};
        }
        Ok(match db {
            Db::Sqlite(connection) => run!(Sqlite, &mut **connection).await?,
            Db::Postgres(lease) => asked!(lease, connection => run!(Postgres, connection))?,
        })
    }
}

/// How far the clocks of replicas and of PostgreSQL may be apart, in milliseconds, without a list of changes missing any.
const CLOCKS_APART: i64 = 1_000;

/// The moment before which nothing will be added any more to what is in the order of time. Times are taken before a
/// commit, and transactions commit in any order: a list in the order of time that showed what is younger would later
/// have something put in before its end. There is none on SQLite, where commits are serial.
pub(super) async fn settled_before(db: &mut Db<'_>) -> Result<Option<i64>, StoreError> {
    if let Db::Sqlite(_) = db {
        return Ok(None);
    }
    let (open_since, now) = fetch_one!(
        db,
        (Option<i64>, i64),
        "SELECT CAST(extract(epoch FROM MIN(xact_start)) * 1000 AS BIGINT),
             CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)
         FROM pg_stat_activity
         WHERE datname = current_database() AND application_name = 'palabre' AND pid <> pg_backend_pid()"
    )?;
    // What is younger than this question may still be overtaken; what the asker stored before it, by our clock, may not.
    let asked = now.max(Timestamp::now().millis());
    Ok(Some(
        open_since.map_or(asked + 1, |since| since - CLOCKS_APART),
    ))
}
