//! Leases: the next items for one moderator alone.

use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Error, Moderation, QueueItem, QueueRequest,
    queue::{filter, items},
};
use crate::{
    domain::{Caller, Claim, CommentId, Event, EventKind},
    store::{StoreError, Writes},
};

/// Items that are now this moderator's.
#[derive(Debug, Serialize, ToSchema)]
pub struct Claimed {
    pub items: Vec<QueueItem>,
}

impl Moderation {
    /// Leases the next items to the caller: never one that another has, and no more than [`Claim::MOST`] in all. What
    /// they have already lasts longer by it.
    ///
    /// # Errors
    /// When the site or thread named is foreign.
    #[tracing::instrument(skip_all)]
    pub async fn claim(&self, caller: &Caller, request: &QueueRequest) -> Result<Claimed, Error> {
        let me = caller.subject.as_str();
        let sites = self
            .sites_of(caller, request.site.as_ref(), request.is_of_one_site())
            .await?;
        let mut tx = self.store.begin().await?;
        let mut db = tx.db();
        let now = self.clock.now();
        let claim = Claim::new(me, now);
        let filter = filter(&mut db, &sites, request).await?;
        let (held, _) = db.claims_by(me, now).await?;
        let limit = request.limit.min(Claim::MOST.saturating_sub(held as usize));
        let ids = db.claim_next(&filter, &claim, now, limit as i64).await?;
        db.renew_claims(&claim, now).await?;
        let rows = db.queue_rows(&ids).await?;
        let events: Vec<Event> = rows
            .iter()
            .map(|row| Event {
                site: row.site,
                kind: EventKind::QueueClaimed,
                comment: row.comment,
                at: now,
            })
            .collect();
        db.write(Writes::default().events(&events)).await?;
        let items = items(&mut db, &sites, rows).await?;
        tx.commit().await?;
        Ok(Claimed { items })
    }

    /// Lets what the caller has last longer, since they did something. Not in the transaction of what they did: two that
    /// they do at once would wait for each other. That it failed is no reason to say that the rest did.
    pub(super) async fn renew_claims(&self, caller: &Caller) {
        let renewed = async {
            let now = self.clock.now();
            let claim = Claim::new(caller.subject.as_str(), now);
            let mut conn = self.store.read().await?;
            let (_, first) = conn.db().claims_by(&claim.by, now).await?;
            drop(conn);
            if first
                .is_some_and(|first| first.millis() + Claim::RENEWED_EVERY < claim.until.millis())
            {
                let mut tx = self.store.begin().await?;
                tx.db().renew_claims(&claim, now).await?;
                tx.commit().await?;
            }
            Ok::<_, StoreError>(())
        };
        if let Err(error) = renewed.await {
            tracing::warn!(%error, "leases could not be renewed");
        }
    }

    /// Gives one item back, or all that the caller has.
    ///
    /// # Errors
    /// When the database fails. To give back what one does not have is no error.
    #[tracing::instrument(skip_all)]
    pub async fn release(&self, caller: &Caller, comment: Option<CommentId>) -> Result<(), Error> {
        let mut tx = self.store.begin().await?;
        let mut db = tx.db();
        let at = self.clock.now();
        let released = db.release_claims(caller.subject.as_str(), comment).await?;
        let events: Vec<Event> = released
            .into_iter()
            .map(|(comment, site)| Event {
                site,
                kind: EventKind::QueueReleased,
                comment,
                at,
            })
            .collect();
        db.write(Writes::default().events(&events)).await?;
        tx.commit().await?;
        Ok(())
    }
}
