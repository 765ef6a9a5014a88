//! A moderator's decision on a comment.

use serde::Serialize;
use utoipa::ToSchema;

use super::{CommentView, Error, Moderation, Thing, queue};
use crate::{
    domain::{
        Action, Caller, Comment, CommentId, Decision, DecisionId, DecisionReason, Event, EventKind,
        LabelOverrides, Note, Refusal, Role, StandingDecision, Status, Timestamp, Verb,
    },
    store::{Db, Lock, Writes},
};

/// What a moderator wants done with a comment they have seen at `version`.
#[derive(Debug, Clone)]
pub struct DecisionRequest {
    pub verb: Verb,
    pub version: i64,
    pub reason: Option<DecisionReason>,
    pub note: Option<Note>,
    pub labels: LabelOverrides,
    /// An admin's way past whoever stands in between.
    pub force: bool,
}

/// A decision and what it made of the comment.
#[derive(Debug, Serialize, ToSchema)]
pub struct Decided {
    pub decision: Decision,
    pub comment: CommentView,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = uuid::Uuid)]
    pub group_id: Option<uuid::Uuid>,
}

impl Decided {
    pub(super) fn new(decision: Decision, comment: Comment) -> Self {
        Self {
            group_id: decision.group_id,
            decision,
            comment: comment.into(),
        }
    }
}

impl Moderation {
    /// Approves, hides or escalates a comment.
    ///
    /// # Errors
    /// [`Error::Stale`] when the comment is no longer at the version that was seen; [`Error::Refused`] when the action
    /// does not apply. Both carry the comment as it is.
    #[tracing::instrument(skip_all)]
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
        let comment = held_comment(&mut db, caller, id, Thing::Comment).await?;
        if comment.status == Status::Deleted {
            return Err(Error::Refused {
                refusal: Refusal::Deleted,
                current: Box::new(comment.into()),
            });
        }
        if comment.version != request.version {
            return Err(Error::Stale(Box::new(comment.into())));
        }
        let from_queue = db.queue_of(id).await?;
        let own_escalation = comment.decision.as_ref().is_some_and(|standing| {
            standing.action == Action::Escalate && standing.moderator == caller.subject.as_str()
        });
        let (to_status, to_queue) = match request.verb.transition(
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
            action: request.verb.into(),
            reason: request.reason,
            note: request.note.map(Note::into_string),
            labels: request.labels,
            moderator: caller.subject.as_str().to_owned(),
            at: after(self.clock.now(), latest.as_ref()),
            from_status: comment.status,
            to_status,
            from_queue,
            to_queue,
            version: comment.version + i64::from(to_status != comment.status),
            replaces: comment.decision.as_ref().map(|standing| standing.id),
            undoes: None,
            group_id: None,
        };
        let comment = carry_out(&mut db, comment, &decision, Some(&decision)).await?;
        tx.commit().await?;
        Ok(Decided::new(decision, comment))
    }
}

/// A comment that nobody else can decide on until the transaction ends.
pub(super) async fn held_comment(
    db: &mut Db<'_>,
    caller: &Caller,
    id: CommentId,
    thing: Thing,
) -> Result<Comment, Error> {
    let comment = db
        .comment(id, Lock::Update)
        .await?
        .ok_or(Error::NotFound(thing))?;
    Moderation::require_site(db, caller, comment.site, thing).await?;
    Ok(comment)
}

/// Writes a decision and everything that follows from it. `stands` is the decision that the comment then shows.
pub(super) async fn carry_out(
    db: &mut Db<'_>,
    mut comment: Comment,
    decision: &Decision,
    stands: Option<&Decision>,
) -> Result<Comment, Error> {
    db.insert_decision(decision).await?;
    comment.status = decision.to_status;
    comment.version = decision.version;
    comment.decision = stands.map(|stands| StandingDecision {
        id: stands.id,
        action: stands.action,
        reason: stands.reason,
        moderator: stands.moderator.clone(),
        at: stands.at,
    });
    comment.changed_at = decision.at;
    db.update_comment(&comment).await?;
    let approved = stands.is_some_and(|stands| stands.action == Action::Approve);
    db.set_approved(comment.id, approved).await?;

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
            let cluster = db.cluster_of(comment.id).await?;
            queue::enter(db, &comment, to, cluster).await?;
            db.write(Writes::default().events(&[event(EventKind::QueueAdded)]))
                .await?;
        }
        _ => {}
    }
    db.write(Writes::default().events(&[event(EventKind::CommentDecided)]))
        .await?;
    Ok(comment)
}

/// Now, but after the comment's latest decision whatever the clock says: the log of a comment is in order.
pub(super) fn after(now: Timestamp, latest: Option<&Decision>) -> Timestamp {
    match latest {
        Some(latest) => now.max(Timestamp::from_millis(latest.at.millis() + 1)),
        None => now,
    }
}
