//! Taking a decision back, and what was decided together with it.

use std::time::Instant;

use uuid::Uuid;

use super::{
    Decided, Error, Moderation, Thing,
    decide::{Group, PATIENCE, STEP, after, carry_out, held_comment},
};
use crate::{
    domain::{
        Action, Caller, Claim, Comment, CommentId, Decision, DecisionId, LabelOverrides, QueueName,
        Status,
    },
    store::Db,
};

impl Moderation {
    /// Takes a decision back: the comment is again what it was, by a new decision. So is everything that was decided
    /// together with it and has not changed since.
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
        let (named, of_group) = (undone.comment_id, undone.group_id);
        let group = of_group.map(|_| Uuid::now_v7());
        let (decision, comment) = self.undo_one(&mut db, caller, undone, group).await?;
        let now = self.clock.now();
        db.renew_claims(&Claim::new(caller.subject.as_str(), now), now)
            .await?;
        tx.commit().await?;
        let mut decided = Decided::new(decision, comment);
        if let (Some(of_group), Some(group)) = (of_group, group) {
            let mut count = self.undo_group(caller, named, of_group, group).await?;
            count.decided += 1;
            decided.group = Some(count);
        }
        Ok(decided)
    }

    /// Takes back what was decided together, step by step, but for the comment `named`.
    async fn undo_group(
        &self,
        caller: &Caller,
        named: CommentId,
        of_group: Uuid,
        group: Uuid,
    ) -> Result<Group, Error> {
        let begun = Instant::now();
        let mut count = Group::default();
        let mut after = None;
        loop {
            let mut tx = self.store.begin().await?;
            let mut db = tx.db();
            let step = db.group(of_group, after, STEP as i64).await?;
            after = step.last().map(|(comment, _)| *comment);
            for (_, id) in step.iter().filter(|(comment, _)| *comment != named) {
                let Some(undone) = db.decision(*id).await? else {
                    continue;
                };
                match self.undo_one(&mut db, caller, undone, Some(group)).await {
                    Ok(_) => count.decided += 1,
                    Err(Error::UndoRefused { .. }) => count.left_out += 1,
                    Err(error) => return Err(error),
                }
            }
            tx.commit().await?;
            count.complete = step.len() < STEP;
            if count.complete || begun.elapsed() > PATIENCE {
                return Ok(count);
            }
        }
    }

    async fn undo_one(
        &self,
        db: &mut Db<'_>,
        caller: &Caller,
        undone: Decision,
        group: Option<Uuid>,
    ) -> Result<(Decision, Comment), Error> {
        let comment = held_comment(db, caller, undone.comment_id, Thing::Decision).await?;
        let latest = db.latest_decision(comment.id).await?;
        let earlier = match undone.undoes {
            Some(earlier) => db.decision(earlier).await?,
            None => None,
        };
        let latest_id = latest.as_ref().map_or(undone.id, |latest| latest.id);
        if let Err(refusal) = undone.may_be_undone(comment.version, latest_id, earlier.as_ref()) {
            return Err(Error::UndoRefused {
                refusal,
                current: Box::new(comment.into()),
            });
        }
        let stands = match undone.replaces {
            Some(before) => db.decision(before).await?,
            None => None,
        };
        let approved = stands
            .as_ref()
            .is_some_and(|stands| stands.action == Action::Approve);
        let to_queue = match undone.from_queue {
            // What readers reported while it was hidden is still to be looked at.
            None if undone.from_status == Status::Published
                && !approved
                && db.count_reports(comment.id, 0).await? > 0 =>
            {
                Some(QueueName::Reported)
            }
            before => before,
        };
        let decision = Decision {
            id: DecisionId::generate(),
            comment_id: comment.id,
            site: comment.site,
            thread: comment.thread,
            action: Action::Undo,
            reason: None,
            note: None,
            labels: LabelOverrides::new(),
            moderator: caller.subject.as_str().to_owned(),
            at: after(self.clock.now(), latest.as_ref()),
            from_status: undone.to_status,
            to_status: undone.from_status,
            from_queue: db.queue_of(comment.id).await?,
            to_queue,
            version: comment.version + i64::from(undone.from_status != undone.to_status),
            replaces: comment.decision.as_ref().map(|standing| standing.id),
            undoes: Some(undone.id),
            group_id: group,
        };
        let comment = carry_out(db, comment, &decision, stands.as_ref()).await?;
        Ok((decision, comment))
    }
}
