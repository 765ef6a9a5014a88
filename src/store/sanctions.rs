//! Measures against authors, and what moderators note about them.

use uuid::Uuid;

use super::{Db, StoreError, sql};
use crate::domain::{
    AuthorId, AuthorNote, Note, NoteId, Sanction, SanctionId, SanctionKind, SiteId, Timestamp,
};

#[derive(sqlx::FromRow)]
struct SanctionRow {
    id: Uuid,
    author_id: String,
    kind: String,
    until: Option<i64>,
    note: Option<String>,
    moderator: String,
    at: i64,
    lifted_at: Option<i64>,
    lifted_by: Option<String>,
}

impl TryFrom<SanctionRow> for (AuthorId, Sanction) {
    type Error = StoreError;

    fn try_from(row: SanctionRow) -> Result<Self, StoreError> {
        let sanction = Sanction {
            id: SanctionId(row.id),
            kind: SanctionKind::from_name(&row.kind)
                .ok_or(StoreError::Unreadable("sanctions.kind"))?,
            until: row.until.map(Timestamp::from_millis),
            note: row.note.map(Note::stored),
            moderator: row.moderator,
            at: Timestamp::from_millis(row.at),
            lifted_at: row.lifted_at.map(Timestamp::from_millis),
            lifted_by: row.lifted_by,
        };
        Ok((AuthorId::stored(row.author_id), sanction))
    }
}

impl Db<'_> {
    /// Keeps a new measure.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_sanction(
        &mut self,
        site: SiteId,
        author: &AuthorId,
        sanction: &Sanction,
    ) -> Result<(), StoreError> {
        sql::execute!(
            self,
            "INSERT INTO sanctions (id, site_id, author_id, kind, until, note, moderator, at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            sanction.id.0,
            site.0,
            author.as_str(),
            sanction.kind.as_str(),
            sanction.until.map(Timestamp::millis),
            sanction.note.as_ref().map(Note::as_str),
            &sanction.moderator,
            sanction.at.millis()
        )?;
        Ok(())
    }

    /// Lifts a measure that was not lifted before. Whether there was one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lift_sanction(
        &mut self,
        site: SiteId,
        author: &AuthorId,
        id: SanctionId,
        by: &str,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let lifted = sql::execute!(
            self,
            "UPDATE sanctions SET lifted_at = $4, lifted_by = $5
             WHERE id = $1 AND site_id = $2 AND author_id = $3 AND lifted_at IS NULL",
            id.0,
            site.0,
            author.as_str(),
            at.millis(),
            by
        )?;
        Ok(lifted == 1)
    }

    /// Every measure ever taken against these authors of a site, the newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sanctions(
        &mut self,
        site: SiteId,
        authors: &[&AuthorId],
    ) -> Result<Vec<(AuthorId, Sanction)>, StoreError> {
        let mut select = sql::Select::new(
            "SELECT id, author_id, kind, until, note, moderator, at, lifted_at, lifted_by
             FROM sanctions WHERE site_id = ",
        );
        select
            .bind(site.0)
            .push(" AND author_id IN ")
            .list(authors.iter().map(|author| author.as_str()))
            .push(" ORDER BY at DESC, id DESC");
        select
            .fetch_all::<SanctionRow>(self)
            .await?
            .into_iter()
            .map(TryFrom::try_from)
            .collect()
    }

    /// The kinds of measures in force against these authors; each with the author's position.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sanctions_in_force(
        &mut self,
        authors: &[(SiteId, &AuthorId)],
        now: Timestamp,
    ) -> Result<Vec<(usize, SanctionKind)>, StoreError> {
        if authors.is_empty() {
            return Ok(Vec::new());
        }
        let text = sql::by_engine!(
            &*self,
            sqlite: "SELECT k.key, s.kind FROM json_each($1) AS k JOIN sanctions s
                     ON s.site_id = unhex(k.value ->> 0, '-') AND s.author_id = k.value ->> 1
                     WHERE s.lifted_at IS NULL AND (s.until IS NULL OR s.until > $2)",
            postgres: "SELECT k.at - 1, s.kind
                       FROM json_array_elements(CAST($1 AS json)) WITH ORDINALITY AS k (value, at) JOIN sanctions s
                       ON s.site_id = CAST(k.value ->> 0 AS uuid) AND s.author_id = k.value ->> 1
                       WHERE s.lifted_at IS NULL AND (s.until IS NULL OR s.until > $2)",
        );
        let authors = sql::to_json(&authors)?;
        sql::fetch_all!(self, (i64, String), text, &authors, now.millis())?
            .into_iter()
            .map(|(at, kind)| {
                let at = usize::try_from(at).map_err(|_| StoreError::Unreadable("a position"))?;
                let kind = SanctionKind::from_name(&kind)
                    .ok_or(StoreError::Unreadable("sanctions.kind"))?;
                Ok((at, kind))
            })
            .collect()
    }

    /// Keeps a note about an author.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_author_note(
        &mut self,
        site: SiteId,
        author: &AuthorId,
        note: &AuthorNote,
    ) -> Result<(), StoreError> {
        sql::execute!(
            self,
            "INSERT INTO author_notes (id, site_id, author_id, text, moderator, at) VALUES ($1, $2, $3, $4, $5, $6)",
            note.id.0,
            site.0,
            author.as_str(),
            note.text.as_str(),
            &note.moderator,
            note.at.millis()
        )?;
        Ok(())
    }

    /// The latest notes about an author, the newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn author_notes(
        &mut self,
        site: SiteId,
        author: &AuthorId,
        limit: i64,
    ) -> Result<Vec<AuthorNote>, StoreError> {
        let rows = sql::fetch_all!(
            self,
            (Uuid, String, String, i64),
            "SELECT id, text, moderator, at FROM author_notes WHERE site_id = $1 AND author_id = $2
             ORDER BY at DESC, id DESC LIMIT $3",
            site.0,
            author.as_str(),
            limit
        )?;
        Ok(rows
            .into_iter()
            .map(|(id, text, moderator, at)| AuthorNote {
                id: NoteId(id),
                text: Note::stored(text),
                moderator,
                at: Timestamp::from_millis(at),
            })
            .collect())
    }
}
