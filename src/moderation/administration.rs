//! What an admin does before and beside serving: sites and tokens. It needs no model.

use super::{Error, Rotation, SsoKeys, Thing, tokens::Keyring};
use crate::{
    domain::{Caller, Policy, Site, SiteId, SiteSlug, Timestamp, Title},
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
        Self::trusting(store, SsoKeys::default()).await
    }

    /// The same, and believes tokens of single sign-on.
    pub(super) async fn trusting(store: Store, sso: SsoKeys) -> Result<Self, Error> {
        store.migrate().await?;
        let keyring = Keyring::open(&store, sso).await?;
        Ok(Self { store, keyring })
    }

    /// Adds a site with the default policy.
    ///
    /// # Errors
    /// When the slug is taken.
    pub async fn add_site(&self, slug: SiteSlug, name: Option<Title>) -> Result<Site, Error> {
        let site = Site {
            id: SiteId::generate(),
            slug,
            name,
            policy: Policy::default(),
            policy_version: 1,
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

    /// The sites that are meant: the one named, or all.
    ///
    /// # Errors
    /// When there is none of that name.
    pub(super) async fn sites_named(&self, site: Option<&SiteSlug>) -> Result<Vec<Site>, Error> {
        let mut sites = self.sites().await?;
        if let Some(slug) = site {
            sites.retain(|site| site.slug == *slug);
            if sites.is_empty() {
                return Err(Error::NotFound(Thing::Site));
            }
        }
        Ok(sites)
    }

    /// A token for a caller that expires after `ttl`.
    ///
    /// # Errors
    /// When the keys cannot be used.
    pub fn sign_token(&self, caller: &Caller, ttl: std::time::Duration) -> Result<String, Error> {
        self.keyring.sign(caller, ttl)
    }

    /// Makes a new signing key. What the one before signed is still believed; what older ones did, no longer.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn rotate_key(&self) -> Result<Rotation, Error> {
        self.keyring.rotate(&self.store).await
    }

    /// The ids of the keys whose tokens are believed, the one that signs first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn key_ids(&self) -> Result<Vec<String>, Error> {
        let keys = self.store.read().await?.db().signing_keys().await?;
        Ok(keys.into_iter().map(|key| key.kid).collect())
    }

    /// Closes the database, after the statements under way.
    pub async fn close(&self) {
        self.store.close().await;
    }
}
