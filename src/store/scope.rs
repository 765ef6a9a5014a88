//! What a decision on one comment is also about.

use uuid::Uuid;

use super::{Db, StoreError, sql};
use crate::domain::{AuthorId, CommentId, DecisionId, SiteId, Status, Timestamp};

/// Comments that are decided together with another.
#[derive(Debug, Clone)]
pub enum Members {
    /// Everything below it.
    Below(CommentId),
    /// The copies of a cluster.
    Copies(Uuid),
    /// What an author wrote on a site since.
    Author {
        site: SiteId,
        author: AuthorId,
        since: Timestamp,
    },
}

impl Db<'_> {
    /// The next of these comments after one, by id, that are of a status among `statuses`. With `undecided`, those on
    /// which a human's decision stands are left out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn members(
        &mut self,
        members: &Members,
        statuses: &[Status],
        undecided: bool,
        after: Option<CommentId>,
        limit: i64,
    ) -> Result<Vec<CommentId>, StoreError> {
        let mut select = sql::Select::new("");
        match members {
            Members::Below(root) => {
                select
                    .push("WITH RECURSIVE below (id) AS (SELECT id FROM comments WHERE parent_id = ")
                    .bind(root.0)
                    .push(
                        " UNION ALL SELECT c.id FROM comments c JOIN below ON c.parent_id = below.id)
                         SELECT c.id FROM comments c JOIN below ON c.id = below.id WHERE c.status IN ",
                    );
            }
            Members::Copies(cluster) => {
                select
                    .push(
                        "SELECT c.id FROM comments c JOIN fingerprints f ON f.comment_id = c.id WHERE f.cluster_id = ",
                    )
                    .bind(*cluster)
                    .push(" AND c.status IN ");
            }
            Members::Author {
                site,
                author,
                since,
            } => {
                select
                    .push("SELECT c.id FROM comments c WHERE c.site_id = ")
                    .bind(site.0)
                    .push(" AND c.author_id = ")
                    .bind(author.as_str())
                    .push(" AND c.created_at >= ")
                    .bind(since.millis())
                    .push(" AND c.status IN ");
            }
        }
        select.list(statuses.iter().map(|status| status.as_str()));
        if undecided {
            select.push(
                " AND NOT EXISTS (SELECT 1 FROM decisions d
                     WHERE d.id = c.decision_id AND d.action IN ('approve', 'hide'))",
            );
        }
        if let Some(after) = after {
            select.push(" AND c.id > ").bind(after.0);
        }
        select.push(" ORDER BY c.id LIMIT ").bind(limit);
        let rows: Vec<(Uuid,)> = select.fetch_all(self).await?;
        Ok(rows.into_iter().map(|(id,)| CommentId(id)).collect())
    }

    /// The decisions of a group, by comment, after one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn group(
        &mut self,
        group: Uuid,
        after: Option<CommentId>,
        limit: i64,
    ) -> Result<Vec<(CommentId, DecisionId)>, StoreError> {
        let mut select = sql::Select::new("SELECT comment_id, id FROM decisions WHERE group_id = ");
        select.bind(group);
        if let Some(after) = after {
            select.push(" AND comment_id > ").bind(after.0);
        }
        select.push(" ORDER BY comment_id LIMIT ").bind(limit);
        let rows: Vec<(Uuid, Uuid)> = select.fetch_all(self).await?;
        Ok(rows
            .into_iter()
            .map(|(comment, id)| (CommentId(comment), DecisionId(id)))
            .collect())
    }
}
