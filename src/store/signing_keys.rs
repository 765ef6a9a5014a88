//! Keys that sign tokens. They live here, so that replicas and the command line share them.

use super::{Db, StoreError, sql};
use crate::domain::Timestamp;

/// A key and the one algorithm it is for.
#[derive(Clone, sqlx::FromRow)]
pub struct StoredKey {
    pub kid: String,
    pub algorithm: String,
    pub secret: Vec<u8>,
}

impl std::fmt::Debug for StoredKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StoredKey({}, {})", self.kid, self.algorithm)
    }
}

impl Db<'_> {
    /// Lets one transaction at a time make keys, so that replicas that start together share one. On SQLite the write
    /// lock does that already.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lock_keys(&mut self) -> Result<(), StoreError> {
        if let Self::Postgres(_) = self {
            sql::execute!(self, "LOCK TABLE signing_keys IN EXCLUSIVE MODE")?;
        }
        Ok(())
    }

    /// Every key, the newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn signing_keys(&mut self) -> Result<Vec<StoredKey>, StoreError> {
        sql::fetch_all!(
            self,
            StoredKey,
            "SELECT kid, algorithm, secret FROM signing_keys ORDER BY created_at DESC, kid DESC"
        )
    }

    /// Adds a key.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_signing_key(
        &mut self,
        key: &StoredKey,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        sql::execute!(
            self,
            "INSERT INTO signing_keys (kid, algorithm, secret, created_at) VALUES ($1, $2, $3, $4)",
            &key.kid,
            &key.algorithm,
            &key.secret,
            at.millis()
        )?;
        Ok(())
    }

    /// Takes keys away: what they signed is no longer believed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_signing_keys(&mut self, kids: &[&str]) -> Result<(), StoreError> {
        for kid in kids {
            sql::execute!(self, "DELETE FROM signing_keys WHERE kid = $1", *kid)?;
        }
        Ok(())
    }
}
