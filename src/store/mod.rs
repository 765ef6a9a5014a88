//! All the SQL, a file per table.
//!
//! There is one [`Store`], an enum of the two native pools, and each statement is written once in SQL that both engines
//! accept: `$1` placeholders, BIGINT-sized integers, 0 and 1 for booleans, unix milliseconds. Where the engines truly
//! differ, a `match` holds both texts side by side. The methods sit on [`Db`], a connection in or outside a
//! transaction, in the file of the table they touch.
//!
//! To add a table: a migration of the same number and name for each engine, a file here, and a test in `tests/store`.

mod authors;
mod comments;
mod decisions;
mod events;
mod fingerprints;
mod models;
mod queue;
mod scores;
mod signing_keys;
mod sites;
mod sql;
mod threads;

use std::time::Duration;

use sqlx::{
    PgConnection, PgPool, Postgres, Sqlite, SqliteConnection, SqlitePool, Transaction,
    pool::PoolConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

pub use authors::AuthorRecord;
pub use decisions::DecisionFilter;
pub use fingerprints::{ClusterFacts, Fingerprinted, StoredSignature};
pub use models::{ModelOrigin, StoredModel};
pub use queue::{QueueFilter, QueuePosition, QueueRow};
pub use scores::Scored;
pub use signing_keys::StoredKey;

/// Connections that read at the same time on SQLite, or that do anything on PostgreSQL.
const POOL_SIZE: u32 = 16;
/// How long a request waits for a connection, and a SQLite writer for another process.
const PATIENCE: Duration = Duration::from_secs(5);

static SQLITE_MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES_MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("migrations/postgres");

/// What can go wrong between us and the database.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Nobody answers, or no connection came free in time. Trying again later may help.
    #[error("the database is not available")]
    Unavailable(#[source] sqlx::Error),
    /// A row with this key exists already.
    #[error("a row with this key exists already")]
    Exists(#[source] sqlx::Error),
    /// The database refused a statement.
    #[error("the database refused a statement")]
    Failed(#[source] sqlx::Error),
    /// The migrations could not be run.
    #[error("the database could not be migrated")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A stored value that this version cannot read.
    #[error("the database holds a value of {0} that this version cannot read")]
    Unreadable(&'static str),
    /// The address names no database that Palabre knows.
    #[error("{0}")]
    Address(String),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let unavailable = match &error {
            sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::Io(_) => true,
            sqlx::Error::Database(refusal) => {
                if refusal.is_unique_violation() {
                    return Self::Exists(error);
                }
                // SQLITE_BUSY in all its forms, and PostgreSQL's classes of lost connections and shut-downs.
                refusal.code().is_some_and(|code| {
                    matches!(&*code, "5" | "261" | "517" | "773")
                        || code.len() == 5
                            && (code.starts_with("08")
                                || code.starts_with("57P")
                                || code.starts_with("53"))
                })
            }
            _ => false,
        };
        if unavailable {
            Self::Unavailable(error)
        } else {
            Self::Failed(error)
        }
    }
}

/// The database: SQLite inside, or PostgreSQL.
#[derive(Debug, Clone)]
pub enum Store {
    /// One connection that writes, many that read.
    Sqlite { write: SqlitePool, read: SqlitePool },
    /// One pool for everything.
    Postgres(PgPool),
}

/// A connection taken from the pool, to read with.
pub enum Conn {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

/// A transaction that writes. Dropped without [`Tx::commit`], it leaves nothing behind.
pub enum Tx {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

/// Where statements run: a connection of either engine, in or outside a transaction.
pub enum Db<'c> {
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut PgConnection),
}

/// How a transaction holds the row it reads, until its end. SQLite holds everything anyway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// Not at all: for answers, not for decisions.
    None,
    /// Nobody may change it; others may hold it so too.
    Share,
    /// Nobody else may decide by it.
    Update,
}

impl Conn {
    /// Where to run statements.
    pub fn db(&mut self) -> Db<'_> {
        match self {
            Self::Sqlite(connection) => Db::Sqlite(connection),
            Self::Postgres(connection) => Db::Postgres(connection),
        }
    }
}

impl Tx {
    /// Where to run statements.
    pub fn db(&mut self) -> Db<'_> {
        match self {
            Self::Sqlite(transaction) => Db::Sqlite(transaction),
            Self::Postgres(transaction) => Db::Postgres(transaction),
        }
    }

    /// Makes everything written durable. Only then may anybody be told that it is.
    ///
    /// # Errors
    /// When the database could not; nothing was written then.
    pub async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(transaction) => transaction.commit().await?,
            Self::Postgres(transaction) => transaction.commit().await?,
        }
        Ok(())
    }
}

