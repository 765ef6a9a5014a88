//! Authors' appeals, and the answers that decisions give them.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Error, Moderation, Thing, decide::held_comment, edit::event, reports::enter};
use crate::{
    domain::{
        Appeal, AppealAnswer, AppealId, Caller, Comment, CommentId, Decision, EventKind, Note,
        QueueName, StandingAppeal, Status,
    },
    store::{Db, StoreError, Writes},
};

/// What a moderator should think of before they decide. It stops nobody: there may be no other moderator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Warning {
    /// The appeal is against a decision of their own: better that another answers it.
    OwnDecision,
}

/// The warnings for this moderator.
pub(super) fn warnings(comment: &Comment, moderator: &str) -> Vec<Warning> {
    let own = comment.appeals_against(moderator);
    own.then_some(Warning::OwnDecision).into_iter().collect()
}

impl Moderation {
    /// Asks for another look at a comment that is held or hidden, for its author. A hidden one enters the queue
    /// `appeals`; a pending one waits already.
    ///
    /// # Errors
    /// [`Error::NothingToAppeal`] when readers see it, [`Error::AppealedAlready`] when there was an appeal at this
    /// version, [`Error::Gone`] when it was deleted.
    #[tracing::instrument(skip_all)]
    pub async fn appeal(
        &self,
        caller: &Caller,
        id: CommentId,
        text: Note,
    ) -> Result<Appeal, Error> {
        let mut tx = self.store.begin().await?;
        let mut db = tx.db();
        let mut comment = held_comment(&mut db, caller, id, Thing::Comment).await?;
        match comment.status {
            Status::Deleted => return Err(Error::Gone),
            Status::Published => return Err(Error::NothingToAppeal),
            Status::Pending | Status::Hidden => {}
        }
        let at = self.clock.now().max(comment.changed_at);
        let appeal = Appeal {
            id: AppealId::generate(),
            comment_id: id,
            text,
            version: comment.version,
            at,
            answer: None,
        };
        let against = comment.decision.as_ref().map(|standing| standing.id);
        if !db.insert_appeal(&appeal, against).await? {
            return Err(Error::AppealedAlready);
        }
        comment.appeal = Some(StandingAppeal {
            id: appeal.id,
            at,
            text: appeal.text.clone(),
            answer: None,
        });
        comment.changed_at = at;
        db.update_comment(&comment).await?;
        if comment.status == Status::Hidden {
            enter(&mut db, &comment, QueueName::Appeals, at).await?;
        } else {
            // It waits already: whoever has it before them hears that it is another.
            let told = [event(&comment, EventKind::CommentChanged)];
            db.write(Writes::default().events(&told)).await?;
        }
        tx.commit().await?;
        Ok(appeal)
    }
}

/// Answers what a comment's author appealed against by a decision on it.
pub(super) async fn answer(
    db: &mut Db<'_>,
    comment: &mut Comment,
    decision: &Decision,
) -> Result<(), StoreError> {
    db.answer_appeals(comment.id, decision.id, decision.at)
        .await?;
    show(comment, AppealAnswer::by(decision));
    Ok(())
}

/// Takes back the answer that a decision gave; or gives it again, where what took it back is itself undone.
pub(super) async fn undo_answer(
    db: &mut Db<'_>,
    comment: &mut Comment,
    undone: &Decision,
    brought_back: Option<&Decision>,
) -> Result<(), StoreError> {
    let Some(appeal) = &comment.appeal else {
        return Ok(());
    };
    let answered_by = appeal.answer.as_ref().map(|answer| answer.decision);
    match brought_back.filter(|decision| AppealAnswer::by(decision).is_some()) {
        Some(decision) if answered_by.is_none() && appeal.at <= decision.at => {
            answer(db, comment, decision).await?;
        }
        None if answered_by == Some(undone.id) => {
            db.take_answers_back(undone.id).await?;
            show(comment, None);
        }
        _ => {}
    }
    Ok(())
}

fn show(comment: &mut Comment, answer: Option<AppealAnswer>) {
    if let Some(appeal) = &mut comment.appeal {
        appeal.answer = answer;
    }
}
