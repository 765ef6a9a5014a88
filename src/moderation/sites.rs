//! Which site a request is about; and what admins change of sites.

use std::{sync::Arc, time::Instant};

use serde::Serialize;
use utoipa::ToSchema;

use super::{Error, Moderation, Thing, appraisal::compile};
use crate::{
    domain::{
        Caller, Policy, Site, SiteChange, SiteId, SiteScope, SiteSlug, ThreadId, ThreadKey,
        Timestamp, Title,
    },
    store::{Db, Lock},
};

/// A site as admins see it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Site)]
pub struct SiteView {
    pub slug: SiteSlug,
    #[schema(required)]
    pub name: Option<Title>,
    pub created_at: Timestamp,
}

impl From<Site> for SiteView {
    fn from(site: Site) -> Self {
        Self {
            slug: site.slug,
            name: site.name,
            created_at: site.created_at,
        }
    }
}

/// What is of the whole instance is for admins of all its sites.
pub(super) fn require_all_sites(caller: &Caller) -> Result<(), Error> {
    match caller.sites {
        SiteScope::All => Ok(()),
        SiteScope::Only(_) => Err(Error::AllSitesNeeded),
    }
}

impl Moderation {
    /// The sites of the caller's token, by slug.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_sites(&self, caller: &Caller) -> Result<Vec<SiteView>, Error> {
        let sites = self.sites_of(caller, None, false).await?;
        Ok(sites.into_iter().map(SiteView::from).collect())
    }

    /// Adds a site with the default policy.
    ///
    /// # Errors
    /// When the slug is taken, or the caller's token is not for all sites.
    #[tracing::instrument(skip_all)]
    pub async fn create_site(
        &self,
        caller: &Caller,
        slug: SiteSlug,
        name: Option<Title>,
    ) -> Result<SiteView, Error> {
        require_all_sites(caller)?;
        Ok(self.administration.add_site(slug, name).await?.into())
    }

    /// Changes a site.
    ///
    /// # Errors
    /// When the database fails.
    #[tracing::instrument(skip_all, fields(site = %site.slug))]
    pub async fn change_site(&self, site: &Site, change: SiteChange) -> Result<SiteView, Error> {
        let mut site = site.clone();
        if let Some(name) = change.name {
            let mut tx = self.store.begin().await?;
            tx.db().set_site_name(site.id, name.as_ref()).await?;
            tx.commit().await?;
            self.fresh_sites.forget(&site.slug);
            site.name = name;
        }
        Ok(site.into())
    }

    /// Gives a site another policy, for what arrives from now on.
    ///
    /// # Errors
    /// When its word lists are too long to be compiled.
    #[tracing::instrument(skip_all, fields(site = %site.slug))]
    pub async fn set_policy(&self, site: &Site, policy: Policy) -> Result<Policy, Error> {
        compile(&policy.banned_words)?;
        compile(&policy.suspect_words)?;
        let mut tx = self.store.begin().await?;
        tx.db().set_site_policy(site.id, &policy).await?;
        tx.commit().await?;
        self.fresh_sites.forget(&site.slug);
        Ok(policy)
    }
}

impl Moderation {
    /// The one site a request is about: the one it names, or the only one its token covers.
    ///
    /// # Errors
    /// [`Error::SiteRequired`] when it names none and the token covers several; not found when it is foreign.
    pub async fn site_of(
        &self,
        caller: &Caller,
        named: Option<&SiteSlug>,
    ) -> Result<Arc<Site>, Error> {
        let slug = match (named, &caller.sites) {
            (Some(slug), _) => slug,
            (None, SiteScope::Only(slugs)) if slugs.len() == 1 => &slugs[0],
            (None, _) => return Err(Error::SiteRequired),
        };
        if !caller.sites.covers(slug) {
            return Err(Error::NotFound(Thing::Site));
        }
        if let Some(site) = self.fresh_sites.get(slug) {
            return Ok(site);
        }
        let since = Instant::now();
        let mut conn = self.store.read().await?;
        let site = (conn.db().site_by_slug(slug).await?).ok_or(Error::NotFound(Thing::Site))?;
        let site = Arc::new(site);
        self.fresh_sites.put(slug.clone(), Arc::clone(&site), since);
        Ok(site)
    }

    /// The sites a list is about: the one it names, or all its token covers. One that names a thread or an author is
    /// about one site.
    pub(super) async fn sites_of(
        &self,
        caller: &Caller,
        named: Option<&SiteSlug>,
        about_one: bool,
    ) -> Result<Vec<Site>, Error> {
        if named.is_some() || about_one {
            return Ok(vec![Site::clone(&*self.site_of(caller, named).await?)]);
        }
        let mut sites = self.store.read().await?.db().sites().await?;
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

/// The id of the thread that a list names, if it names one; it is of the one site that the list is about.
pub(super) async fn thread_id(
    db: &mut Db<'_>,
    sites: &[Site],
    key: Option<&ThreadKey>,
) -> Result<Option<ThreadId>, Error> {
    let (Some(key), [site]) = (key, sites) else {
        return Ok(None);
    };
    match db.thread_by_key(site.id, key, Lock::None).await? {
        Some(thread) => Ok(Some(thread.id)),
        None => Err(Error::NotFound(Thing::Thread)),
    }
}