impl Store {
    /// Opens the database at `url`: `sqlite://FILE` (made when missing) or `postgres://...`. Runs no migrations.
    ///
    /// # Errors
    /// When the address is of neither kind, or nobody answers there.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        if url.starts_with("sqlite:") {
            Self::open_sqlite(url).await
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            let options: PgConnectOptions = url
                .parse()
                .map_err(|_| StoreError::Address("DATABASE_URL is no PostgreSQL address".into()))?;
            let pool = PgPoolOptions::new()
                .max_connections(POOL_SIZE)
                .acquire_timeout(PATIENCE)
                .connect_with(options.application_name("palabre"))
                .await?;
            Ok(Self::Postgres(pool))
        } else {
            Err(StoreError::Address(
                "DATABASE_URL must begin with sqlite:// or postgres://".into(),
            ))
        }
    }

    async fn open_sqlite(url: &str) -> Result<Self, StoreError> {
        if url.contains(":memory:") {
            return Err(StoreError::Address(
                "a database in memory would lose every comment; name a file".into(),
            ));
        }
        let options = url
            .parse::<SqliteConnectOptions>()
            .map_err(|_| StoreError::Address("DATABASE_URL is no SQLite address".into()))?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(PATIENCE)
            .row_buffer_size(1024)
            .pragma("mmap_size", "268435456");
        // One writer: SQLite has one write lock, and waiting for it here is cheaper than fighting over it there.
        let write = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(PATIENCE)
            .connect_with(options.clone())
            .await?;
        let read = SqlitePoolOptions::new()
            .max_connections(POOL_SIZE)
            .acquire_timeout(PATIENCE)
            .connect_lazy_with(options);
        Ok(Self::Sqlite { write, read })
    }

    /// Brings the tables up to this version. Replicas that start together wait for one another.
    ///
    /// # Errors
    /// When a migration fails, or the database was migrated by a newer version.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite { write, .. } => SQLITE_MIGRATIONS.run(write).await?,
            Self::Postgres(pool) => POSTGRES_MIGRATIONS.run(pool).await?,
        }
        Ok(())
    }

    /// A connection to read with.
    ///
    /// # Errors
    /// When none comes free in time.
    pub async fn read(&self) -> Result<Conn, StoreError> {
        Ok(match self {
            Self::Sqlite { read, .. } => Conn::Sqlite(read.acquire().await?),
            Self::Postgres(pool) => Conn::Postgres(pool.acquire().await?),
        })
    }

    /// A transaction to write in. What it reads stays true until it commits: on SQLite it holds the write lock from the
    /// start (a transaction that begins by reading fails when it turns to writing), on PostgreSQL the rows that matter
    /// are locked by the methods that read them to decide.
    ///
    /// # Errors
    /// When the database does not let us in in time.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        Ok(match self {
            Self::Sqlite { write, .. } => Tx::Sqlite(write.begin_with("BEGIN IMMEDIATE").await?),
            Self::Postgres(pool) => Tx::Postgres(pool.begin().await?),
        })
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let mut conn = self.read().await?;
        sql::fetch_one!(&mut conn.db(), (i64,), "SELECT CAST(1 AS BIGINT)").map(|_| ())
    }

    /// Closes every connection, after the statements under way.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { write, read } => {
                read.close().await;
                write.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_engines_have_the_same_migrations() {
        let names = |migrator: &sqlx::migrate::Migrator| {
            migrator
                .iter()
                .map(|migration| (migration.version, migration.description.to_string()))
                .collect::<Vec<_>>()
        };
        assert!(!names(&SQLITE_MIGRATIONS).is_empty());
        assert_eq!(names(&SQLITE_MIGRATIONS), names(&POSTGRES_MIGRATIONS));
    }

    #[tokio::test]
    async fn other_addresses_are_refused_in_words() {
        for (url, word) in [
            ("mysql://localhost/x", "sqlite:// or postgres://"),
            ("sqlite::memory:", "name a file"),
        ] {
            let refusal = Store::open(url).await.unwrap_err().to_string();
            assert!(refusal.contains(word), "{refusal}");
        }
    }
}
