//! Moderators' accounts, the links they first sign in by, and their sessions. Links and cookies are kept as digests only:
//! who reads the database cannot sign in with what is in it.

use uuid::Uuid;

use super::{Db, Lock, StoreError, sql};
use crate::domain::{Account, Role, SessionId, Timestamp};

/// An account with what proves that it is theirs.
#[derive(Debug, Clone)]
pub struct StoredAccount {
    pub account: Account,
    /// An argon2id hash; none until they chose a password.
    pub password: Option<String>,
}

/// A session.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct SessionRow {
    pub id: Uuid,
    pub moderator: String,
    pub agent: String,
    pub created_at: i64,
    pub seen_at: i64,
    pub expires_at: i64,
}

#[derive(sqlx::FromRow)]
struct AccountRow {
    name: String,
    role: String,
    sites: String,
    password: Option<String>,
    disabled: i64,
    created_at: i64,
}

impl TryFrom<AccountRow> for StoredAccount {
    type Error = StoreError;

    fn try_from(row: AccountRow) -> Result<Self, StoreError> {
        let role = Role::ALL.into_iter().find(|role| role.as_str() == row.role);
        Ok(Self {
            account: Account {
                name: row.name,
                role: role.ok_or(StoreError::Unreadable("moderators.role"))?,
                sites: sql::from_json(&row.sites, "moderators.sites")?,
                disabled: row.disabled != 0,
                created_at: Timestamp::from_millis(row.created_at),
            },
            password: row.password,
        })
    }
}

macro_rules! select_account {
    ($rest:literal) => {
        concat!(
            "SELECT name, role, sites, password, disabled, created_at FROM moderators ",
            $rest
        )
    };
}

impl Db<'_> {
    /// Adds an account.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when the name is taken.
    pub async fn insert_account(&mut self, account: &Account) -> Result<(), StoreError> {
        let sites = sql::to_json(&account.sites)?;
        sql::execute!(
            self,
            "INSERT INTO moderators (name, role, sites, password, disabled, created_at)
             VALUES ($1, $2, $3, NULL, $4, $5)",
            &account.name,
            account.role.as_str(),
            &sites,
            i64::from(account.disabled),
            account.created_at.millis()
        )?;
        Ok(())
    }

    /// One account.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn account(
        &mut self,
        name: &str,
        lock: Lock,
    ) -> Result<Option<StoredAccount>, StoreError> {
        let text = match (&self, lock) {
            (Self::Postgres(_), Lock::Update) => select_account!("WHERE name = $1 FOR UPDATE"),
            (Self::Postgres(_), Lock::Share) => select_account!("WHERE name = $1 FOR SHARE"),
            _ => select_account!("WHERE name = $1"),
        };
        sql::fetch_optional!(self, AccountRow, text, name)?
            .map(StoredAccount::try_from)
            .transpose()
    }

    /// Every account, by name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn accounts(&mut self) -> Result<Vec<StoredAccount>, StoreError> {
        let rows = sql::fetch_all!(self, AccountRow, select_account!("ORDER BY name"))?;
        rows.into_iter().map(StoredAccount::try_from).collect()
    }

    /// Gives an account another password, or none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_password(&mut self, name: &str, hash: Option<&str>) -> Result<(), StoreError> {
        sql::execute!(
            self,
            "UPDATE moderators SET password = $2 WHERE name = $1",
            name,
            hash
        )?;
        Ok(())
    }

    /// Disables an account, or enables it again. Whether there is one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_disabled(&mut self, name: &str, disabled: bool) -> Result<bool, StoreError> {
        let changed = sql::execute!(
            self,
            "UPDATE moderators SET disabled = $2 WHERE name = $1",
            name,
            i64::from(disabled)
        )?;
        Ok(changed > 0)
    }

    /// Keeps a link by its digest, in place of earlier ones of this account.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_link(
        &mut self,
        digest: &[u8],
        moderator: &str,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        self.delete_links(moderator).await?;
        sql::execute!(
            self,
            "INSERT INTO sign_in_links (digest, moderator, expires_at) VALUES ($1, $2, $3)",
            digest,
            moderator,
            until.millis()
        )?;
        Ok(())
    }

    /// Ends the links of an account.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_links(&mut self, moderator: &str) -> Result<(), StoreError> {
        sql::execute!(
            self,
            "DELETE FROM sign_in_links WHERE moderator = $1",
            moderator
        )?;
        Ok(())
    }

    /// Spends a link: whose it is, if it is one and has not ended. Of two who come at once one gets it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn spend_link(
        &mut self,
        digest: &[u8],
        now: Timestamp,
    ) -> Result<Option<String>, StoreError> {
        let row = sql::fetch_optional!(
            self,
            (String, i64),
            "DELETE FROM sign_in_links WHERE digest = $1 RETURNING moderator, expires_at",
            digest
        )?;
        Ok(row
            .filter(|(_, until)| *until > now.millis())
            .map(|(moderator, _)| moderator))
    }

    /// Keeps a session by the digest of its cookie.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_session(
        &mut self,
        session: &SessionRow,
        digest: &[u8],
    ) -> Result<(), StoreError> {
        sql::execute!(
            self,
            "INSERT INTO sessions (id, digest, moderator, agent, created_at, seen_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            session.id,
            digest,
            &session.moderator,
            &session.agent,
            session.created_at,
            session.seen_at,
            session.expires_at
        )?;
        Ok(())
    }

    /// The session of a cookie.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session(&mut self, digest: &[u8]) -> Result<Option<SessionRow>, StoreError> {
        sql::fetch_optional!(
            self,
            SessionRow,
            "SELECT id, moderator, agent, created_at, seen_at, expires_at FROM sessions WHERE digest = $1",
            digest
        )
    }

    /// The sessions of an account, the latest seen first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sessions(&mut self, moderator: &str) -> Result<Vec<SessionRow>, StoreError> {
        sql::fetch_all!(
            self,
            SessionRow,
            "SELECT id, moderator, agent, created_at, seen_at, expires_at FROM sessions
             WHERE moderator = $1 ORDER BY seen_at DESC, id",
            moderator
        )
    }

    /// Notes that a session is in use.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn see_session(&mut self, id: SessionId, now: Timestamp) -> Result<(), StoreError> {
        sql::execute!(
            self,
            "UPDATE sessions SET seen_at = $2 WHERE id = $1",
            id.0,
            now.millis()
        )?;
        Ok(())
    }

    /// Ends a session of an account. Whether there was one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_session(
        &mut self,
        moderator: &str,
        id: SessionId,
    ) -> Result<bool, StoreError> {
        let ended = sql::execute!(
            self,
            "DELETE FROM sessions WHERE moderator = $1 AND id = $2",
            moderator,
            id.0
        )?;
        Ok(ended > 0)
    }

    /// Ends all sessions of an account, but for one that stays.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_other_sessions(
        &mut self,
        moderator: &str,
        stays: Option<SessionId>,
    ) -> Result<(), StoreError> {
        let stays = stays.map_or(Uuid::nil(), |id| id.0);
        sql::execute!(
            self,
            "DELETE FROM sessions WHERE moderator = $1 AND id <> $2",
            moderator,
            stays
        )?;
        Ok(())
    }

    /// Erases sessions and links that have ended. How many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn erase_ended_sessions(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        let links = sql::execute!(
            self,
            "DELETE FROM sign_in_links WHERE expires_at <= $1",
            now.millis()
        )?;
        let sessions = sql::execute!(
            self,
            "DELETE FROM sessions WHERE expires_at <= $1",
            now.millis()
        )?;
        Ok(links + sessions)
    }
}
