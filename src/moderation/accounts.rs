//! Moderators' accounts, as admins keep them.
//!
//! An account begins with a one-time link, by which its owner signs in and chooses a password.

use super::{
    Error, Moderation, Thing, administration::Administration, credentials::secret,
    sites::require_all_sites,
};
use crate::{
    domain::{Account, Caller, Role, SiteScope, Subject, Timestamp},
    store::{Lock, StoreError},
};

/// How long a link is good, in milliseconds.
const LINK_LASTS: i64 = 24 * 60 * 60 * 1000;

impl Administration {
    /// Adds an account; the secret of the link by which its owner signs in first.
    ///
    /// # Errors
    /// When the name is taken.
    pub async fn add_moderator(
        &self,
        name: &Subject,
        role: Role,
        sites: &SiteScope,
    ) -> Result<(Account, String), Error> {
        let account = Account {
            name: name.as_str().to_owned(),
            role,
            sites: sites.names(),
            disabled: false,
            created_at: Timestamp::now(),
        };
        let (link, digest) = secret()?;
        let mut tx = self.store.begin().await?;
        let mut db = tx.db();
        match db.insert_account(&account).await {
            Err(StoreError::Exists(_)) => return Err(Error::ModeratorExists),
            outcome => outcome?,
        }
        db.insert_link(&digest, &account.name, link_ends()).await?;
        tx.commit().await?;
        Ok((account, link))
    }

    /// Every account, by name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn moderators(&self) -> Result<Vec<Account>, Error> {
        let accounts = self.store.read().await?.db().accounts().await?;
        Ok(accounts.into_iter().map(|stored| stored.account).collect())
    }

    /// A new link for an account, in place of earlier ones: for who forgot the password.
    ///
    /// # Errors
    /// When there is no such account.
    pub async fn new_link(&self, name: &str) -> Result<String, Error> {
        let (link, digest) = secret()?;
        let mut tx = self.store.begin().await?;
        let mut db = tx.db();
        if db.account(name, Lock::None).await?.is_none() {
            return Err(Error::NotFound(Thing::Moderator));
        }
        db.insert_link(&digest, name, link_ends()).await?;
        tx.commit().await?;
        Ok(link)
    }

    /// Disables an account and ends its sessions and links, or enables it again.
    ///
    /// # Errors
    /// When there is no such account.
    pub async fn set_disabled(&self, name: &str, disabled: bool) -> Result<Account, Error> {
        let mut tx = self.store.begin().await?;
        let mut db = tx.db();
        if !db.set_disabled(name, disabled).await? {
            return Err(Error::NotFound(Thing::Moderator));
        }
        if disabled {
            db.end_other_sessions(name, None).await?;
            db.delete_links(name).await?;
        }
        let account = db.account(name, Lock::None).await?;
        tx.commit().await?;
        account
            .map(|stored| stored.account)
            .ok_or(Error::NotFound(Thing::Moderator))
    }
}

fn link_ends() -> Timestamp {
    Timestamp::from_millis(Timestamp::now().millis() + LINK_LASTS)
}

impl Moderation {
    /// Every account, by name.
    ///
    /// # Errors
    /// When the caller is no admin of all sites.
    pub async fn moderators(&self, caller: &Caller) -> Result<Vec<Account>, Error> {
        require_all_sites(caller)?;
        self.administration.moderators().await
    }

    /// Adds an account; see [`Administration::add_moderator`].
    ///
    /// # Errors
    /// When the name is taken, or the caller is no admin of all sites.
    pub async fn add_moderator(
        &self,
        caller: &Caller,
        name: &Subject,
        role: Role,
        sites: &SiteScope,
    ) -> Result<(Account, String), Error> {
        require_all_sites(caller)?;
        self.administration.add_moderator(name, role, sites).await
    }

    /// A new link for an account; see [`Administration::new_link`].
    ///
    /// # Errors
    /// When there is no such account, or the caller is no admin of all sites.
    pub async fn new_sign_in_link(&self, caller: &Caller, name: &Subject) -> Result<String, Error> {
        require_all_sites(caller)?;
        self.administration.new_link(name.as_str()).await
    }

    /// Disables an account, or enables it again; see [`Administration::set_disabled`].
    ///
    /// # Errors
    /// When there is no such account, or the caller is no admin of all sites.
    pub async fn set_disabled(
        &self,
        caller: &Caller,
        name: &Subject,
        disabled: bool,
    ) -> Result<Account, Error> {
        require_all_sites(caller)?;
        self.administration
            .set_disabled(name.as_str(), disabled)
            .await
    }
}
