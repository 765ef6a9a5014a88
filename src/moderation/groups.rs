//! What is decided, or taken back, together with a comment: step by step, each step a transaction, so that others may
//! write between two of them.
//!
//! The comment that is named is decided before and stays so, whatever becomes of the rest: what could not be done in time,
//! or at all, is told as not complete, and the same request again goes on.

use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::time::timeout;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    DecisionRequest, Error, Moderation, Thing,
    decide::{held_comment, statuses},
};
use crate::{
    domain::{Action, Caller, CommentId, DecisionId},
    store::{Db, Members, StoreError},
};

/// How many comments one transaction decides.
const STEP: usize = 100;
/// How long a request goes on with a group.
const PATIENCE: Duration = Duration::from_secs(6);
/// How long it waits for a step that hangs: not so long that the request itself is given up.
const LIMIT: Duration = Duration::from_secs(9);

/// What was decided together with a comment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Group {
    /// Comments decided by this request, the one that was named included.
    pub decided: usize,
    /// Comments left as they are: somebody else has them before them, the action does not apply, or an appeal is to be
    /// answered and no note was given.
    pub left_out: usize,
    /// Whether all were looked at; if not, the same request again goes on.
    pub complete: bool,
}

/// What is done with each.
pub(super) enum Task<'a> {
    Decide {
        request: &'a DecisionRequest,
        members: Members,
    },
    /// Takes back what was decided as this group.
    Undo(Uuid),
}

/// A comment, and what of it is taken back.
type Member = (CommentId, Option<DecisionId>);

/// What a transaction did.
struct Step {
    count: Group,
    last: Option<CommentId>,
}

impl Moderation {
    /// Does the task with all but the comment that is named, which was done before.
    pub(super) async fn go_on(
        &self,
        caller: &Caller,
        named: CommentId,
        task: &Task<'_>,
        group: Uuid,
    ) -> Group {
        let begun = Instant::now();
        let mut count = Group {
            decided: 1,
            ..Group::default()
        };
        let mut after = None;
        while !count.complete && begun.elapsed() < PATIENCE {
            let step = self.step(caller, named, task, group, after, begun);
            match timeout(LIMIT.saturating_sub(begun.elapsed()), step).await {
                Ok(Ok(step)) => {
                    count.decided += step.count.decided;
                    count.left_out += step.count.left_out;
                    count.complete = step.count.complete;
                    after = step.last;
                }
                Ok(Err(error)) => {
                    tracing::warn!(%error, %group, "a step of a group failed; the rest of it waits");
                    break;
                }
                Err(_) => {
                    tracing::warn!(%group, "a step of a group took too long; the rest of it waits");
                    break;
                }
            }
        }
        count
    }

    /// One transaction.
    async fn step(
        &self,
        caller: &Caller,
        named: CommentId,
        task: &Task<'_>,
        group: Uuid,
        after: Option<CommentId>,
        begun: Instant,
    ) -> Result<Step, Error> {
        let mut tx = self.store.begin().await?;
        let mut db = tx.db();
        let members = task.next(&mut db, after).await?;
        let mut step = Step {
            count: Group {
                complete: members.len() < STEP,
                ..Group::default()
            },
            last: after,
        };
        for member in members {
            if begun.elapsed() > PATIENCE {
                step.count.complete = false;
                break;
            }
            step.last = Some(member.0);
            if member.0 == named {
                continue;
            }
            match self.do_one(&mut db, caller, task, member, group).await {
                Ok(done) => step.count.decided += usize::from(done),
                Err(
                    Error::Refused { .. }
                    | Error::Claimed { .. }
                    | Error::UndoRefused { .. }
                    | Error::NoteNeeded,
                ) => step.count.left_out += 1,
                Err(error) => return Err(error),
            }
        }
        tx.commit().await?;
        Ok(step)
    }

    /// Whether anything had to be done.
    async fn do_one(
        &self,
        db: &mut Db<'_>,
        caller: &Caller,
        task: &Task<'_>,
        (id, decision): Member,
        group: Uuid,
    ) -> Result<bool, Error> {
        match task {
            Task::Decide { request, members } => {
                let comment = held_comment(db, caller, id, Thing::Comment).await?;
                // Somebody may have decided since it was looked for.
                let decided = comment
                    .decision
                    .as_ref()
                    .is_some_and(|standing| standing.action != Action::Escalate);
                let fits = statuses(request.verb).contains(&comment.status);
                if !fits || (undecided(members) && decided) {
                    return Ok(false);
                }
                self.decide_held(db, caller, comment, request, Some(group))
                    .await?;
                Ok(true)
            }
            Task::Undo(_) => {
                let undone = match decision {
                    Some(id) => db.decision(id).await?,
                    None => None,
                };
                let undone = undone.ok_or(Error::NotFound(Thing::Decision))?;
                match self.undo_held(db, caller, undone, Some(group)).await {
                    Ok(_) => Ok(true),
                    Err(refused @ Error::UndoRefused { .. }) => {
                        // By a request before this one, perhaps.
                        let latest = db.latest_decision(id).await?;
                        if latest.is_some_and(|latest| latest.group_id == Some(group)) {
                            Ok(false)
                        } else {
                            Err(refused)
                        }
                    }
                    Err(error) => Err(error),
                }
            }
        }
    }
}

/// What a human has decided on by itself stays, unless the branch that it is on is cut off.
const fn undecided(members: &Members) -> bool {
    !matches!(members, Members::Below(_))
}

impl Task<'_> {
    /// The next comments, by id.
    async fn next(
        &self,
        db: &mut Db<'_>,
        after: Option<CommentId>,
    ) -> Result<Vec<Member>, StoreError> {
        match self {
            Self::Decide { request, members } => {
                let found = db
                    .members(
                        members,
                        statuses(request.verb),
                        undecided(members),
                        after,
                        STEP as i64,
                    )
                    .await?;
                Ok(found.into_iter().map(|id| (id, None)).collect())
            }
            Self::Undo(of) => {
                let found = db.group(*of, after, STEP as i64).await?;
                Ok(found.into_iter().map(|(id, of)| (id, Some(of))).collect())
            }
        }
    }
}
