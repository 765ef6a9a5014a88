//! One training at a time, whoever starts it and wherever: a lock that ends with the process that holds it.

use std::fs::{File, TryLockError};

use sqlx::{Connection as _, PgConnection};

use super::{Store, StoreError};

/// What trainings on PostgreSQL exclude each other by: "palabre" in letters.
const ADVISORY: i64 = 0x0070_616c_6162_7265;

/// Held as long as a training goes on.
#[derive(Debug)]
pub enum TrainingLock {
    /// A file beside the database.
    Sqlite(File),
    /// A connection of its own, which holds an advisory lock.
    Postgres(PgConnection),
}

impl Store {
    /// The right to train, unless somebody else has it.
    ///
    /// # Errors
    /// When the database fails, or the file of the lock cannot be made.
    pub async fn lock_training(&self) -> Result<Option<TrainingLock>, StoreError> {
        match self {
            Self::Sqlite { write, .. } => {
                let options = write.connect_options();
                let mut name = options.get_filename().as_os_str().to_owned();
                name.push("-training");
                let file = File::options()
                    .create(true)
                    .truncate(false)
                    .write(true)
                    .open(name)
                    .map_err(sqlx::Error::Io)?;
                match file.try_lock() {
                    Ok(()) => Ok(Some(TrainingLock::Sqlite(file))),
                    Err(TryLockError::WouldBlock) => Ok(None),
                    Err(TryLockError::Error(error)) => Err(sqlx::Error::Io(error).into()),
                }
            }
            Self::Postgres(pool) => {
                let mut connection = PgConnection::connect_with(pool.options()).await?;
                let (free,): (bool,) = sqlx::query_as("SELECT pg_try_advisory_lock($1)")
                    .bind(ADVISORY)
                    .fetch_one(&mut connection)
                    .await?;
                Ok(free.then_some(TrainingLock::Postgres(connection)))
            }
        }
    }
}

impl TrainingLock {
    /// Lets go of it.
    ///
    /// # Errors
    /// When the database fails; the lock ends with the connection all the same.
    pub async fn release(self) -> Result<(), StoreError> {
        if let Self::Postgres(connection) = self {
            connection.close().await?;
        }
        Ok(())
    }
}
