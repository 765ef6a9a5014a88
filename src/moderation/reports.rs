//! Readers' reports.

use super::{Error, Moderation, Thing, decide::held_comment, edit::event, queue};
use crate::{
    domain::{
        Action, AuthorId, Caller, Comment, CommentId, EventKind, Note, QueueName, Reason,
        ReasonCode, Report, ReportId, ReportReason, Reporter, Status, Timestamp,
    },
    store::{Db, StoreError, Writes},
};

/// A reader's report of a comment.
#[derive(Debug, Clone)]
pub struct NewReport {
    pub reporter: AuthorId,
    pub reason: ReportReason,
    pub note: Option<Note>,
}

/// What became of it.
#[derive(Debug)]
pub enum Reported {
    New(Report),
    /// The reader had reported the comment before.
    Known(Report),
}

impl Moderation {
    /// Reports a comment for a reader, with the text as it is. A published comment enters the queue `reported`, or waits
    /// where the policy says so at that many reports; not while a human's approval of this text stands.
    ///
    /// # Errors
    /// [`Error::Gone`] when the comment was deleted.
    #[tracing::instrument(skip_all)]
    pub async fn report(
        &self,
        caller: &Caller,
        id: CommentId,
        new: NewReport,
    ) -> Result<Reported, Error> {
        let mut tx = self.store.begin().await?;
        let mut db = tx.db();
        let mut comment = held_comment(&mut db, caller, id, Thing::Comment).await?;
        let site = Self::require_site(&mut db, caller, comment.site, Thing::Comment).await?;
        if comment.status == Status::Deleted {
            return Err(Error::Gone);
        }
        let now = self.clock.now().max(comment.changed_at);
        let record = db.reporter_record(site.id, &new.reporter, id).await?;
        let report = Report {
            id: ReportId::generate(),
            comment_id: id,
            reporter: Reporter { id: new.reporter },
            reason: new.reason,
            note: new.note,
            version: comment.version,
            body: comment.body.clone(),
            weight: record.weight(),
            at: now,
        };
        if !db.insert_report(&report).await? {
            let known = db.report_by(id, &report.reporter.id).await?;
            return Ok(Reported::Known(known.unwrap_or(report)));
        }
        let approved = comment
            .decision
            .as_ref()
            .is_some_and(|standing| standing.action == Action::Approve);
        if comment.status == Status::Published && !approved {
            let count = db.count_reports(id, comment.version).await?;
            let holds = site.policy.hold_at_reports;
            if holds.is_some_and(|holds| count >= i64::from(holds.get())) {
                comment.reasons.push(Reason {
                    code: ReasonCode::Report,
                    score: None,
                    detail: format!("reports by readers: {count}"),
                });
                comment.status = Status::Pending;
                comment.version += 1;
                comment.changed_at = now;
                db.update_comment(&comment).await?;
                db.set_reasons(id, &comment.reasons).await?;
                db.write(Writes::default().events(&[event(&comment, EventKind::CommentChanged)]))
                    .await?;
                enter(&mut db, &comment, QueueName::Waiting, now).await?;
            } else if let None | Some(QueueName::Reported | QueueName::Sampled) =
                db.queue_of(id).await?
            {
                enter(&mut db, &comment, QueueName::Reported, now).await?;
            }
        }
        tx.commit().await?;
        Ok(Reported::New(report))
    }
}

/// Puts a comment into the queue, or anew where it is.
pub(super) async fn enter(
    db: &mut Db<'_>,
    comment: &Comment,
    queue: QueueName,
    at: Timestamp,
) -> Result<(), StoreError> {
    // Among samples it was nothing that somebody asked to look at.
    let before = db.queue_of(comment.id).await?;
    let is_new = before.is_none_or(|before| before == QueueName::Sampled);
    let cluster = db.cluster_of(comment.id).await?;
    queue::enter(db, comment, queue, cluster, at).await?;
    if is_new {
        db.write(Writes::default().events(&[event(comment, EventKind::QueueAdded)]))
            .await?;
    }
    Ok(())
}
