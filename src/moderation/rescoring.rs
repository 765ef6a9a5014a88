//! Scores of the live model for what other models scored.
//!
//! Scores, highlights and the place in the queue are new; status, reasons, versions and decisions stay as they are. What was
//! done is done: a rescoring that was stopped goes on where it was, since what is left is what another model scored.

use super::{Administration, Error, LiveModel, Thing, stored_texts::StoredText};
use crate::{
    domain::{SiteSlug, ThreadKey, Timestamp},
    store::{Lock, Rescored, RescoringFilter},
};

/// Comments scored and written at a time: a transaction of some milliseconds.
const BATCH: i64 = 100;

/// Which comments to score anew.
#[derive(Debug, Clone, Default)]
pub struct RescoringRequest {
    /// Written at this moment or later.
    pub since: Option<Timestamp>,
    /// Of this thread, of this site.
    pub thread: Option<(SiteSlug, ThreadKey)>,
}

/// Told how far it is.
pub trait RescoringProgress {
    /// So many are to be scored.
    fn begin(&mut self, comments: u64);
    /// So many more are done.
    fn advance(&mut self, comments: u64);
}

impl Administration {
    /// Gives stored comments scores of the live model; how many.
    ///
    /// # Errors
    /// When there is no such site or thread, or the database fails; what was done until then stays.
    pub async fn rescore(
        &self,
        request: &RescoringRequest,
        progress: &mut (dyn RescoringProgress + Send),
    ) -> Result<u64, Error> {
        let model = LiveModel::of(&self.store).await?;
        let thread = match &request.thread {
            Some((site, key)) => {
                let mut conn = self.store.read().await?;
                let mut db = conn.db();
                let site = db.site_by_slug(site).await?;
                let site = site.ok_or(Error::NotFound(Thing::Site))?;
                let thread = db.thread_by_key(site.id, key, Lock::None).await?;
                Some(thread.ok_or(Error::NotFound(Thing::Thread))?.id)
            }
            None => None,
        };
        let filter = RescoringFilter {
            model: model.version().to_owned(),
            since: request.since,
            thread,
        };
        let left = {
            let mut conn = self.store.read().await?;
            conn.db().count_to_rescore(&filter).await?
        };
        progress.begin(left.cast_unsigned());
        let (mut done, mut after) = (0, None);
        loop {
            let batch = {
                let mut conn = self.store.read().await?;
                let mut db = conn.db();
                let comments = db.comments_to_rescore(&filter, after, BATCH).await?;
                let Some(last) = comments.last() else {
                    return Ok(done);
                };
                after = Some(last.id);
                StoredText::read(&mut db, comments).await?
            };
            let seen = batch.len() as u64;
            let texts = batch.into_iter();
            let rescored: Vec<Rescored> = texts.map(|text| text.assess(&model)).collect();
            let mut tx = self.store.begin().await?;
            let mut db = tx.db();
            db.hold_comments(rescored.iter().map(|new| new.id)).await?;
            let mut scored = Vec::with_capacity(rescored.len());
            for new in &rescored {
                if db.rescore(model.version(), new).await? {
                    scored.push(new);
                }
            }
            done += scored.len() as u64;
            let waiting = db.priorities(scored.iter().map(|new| new.id)).await?;
            for new in scored {
                if let Some(before) = waiting.get(&new.id) {
                    let priority = before.rescored(&new.scores);
                    db.reorder(new.id, &new.scores, &priority).await?;
                }
            }
            tx.commit().await?;
            progress.advance(seen);
        }
    }
}
