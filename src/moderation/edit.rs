//! What an author does to a comment after posting it: edit it, delete it.

use super::{
    CommentView, Error, Moderation, Thing,
    decide::held_comment,
    duplicates::{self, Copies},
    queue,
};
use crate::{
    domain::{
        Action, AuthorStanding, Body, Caller, Comment, CommentId, Event, EventKind, QueueName,
        Reason, ReasonCode, Revision, Status, ThreadStanding, Timestamp, decide,
    },
    store::{Db, Explanation, Lock, StoreError, Writes},
};

/// A new text for a comment.
#[derive(Debug, Clone)]
pub struct Edit {
    pub body: Body,
    /// The version that the author saw; `None` changes whatever is there.
    pub version: Option<i64>,
}

impl Moderation {
    /// Replaces the text of a comment. It is scored and judged again; the earlier text is kept as a revision. A human's
    /// approval ends with the edit, and what a human hid or escalated, or readers' reports held, is at best pending. The same text again changes
    /// nothing.
    ///
    /// # Errors
    /// [`Error::Stale`] when the comment is no longer at the version that was seen, [`Error::Gone`] when it was deleted.
    #[tracing::instrument(skip_all)]
    pub async fn edit(
        &self,
        caller: &Caller,
        id: CommentId,
        edit: Edit,
    ) -> Result<CommentView, Error> {
        let mut conn = self.store.read().await?;
        let mut db = conn.db();
        let seen = (db.comment(id, Lock::None).await?).ok_or(Error::NotFound(Thing::Comment))?;
        let site = Self::require_site(&mut db, caller, seen.site, Thing::Comment).await?;
        let thread = (db.threads([seen.thread]).await?)
            .pop()
            .ok_or(Error::NotFound(Thing::Thread))?;
        drop(conn);
        let above = self.texts_above(seen.parent).await?;
        let appraisal = self.appraise(&site, &edit.body, &above, thread.lang.as_ref())?;
        let fingerprint = &appraisal.assessment.fingerprint;

        let mut tx = self.store.begin().await?;
        let mut db = tx.db();
        let texts = duplicates::lock_number(site.id, fingerprint);
        db.lock_numbers(texts.into_iter().collect()).await?;
        let mut comment = held_comment(&mut db, caller, id, Thing::Comment).await?;
        if comment.status == Status::Deleted {
            return Err(Error::Gone);
        }
        if edit.version.is_some_and(|seen| seen != comment.version) {
            return Err(Error::Stale(Box::new(comment.into())));
        }
        let now = self.clock.now().max(comment.changed_at);
        let standing = standing(&mut db, &comment, now).await?;
        if standing.banned {
            return Err(Error::AuthorBanned);
        }
        if edit.body == comment.body {
            return Ok(comment.into());
        }

        duplicates::forget(&mut db, site.id, id).await?;
        let mut copies = Copies::read(&mut db, &[(site.id, fingerprint)], Some(id)).await?;
        let found = copies.find(0, site.id, fingerprint);
        let signals = appraisal.signals(&found);
        let mode = ThreadStanding { mode: thread.mode };
        let verdict = decide(&signals, &site.policy, standing, mode);

        let revision = Revision {
            version: comment.version,
            body: std::mem::replace(&mut comment.body, edit.body),
            replaced_at: now,
        };
        let kept = kept_reason(&comment);
        comment.status = match verdict.status {
            Status::Published if kept.is_some() => Status::Pending,
            status => status,
        };
        comment.edited_at = Some(now);
        comment.changed_at = now;
        comment.version += 1;
        comment.scores = signals.scores;
        comment.reasons = verdict.reasons;
        comment.reasons.extend(kept);
        comment.duplicate_of = signals.duplicate_of;
        comment.model.clone_from(&appraisal.model);
        comment.decision = comment
            .decision
            .filter(|standing| standing.action != Action::Approve);

        db.insert_revision(id, &revision).await?;
        db.update_comment(&comment).await?;
        let cluster = found.cluster;
        let explanation = Explanation {
            highlights: appraisal.assessment.highlights.clone(),
            quotes: appraisal.assessment.quotes.clone(),
        };
        let text = copies.add(id, site.id, fingerprint, found);
        let writes = Writes::default()
            .scores([(&comment, &explanation)])?
            .fingerprints(text.as_slice());
        db.write(writes).await?;
        requeue(&mut db, &comment, cluster).await?;
        db.write(Writes::default().events(&[event(&comment, EventKind::CommentChanged)]))
            .await?;
        tx.commit().await?;
        Ok(comment.into())
    }

