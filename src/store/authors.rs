//! Readers, as their site introduces them.

use super::{
    Db, StoreError, sql,
    writes::{Kind, Rows, Writes, row},
};
use crate::domain::{AuthorId, AuthorName, Email, NewAuthor, SiteId, Status, Timestamp};

/// What a site last said of an author.
#[derive(Debug, Clone)]
pub struct KnownAuthor {
    pub name: AuthorName,
    pub email: Option<Email>,
    pub ip: Option<String>,
    pub seen_at: Timestamp,
}

/// How many of an author's comments have each status that a moderator cares for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuthorRecord {
    pub published: i64,
    pub pending: i64,
    pub hidden: i64,
    pub deleted: i64,
}

static AUTHORS: Rows = Rows::of(
    "authors",
    &[
        ("site_id", Kind::Uuid),
        ("author_id", Kind::Text),
        ("name", Kind::Text),
        ("email", Kind::Text),
        ("ip", Kind::Text),
        ("seen_at", Kind::Int),
    ],
    "ON CONFLICT (site_id, author_id) DO UPDATE SET
         name = excluded.name,
         email = COALESCE(excluded.email, authors.email),
         ip = COALESCE(excluded.ip, authors.ip),
         seen_at = excluded.seen_at",
);

impl<'a> Writes<'a> {
    /// What the sites last said of authors; what they left out stays. No author comes twice.
    pub fn authors(
        self,
        authors: impl IntoIterator<Item = (SiteId, &'a NewAuthor, Timestamp)>,
    ) -> Self {
        let rows = authors.into_iter().map(|(site, new, at)| {
            row![
                site.0,
                new.author.id.as_str(),
                new.author.name.as_str(),
                new.email.as_ref().map(Email::as_str),
                new.ip.map(|ip| ip.to_string()),
                at.millis(),
            ]
        });
        self.rows(&AUTHORS, rows)
    }
}

impl Db<'_> {
    /// The author that a site last introduced by that id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn author(
        &mut self,
        site: SiteId,
        id: &AuthorId,
    ) -> Result<Option<KnownAuthor>, StoreError> {
        let row = sql::fetch_optional!(
            self,
            (String, Option<String>, Option<String>, i64),
            "SELECT name, email, ip, seen_at FROM authors WHERE site_id = $1 AND author_id = $2",
            site.0,
            id.as_str()
        )?;
        Ok(row.map(|(name, email, ip, seen_at)| KnownAuthor {
            name: AuthorName::stored(name),
            email: email.map(Email::stored),
            ip,
            seen_at: Timestamp::from_millis(seen_at),
        }))
    }

    /// Which of these authors have a comment that readers can see: their positions.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn published_authors(
        &mut self,
        authors: &[(SiteId, &AuthorId)],
    ) -> Result<Vec<usize>, StoreError> {
        if authors.is_empty() {
            return Ok(Vec::new());
        }
        let text = sql::by_engine!(
            &*self,
            sqlite: "SELECT k.key FROM json_each($1) AS k WHERE EXISTS (
                         SELECT 1 FROM comments c WHERE c.site_id = unhex(k.value ->> 0, '-')
                         AND c.author_id = k.value ->> 1 AND c.status = 'published')",
            postgres: "SELECT k.at - 1 FROM json_array_elements(CAST($1 AS json)) WITH ORDINALITY AS k (value, at)
                       WHERE EXISTS (
                           SELECT 1 FROM comments c WHERE c.site_id = CAST(k.value ->> 0 AS uuid)
                           AND c.author_id = k.value ->> 1 AND c.status = 'published')",
        );
        let authors = sql::to_json(&authors)?;
        Ok(sql::fetch_all!(self, (i64,), text, &authors)?
            .into_iter()
            .filter_map(|(at,)| usize::try_from(at).ok())
            .collect())
    }

    /// Forgets mail and address of authors not seen since. How many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_contacts(
        &mut self,
        site: SiteId,
        before: Timestamp,
    ) -> Result<u64, StoreError> {
        sql::execute!(
            self,
            "UPDATE authors SET email = NULL, ip = NULL
             WHERE site_id = $1 AND seen_at < $2 AND (email IS NOT NULL OR ip IS NOT NULL)",
            site.0,
            before.millis()
        )
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
                pending: count(author, Status::Pending),
                hidden: count(author, Status::Hidden),
                deleted: count(author, Status::Deleted),
            })
            .collect())
    }
}
