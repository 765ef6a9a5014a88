//! Which site a request is about.

use super::{Error, Moderation, Thing};
use crate::{
    domain::{Caller, Policy, Site, SiteId, SiteScope, SiteSlug, Timestamp},
    store::{Db, StoreError},
};

impl Moderation {
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

    /// Every site.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sites(&self) -> Result<Vec<Site>, Error> {
        Ok(self.store.read().await?.db().sites().await?)
    }

    /// The one site a request is about: the one it names, or the only one its token covers.
    ///
    /// # Errors
    /// [`Error::SiteRequired`] when it names none and the token covers several; not found when it is foreign.
    pub async fn site_of(&self, caller: &Caller, named: Option<&SiteSlug>) -> Result<Site, Error> {
        let slug = match (named, &caller.sites) {
            (Some(slug), _) => slug,
            (None, SiteScope::Only(slugs)) if slugs.len() == 1 => &slugs[0],
            (None, _) => return Err(Error::SiteRequired),
        };
        if !caller.sites.covers(slug) {
            return Err(Error::NotFound(Thing::Site));
        }
        self.store
            .read()
            .await?
            .db()
            .site_by_slug(slug)
            .await?
            .ok_or(Error::NotFound(Thing::Site))
    }

    /// The sites a list is about: the one it names, or all its token covers.
    pub(super) async fn sites_of(
        &self,
        caller: &Caller,
        named: Option<&SiteSlug>,
    ) -> Result<Vec<Site>, Error> {
        if named.is_some() {
            return Ok(vec![self.site_of(caller, named).await?]);
        }
        let mut sites = self.sites().await?;
        sites.retain(|site| caller.sites.covers(&site.slug));
        Ok(sites)
    }

    /// Whether a thing of this site may be seen; if not, it is not found.
    pub(super) async fn require_site(
        db: &mut Db<'_>,
        caller: &Caller,
        site: SiteId,
        thing: Thing,
    ) -> Result<Site, Error> {
        db.site(site)
            .await?
            .filter(|site| caller.sites.covers(&site.slug))
            .ok_or(Error::NotFound(thing))
    }
}
