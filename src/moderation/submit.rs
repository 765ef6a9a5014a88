//! A new comment: scored, compared with earlier ones, judged and stored in one transaction.

use super::{CommentView, Error, Moderation, Thing, duplicates, queue};
use crate::{
    classifier,
    domain::{
        AuthorStanding, Comment, CommentId, Event, EventKind, ExternalId, Lang, NewComment,
        QueueName, Signals, Site, Status, Thread, ThreadChange, ThreadId, ThreadKey,
        ThreadStanding, Timestamp, count_links, decide,
    },
    store::{Db, Explanation, Lock, StoreError},
};

/// The deepest a reply may hang. Deeper chains are conversations of two that no page can show.
const MAX_DEPTH: u8 = 255;
/// How many comments above a reply are searched for text that it quotes.
const QUOTABLE_ANCESTORS: i64 = 8;

/// A comment to post, and the page it belongs to.
#[derive(Debug, Clone)]
pub struct Submission {
    pub thread: ThreadKey,
    /// What the thread is to be, should this be its first comment.
    pub thread_details: ThreadChange,
    pub comment: NewComment,
}

/// What became of it.
#[derive(Debug)]
pub enum Submitted {
    /// It is stored.
    New(CommentView),
    /// The site had posted it before, under the same external id.
    Known(CommentView),
}

impl Moderation {
    /// Posts a comment.
    ///
    /// # Errors
    /// When its parent or thread does not take it; nothing is stored then.
    #[tracing::instrument(skip_all, fields(site = %site.slug))]
    pub async fn submit(&self, site: &Site, submission: Submission) -> Result<Submitted, Error> {
        let Submission {
            thread: key,
            thread_details,
            comment: new,
        } = submission;
        let mut conn = self.store.read().await?;
        if let Some(known) = known(&mut conn.db(), site, &new).await? {
            return Ok(known);
        }
        let above = texts_above(&mut conn.db(), new.parent).await?;
        let thread = conn.db().thread_by_key(site.id, &key, Lock::None).await?;
        drop(conn);
        let lang = match thread {
            Some(thread) => thread.lang,
            None => thread_details.lang.clone().flatten(),
        };

        let model = self.model();
        let above: Vec<&str> = above.iter().map(String::as_str).collect();
        let assessment = model.assess(&classifier::Comment {
            text: new.body.as_str(),
            ancestors: &above,
            lang: lang.as_ref().map(Lang::as_str),
        });

        let mut tx = self.store.begin().await?;
        // Read once it is our turn to write, so that the order of times is that of commits wherever there is one writer.
        let now = Timestamp::now();
        let mut db = tx.db();
        // A twin with the same external id may have come in since we looked.
        if let Some(known) = known(&mut db, site, &new).await? {
            return Ok(known);
        }
        let thread = thread_of(&mut db, site, key, thread_details, now).await?;
        let depth = depth_below(&mut db, &thread, new.parent).await?;
        let has_published = db
            .author_has_published(site.id, &new.author.author.id)
            .await?;
        let copies = duplicates::find(&mut db, site.id, &assessment.fingerprint).await?;
        let signals = Signals {
            scores: assessment.scores,
            thresholds: *model.thresholds(),
            duplicate_of: copies.duplicate_of,
            copy_approved: copies.approved,
            links: count_links(new.body.as_str()),
        };
        let verdict = decide(
            &signals,
            &site.policy,
            AuthorStanding { has_published },
            ThreadStanding { mode: thread.mode },
        );

        let comment = Comment {
            id: CommentId::generate(),
            site: site.id,
            thread: thread.id,
            thread_key: thread.key,
            parent: new.parent,
            depth,
            external_id: new.external_id,
            author: new.author.author.clone(),
            body: new.body,
            status: verdict.status,
            created_at: now,
            edited_at: None,
            version: 1,
            scores: signals.scores,
            reasons: verdict.reasons,
            duplicate_of: signals.duplicate_of,
            decision: None,
            model: model.version().to_owned(),
        };
        db.upsert_author(site.id, &new.author, now).await?;
        let explanation = Explanation {
            highlights: assessment.highlights,
            quotes: assessment.quotes,
        };
        match (
            db.insert_comment(&comment, &explanation).await,
            &comment.external_id,
        ) {
            // On PostgreSQL the twin may have committed while we waited for its external id.
            (Err(StoreError::Exists(_)), Some(external_id)) => {
                drop(tx);
                return self.twin(site, external_id).await;
            }
            (outcome, _) => outcome?,
        }
        duplicates::remember(
            &mut db,
            site.id,
            comment.id,
            &assessment.fingerprint,
            &copies,
        )
        .await?;
        let event = |kind| Event {
            site: site.id,
            kind,
            comment: comment.id,
            at: now,
        };
        db.append_event(event(EventKind::CommentCreated)).await?;
        if comment.status == Status::Pending {
            queue::enter(&mut db, &comment, QueueName::Waiting, copies.cluster).await?;
            db.append_event(event(EventKind::QueueAdded)).await?;
        }
        tx.commit().await?;
        Ok(Submitted::New(comment.into()))
    }

