//! Taking a decision back.

use super::{
    Decided, Error, Moderation, Thing,
    decide::{after, carry_out, held_comment},
};
use crate::domain::{Action, Caller, Decision, DecisionId, LabelOverrides, QueueName, Status};

impl Moderation {
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
        let comment = held_comment(&mut db, caller, undone.comment_id, Thing::Decision).await?;
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
            group_id: None,
        };
        let comment = carry_out(&mut db, comment, &decision, stands.as_ref()).await?;
        tx.commit().await?;
        Ok(Decided::new(decision, comment))
    }
}
