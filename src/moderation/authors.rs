//! Authors as moderators see them: their history, measures against them, and notes.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Error, Moderation, Thing};
use crate::{
    domain::{
        AuthorId, AuthorName, AuthorNote, Caller, Email, Note, NoteId, Sanction, SanctionId,
        SanctionKind, Site, ThreadCounts, Timestamp,
    },
    store::AuthorRecord,
};

/// How many notes are shown, the newest first.
const SHOWN_NOTES: i64 = 100;

/// An author and all that is known of them on a site.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuthorRecord)]
pub struct AuthorView {
    pub id: AuthorId,
    /// Null for an id that has not posted yet.
    #[schema(required)]
    pub name: Option<AuthorName>,
    #[schema(required)]
    pub email: Option<Email>,
    #[schema(required)]
    pub ip: Option<String>,
    /// When they last posted.
    #[schema(required)]
    pub seen_at: Option<Timestamp>,
    /// Their comments by status.
    pub counts: ThreadCounts,
    /// Every measure ever taken, the newest first; see `in_force`.
    pub sanctions: Vec<SanctionView>,
    pub notes: Vec<AuthorNote>,
}

/// A measure, and whether it is in force now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = KnownSanction)]
pub struct SanctionView {
    #[serde(flatten)]
    pub sanction: Sanction,
    pub in_force: bool,
}

/// A measure to take.
#[derive(Debug, Clone)]
pub struct NewSanction {
    pub kind: SanctionKind,
    pub until: Option<Timestamp>,
    pub note: Option<Note>,
}

impl Moderation {
    /// What is known of an author of a site.
    ///
    /// # Errors
    /// When nothing is.
    #[tracing::instrument(skip_all, fields(site = %site.slug))]
    pub async fn author(&self, site: &Site, id: AuthorId) -> Result<AuthorView, Error> {
        let now = self.clock.now();
        let mut conn = self.store.read().await?;
        let mut db = conn.db();
        let known = db.author(site.id, &id).await?;
        let sanctions = db.sanctions(site.id, &[&id]).await?;
        let notes = db.author_notes(site.id, &id, SHOWN_NOTES).await?;
        if known.is_none() && sanctions.is_empty() && notes.is_empty() {
            return Err(Error::NotFound(Thing::Author));
        }
        let record = db.author_records(site.id, &[&id]).await?.pop();
        let AuthorRecord {
            published,
            pending,
            hidden,
            deleted,
        } = record.unwrap_or_default();
        let (name, email, ip, seen_at) = match known {
            Some(known) => (Some(known.name), known.email, known.ip, Some(known.seen_at)),
            None => (None, None, None, None),
        };
        Ok(AuthorView {
            id,
            name,
            email,
            ip,
            seen_at,
            counts: ThreadCounts {
                published,
                pending,
                hidden,
                deleted,
            },
            sanctions: sanctions
                .into_iter()
                .map(|(_, sanction)| SanctionView {
                    in_force: sanction.in_force(now),
                    sanction,
                })
                .collect(),
            notes,
        })
    }

    /// Takes a measure against an author, who need not have posted yet.
    ///
    /// # Errors
    /// [`Error::AlreadyOver`] when it would have ended before it begins.
    #[tracing::instrument(skip_all, fields(site = %site.slug))]
    pub async fn sanction(
        &self,
        caller: &Caller,
        site: &Site,
        author: &AuthorId,
        new: NewSanction,
    ) -> Result<Sanction, Error> {
        let now = self.clock.now();
        if new.until.is_some_and(|until| until <= now) {
            return Err(Error::AlreadyOver);
        }
        let sanction = Sanction {
            id: SanctionId::generate(),
            kind: new.kind,
            until: new.until,
            note: new.note,
            moderator: caller.subject.as_str().to_owned(),
            at: now,
            lifted_at: None,
            lifted_by: None,
        };
        let mut tx = self.store.begin().await?;
        tx.db().insert_sanction(site.id, author, &sanction).await?;
        tx.commit().await?;
        Ok(sanction)
    }

    /// Lifts a measure.
    ///
    /// # Errors
    /// When there is none of that id against this author, or it was lifted before.
    #[tracing::instrument(skip_all, fields(site = %site.slug))]
    pub async fn lift_sanction(
        &self,
        caller: &Caller,
        site: &Site,
        author: &AuthorId,
        id: SanctionId,
    ) -> Result<(), Error> {
        let mut tx = self.store.begin().await?;
        let by = caller.subject.as_str();
        let lifted = tx
            .db()
            .lift_sanction(site.id, author, id, by, self.clock.now())
            .await?;
        if !lifted {
            return Err(Error::NotFound(Thing::Sanction));
        }
        Ok(tx.commit().await?)
    }

    /// Notes something about an author, for other moderators.
    ///
    /// # Errors
    /// When the database fails.
    #[tracing::instrument(skip_all, fields(site = %site.slug))]
    pub async fn note_author(
        &self,
        caller: &Caller,
        site: &Site,
        author: &AuthorId,
        text: Note,
    ) -> Result<AuthorNote, Error> {
        let note = AuthorNote {
            id: NoteId::generate(),
            text,
            moderator: caller.subject.as_str().to_owned(),
            at: self.clock.now(),
        };
        let mut tx = self.store.begin().await?;
        tx.db().insert_author_note(site.id, author, &note).await?;
        tx.commit().await?;
        Ok(note)
    }
}
