//! A moderator's decision on a comment, and on what goes with it.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    CommentView, Error, Moderation, Thing,
    appeals::{self, Warning},
    groups::{Group, Task},
    queue,
};
use crate::{
    domain::{
        Action, AppealOutcome, Caller, Comment, CommentId, Decision, DecisionId, DecisionReason,
        Event, EventKind, LabelOverrides, Note, Refusal, Role, Scope, StandingDecision, Status,
        Timestamp, Verb,
    },
    store::{Db, Lock, Members, StoreError, Writes},
};

/// What a moderator wants done with a comment they have seen at `version`.
#[derive(Debug, Clone)]
pub struct DecisionRequest {
    pub verb: Verb,
    pub version: i64,
    pub reason: Option<DecisionReason>,
    pub note: Option<Note>,
    pub labels: LabelOverrides,
    pub scope: Scope,
    /// An admin's way past whoever stands in between.
    pub force: bool,
}

/// A decision and what it made of the comment.
#[derive(Debug, Serialize, ToSchema)]
pub struct Decided {
    pub decision: Decision,
    pub comment: CommentView,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Uuid)]
    pub group_id: Option<Uuid>,
    /// What was decided together with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Group)]
    pub group: Option<Group>,
    /// What whoever decided should have thought of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub warnings: Vec<Warning>,
}

impl Decided {
    pub(super) fn new(decision: Decision, comment: Comment) -> Self {
        Self {
            group_id: decision.group_id,
            decision,
            comment: comment.into(),
            group: None,
            warnings: Vec::new(),
        }
    }
}

impl Moderation {
    /// Approves, hides or escalates a comment, and what goes with it by the scope of the decision: see [`super::groups`].
    /// One undo takes back whatever was decided.
    ///
    /// # Errors
    /// [`Error::Stale`] when the comment is no longer at the version that was seen; [`Error::Claimed`] when somebody else
    /// has it; [`Error::Refused`] when the action does not apply: these carry the comment as it is. [`Error::NoteNeeded`]
    /// when its author is to be told why.
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
        let members = members(&mut db, &comment, request.scope, self.clock.now()).await?;
        let latest = db.latest_decision(id).await?;
        let begun = latest.filter(|latest| begins_group(latest, caller, &comment, &request));
        let warnings = appeals::warnings(&comment, caller.subject.as_str());
        let (decision, comment) = if let Some(begun) = begun {
            // The same request came before, and did not come to its end.
            (begun, comment)
        } else {
            if comment.status != Status::Deleted && comment.version != request.version {
                return Err(Error::Stale(Box::new(comment.into())));
            }
            let group = members.as_ref().map(|_| Uuid::now_v7());
            self.decide_held(&mut db, caller, comment, &request, group)
                .await?
        };
        tx.commit().await?;
        self.renew_claims(caller).await;
        let mut decided = Decided {
            warnings,
            ..Decided::new(decision, comment)
        };
        if let (Some(group), Some(members)) = (decided.group_id, members) {
            let request = &request;
            let task = Task::Decide { request, members };
            decided.group = Some(self.go_on(caller, id, &task, group).await);
        }
        Ok(decided)
    }

    /// Decides a comment that is held.
    pub(super) async fn decide_held(
        &self,
        db: &mut Db<'_>,
        caller: &Caller,
        comment: Comment,
        request: &DecisionRequest,
        group: Option<Uuid>,
    ) -> Result<(Decision, Comment), Error> {
        let refused = |refusal, comment: Comment| Error::Refused {
            refusal,
            current: Box::new(comment.into()),
        };
        if comment.status == Status::Deleted {
            return Err(refused(Refusal::Deleted, comment));
        }
        let me = caller.subject.as_str();
        let claim = db.claim_of(comment.id, self.clock.now()).await?;
        if let Some(claim) = claim.filter(|claim| claim.by != me && !request.force) {
            return Err(Error::Claimed {
                claim,
                current: Box::new(comment.into()),
            });
        }
        let from_queue = db.queue_of(comment.id).await?;
        let own_escalation = comment.decision.as_ref().is_some_and(|standing| {
            standing.action == Action::Escalate && standing.moderator == me
        });
        let (to_status, to_queue) = match request.verb.transition(
            comment.status,
            from_queue,
            own_escalation && !request.force,
        ) {
            Ok(to) => to,
            Err(refusal) => return Err(refused(refusal, comment)),
        };
        let answers = comment.awaits_answer() && AppealOutcome::of(request.verb.into()).is_some();
        if answers && request.note.is_none() {
            return Err(Error::NoteNeeded);
        }
        let latest = db.latest_decision(comment.id).await?;
        let decision = Decision {
            id: DecisionId::generate(),
            comment_id: comment.id,
            site: comment.site,
            thread: comment.thread,
            action: request.verb.into(),
            reason: request.reason,
            note: request.note.clone().map(Note::into_string),
            labels: request.labels.clone(),
            moderator: me.to_owned(),
            at: after(self.clock.now(), latest.as_ref()),
            from_status: comment.status,
            to_status,
            from_queue,
            to_queue,
            version: comment.version + i64::from(to_status != comment.status),
            replaces: comment.decision.as_ref().map(|standing| standing.id),
            undoes: None,
            group_id: group,
        };
        let mut comment = carry_out(db, comment, &decision, Some(&decision)).await?;
        if answers {
            appeals::answer(db, &mut comment, &decision).await?;
        }
        Ok((decision, comment))
    }
}

/// Whether a comment's latest decision is what this very request began: a group, by the same moderator, from the version
/// that they saw.
fn begins_group(
    latest: &Decision,
    caller: &Caller,
    comment: &Comment,
    request: &DecisionRequest,
) -> bool {
    let seen = latest.version - i64::from(latest.from_status != latest.to_status);
    request.scope != Scope::Comment
        && latest.group_id.is_some()
        && latest.action == Action::from(request.verb)
        && latest.moderator == caller.subject.as_str()
        && latest.version == comment.version
        && seen == request.version
}

/// What a verb changes of the comments that go with the one that is named.
pub(super) const fn statuses(verb: Verb) -> &'static [Status] {
    match verb {
        Verb::Hide => &[Status::Pending, Status::Published],
        Verb::Approve | Verb::Escalate => &[Status::Pending],
    }
}

/// What goes with a comment; nothing where the scope is that comment alone, or it has no copies.
async fn members(
    db: &mut Db<'_>,
    comment: &Comment,
    scope: Scope,
    now: Timestamp,
) -> Result<Option<Members>, StoreError> {
    Ok(match scope {
        Scope::Comment => None,
        Scope::Subtree => Some(Members::Below(comment.id)),
        Scope::Duplicates => db.cluster_of(comment.id).await?.map(Members::Copies),
        Scope::AuthorRecent => Some(Members::Author {
            site: comment.site,
            author: comment.author.id.clone(),
            since: Timestamp::from_millis(now.millis() - Scope::RECENT),
        }),
    })
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
    let judged = stands.map(|stands| stands.action);
    db.set_judged(comment.id, judged).await?;

    let event = |kind| Event {
        site: comment.site,
        kind,
        comment: comment.id,
        at: decision.at,
    };
    match (decision.from_queue, decision.to_queue) {
        (Some(from), Some(to)) if from != to => {
            db.move_queue_row(comment.id, to, decision.at).await?;
        }
        (Some(_), None) => db.delete_queue_row(comment.id).await?,
        (None, Some(to)) => {
            let cluster = db.cluster_of(comment.id).await?;
            queue::enter(db, &comment, to, cluster, decision.at).await?;
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
