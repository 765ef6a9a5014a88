//! What comments said before they were edited.

use super::{Db, StoreError, sql};
use crate::domain::{Body, CommentId, Revision, SiteId, Timestamp};

impl Db<'_> {
    /// Keeps what a comment says, before an edit replaces it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_revision(
        &mut self,
        comment: CommentId,
        revision: &Revision,
    ) -> Result<(), StoreError> {
        sql::execute!(
            self,
            "INSERT INTO revisions (comment_id, version, body, at) VALUES ($1, $2, $3, $4)",
            comment.0,
            revision.version,
            revision.body.as_str(),
            revision.replaced_at.millis()
        )?;
        Ok(())
    }

    /// What a comment said before, the oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn revisions(&mut self, comment: CommentId) -> Result<Vec<Revision>, StoreError> {
        let rows = sql::fetch_all!(
            self,
            (i64, String, i64),
            "SELECT version, body, at FROM revisions WHERE comment_id = $1 ORDER BY version",
            comment.0
        )?;
        Ok(rows
            .into_iter()
            .map(|(version, body, at)| Revision {
                version,
                body: Body::stored(body),
                replaced_at: Timestamp::from_millis(at),
            })
            .collect())
    }

    /// Erases the texts of comments of a site that were deleted before then, at most `limit` of them: their bodies,
    /// revisions, what was reported of them and what was highlighted. How many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn erase_deleted(
        &mut self,
        site: SiteId,
        before: Timestamp,
        limit: i64,
    ) -> Result<usize, StoreError> {
        let erasable = sql::fetch_all!(
            self,
            (uuid::Uuid,),
            "SELECT id FROM comments WHERE site_id = $1 AND changed_at < $2 AND status = 'deleted' AND body <> ''
             ORDER BY changed_at LIMIT $3",
            site.0,
            before.millis(),
            limit
        )?;
        for (id,) in &erasable {
            sql::execute!(self, "DELETE FROM revisions WHERE comment_id = $1", id)?;
            sql::execute!(
                self,
                "UPDATE reports SET body = '', note = NULL WHERE comment_id = $1",
                id
            )?;
            sql::execute!(
                self,
                "UPDATE appeals SET text = '' WHERE comment_id = $1",
                id
            )?;
            sql::execute!(
                self,
                "UPDATE scores SET highlights = '[]', quotes = '[]' WHERE comment_id = $1",
                id
            )?;
            sql::execute!(self, "UPDATE comments SET body = '' WHERE id = $1", id)?;
        }
        Ok(erasable.len())
    }
}
