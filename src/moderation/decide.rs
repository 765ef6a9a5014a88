//! A moderator's decision on a comment, and on what goes with it.

use std::time::{Duration, Instant};

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{CommentView, Error, Moderation, Thing, queue};
use crate::{
    domain::{
        Action, Caller, Claim, Comment, CommentId, Decision, DecisionId, DecisionReason, Event,
        EventKind, LabelOverrides, Note, Refusal, Role, Scope, StandingDecision, Status, Timestamp,
        Verb,
    },
    store::{Db, Lock, Members, StoreError, Writes},
};

/// How many comments of a group are decided by one transaction: others may write between two of them.
pub(super) const STEP: usize = 100;
/// How long a request goes on deciding a group; what is left then is for another request.
pub(super) const PATIENCE: Duration = Duration::from_secs(8);

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
}

/// What was decided together with a comment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Group {
    /// Comments decided, the one that was named included.
    pub decided: usize,
    /// Comments left as they are: somebody else has them before them, or the action does not apply.
    pub left_out: usize,
    /// Whether all were looked at; if not, the same decision again goes on.
    pub complete: bool,
}

impl Decided {
    pub(super) fn new(decision: Decision, comment: Comment) -> Self {
        Self {
            group_id: decision.group_id,
            decision,
            comment: comment.into(),
            group: None,
        }
    }
}

impl Moderation {
    /// Approves, hides or escalates a comment, and what goes with it by the scope of the decision.
    ///
    /// The comment that is named is decided by a transaction of its own, and what goes with it by others, a hundred
    /// comments each. Should the server stop between two of them, the rest waits as before; one undo takes back whatever
    /// was decided.
    ///
    /// # Errors
    /// [`Error::Stale`] when the comment is no longer at the version that was seen; [`Error::Claimed`] when somebody else
    /// has it; [`Error::Refused`] when the action does not apply. All carry the comment as it is.
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
        let group = (request.scope != Scope::Comment).then(Uuid::now_v7);
        let mut tx = self.store.begin().await?;
        let mut db = tx.db();
        let comment = held_comment(&mut db, caller, id, Thing::Comment).await?;
        if comment.status != Status::Deleted && comment.version != request.version {
            return Err(Error::Stale(Box::new(comment.into())));
        }
        let members = members(&mut db, &comment, request.scope, self.clock.now()).await?;
        let (decision, comment) = self
            .decide_held(&mut db, caller, comment, &request, group)
            .await?;
        let now = self.clock.now();
        db.renew_claims(&Claim::new(caller.subject.as_str(), now), now)
            .await?;
        tx.commit().await?;
        let mut decided = Decided::new(decision, comment);
        if let (Some(group), Some(members)) = (group, members) {
            let mut count = self
                .decide_members(caller, id, &members, &request, group)
                .await?;
            count.decided += 1;
            decided.group = Some(count);
        }
        Ok(decided)
    }

    /// Decides a comment that is held.
    async fn decide_held(
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
        let comment = carry_out(db, comment, &decision, Some(&decision)).await?;
        Ok((decision, comment))
    }

    /// Decides what goes with a comment, step by step.
    async fn decide_members(
        &self,
        caller: &Caller,
        named: CommentId,
        members: &Members,
        request: &DecisionRequest,
        group: Uuid,
    ) -> Result<Group, Error> {
        let statuses: &[&str] = match request.verb {
            Verb::Hide => &[Status::Pending.as_str(), Status::Published.as_str()],
            Verb::Approve | Verb::Escalate => &[Status::Pending.as_str()],
        };
        // What a human has approved by itself stays, unless the branch it is on is cut off.
        let undecided = !matches!(members, Members::Below(_));
        let begun = Instant::now();
        let mut count = Group::default();
        let mut after = None;
        loop {
            let mut tx = self.store.begin().await?;
            let mut db = tx.db();
            let ids = db
                .members(members, statuses, undecided, after, STEP as i64)
                .await?;
            after = ids.last().copied();
            for id in ids.iter().copied().filter(|id| *id != named) {
                let comment = held_comment(&mut db, caller, id, Thing::Comment).await?;
                // Somebody else may have decided since it was looked for.
                let decided = comment
                    .decision
                    .as_ref()
                    .is_some_and(|standing| standing.action != Action::Escalate);
                if !statuses.contains(&comment.status.as_str()) || (undecided && decided) {
                    continue;
                }
                match self
                    .decide_held(&mut db, caller, comment, request, Some(group))
                    .await
                {
                    Ok(_) => count.decided += 1,
                    Err(Error::Refused { .. } | Error::Claimed { .. }) => count.left_out += 1,
                    Err(error) => return Err(error),
                }
            }
            tx.commit().await?;
            count.complete = ids.len() < STEP;
            if count.complete || begun.elapsed() > PATIENCE {
                return Ok(count);
            }
        }
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
