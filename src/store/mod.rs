//! All the SQL, a file per table.
//!
//! There is one [`Store`], an enum of the two native pools, and each statement is written once in SQL that both engines
//! accept: `$1` placeholders, BIGINT-sized integers, 0 and 1 for booleans, unix milliseconds. Where the engines truly
//! differ, a `match` holds both texts side by side. The methods sit on [`Db`], a connection in or outside a
//! transaction, in the file of the table they touch.
//!
//! Migrations run inside a transaction, where SQLite ignores `PRAGMA foreign_keys`: one that rebuilds a table begins
//! with `PRAGMA defer_foreign_keys = ON`.
//!
//! To add a table: a migration of the same number and name for each engine, a file here, and a test in `tests/api`,
//! where everything runs on both.

mod accounts;
mod appeals;
mod authors;
mod claims;
mod comments;
mod decisions;
mod error;
mod events;
mod fingerprints;
mod idempotency;
mod lessons;
mod listing;
mod models;
mod opening;
mod opinions;
mod pool;
mod presence;
mod queue;
mod received;
mod reports;
mod rescoring;
mod revisions;
mod samples;
mod sanctions;
mod scope;
mod scores;
mod search;
mod shadows;
mod signing_keys;
mod sites;
mod sql;
mod stats;
mod threads;
mod training;
mod upkeep;
mod writes;

use sqlx::{Sqlite, SqliteConnection, SqlitePool, Transaction, pool::PoolConnection};

pub use accounts::{SessionRow, StoredAccount};
pub use authors::{AuthorRecord, KnownAuthor};
pub use comments::{ChangeFilter, Parent};
pub use decisions::DecisionFilter;
pub use error::StoreError;
pub use events::{EventPosition, Happened};
pub use fingerprints::{ClusterFacts, Fingerprinted, Place, StoredSignature};
pub use idempotency::Remembered;
pub use lessons::{DecidedComment, PublishedCopy};
pub use listing::ListedComment;
pub use models::{Activation, ModelOrigin, StoredModel};
pub use opinions::ScoredDecision;
pub use pool::PoolState;
pub use queue::{QueueFilter, QueuePosition, QueueRow};
pub use rescoring::{Rescored, RescoringFilter, ToScore};
pub use samples::{SampledComment, WrongCount};
pub use scope::Members;
pub use scores::{Explanation, Scored};
pub use shadows::{Shadow, ShadowedComment};
pub use signing_keys::StoredKey;
pub use stats::{DecidedRow, QUARTER};
pub use training::TrainingLock;
pub use upkeep::{Engine, Schema};
pub use writes::Writes;

/// The database: SQLite inside, or PostgreSQL.
#[derive(Debug, Clone)]
pub enum Store {
    /// One connection that writes, many that read.
    Sqlite { write: SqlitePool, read: SqlitePool },
    /// One pool for everything.
    Postgres(pool::Pool),
}

/// A connection taken from the pool, to read with.
pub enum Conn {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(pool::Lease),
}

/// A transaction that writes. Dropped without [`Tx::commit`], it leaves nothing behind.
pub enum Tx {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(pool::Lease),
}

/// Where statements run: a connection of either engine, in or outside a transaction.
pub enum Db<'c> {
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut pool::Lease),
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
    /// [`StoreError::Uncertain`] when the database went away meanwhile: nobody knows then. On other errors nothing was
    /// written.
    pub async fn commit(self) -> Result<(), StoreError> {
        let outcome = match self {
            Self::Sqlite(transaction) => transaction.commit().await,
            Self::Postgres(transaction) => transaction.commit().await,
        };
        outcome.map_err(StoreError::of_commit)
    }
}

impl Store {
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
            Self::Postgres(pool) => {
                let mut lease = pool.acquire().await?;
                lease.begin().await?;
                Tx::Postgres(lease)
            }
        })
    }

    /// The pools of connections, as they are now.
    #[must_use]
    pub fn pools(&self) -> Vec<PoolState> {
        fn state<D: sqlx::Database>(name: &'static str, pool: &sqlx::Pool<D>) -> PoolState {
            let idle = u32::try_from(pool.num_idle()).unwrap_or(u32::MAX);
            PoolState {
                name,
                idle,
                busy: pool.size().saturating_sub(idle),
            }
        }
        match self {
            Self::Sqlite { write, read } => vec![state("write", write), state("read", read)],
            Self::Postgres(pool) => {
                let (idle, busy) = pool.state();
                vec![PoolState {
                    name: "postgres",
                    idle,
                    busy,
                }]
            }
        }
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
