//! A new comment: appraised outside any transaction, then stored together with whatever else arrives at that moment.

use std::{sync::Arc, time::Instant};

use super::{CommentView, Error, FirstAnswer, Keyed, Moderation, round::Arrival};
use crate::{
    domain::{Lang, NewComment, Site, ThreadChange, ThreadKey},
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
        site: &Arc<Site>,
        submission: Submission,
        keyed: Option<Keyed>,
    ) -> Result<Submitted, Error> {
        let Submission {
            thread: key,
            thread_details,
            comment: new,
        } = submission;
        let known = self.thread_lang(site, &key).await?;
        let lang = match &known {
            Some(lang) => lang.clone(),
            None => thread_details.lang.clone().flatten(),
        };
        let above = self.texts_above(new.parent).await?;
        let appraisal = self.appraise(site, &new.body, &above, lang.as_ref())?;
        self.intake
            .submit(Arrival {
                site: Arc::clone(site),
                thread: key,
                thread_details,
                thread_is_new: known.is_none(),
                new,
                appraisal,
                keyed,
            })
            .await
    }

    /// The language of a thread that is there.
    async fn thread_lang(
        &self,
        site: &Site,
        key: &ThreadKey,
    ) -> Result<Option<Option<Lang>>, Error> {
        let place = (site.id, key.clone());
        if let Some(lang) = self.fresh_threads.get(&place) {
            return Ok(Some(lang));
        }
        let since = Instant::now();
        let mut conn = self.store.read().await?;
        let thread = conn.db().thread_by_key(site.id, key, Lock::None).await?;
        let lang = thread.map(|thread| thread.lang);
        if let Some(lang) = &lang {
            self.fresh_threads.put(place, lang.clone(), since);
        }
        Ok(lang)
    }
}