    async fn twin(&self, site: &Site, external_id: &ExternalId) -> Result<Submitted, Error> {
        let mut conn = self.store.read().await?;
        conn.db()
            .comment_by_external_id(site.id, external_id)
            .await?
            .map(|comment| Submitted::Known(comment.into()))
            .ok_or(Error::NotFound(Thing::Comment))
    }
}

async fn known(
    db: &mut Db<'_>,
    site: &Site,
    new: &NewComment,
) -> Result<Option<Submitted>, StoreError> {
    let Some(external_id) = &new.external_id else {
        return Ok(None);
    };
    Ok(db
        .comment_by_external_id(site.id, external_id)
        .await?
        .map(|comment| Submitted::Known(comment.into())))
}

/// The texts above a reply to `parent`, nearest first: what it may quote.
async fn texts_above(
    db: &mut Db<'_>,
    parent: Option<CommentId>,
) -> Result<Vec<String>, StoreError> {
    let Some(parent) = parent else {
        return Ok(Vec::new());
    };
    let Some(nearest) = db.comment(parent, Lock::None).await? else {
        return Ok(Vec::new());
    };
    let further = db.ancestors(parent, QUOTABLE_ANCESTORS - 1).await?;
    Ok(std::iter::once(nearest)
        .chain(further)
        .map(|comment| comment.body.into_string())
        .collect())
}

/// The open thread of that key, made on first use.
async fn thread_of(
    db: &mut Db<'_>,
    site: &Site,
    key: ThreadKey,
    details: ThreadChange,
    now: Timestamp,
) -> Result<Thread, Error> {
    let thread = if let Some(thread) = db.thread_by_key(site.id, &key, Lock::Share).await? {
        thread
    } else {
        let mut thread = Thread::new(ThreadId::generate(), site.id, key, now);
        thread.apply(details);
        if db.insert_thread(&thread).await? {
            thread
        } else {
            db.thread_by_key(site.id, &thread.key, Lock::Share)
                .await?
                .ok_or(Error::NotFound(Thing::Thread))?
        }
    };
    if thread.closed {
        return Err(Error::ThreadClosed);
    }
    Ok(thread)
}

/// How deep a reply to `parent` hangs in this thread.
async fn depth_below(
    db: &mut Db<'_>,
    thread: &Thread,
    parent: Option<CommentId>,
) -> Result<u8, Error> {
    let Some(parent) = parent else {
        return Ok(0);
    };
    let parent = db
        .comment(parent, Lock::Share)
        .await?
        .filter(|parent| parent.site == thread.site)
        .ok_or(Error::NotFound(Thing::Parent))?;
    if parent.thread != thread.id {
        return Err(Error::NotFound(Thing::ParentElsewhere));
    }
    if !parent.status.takes_replies() {
        return Err(Error::ParentGone);
    }
    if parent.depth == MAX_DEPTH {
        return Err(Error::TooDeep);
    }
    Ok(parent.depth + 1)
}
