//! How a database is opened, with the settings that keep what was answered, and brought up to this version.

use std::{
    net::IpAddr,
    path::Path,
    time::{Duration, Instant},
};

use sqlx::{
    Connection as _, PgConnection,
    migrate::MigrateError,
    postgres::{PgConnectOptions, PgSslMode},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{Store, StoreError, pool};

/// Connections that read at the same time on SQLite, or that do anything on PostgreSQL.
const POOL_SIZE: u32 = 16;
/// How long a request waits for a connection, and a SQLite writer for another process.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) static SQLITE_MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("migrations/sqlite");
pub(super) static POSTGRES_MIGRATIONS: sqlx::migrate::Migrator =
    sqlx::migrate!("migrations/postgres");

/// How often a migration is tried again before somebody has to look.
const MOST_DEADLOCKS: u32 = 10;

impl Store {
    /// Opens the SQLite database in `file`, which is made when missing, for its owner alone. Runs no migrations.
    ///
    /// # Errors
    /// When the file cannot be opened as a database.
    pub async fn open_file(file: &Path) -> Result<Self, StoreError> {
        Self::open_sqlite(SqliteConnectOptions::new().filename(file)).await
    }

    /// Opens the database at `url`: `sqlite://FILE` (made when missing) or `postgres://...`. Runs no migrations.
    ///
    /// # Errors
    /// When the address is of neither kind, or nobody answers there.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        if let Some(file) = url.strip_prefix("sqlite:") {
            if file.contains(":memory:") || file.contains("mode=memory") {
                return Err(StoreError::Address(
                    "a database in memory would lose every comment; name a file".into(),
                ));
            }
            let options: SqliteConnectOptions = url
                .parse()
                .map_err(|_| StoreError::Address("DATABASE_URL is no SQLite address".into()))?;
            if options.get_filename().as_os_str().is_empty() {
                return Err(StoreError::Address(
                    "DATABASE_URL names no file: it must be sqlite://FILE".into(),
                ));
            }
            Self::open_sqlite(options).await
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Self::open_postgres(url).await
        } else {
            Err(StoreError::Address(
                "DATABASE_URL must begin with sqlite:// or postgres://".into(),
            ))
        }
    }

    async fn open_postgres(url: &str) -> Result<Self, StoreError> {
        let options = url
            .parse::<PgConnectOptions>()
            .map_err(|_| StoreError::Address("DATABASE_URL is no PostgreSQL address".into()))?
            .application_name("palabre")
            // Nobody waits for a lock longer than for a connection, and nobody holds one while doing nothing.
            .options([
                ("lock_timeout", "5s"),
                ("idle_in_transaction_session_timeout", "30s"),
            ]);
        let options = if says_tls(url) {
            options
        } else {
            without_needless_tls(options)
        };
        // Asked once outside the pool, which would only say that its time ran out.
        let asked = async { PgConnection::connect_with(&options).await?.close().await };
        tokio::time::timeout(PATIENCE, asked)
            .await
            .map_err(|_| sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()))??;
        let pool = pool::Pool::new(options, POOL_SIZE, PATIENCE);
        Ok(Self::Postgres(pool))
    }

    async fn open_sqlite(options: SqliteConnectOptions) -> Result<Self, StoreError> {
        make_private(options.get_filename());
        let options = options
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(PATIENCE)
            .row_buffer_size(1024);
        // One writer: SQLite has one write lock, and waiting for it here is cheaper than fighting over it there.
        let write = SqlitePoolOptions::new()
            .max_connections(1)
            // After a full disk SQLite has rolled back by itself, and sqlx still counts a transaction: a new connection.
            .before_acquire(|connection, _| {
                Box::pin(async move { Ok(!connection.is_in_transaction()) })
            })
            .test_before_acquire(false)
            .acquire_timeout(PATIENCE);
        // A page is written to the log once for each commit, and to the database once for each checkpoint: rare ones
        // let many commits share it.
        let writing = options
            .clone()
            .pragma("wal_autocheckpoint", "32768")
            // 64 MiB of pages, taken as they are needed. Readers have the system's cache.
            .pragma("cache_size", "-65536");
        let begun = Instant::now();
        let write = loop {
            match write
                .clone()
                .connect_with(writing.clone())
                .await
                .map_err(StoreError::from)
            {
                // Turning a new file to WAL heeds no busy timeout; another process may be doing it just now.
                Err(StoreError::Unavailable(_)) if begun.elapsed() < PATIENCE => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                outcome => break outcome?,
            }
        };
        let read = SqlitePoolOptions::new()
            .max_connections(POOL_SIZE)
            .acquire_timeout(PATIENCE)
            .test_before_acquire(false)
            .connect_lazy_with(options.pragma("query_only", "1"));
        Ok(Self::Sqlite { write, read })
    }

    /// Brings the tables up to this version. Replicas that start together wait for one another.
    ///
    /// # Errors
    /// When a migration fails, or the database was migrated by a newer version.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite { write, .. } => {
                // sqlx takes no lock of its own on SQLite: two first starts would both make the tables.
                let mut tx = write.begin_with("BEGIN IMMEDIATE").await?;
                // `run`, whose future is not Send inside a transaction, is this call and nothing else.
                SQLITE_MIGRATIONS.run_direct(None, &mut *tx, false).await?;
                tx.commit().await?;
            }
            Self::Postgres(pool) => {
                // A connection of its own, on which one waits for another replica's migration however long it takes.
                let options = pool.options().clone();
                let mut connection =
                    PgConnection::connect_with(&options.options([("lock_timeout", "0")])).await?;
                let mut tries = 0;
                // Servers of the version before may be at work, and a deadlock with them ends the migration, not them.
                while let Err(error) = (POSTGRES_MIGRATIONS)
                    .run_direct(None, &mut connection, false)
                    .await
                {
                    tries += 1;
                    if tries == MOST_DEADLOCKS || !is_deadlock(&error) {
                        return Err(error.into());
                    }
                }
                connection.close().await?;
            }
        }
        Ok(())
    }
}

