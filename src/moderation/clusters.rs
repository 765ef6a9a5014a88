//! Copies of one text, across authors, threads and days.

use std::collections::HashMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::{CommentView, Error, Moderation, Page, Thing};
use crate::{
    domain::{Caller, ClusterId, Comment, CommentId, Cursor, Status},
    store::Members,
};

/// A cluster of copies, and a page of its members.
#[derive(Debug, Serialize, ToSchema)]
pub struct Cluster {
    pub id: ClusterId,
    /// How many comments are in it.
    pub count: i64,
    #[serde(flatten)]
    pub page: Page<CommentView>,
}

impl Moderation {
    /// The members of a cluster, the oldest first. Deleted comments are in none.
    ///
    /// # Errors
    /// When there is no such cluster on the caller's sites, or the cursor is of another list.
    #[tracing::instrument(skip_all)]
    pub async fn cluster(
        &self,
        caller: &Caller,
        id: ClusterId,
        limit: usize,
        cursor: Option<&str>,
    ) -> Result<Cluster, Error> {
        let after: Option<CommentId> = cursor
            .map(|cursor| Cursor::read(cursor, &("cluster", id)))
            .transpose()?;
        let statuses = [Status::Pending, Status::Published, Status::Hidden];
        let members = Members::Copies(id.0);
        let mut conn = self.store.read().await?;
        let mut db = conn.db();
        let oldest = db.members(&members, &statuses, false, None, 1).await?;
        let site = db
            .comments(oldest)
            .await?
            .first()
            .map(|comment| comment.site)
            .ok_or(Error::NotFound(Thing::Cluster))?;
        Self::require_site(&mut db, caller, site, Thing::Cluster).await?;
        let ids = db
            .members(&members, &statuses, false, after, limit as i64 + 1)
            .await?;
        let page = Page::cut(ids, limit, |last| Cursor::new(&("cluster", id), last));
        let comments = db.comments(page.items.iter().copied()).await?;
        let mut comments: HashMap<CommentId, Comment> =
            comments.into_iter().map(|one| (one.id, one)).collect();
        let sizes = db.cluster_sizes([id.0]).await?;
        Ok(Cluster {
            id,
            count: sizes.first().map_or(0, |(_, count)| *count),
            page: Page {
                items: page
                    .items
                    .iter()
                    .filter_map(|id| comments.remove(id))
                    .map(CommentView::from)
                    .collect(),
                next_cursor: page.next_cursor,
            },
        })
    }
}
