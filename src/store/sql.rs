//! How a statement written once runs on either engine.

use std::sync::OnceLock;

use serde::{Serialize, de::DeserializeOwned};
use sqlx::{AssertSqlSafe, FromRow, Postgres, Sqlite, postgres::PgRow, sqlite::SqliteRow};
use uuid::Uuid;

use super::{Db, StoreError};

/// Runs a statement that answers no rows; how many rows it changed.
macro_rules! execute {
    ($db:expr, $sql:expr $(, $bind:expr)* $(,)?) => {
        match $db {
            $crate::store::Db::Sqlite(connection) => sqlx::query::<sqlx::Sqlite>($sql)
                $(.bind($bind))*
                .execute(&mut **connection)
                .await
                .map(|done| done.rows_affected()),
            $crate::store::Db::Postgres(connection) => sqlx::query::<sqlx::Postgres>($sql)
                $(.bind($bind))*
                .execute(&mut **connection)
                .await
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
            $crate::store::Db::Postgres(connection) => sqlx::query_as::<sqlx::Postgres, $row>($sql)
                $(.bind($bind))*
                .$how(&mut **connection)
                .await,
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

/// What a column holds, and so how it is read from JSON.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Uuid,
    Int,
    Real,
    Text,
    /// Bytes, given as hexadecimal digits.
    Bytes,
}

/// Rows written by set: one statement whatever their number, which the engine keeps prepared. They travel as one JSON
/// array of arrays.
pub(super) struct Rows {
    table: &'static str,
    columns: &'static [(&'static str, Kind)],
    /// What follows the rows, such as `ON CONFLICT ...`.
    rest: &'static str,
    texts: OnceLock<[String; 2]>,
}

impl Rows {
    pub(super) const fn of(
        table: &'static str,
        columns: &'static [(&'static str, Kind)],
        rest: &'static str,
    ) -> Self {
        Self {
            table,
            columns,
            rest,
            texts: OnceLock::new(),
        }
    }

    /// Writes the rows, each of which serialises to an array in the order of the columns. How many were written.
    pub(super) async fn insert<R: Serialize>(
        &'static self,
        db: &mut Db<'_>,
        rows: &[R],
    ) -> Result<u64, StoreError> {
        if rows.is_empty() {
            return Ok(0);
        }
        let rows = to_json(&rows)?;
        let [sqlite, postgres] = self.texts.get_or_init(|| self.texts());
        let text = by_engine!(&*db, sqlite: sqlite.as_str(), postgres: postgres.as_str());
        execute!(db, text, &rows)
    }

    fn texts(&self) -> [String; 2] {
        let names: Vec<&str> = self.columns.iter().map(|(name, _)| *name).collect();
        let head = format!("INSERT INTO {} ({}) SELECT ", self.table, names.join(", "));
        let values = |read: fn(usize, Kind) -> String| -> String {
            let values: Vec<String> = (self.columns.iter().enumerate())
                .map(|(at, (_, kind))| read(at, *kind))
                .collect();
            values.join(", ")
        };
        let sqlite = values(|at, kind| match kind {
            Kind::Uuid => format!("unhex(value ->> {at}, '-')"),
            Kind::Bytes => format!("unhex(value ->> {at})"),
            Kind::Int | Kind::Real | Kind::Text => format!("value ->> {at}"),
        });
        let postgres = values(|at, kind| match kind {
            Kind::Uuid => format!("CAST(value ->> {at} AS uuid)"),
            Kind::Int => format!("CAST(value ->> {at} AS bigint)"),
            Kind::Real => format!("CAST(value ->> {at} AS double precision)"),
            Kind::Text => format!("value ->> {at}"),
            Kind::Bytes => format!("decode(value ->> {at}, 'hex')"),
        });
        // SQLite needs the WHERE to tell ON CONFLICT from a join's ON.
        let rest = self.rest;
        [
            format!("{head}{sqlite} FROM json_each($1) WHERE true {rest}"),
            format!(
                "{head}{postgres} FROM json_array_elements(CAST($1 AS json)) AS value WHERE true {rest}"
            ),
        ]
    }
}

/// Bytes as [`Kind::Bytes`] takes them.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

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
                query.fetch_all(&mut **$connection).await
            }};
        }
        Ok(match db {
            Db::Sqlite(connection) => run!(Sqlite, connection)?,
            Db::Postgres(connection) => run!(Postgres, connection)?,
        })
    }
}
