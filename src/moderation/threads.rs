//! Threads: setting them up, and showing them.

use super::{Error, Moderation, Thing, ThreadView};
use crate::{
    domain::{Site, Thread, ThreadChange, ThreadId, ThreadKey, Timestamp},
    store::Lock,
};

impl Moderation {
    /// Makes a thread, or changes it. The thread, and whether it was made.
    ///
    /// # Errors
    /// When the database fails.
    #[tracing::instrument(skip_all, fields(site = %site.slug))]
    pub async fn put_thread(
        &self,
        site: &Site,
        key: ThreadKey,
        change: ThreadChange,
    ) -> Result<(ThreadView, bool), Error> {
        let mut tx = self.store.begin().await?;
        let mut thread = Thread::new(ThreadId::generate(), site.id, key, Timestamp::now());
        let is_new = tx.db().insert_thread(&thread).await?;
        if !is_new {
            thread = tx
                .db()
                .thread_by_key(site.id, &thread.key, Lock::Update)
                .await?
                .ok_or(Error::NotFound(Thing::Thread))?;
        }
        thread.apply(change);
        tx.db().update_thread(&thread).await?;
        let counts = tx.db().thread_counts(thread.id).await?;
        tx.commit().await?;
        Ok((ThreadView::new(thread, site, Some(counts)), is_new))
    }

    /// One thread with its counts.
    ///
    /// # Errors
    /// When there is none of that key.
    #[tracing::instrument(skip_all, fields(site = %site.slug))]
    pub async fn thread(&self, site: &Site, key: &ThreadKey) -> Result<ThreadView, Error> {
        let mut conn = self.store.read().await?;
        let thread = conn
            .db()
            .thread_by_key(site.id, key, Lock::None)
            .await?
            .ok_or(Error::NotFound(Thing::Thread))?;
        let counts = conn.db().thread_counts(thread.id).await?;
        Ok(ThreadView::new(thread, site, Some(counts)))
    }
}
