//! A moderator's decision, taking it back, and the log of them all.

use serde::Serialize;

use super::{CommentView, Error, Moderation, Page, Thing};
use crate::{
    domain::{
        Action, Caller, Comment, CommentId, Cursor, Decision, DecisionId, DecisionReason, Event,
        EventKind, LabelOverrides, Note, Role, SiteSlug, StandingDecision, ThreadKey, Timestamp,
    },
    store::{Db, DecisionFilter, Lock},
};

/// What a moderator wants done with a comment they have seen at `version`.
#[derive(Debug, Clone)]
pub struct DecisionRequest {
    pub action: Action,
    pub version: i64,
    pub reason: Option<DecisionReason>,
    pub note: Option<Note>,
    pub labels: LabelOverrides,
    /// An admin's way past whoever stands in between.
    pub force: bool,
}

/// A decision and what it made of the comment.
#[derive(Debug, Serialize)]
pub struct Decided {
    pub decision: Decision,
    pub comment: CommentView,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_id: Option<uuid::Uuid>,
}

/// Which decisions to show, the newest first.
#[derive(Debug, Clone, Default, Serialize)]
pub struct AuditFilter {
    pub site: Option<SiteSlug>,
    pub comment: Option<CommentId>,
    pub moderator: Option<String>,
    pub thread: Option<ThreadKey>,
    pub since: Option<Timestamp>,
    #[serde(skip)]
    pub limit: usize,
    #[serde(skip)]
    pub cursor: Option<String>,
}

impl Moderation {
    /// Approves, hides or escalates a comment.
    ///
    /// # Errors
    /// [`Error::Stale`] when the comment is no longer at the version that was seen; [`Error::Refused`] when the action
    /// does not apply. Both carry the comment as it is.
    #[tracing::instrument(skip_all, fields(action = request.action.as_str()))]
    pub async fn decide(
        &self,
        caller: &Caller,
        id: CommentId,
        request: DecisionRequest,
    ) -> Result<Decided, Error> {
        if request.force && caller.role != Role::Admin {
            return Err(Error::ForceForbidden);
        }
        let mut tx = self.store.begin().await?;
        let mut db = tx.db();
        let comment = Self::comment_to_decide(&mut db, caller, id, Thing::Comment).await?;
        if comment.version != request.version {
            return Err(Error::Stale(Box::new(comment.into())));
        }
        let from_queue = db.queue_of(id).await?;
        let standing = match comment.decision {
            Some(standing) => db.decision(standing.id).await?,
            None => None,
        };
        let own_escalation = standing.is_some_and(|standing| {
            standing.action == Action::Escalate && standing.moderator == caller.subject
        });
        let (to_status, to_queue) = match request.action.transition(
            comment.status,
            from_queue,
            own_escalation && !request.force,
        ) {
            Ok(to) => to,
            Err(refusal) => {
                return Err(Error::Refused {
                    refusal,
                    current: Box::new(comment.into()),
                });
            }
        };
        let latest = db.latest_decision(id).await?;
        let decision = Decision {
            id: DecisionId::generate(),
            comment_id: id,
            site: comment.site,
            thread: comment.thread,
            action: request.action,
            reason: request.reason,
            note: request.note.map(Note::into_string),
            labels: request.labels,
            moderator: caller.subject.clone(),
            at: after(latest.as_ref()),
            from_status: comment.status,
            to_status,
            from_queue,
            to_queue,
            version: comment.version + i64::from(to_status != comment.status),
            replaces: comment.decision.map(|standing| standing.id),
            undoes: None,
            group_id: None,
        };
        let stands = Some(&decision);
        let comment = self.carry_out(&mut db, comment, &decision, stands).await?;
        tx.commit().await?;
        Ok(Decided {
            group_id: decision.group_id,
            decision,
            comment: comment.into(),
        })
    }

