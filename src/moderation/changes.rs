//! For a site that keeps in step: what changed since, and how many comments each page has.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{CommentView, Error, Moderation, Page, Thing, ThreadView};
use crate::{
    domain::CommentId,
    domain::{
        Caller, Cursor, ExternalId, Revision, Site, SiteId, SiteSlug, Status, ThreadId, ThreadKey,
        Timestamp,
    },
    store::{ChangeFilter, Lock},
};

/// Which comments a list of changes shows.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ChangesFilter {
    pub site: Option<SiteSlug>,
    /// Changed at this moment or later.
    pub since: Option<Timestamp>,
    pub status: Option<Status>,
    pub external_id: Option<ExternalId>,
    #[serde(skip)]
    pub limit: usize,
    #[serde(skip)]
    pub cursor: Option<String>,
}

/// Which threads a list shows.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ThreadsFilter {
    pub site: Option<SiteSlug>,
    /// Made at this moment or later.
    pub since: Option<Timestamp>,
    #[serde(skip)]
    pub limit: usize,
    #[serde(skip)]
    pub cursor: Option<String>,
}

impl Moderation {
    /// A page of comments in the order of their latest change, the earliest first.
    ///
    /// # Errors
    /// When the cursor is of another list, or an external id is named without its site.
    #[tracing::instrument(skip_all)]
    pub async fn changes(
        &self,
        caller: &Caller,
        filter: &ChangesFilter,
    ) -> Result<Page<CommentView>, Error> {
        let after: Option<(Timestamp, CommentId)> = filter
            .cursor
            .as_deref()
            .map(|cursor| Cursor::read(cursor, &("changes", filter)))
            .transpose()?;
        let sites = self
            .sites_of(caller, filter.site.as_ref(), filter.external_id.is_some())
            .await?;
        let stored = ChangeFilter {
            sites: sites.iter().map(|site| site.id).collect(),
            status: filter.status,
            external_id: filter.external_id.clone(),
            since: filter.since,
        };
        let rows = self
            .store
            .read()
            .await?
            .db()
            .changed_comments(&stored, after, filter.limit as i64 + 1)
            .await?;
        let page = Page::cut(rows, filter.limit, |last| {
            Cursor::new(&("changes", filter), &(last.changed_at, last.id))
        });
        Ok(Page {
            items: page.items.into_iter().map(CommentView::from).collect(),
            next_cursor: page.next_cursor,
        })
    }

    /// A page of threads with their counts, in the order in which they were made.
    ///
    /// # Errors
    /// When the cursor is of another list.
    #[tracing::instrument(skip_all)]
    pub async fn list_threads(
        &self,
        caller: &Caller,
        filter: &ThreadsFilter,
    ) -> Result<Page<ThreadView>, Error> {
        let after: Option<(Timestamp, ThreadId)> = filter
            .cursor
            .as_deref()
            .map(|cursor| Cursor::read(cursor, &("threads", filter)))
            .transpose()?;
        let sites = self.sites_of(caller, filter.site.as_ref(), false).await?;
        let ids: Vec<SiteId> = sites.iter().map(|site| site.id).collect();
        let mut conn = self.store.read().await?;
        let mut db = conn.db();
        let rows = db
            .thread_page(&ids, filter.since, after, filter.limit as i64 + 1)
            .await?;
        let page = Page::cut(rows, filter.limit, |last| {
            Cursor::new(&("threads", filter), &(last.created_at, last.id))
        });
        let ids: Vec<ThreadId> = page.items.iter().map(|thread| thread.id).collect();
        let counts = db.thread_counts(&ids).await?;
        let now = self.clock.now();
        let items = page
            .items
            .into_iter()
            .zip(counts)
            .filter_map(|(thread, counts)| {
                let site = sites.iter().find(|site| site.id == thread.site)?;
                Some(ThreadView::new(thread, site, Some(counts), now))
            })
            .collect();
        Ok(Page {
            items,
            next_cursor: page.next_cursor,
        })
    }

    /// How many comments readers see in each of these threads; none where there is no such thread yet.
    ///
    /// # Errors
    /// When the database fails.
    #[tracing::instrument(skip_all, fields(site = %site.slug))]
    pub async fn published_counts(
        &self,
        site: &Site,
        keys: Vec<ThreadKey>,
    ) -> Result<BTreeMap<String, i64>, Error> {
        let mut conn = self.store.read().await?;
        let known = conn.db().published_counts(site.id, &keys).await?;
        let mut counts: BTreeMap<String, i64> =
            keys.into_iter().map(|key| (key.into_string(), 0)).collect();
        counts.extend(
            known
                .into_iter()
                .map(|(key, count)| (key.into_string(), count)),
        );
        Ok(counts)
    }

    /// What a comment said before its edits, the oldest first: for moderators.
    ///
    /// # Errors
    /// When there is no such comment, or its author deleted it.
    #[tracing::instrument(skip_all)]
    pub async fn revisions(&self, caller: &Caller, id: CommentId) -> Result<Page<Revision>, Error> {
        let mut conn = self.store.read().await?;
        let mut db = conn.db();
        let comment = (db.comment(id, Lock::None).await?).ok_or(Error::NotFound(Thing::Comment))?;
        Self::require_site(&mut db, caller, comment.site, Thing::Comment).await?;
        if comment.status == Status::Deleted {
            return Err(Error::Gone);
        }
        Ok(Page {
            items: db.revisions(id).await?,
            next_cursor: None,
        })
    }
}
