//! What an admin does before and beside serving: sites and tokens. It needs no model.

use super::{Error, tokens::Keyring};
use crate::{
    domain::{Caller, Policy, Site, SiteId, SiteSlug, Timestamp},
    store::{Store, StoreError},
};

/// A migrated database and the keys that sign tokens.
#[derive(Debug)]
pub struct Administration {
    pub(super) store: Store,
    pub(super) keyring: Keyring,
}

impl Administration {
    /// Migrates the database, and makes the first signing key where there is none.
    ///
    /// # Errors
    /// When the database cannot be used; the message says why.
    pub async fn open(store: Store) -> Result<Self, Error> {
        store.migrate().await?;
        let keyring = Keyring::open(&store).await?;
        Ok(Self { store, keyring })
    }

    /// Adds a site with the default policy.
    ///
    /// # Errors
    /// When the slug is taken.
    pub async fn add_site(&self, slug: SiteSlug) -> Result<Site, Error> {
        let site = Site {
            id: SiteId::generate(),
            slug,
            policy: Policy::default(),
            created_at: Timestamp::now(),
        };
        let mut tx = self.store.begin().await?;
        match tx.db().insert_site(&site).await {
            Err(StoreError::Exists(_)) => return Err(Error::SiteExists),
            outcome => outcome?,
        }
        tx.commit().await?;
        Ok(site)
    }

    /// Every site, by slug.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sites(&self) -> Result<Vec<Site>, Error> {
        Ok(self.store.read().await?.db().sites().await?)
    }

    /// A token for a caller that expires after `ttl`.
    ///
    /// # Errors
    /// When the keys cannot be used.
    pub fn sign_token(&self, caller: &Caller, ttl: std::time::Duration) -> Result<String, Error> {
        self.keyring.sign(caller, ttl)
    }

    /// Closes the database, after the statements under way.
    pub async fn close(&self) {
        self.store.close().await;
    }
}
