//! Rows written by set, to several tables at once.

use std::borrow::Cow;

use serde::{Serialize, Serializer};
use sqlx::{AssertSqlSafe, Postgres, Sqlite};
use uuid::Uuid;

use super::{Db, StoreError, pool::asked, sql::to_json};

/// What a column holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Uuid,
    Int,
    Real,
    Text,
    Bytes,
}

/// A value of a row that is written by set.
#[derive(Debug, Clone)]
pub(super) enum Cell<'a> {
    Null,
    Uuid(Uuid),
    Int(i64),
    Real(f64),
    Text(Cow<'a, str>),
    Bytes(&'a [u8]),
}

/// As [`Rows`] hands it to SQLite: bytes as hexadecimal digits, which JSON has no other form for.
impl Serialize for Cell<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Uuid(id) => serializer.collect_str(&id.simple()),
            Self::Int(number) => serializer.serialize_i64(*number),
            Self::Real(number) => serializer.serialize_f64(*number),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Bytes(bytes) => serializer.collect_str(&Hex(bytes)),
        }
    }
}

struct Hex<'a>(&'a [u8]);

impl std::fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

macro_rules! cells {
    ($($from:ty => $value:ident $cell:expr;)+) => {$(
        impl<'a> From<$from> for Cell<'a> {
            fn from($value: $from) -> Self {
                $cell
            }
        }
    )+};
}
cells! {
    Uuid => id Cell::Uuid(id);
    i64 => number Cell::Int(number);
    f64 => number Cell::Real(number);
    &'a str => text Cell::Text(Cow::Borrowed(text));
    String => text Cell::Text(Cow::Owned(text));
    &'a [u8] => bytes Cell::Bytes(bytes);
}

impl<'a, T: Into<Cell<'a>>> From<Option<T>> for Cell<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Cell::Null, Into::into)
    }
}

/// A row in the making: its values in the order of the columns.
macro_rules! row {
    ($($value:expr),+ $(,)?) => {
        vec![$($crate::store::writes::Cell::from($value)),+]
    };
}
pub(super) use row;

/// A table that rows are written to by set: one statement whatever their number. They travel to SQLite as one JSON array
/// of arrays, to PostgreSQL as an array for each column.
pub(super) struct Rows {
    table: &'static str,
    columns: &'static [(&'static str, Kind)],
    /// What follows the rows, such as `ON CONFLICT ...`.
    rest: &'static str,
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
        }
    }

    /// The statement whose rows are `$at`, for SQLite.
    fn sqlite(&self, at: usize) -> String {
        let values: Vec<String> = (self.columns.iter().enumerate())
            .map(|(at, (_, kind))| match kind {
                Kind::Uuid | Kind::Bytes => format!("unhex(value ->> {at})"),
                Kind::Int | Kind::Real | Kind::Text => format!("value ->> {at}"),
            })
            .collect();
        // SQLite needs the WHERE to tell ON CONFLICT from a join's ON.
        format!(
            "{} SELECT {} FROM json_each(${at}) WHERE true {}",
            self.head(),
            values.join(", "),
            self.rest
        )
    }

    /// The statement whose columns are `$first` and those after it, for PostgreSQL.
    fn postgres(&self, first: usize) -> String {
        let values: Vec<String> = (self.columns.iter().enumerate())
            .map(|(at, (_, kind))| {
                let array = match kind {
                    Kind::Uuid => "uuid[]",
                    Kind::Int => "bigint[]",
                    Kind::Real => "double precision[]",
                    Kind::Text => "text[]",
                    Kind::Bytes => "bytea[]",
                };
                format!("CAST(${} AS {array})", first + at)
            })
            .collect();
        format!(
            "{} SELECT * FROM UNNEST({}) {}",
            self.head(),
            values.join(", "),
            self.rest
        )
    }

    fn head(&self) -> String {
        let names: Vec<&str> = self.columns.iter().map(|(name, _)| *name).collect();
        format!("INSERT INTO {} ({})", self.table, names.join(", "))
    }
}

/// Rows to be written to several tables, in one trip to the database: a trip costs as much as writing a few rows.
#[derive(Default)]
#[must_use = "nothing is written before `Db::write`"]
pub struct Writes<'a> {
    tables: Vec<(&'static Rows, Vec<Vec<Cell<'a>>>)>,
}

impl<'a> Writes<'a> {
    /// Adds rows, each with its values in the order of the table's columns.
    pub(super) fn rows(
        mut self,
        table: &'static Rows,
        rows: impl IntoIterator<Item = Vec<Cell<'a>>>,
    ) -> Self {
        let rows: Vec<_> = rows.into_iter().collect();
        if !rows.is_empty() {
            self.tables.push((table, rows));
        }
        self
    }
}

impl Db<'_> {
    /// Writes these rows, in a transaction: after an error some may be there, until it is rolled back. Rows that others
    /// refer to come first.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when a row is there already that may be there once; when the database fails.
    pub async fn write(&mut self, writes: Writes<'_>) -> Result<(), StoreError> {
        let Writes { tables } = writes;
        if tables.is_empty() {
            return Ok(());
        }
        match self {
            Self::Sqlite(connection) => {
                let texts = tables.iter().zip(1..);
                let texts: Vec<String> = texts.map(|((table, _), at)| table.sqlite(at)).collect();
                let mut query = sqlx::query::<Sqlite>(AssertSqlSafe(texts.join(";\n")));
                for (_, rows) in &tables {
                    query = query.bind(to_json(rows)?);
                }
                query.execute(&mut **connection).await?;
            }
            Self::Postgres(lease) => {
                let mut first = 1;
                let mut texts = Vec::new();
                for (table, _) in &tables {
                    texts.push(table.postgres(first));
                    first += table.columns.len();
                }
                let mut query = sqlx::query::<Postgres>(AssertSqlSafe(together(texts)));
                for (table, rows) in &tables {
                    for (at, (_, kind)) in table.columns.iter().enumerate() {
                        let column = rows.iter().map(|row| &row[at]);
                        macro_rules! array {
                            ($variant:ident, $value:ident => $read:expr, $item:ty) => {{
                                let values: Vec<Option<$item>> = column
                                    .map(|cell| match cell {
                                        Cell::$variant($value) => Some($read),
                                        _ => None,
                                    })
                                    .collect();
                                query.bind(values)
                            }};
                        }
                        query = match kind {
                            Kind::Uuid => array!(Uuid, id => *id, Uuid),
                            Kind::Int => array!(Int, number => *number, i64),
                            Kind::Real => array!(Real, number => *number, f64),
                            Kind::Text => array!(Text, text => text.as_ref(), &str),
                            Kind::Bytes => array!(Bytes, bytes => *bytes, &[u8]),
                        };
                    }
                }
                asked!(lease, connection => query.execute(connection))?;
            }
        }
        Ok(())
    }
}

/// One statement of several, for PostgreSQL: references between their rows are checked at its end.
fn together(mut texts: Vec<String>) -> String {
    let last = texts.pop().unwrap_or_default();
    let others: Vec<String> = (texts.iter().enumerate())
        .map(|(at, text)| format!("part{at} AS ({text})"))
        .collect();
    if others.is_empty() {
        last
    } else {
        format!("WITH {} {last}", others.join(", "))
    }
}
