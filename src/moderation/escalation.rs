//! What waits too long, by its site's policy, is escalated.

use super::{DecisionRequest, Error, Moderation, Thing, decide::held_comment};
use crate::{
    domain::{
        Caller, CommentId, LabelOverrides, Note, Role, Scope, Site, SiteScope, Subject, Timestamp,
        Verb,
    },
    store::Db,
};

/// The name in the audit log of what nobody did.
const NOBODY: &str = "palabre";
/// How many items one transaction escalates: few, so that posts do not wait for it.
const AT_ONCE: i64 = 50;

impl Moderation {
    /// Escalates what has waited longer than its site's policy says and is nobody's just now, in short transactions: a
    /// decision like any other, except that nobody made it, so that any moderator gives the second opinion. How many.
    ///
    /// Replicas may do so at the same time: each comment is held while it is decided, and is escalated once.
    ///
    /// # Errors
    /// When the database fails; what was escalated stays so.
    #[tracing::instrument(skip_all)]
    pub async fn escalate_overdue(&self) -> Result<u64, Error> {
        let mut escalated = 0;
        for site in self.administration.sites().await? {
            if let Some(hours) = site.policy.escalate_after_hours {
                escalated += self.escalate_after(&site, hours.get()).await?;
            }
        }
        Ok(escalated)
    }

    async fn escalate_after(&self, site: &Site, hours: u32) -> Result<u64, Error> {
        let now = self.clock.now();
        let since = Timestamp::from_millis(now.millis() - i64::from(hours) * 60 * 60 * 1000);
        let caller = Caller {
            subject: Subject::stored(NOBODY.into()),
            role: Role::Moderator,
            sites: SiteScope::Only(vec![site.slug.clone()]),
        };
        let note = format!("waited longer than {hours} h");
        let mut escalated = 0;
        let mut after = None;
        loop {
            let mut tx = self.store.begin().await?;
            let mut db = tx.db();
            let overdue = db.overdue(site.id, since, now, after, AT_ONCE).await?;
            for id in &overdue {
                escalated += u64::from(self.escalate(&mut db, &caller, *id, &note).await?);
            }
            tx.commit().await?;
            if overdue.len() < AT_ONCE as usize {
                return Ok(escalated);
            }
            after = overdue.last().copied();
        }
    }

    /// Whether it was; somebody may have been faster.
    async fn escalate(
        &self,
        db: &mut Db<'_>,
        caller: &Caller,
        id: CommentId,
        note: &str,
    ) -> Result<bool, Error> {
        let comment = held_comment(db, caller, id, Thing::Comment).await?;
        let request = DecisionRequest {
            verb: Verb::Escalate,
            version: comment.version,
            reason: None,
            note: Some(Note::stored(note.into())),
            labels: LabelOverrides::new(),
            scope: Scope::Comment,
            force: false,
        };
        match self.decide_held(db, caller, comment, &request, None).await {
            Ok(_) => Ok(true),
            Err(Error::Refused { .. } | Error::Claimed { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
