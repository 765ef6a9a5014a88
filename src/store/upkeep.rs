//! What an operator asks of the database itself: is it whole, is it up to date, and a copy of it.

use std::path::Path;

use super::{
    Store, StoreError,
    opening::{POSTGRES_MIGRATIONS, SQLITE_MIGRATIONS},
    sql,
};
use crate::domain::Timestamp;

/// The migrations of a database, and of this version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// Those that were run, in order.
    pub applied: Vec<i64>,
    /// Those that this version knows.
    pub known: Vec<i64>,
}

/// What the engine says of itself.
#[derive(Debug, Clone)]
pub struct Engine {
    /// Its name and version.
    pub name: String,
    /// What is wrong with it; empty if nothing is.
    pub troubles: Vec<String>,
    /// What makes it slow or large in time, though it works; empty if nothing does.
    pub neglects: Vec<String>,
    /// Its clock, where it has one of its own.
    pub clock: Option<Timestamp>,
}

/// The oldest PostgreSQL that has what we use: 64-bit transaction ids.
const OLDEST_POSTGRES: i64 = 13;

impl Store {
    /// Which migrations were run.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn schema(&self) -> Result<Schema, StoreError> {
        let (migrations, exists) = match self {
            Self::Sqlite { .. } => (
                &SQLITE_MIGRATIONS,
                "SELECT COUNT(*) FROM sqlite_master WHERE name = '_sqlx_migrations'",
            ),
            Self::Postgres(_) => (
                &POSTGRES_MIGRATIONS,
                "SELECT COUNT(*) FROM pg_tables WHERE tablename = '_sqlx_migrations' AND schemaname = current_schema()",
            ),
        };
        let mut conn = self.read().await?;
        let mut db = conn.db();
        let (tables,) = sql::fetch_one!(&mut db, (i64,), exists)?;
        let applied = if tables == 0 {
            Vec::new()
        } else {
            sql::fetch_all!(
                &mut db,
                (i64,),
                "SELECT version FROM _sqlx_migrations WHERE success ORDER BY version"
            )?
        };
        Ok(Schema {
            applied: applied.into_iter().map(|(version,)| version).collect(),
            known: migrations
                .iter()
                .map(|migration| migration.version)
                .collect(),
        })
    }

    /// What the engine says of itself; on SQLite, whether the file is whole, which takes a while on a large one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn engine(&self) -> Result<Engine, StoreError> {
        let mut conn = self.read().await?;
        let mut db = conn.db();
        if let Self::Sqlite { .. } = self {
            let (version,) = sql::fetch_one!(&mut db, (String,), "SELECT sqlite_version()")?;
            let rows = sql::fetch_all!(&mut db, (String,), "PRAGMA quick_check(10)")?;
            let broken: Vec<String> = (rows.into_iter())
                .map(|(line,)| line)
                .filter(|line| line != "ok")
                .collect();
            return Ok(Engine {
                name: format!("SQLite {version}"),
                troubles: broken,
                neglects: Vec::new(),
                clock: None,
            });
        }
        let (version, number, encoding, standby, autovacuum, clock) = sql::fetch_one!(
            &mut db,
            (String, i64, String, i64, String, i64),
            "SELECT current_setting('server_version'),
                 CAST(current_setting('server_version_num') AS BIGINT) / 10000,
                 current_setting('server_encoding'),
                 CASE WHEN pg_is_in_recovery() THEN CAST(1 AS BIGINT) ELSE 0 END,
                 current_setting('autovacuum'),
                 CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)"
        )?;
        let mut troubles = Vec::new();
        if number < OLDEST_POSTGRES {
            troubles.push(format!(
                "version {version} is too old: {OLDEST_POSTGRES} or newer is needed"
            ));
        }
        if encoding != "UTF8" {
            troubles.push(format!(
                "its encoding is {encoding}: make the database with ENCODING 'UTF8'"
            ));
        }
        if standby != 0 {
            troubles.push("it is a standby and takes no writes: use the primary".into());
        }
        let mut neglects = Vec::new();
        if autovacuum != "on" {
            neglects.push(
                "autovacuum is off: the planner learns nothing of its tables, and they only grow; turn it on".into(),
            );
        }
        Ok(Engine {
            name: format!("PostgreSQL {version}"),
            troubles,
            neglects,
            clock: Some(Timestamp::from_millis(clock)),
        })
    }

    /// The latest time of any change stored.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn latest_change(&self) -> Result<Option<Timestamp>, StoreError> {
        let latest = match self {
            Self::Sqlite { .. } => "SELECT at FROM events ORDER BY seq DESC LIMIT 1",
            Self::Postgres(_) => "SELECT at FROM events ORDER BY tx DESC, seq DESC LIMIT 1",
        };
        let mut conn = self.read().await?;
        let row = sql::fetch_optional!(&mut conn.db(), (i64,), latest)?;
        Ok(row.map(|(at,)| Timestamp::from_millis(at)))
    }

    /// Writes a consistent copy of a SQLite database into a file that must not be there yet, beside whatever goes on.
    ///
    /// # Errors
    /// When the file cannot be written; on PostgreSQL, which has its own tools.
    pub async fn copy_into(&self, file: &Path) -> Result<(), StoreError> {
        let Self::Sqlite { write, .. } = self else {
            return Err(StoreError::Address(
                "a copy of a PostgreSQL database is made by its own tools: pg_dump --format=custom --file=FILE DATABASE_URL"
                    .into(),
            ));
        };
        let mut connection = write.acquire().await?;
        sqlx::query("VACUUM INTO $1")
            .bind(file.to_string_lossy().into_owned())
            .execute(&mut *connection)
            .await?;
        Ok(())
    }
}
