//! The audit log: every decision, the newest first.

use serde::Serialize;

use super::{Error, Moderation, Page, sites::thread_id};
use crate::{
    domain::{Caller, CommentId, Cursor, Decision, SiteSlug, Subject, ThreadKey, Timestamp},
    store::DecisionFilter,
};

/// Which decisions to show.
#[derive(Debug, Clone, Default, Serialize)]
pub struct AuditFilter {
    pub site: Option<SiteSlug>,
    pub comment: Option<CommentId>,
    pub moderator: Option<Subject>,
    pub thread: Option<ThreadKey>,
    pub since: Option<Timestamp>,
    #[serde(skip)]
    pub limit: usize,
    #[serde(skip)]
    pub cursor: Option<String>,
}

impl Moderation {
    /// A page of the audit log.
    ///
    /// # Errors
    /// When the cursor is of another list, or a thread is named without its site.
    #[tracing::instrument(skip_all)]
    pub async fn decisions(
        &self,
        caller: &Caller,
        filter: &AuditFilter,
    ) -> Result<Page<Decision>, Error> {
        let after = filter
            .cursor
            .as_deref()
            .map(|cursor| Cursor::read(cursor, &("decisions", filter)))
            .transpose()?;
        let sites = self
            .sites_of(caller, filter.site.as_ref(), filter.thread.is_some())
            .await?;
        let mut conn = self.store.read().await?;
        let mut db = conn.db();
        let stored = DecisionFilter {
            sites: sites.iter().map(|site| site.id).collect(),
            comment: filter.comment,
            moderator: filter.moderator.clone(),
            thread: thread_id(&mut db, &sites, filter.thread.as_ref()).await?,
            since: filter.since,
        };
        let rows = db
            .decision_page(&stored, after, filter.limit as i64 + 1)
            .await?;
        Ok(Page::cut(rows, filter.limit, |last| {
            Cursor::new(&("decisions", filter), &(last.at, last.id))
        }))
    }
}