fn is_deadlock(error: &MigrateError) -> bool {
    let (MigrateError::Execute(cause) | MigrateError::ExecuteMigration(cause, _)) = error else {
        return false;
    };
    let code = cause
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code);
    code.as_deref() == Some("40P01")
}

/// Whether an address, or the environment, says anything of TLS.
fn says_tls(url: &str) -> bool {
    url.contains("sslmode=") || url.contains("ssl-mode=") || std::env::var_os("PGSSLMODE").is_some()
}

/// Leaves TLS out where nobody spoke of it and no network is in between. It would cost more than time to encrypt: sqlx
/// leaves Nagle's algorithm on, and the second record of a message then waits for the first to be acknowledged, 40 ms.
fn without_needless_tls(options: PgConnectOptions) -> PgConnectOptions {
    let host = options.get_host();
    let here = host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    if here {
        options.ssl_mode(PgSslMode::Disable)
    } else {
        options
    }
}

/// Makes a new database file readable by its owner alone: it holds the keys that sign tokens, and mail addresses.
/// What cannot be made here is told by the opening that follows.
fn make_private(file: &Path) {
    use std::os::unix::fs::OpenOptionsExt as _;
    let made = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file);
    drop(made);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn first_starts_at_the_same_moment_all_succeed() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("palabre.db");
        let starts: Vec<_> = (0..8)
            .map(|_| {
                let file = file.clone();
                tokio::spawn(async move {
                    let store = Store::open_file(&file).await.unwrap();
                    store.migrate().await.unwrap();
                    store.ping().await.unwrap();
                })
            })
            .collect();
        for start in starts {
            start.await.unwrap();
        }
    }

    #[tokio::test]
    async fn the_file_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("palabre.db");
        Store::open_file(&file).await.unwrap().close().await;
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

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
            ("sqlite://x?mode=memory", "name a file"),
            ("sqlite://", "names no file"),
        ] {
            let refusal = Store::open(url).await.unwrap_err().to_string();
            assert!(refusal.contains(word), "{refusal}");
        }
    }
}
