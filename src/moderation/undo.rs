//! Taking a decision back, and what was decided together with it.

use uuid::Uuid;

use super::{
    Decided, Error, Moderation, Thing, appeals,
    decide::{after, carry_out, held_comment},
    groups::Task,
};
use crate::{
    domain::{Action, Caller, Comment, Decision, DecisionId, LabelOverrides, QueueName, Status},
    store::{Db, StoreError},
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
        let of_group = undone.group_id;
        let group = of_group.map(|_| Uuid::now_v7());
        let (mut decided, goes_on) = match self.undo_held(&mut db, caller, undone, group).await {
            Ok((decision, comment)) => {
                tx.commit().await?;
                (Decided::new(decision, comment), None)
            }
            Err(refused) => {
                let begun = begun(&mut db, id, &refused).await?;
                // Nothing was written, and what goes on is not to wait for this.
                drop(tx);
                match begun {
                    Some(begun) => (begun, Some(refused)),
                    None => return Err(refused),
                }
            }
        };
        self.renew_claims(caller).await;
        if let (Some(of), Some(group)) = (of_group, decided.group_id) {
            let named = decided.decision.comment_id;
            decided.group = Some(self.go_on(caller, named, &Task::Undo(of), group).await);
        }
        match (goes_on, decided.group) {
            // All of it was taken back before: this is no undo that goes on, but one too many.
            (Some(refused), None) => Err(refused),
            (Some(refused), Some(rest)) if rest.complete && rest.decided == 1 => Err(refused),
            _ => Ok(decided),
        }
    }

    /// Takes back one decision; its comment is held.
    pub(super) async fn undo_held(
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
            None | Some(QueueName::Sampled)
                if undone.from_status == Status::Published
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
        let mut comment = carry_out(db, comment, &decision, stands.as_ref()).await?;
        appeals::undo_answer(db, &mut comment, &undone, earlier.as_ref()).await?;
        Ok((decision, comment))
    }
}

/// The undo of a group that a request before this one began with the same decision, if that is why it is refused.
async fn begun(
    db: &mut Db<'_>,
    id: DecisionId,
    refused: &Error,
) -> Result<Option<Decided>, StoreError> {
    let Error::UndoRefused { current, .. } = refused else {
        return Ok(None);
    };
    let latest = db.latest_decision(current.id).await?;
    Ok(latest
        .filter(|latest| latest.undoes == Some(id))
        .map(|latest| Decided {
            group_id: latest.group_id,
            decision: latest,
            comment: current.as_ref().clone(),
            group: None,
            warnings: Vec::new(),
        }))
}
