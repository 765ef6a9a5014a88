//! What can go wrong between us and the database, and whether trying again may help.

use sqlx::error::{DatabaseError, ErrorKind};

/// What can go wrong between us and the database.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It does not answer, is full, or is busy. Nothing was written; trying again later may help.
    #[error("the database is not available")]
    Unavailable(#[source] sqlx::Error),
    /// It went away while a transaction was being committed: whether it was is not known.
    #[error("the database went away during a commit")]
    Uncertain(#[source] sqlx::Error),
    /// A row with this key exists already.
    #[error("a row with this key exists already")]
    Exists(#[source] sqlx::Error),
    /// It refused a statement.
    #[error("the database refused a statement")]
    Failed(#[source] sqlx::Error),
    /// The migrations could not be run.
    #[error("the database could not be migrated")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A stored value that this version cannot read.
    #[error("the database holds a value of {0} that this version cannot read")]
    Unreadable(&'static str),
    /// A value that has no JSON.
    #[error("a value could not be written as JSON")]
    Unwritable(#[source] serde_json::Error),
    /// The address names no database that Palabre knows.
    #[error("{0}")]
    Address(String),
}

impl StoreError {
    /// Whether the database answered and refused, so that other statements may still succeed.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        !matches!(
            self,
            Self::Uncertain(_)
                | Self::Unavailable(
                    sqlx::Error::PoolTimedOut
                        | sqlx::Error::PoolClosed
                        | sqlx::Error::WorkerCrashed
                        | sqlx::Error::Io(_)
                        | sqlx::Error::Tls(_)
                        | sqlx::Error::Protocol(_)
                )
        )
    }

    /// What an error of a COMMIT means. Only a refusal that tells why leaves no doubt that nothing was written.
    pub(super) fn of_commit(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(refusal) if !leaves_it_open(&**refusal) => error.into(),
            _ => Self::Uncertain(error),
        }
    }
}

/// Whether a database (or a proxy before it) says that it went away, or does not know.
fn leaves_it_open(refusal: &dyn DatabaseError) -> bool {
    !is_sqlite(refusal)
        && refusal.code().is_some_and(|code| {
            code.starts_with("08") || code.starts_with("57P") || code == "40003"
        })
}

fn is_sqlite(refusal: &dyn DatabaseError) -> bool {
    refusal
        .try_downcast_ref::<sqlx::sqlite::SqliteError>()
        .is_some()
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(refusal) if refusal.kind() == ErrorKind::UniqueViolation => {
                Self::Exists(error)
            }
            sqlx::Error::Database(refusal) if may_pass(&**refusal) => Self::Unavailable(error),
            sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_) => Self::Unavailable(error),
            _ => Self::Failed(error),
        }
    }
}

/// Whether the same statement may succeed later.
fn may_pass(refusal: &dyn DatabaseError) -> bool {
    let Some(code) = refusal.code() else {
        return false;
    };
    if is_sqlite(refusal) {
        // The low byte is the primary code: BUSY, LOCKED, IOERR, FULL.
        return code
            .parse::<i32>()
            .is_ok_and(|code| matches!(code & 0xff, 5 | 6 | 10 | 13));
    }
    // Connection lost, no resources, shutting down; serialisation failure, deadlock, lock or statement timed out,
    // read-only after a fail-over.
    ["08", "53", "57P"]
        .iter()
        .any(|class| code.starts_with(class))
        || matches!(
            &*code,
            "40001" | "40P01" | "55P03" | "57014" | "25006" | "25P03"
        )
}
