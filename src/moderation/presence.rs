//! Who looks at what, so that two do not read the same item. It binds nobody: see [`super::claims`] for what does.

use super::{Error, Moderation, Thing};
use crate::{
    domain::{Caller, CommentId, Event, EventKind, Timestamp, Viewer},
    store::{Lock, Writes},
};

impl Moderation {
    /// Notes what the caller looks at: one comment at a time, for a minute; or nothing any more. Others are told when it is
    /// another than before.
    ///
    /// # Errors
    /// When there is no such comment on the caller's sites.
    #[tracing::instrument(skip_all)]
    pub async fn look_at(&self, caller: &Caller, comment: Option<CommentId>) -> Result<(), Error> {
        let me = caller.subject.as_str();
        let now = self.clock.now();
        let until = Timestamp::from_millis(now.millis() + Viewer::LASTS);
        let mut conn = self.store.read().await?;
        let mut db = conn.db();
        let before = db.viewed_by(me).await?;
        let Some(id) = comment else {
            drop(conn);
            if before.is_some() {
                let mut tx = self.store.begin().await?;
                tx.db().forget_viewed(me).await?;
                tx.commit().await?;
            }
            return Ok(());
        };
        let comment = (db.comment(id, Lock::None).await?).ok_or(Error::NotFound(Thing::Comment))?;
        Self::require_site(&mut db, caller, comment.site, Thing::Comment).await?;
        drop(conn);
        let same = before.filter(|(seen, until)| *seen == id && *until > now);
        if same.is_some_and(|(_, known)| known.millis() + Viewer::RENEWED_EVERY > until.millis()) {
            return Ok(());
        }
        let mut tx = self.store.begin().await?;
        let mut db = tx.db();
        let viewer = Viewer {
            by: me.to_owned(),
            until,
        };
        db.set_viewed(&viewer, id).await?;
        if same.is_none() {
            let event = Event {
                site: comment.site,
                kind: EventKind::QueueViewed,
                comment: id,
                at: now,
            };
            db.write(Writes::default().view(&event, me)).await?;
        }
        Ok(tx.commit().await?)
    }
}
