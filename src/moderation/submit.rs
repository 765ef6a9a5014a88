//! A new comment: appraised outside any transaction, then stored together with whatever else arrives at that moment.

use super::{
    CommentView, Error, FirstAnswer, Keyed, Moderation, appraisal::texts_above, round::Arrival,
};
use crate::{
    domain::{NewComment, Site, ThreadChange, ThreadKey},
    store::Lock,
};

/// A comment to post, and the page it belongs to.
#[derive(Debug, Clone)]
pub struct Submission {
    pub thread: ThreadKey,
    /// What the thread is to be, should this be its first comment.
    pub thread_details: ThreadChange,
    pub comment: NewComment,
}

/// What became of it.
#[derive(Debug)]
pub enum Submitted {
    /// It is stored.
    New(CommentView),
    /// The site had posted it before, under the same external id.
    Known(CommentView),
    /// The same request came before; this was answered.
    Replayed(FirstAnswer),
}

impl Moderation {
    /// Posts a comment. With a key, the same request again gets the first answer.
    ///
    /// # Errors
    /// When its parent, thread or author is refused; nothing is stored then.
    #[tracing::instrument(skip_all, fields(site = %site.slug))]
    pub async fn submit(
        &self,
        site: &Site,
        submission: Submission,
        keyed: Option<Keyed>,
    ) -> Result<Submitted, Error> {
        let Submission {
            thread: key,
            thread_details,
            comment: new,
        } = submission;
        let mut conn = self.store.read().await?;
        let thread = conn.db().thread_by_key(site.id, &key, Lock::None).await?;
        let above = texts_above(&mut conn.db(), new.parent).await?;
        drop(conn);
        let lang = match &thread {
            Some(thread) => thread.lang.clone(),
            None => thread_details.lang.clone().flatten(),
        };
        let appraisal = self.appraise(site, &new.body, &above, lang.as_ref())?;
        self.intake
            .submit(Arrival {
                site: site.clone(),
                thread: key,
                thread_details,
                thread_is_new: thread.is_none(),
                new,
                appraisal,
                keyed,
            })
            .await
    }
}
