//! Threads: setting them up, and showing them.

use super::{Error, Moderation, Thing, ThreadView, round::thread_lock_number};
use crate::{
    domain::{Site, Thread, ThreadChange, ThreadCounts, ThreadId, ThreadKey},
    store::{Db, Lock, StoreError, Writes},
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
        let mut db = tx.db();
        db.lock_numbers(vec![thread_lock_number(site.id, &key)])
            .await?;
        let now = self.clock.now();
        let known = db.thread_by_key(site.id, &key, Lock::Update).await?;
        let is_new = known.is_none();
        let mut thread =
            known.unwrap_or_else(|| Thread::new(ThreadId::generate(), site.id, key, now));
        thread.apply(change);
        if is_new {
            db.write(Writes::default().threads([&thread])).await?;
        } else {
            db.update_thread(&thread).await?;
        }
        let counts = counts_of(&mut db, &thread).await?;
        tx.commit().await?;
        let place = (site.id, thread.key.clone());
        self.fresh_threads.forget(&place);
        Ok((ThreadView::new(thread, site, Some(counts), now), is_new))
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
        let counts = counts_of(&mut conn.db(), &thread).await?;
        Ok(ThreadView::new(
            thread,
            site,
            Some(counts),
            self.clock.now(),
        ))
    }
}

async fn counts_of(db: &mut Db<'_>, thread: &Thread) -> Result<ThreadCounts, StoreError> {
    let mut counts = db.thread_counts(&[thread.id]).await?;
    Ok(counts.pop().unwrap_or_default())
}
