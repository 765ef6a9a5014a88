//! Readers, as their site introduces them.

use super::{Db, StoreError, sql};
use crate::domain::{AuthorId, Email, NewAuthor, SiteId, Status, Timestamp};

/// How many of an author's comments have each status that a moderator cares for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuthorRecord {
    pub published: i64,
    pub hidden: i64,
}

impl Db<'_> {
    /// Keeps what the site last said of an author; what it left out stays.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn upsert_author(
        &mut self,
        site: SiteId,
        author: &NewAuthor,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        sql::execute!(
            self,
            "INSERT INTO authors (site_id, author_id, name, email, ip, seen_at)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (site_id, author_id) DO UPDATE SET
                 name = excluded.name,
                 email = COALESCE(excluded.email, authors.email),
                 ip = COALESCE(excluded.ip, authors.ip),
                 seen_at = excluded.seen_at",
            site.0,
            author.author.id.as_str(),
            author.author.name.as_str(),
            author.email.as_ref().map(Email::as_str),
            author.ip.map(|ip| ip.to_string()),
            at.millis()
        )?;
        Ok(())
    }

    /// Whether readers can see a comment of this author.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn author_has_published(
        &mut self,
        site: SiteId,
        author: &AuthorId,
    ) -> Result<bool, StoreError> {
        let row = sql::fetch_optional!(
            self,
            (i64,),
            "SELECT CAST(1 AS BIGINT) FROM comments WHERE site_id = $1 AND author_id = $2 AND status = $3 LIMIT 1",
            site.0,
            author.as_str(),
            Status::Published.as_str()
        )?;
        Ok(row.is_some())
    }

    /// Counts the comments of each of these authors of a site, in the order asked for.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn author_records(
        &mut self,
        site: SiteId,
        authors: &[&AuthorId],
    ) -> Result<Vec<AuthorRecord>, StoreError> {
        let mut select =
            sql::Select::new("SELECT author_id, status, COUNT(*) FROM comments WHERE site_id = ");
        select
            .bind(site.0)
            .push(" AND author_id IN ")
            .list(authors.iter().map(|id| id.as_str()))
            .push(" GROUP BY author_id, status");
        let rows: Vec<(String, String, i64)> = select.fetch_all(self).await?;
        let count = |author: &AuthorId, status: Status| {
            rows.iter()
                .find(|(id, name, _)| id == author.as_str() && name == status.as_str())
                .map_or(0, |(_, _, count)| *count)
        };
        Ok(authors
            .iter()
            .map(|author| AuthorRecord {
                published: count(author, Status::Published),
                hidden: count(author, Status::Hidden),
            })
            .collect())
    }
}
