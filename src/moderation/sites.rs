//! Which site a request is about.

use super::{Error, Moderation, Thing};
use crate::{
    domain::{Caller, Site, SiteId, SiteScope, SiteSlug, ThreadId, ThreadKey},
    store::{Db, Lock},
};

impl Moderation {
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

    /// The sites a list is about: the one it names, or all its token covers. One that names a thread or an author is
    /// about one site.
    pub(super) async fn sites_of(
        &self,
        caller: &Caller,
        named: Option<&SiteSlug>,
        about_one: bool,
    ) -> Result<Vec<Site>, Error> {
        if named.is_some() || about_one {
            return Ok(vec![self.site_of(caller, named).await?]);
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