    /// Deletes a comment for its author: readers see a tombstone where others answered, and nothing else.
    ///
    /// # Errors
    /// [`Error::Gone`] when it was deleted before.
    #[tracing::instrument(skip_all)]
    pub async fn delete(&self, caller: &Caller, id: CommentId) -> Result<(), Error> {
        let mut tx = self.store.begin().await?;
        let mut db = tx.db();
        let mut comment = held_comment(&mut db, caller, id, Thing::Comment).await?;
        if comment.status == Status::Deleted {
            return Err(Error::Gone);
        }
        comment.status = Status::Deleted;
        comment.version += 1;
        comment.changed_at = self.clock.now().max(comment.changed_at);
        db.update_comment(&comment).await?;
        db.delete_queue_row(id).await?;
        db.write(Writes::default().events(&[event(&comment, EventKind::CommentDeleted)]))
            .await?;
        Ok(tx.commit().await?)
    }
}

/// Why a comment waits after an edit, whatever its new text: a moderator or readers said that it should not simply be
/// seen.
fn kept_reason(comment: &Comment) -> Option<Reason> {
    let by_readers = comment
        .reasons
        .iter()
        .find(|reason| reason.code == ReasonCode::Report && comment.status == Status::Pending);
    let against = |action| {
        let standing = comment.decision.as_ref();
        standing.is_some_and(|standing| standing.action == action)
    };
    let waits = |detail: &str| Reason {
        code: ReasonCode::Premoderation,
        score: None,
        detail: detail.into(),
    };
    if against(Action::Hide) {
        Some(waits("edited after a moderator hid it"))
    } else if against(Action::Escalate) {
        Some(waits("edited after a moderator escalated it"))
    } else {
        by_readers.cloned()
    }
}

pub(super) const fn event(comment: &Comment, kind: EventKind) -> Event {
    Event {
        site: comment.site,
        kind,
        comment: comment.id,
        at: comment.changed_at,
    }
}

async fn standing(
    db: &mut Db<'_>,
    comment: &Comment,
    now: Timestamp,
) -> Result<AuthorStanding, StoreError> {
    let author = [(comment.site, &comment.author.id)];
    let mut standing = AuthorStanding {
        has_published: !db.published_authors(&author).await?.is_empty(),
        ..AuthorStanding::default()
    };
    for (_, kind) in db.sanctions_in_force(&author, now).await? {
        standing.add(kind);
    }
    Ok(standing)
}

/// Puts an edited comment where it now waits, or takes it out.
async fn requeue(
    db: &mut Db<'_>,
    comment: &Comment,
    cluster: Option<uuid::Uuid>,
) -> Result<(), StoreError> {
    let before = db.queue_of(comment.id).await?;
    let after = match (comment.status, before) {
        (Status::Pending, Some(QueueName::Escalated)) => Some(QueueName::Escalated),
        (Status::Pending, _) => Some(QueueName::Waiting),
        (_, Some(QueueName::Waiting | QueueName::Escalated))
        | (Status::Hidden, Some(QueueName::Sampled)) => None,
        (_, elsewhere) => elsewhere,
    };
    match after {
        Some(queue) => {
            queue::enter(db, comment, queue, cluster, comment.changed_at).await?;
            if before.is_none() {
                db.write(Writes::default().events(&[event(comment, EventKind::QueueAdded)]))
                    .await?;
            }
        }
        None if before.is_some() => db.delete_queue_row(comment.id).await?,
        None => {}
    }
    Ok(())
}
