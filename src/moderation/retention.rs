//! What a policy says to forget, and what is worth keeping only for a day.

use super::{Error, Moderation, idempotency::counted_since};

/// How much one transaction erases: little, so that posts do not wait for it.
const AT_ONCE: i64 = 200;
/// Of scores, which are small.
const SCORES_AT_ONCE: i64 = 1_000;

impl Moderation {
    /// Erases what is past its time: first answers older than a day, sessions and links that have ended, who looked at
    /// what, samples that nobody answered, scores of shadows that have ended, and what each site's retention says. In short
    /// transactions. How many things.
    ///
    /// # Errors
    /// When the database fails; what was erased stays so.
    #[tracing::instrument(skip_all)]
    pub async fn tidy(&self) -> Result<u64, Error> {
        let now = self.clock.now();
        let mut erased = 0;
        loop {
            let mut tx = self.store.begin().await?;
            let count = tx.db().forget_answers(counted_since(now), AT_ONCE).await?;
            tx.commit().await?;
            erased += count;
            if count < AT_ONCE as u64 {
                break;
            }
        }
        let mut tx = self.store.begin().await?;
        erased += tx.db().erase_ended_sessions(now).await?;
        erased += tx.db().forget_views_before(now).await?;
        erased += tx.db().forget_told_views(now.days_before(1)).await?;
        tx.commit().await?;
        erased += self.forget_old_samples(AT_ONCE).await?;
        let ended = self.store.read().await?.db().ended_shadows().await?;
        for shadow in ended {
            loop {
                let mut tx = self.store.begin().await?;
                let count = (tx.db().forget_shadow_scores(shadow, SCORES_AT_ONCE)).await?;
                tx.commit().await?;
                erased += count;
                if count < SCORES_AT_ONCE as u64 {
                    break;
                }
            }
        }
        for site in self.administration.sites().await? {
            let Some(days) = site.policy.retention_days else {
                continue;
            };
            let before = now.days_before(days.get());
            loop {
                let mut tx = self.store.begin().await?;
                let count = tx.db().erase_deleted(site.id, before, AT_ONCE).await?;
                tx.commit().await?;
                erased += count as u64;
                if count < AT_ONCE as usize {
                    break;
                }
            }
            let mut tx = self.store.begin().await?;
            erased += tx.db().forget_contacts(site.id, before).await?;
            tx.commit().await?;
        }
        Ok(erased)
    }
}