    /// Takes a decision back: the comment is again what it was, by a new decision.
    ///
    /// # Errors
    /// [`Error::UndoRefused`], with the comment as it is, unless the decision is the comment's latest change.
    #[tracing::instrument(skip_all)]
    pub async fn undo(&self, caller: &Caller, id: DecisionId) -> Result<Decided, Error> {
        let mut tx = self.store.begin().await?;
        let mut db = tx.db();
        let undone = db
            .decision(id)
            .await?
            .ok_or(Error::NotFound(Thing::Decision))?;
        let comment =
            Self::comment_to_decide(&mut db, caller, undone.comment_id, Thing::Decision).await?;
        let latest = db.latest_decision(comment.id).await?;
        let undone_by_it = match undone.undoes {
            Some(earlier) => db.decision(earlier).await?,
            None => None,
        };
        let latest_id = latest.as_ref().map_or(undone.id, |latest| latest.id);
        if let Err(refusal) =
            undone.may_be_undone(comment.version, latest_id, undone_by_it.as_ref())
        {
            return Err(Error::UndoRefused {
                refusal,
                current: Box::new(comment.into()),
            });
        }
        let decision = Decision {
            id: DecisionId::generate(),
            comment_id: comment.id,
            site: comment.site,
            thread: comment.thread,
            action: Action::Undo,
            reason: None,
            note: None,
            labels: LabelOverrides::new(),
            moderator: caller.subject.clone(),
            at: after(latest.as_ref()),
            from_status: undone.to_status,
            to_status: undone.from_status,
            from_queue: undone.to_queue,
            to_queue: undone.from_queue,
            version: comment.version + i64::from(undone.from_status != undone.to_status),
            replaces: comment.decision.map(|standing| standing.id),
            undoes: Some(undone.id),
            group_id: None,
        };
        let stands = match undone.replaces {
            Some(earlier) => db.decision(earlier).await?,
            None => None,
        };
        let comment = self
            .carry_out(&mut db, comment, &decision, stands.as_ref())
            .await?;
        tx.commit().await?;
        Ok(Decided {
            group_id: decision.group_id,
            decision,
            comment: comment.into(),
        })
    }

    /// The audit log, the newest first.
    ///
    /// # Errors
    /// When the cursor is of another list, or a thread is named without its site.
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
        let sites = if filter.thread.is_some() {
            vec![self.site_of(caller, filter.site.as_ref()).await?]
        } else {
            self.sites_of(caller, filter.site.as_ref()).await?
        };
        let mut conn = self.store.read().await?;
        let thread = match &filter.thread {
            None => None,
            Some(key) => Some(
                conn.db()
                    .thread_by_key(sites[0].id, key, Lock::None)
                    .await?
                    .ok_or(Error::NotFound(Thing::Thread))?
                    .id,
            ),
        };
        let stored = DecisionFilter {
            sites: sites.iter().map(|site| site.id).collect(),
            comment: filter.comment,
            moderator: filter.moderator.clone(),
            thread,
            since: filter.since,
        };
        let mut items = conn
            .db()
            .decision_page(&stored, after, filter.limit as i64 + 1)
            .await?;
        let more = items.len() > filter.limit;
        items.truncate(filter.limit);
        let next_cursor = items
            .last()
            .filter(|_| more)
            .map(|last| Cursor::new(&("decisions", filter), &(last.at, last.id)));
        Ok(Page { items, next_cursor })
    }

    async fn comment_to_decide(
        db: &mut Db<'_>,
        caller: &Caller,
        id: CommentId,
        thing: Thing,
    ) -> Result<Comment, Error> {
        let comment = db
            .comment(id, Lock::Update)
            .await?
            .ok_or(Error::NotFound(thing))?;
        Self::require_site(db, caller, comment.site, thing).await?;
        Ok(comment)
    }

    /// Writes a decision and everything that follows from it. `stands` is the decision that the comment then shows.
    async fn carry_out(
        &self,
        db: &mut Db<'_>,
        mut comment: Comment,
        decision: &Decision,
        stands: Option<&Decision>,
    ) -> Result<Comment, Error> {
        db.insert_decision(decision).await?;
        let stands_id = stands.map(|stands| stands.id);
        let unchanged = db
            .set_status(
                comment.id,
                comment.version,
                decision.to_status,
                decision.version,
                stands_id,
            )
            .await?;
        if !unchanged {
            return Err(Error::Stale(Box::new(comment.into())));
        }
        comment.status = decision.to_status;
        comment.version = decision.version;
        comment.decision = stands.map(|stands| StandingDecision {
            id: stands.id,
            action: stands.action,
            reason: stands.reason,
            at: stands.at,
        });
        let event = |kind| Event {
            site: comment.site,
            kind,
            comment: comment.id,
            at: decision.at,
        };
        match (decision.from_queue, decision.to_queue) {
            (Some(from), Some(to)) if from != to => db.move_queue_row(comment.id, to).await?,
            (Some(_), None) => db.delete_queue_row(comment.id).await?,
            (None, Some(to)) => {
                let row = self.row_again(db, &comment, to).await?;
                db.upsert_queue_row(&row).await?;
                db.append_event(event(EventKind::QueueAdded)).await?;
            }
            _ => {}
        }
        db.append_event(event(EventKind::CommentDecided)).await?;
        Ok(comment)
    }
}

/// Now, but after the comment's latest decision whatever the clock says: the log of a comment is in order.
fn after(latest: Option<&Decision>) -> Timestamp {
    let now = Timestamp::now();
    match latest {
        Some(latest) => now.max(Timestamp::from_millis(latest.at.millis() + 1)),
        None => now,
    }
}
