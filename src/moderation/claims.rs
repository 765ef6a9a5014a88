//! Leases: the next items for one moderator alone.

use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use super::{Error, Moderation, QueueItem, QueueRequest, cards::items, queue::filter};
use crate::{
    domain::{Caller, Claim, CommentId, Event, EventKind, Pace, Timestamp},
    store::{StoreError, Writes},
};

/// How much to lease of which items.
#[derive(Debug, Clone, Default)]
pub struct ClaimRequest {
    /// Which, in what order, and how many at most.
    pub items: QueueRequest,
    /// No more than the moderator decides in so many minutes, at their own pace.
    pub minutes: Option<u32>,
}

/// Items that are now this moderator's.
#[derive(Debug, Serialize, ToSchema)]
pub struct Claimed {
    pub items: Vec<QueueItem>,
    /// Where minutes were asked for: what was taken as their pace.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Pace)]
    pub pace: Option<Pace>,
}

/// How often what was held by somebody else for a moment is tried to be given back, and the pause before.
const RELEASES: u32 = 20;
const RELEASE_AGAIN: Duration = Duration::from_millis(25);

impl Moderation {
    /// Leases the next items to the caller: never one that another has, and no more than [`Claim::MOST`] in all. What
    /// they have already lasts longer by it.
    ///
    /// # Errors
    /// When the site or thread named is foreign.
    #[tracing::instrument(skip_all)]
    pub async fn claim(&self, caller: &Caller, asked: &ClaimRequest) -> Result<Claimed, Error> {
        let me = caller.subject.as_str();
        let request = &asked.items;
        let sites = self
            .sites_of(caller, request.site.as_ref(), request.is_of_one_site())
            .await?;
        let pace = match asked.minutes {
            Some(_) => Some(self.pace_of(me).await?),
            None => None,
        };
        let fits = pace.zip(asked.minutes);
        let fits = fits.map_or(Claim::MOST, |(pace, minutes)| pace.fits_into(minutes));
        let mut tx = self.store.begin().await?;
        let mut db = tx.db();
        let now = self.clock.now();
        let claim = Claim::new(me, now);
        let filter = filter(&mut db, &sites, request).await?;
        let (held, _) = db.claims_by(me, now).await?;
        let room = Claim::MOST.saturating_sub(held as usize);
        let limit = request.limit.min(room).min(fits);
        let ids = db
            .claim_next(&filter, request.sort, &claim, now, limit as i64)
            .await?;
        db.renew_claims(&claim, now).await?;
        let rows = db.queue_rows(&ids, request.sort).await?;
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
        let items = items(&mut db, caller, &sites, rows).await?;
        tx.commit().await?;
        Ok(Claimed { items, pace })
    }

    /// How fast a moderator decides.
    async fn pace_of(&self, moderator: &str) -> Result<Pace, Error> {
        let since = self.clock.now().millis() - Pace::LOOKS_BACK;
        let since = Timestamp::from_millis(since);
        let mut conn = self.store.read().await?;
        let mut db = conn.db();
        let moments = db.moments_of(moderator, since, Pace::LATEST).await?;
        Ok(Pace::of(&moments))
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
        for _ in 0..RELEASES {
            self.release_at_once(caller, comment).await?;
            let mut conn = self.store.read().await?;
            if !conn
                .db()
                .has_claims(caller.subject.as_str(), comment)
                .await?
            {
                break;
            }
            drop(conn);
            // Somebody has a row just now, perhaps only to be told that the item is not theirs.
            tokio::time::sleep(RELEASE_AGAIN).await;
        }
        Ok(())
    }

    /// Gives back what no transaction has just now: to wait for one while holding others' rows is a deadlock.
    async fn release_at_once(
        &self,
        caller: &Caller,
        comment: Option<CommentId>,
    ) -> Result<(), Error> {
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
