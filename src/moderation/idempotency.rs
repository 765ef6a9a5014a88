//! Requests that may be sent twice: the first answer is kept for a day and given again.
//!
//! A post keeps its answer in the transaction that stores the comment, so that no crash can come between the two; the
//! answers of other requests, which change nothing when they run twice, are kept afterwards.

use super::{Error, Moderation, Submitted};
use crate::{
    domain::Timestamp,
    store::{Remembered, Writes},
};

/// How long a first answer is given again, in milliseconds.
const KEPT_MILLIS: i64 = 24 * 60 * 60 * 1000;

/// A request that may come again.
#[derive(Debug, Clone)]
pub struct Keyed {
    /// A digest of site, method, path and key.
    pub id: String,
    /// A digest of its body.
    pub request: String,
    /// How what became of a comment is answered: a status code and a body.
    pub render: fn(&Submitted) -> (u16, String),
}

impl Keyed {
    /// What to keep of an answer.
    pub(super) fn answered(&self, submitted: &Submitted) -> Remembered {
        let (status, answer) = (self.render)(submitted);
        self.remembered(status, answer)
    }

    fn remembered(&self, status: u16, answer: String) -> Remembered {
        Remembered {
            id: self.id.clone(),
            request: self.request.clone(),
            status: i64::from(status),
            answer,
        }
    }

    /// The first answer, if it was to the same request.
    ///
    /// # Errors
    /// [`Error::KeyReused`] when it was to another.
    pub(super) fn replay(&self, first: &Remembered) -> Result<FirstAnswer, Error> {
        if first.request != self.request {
            return Err(Error::KeyReused);
        }
        Ok(FirstAnswer {
            status: u16::try_from(first.status).unwrap_or(200),
            body: first.answer.clone(),
        })
    }
}

/// What was answered first.
#[derive(Debug, Clone)]
pub struct FirstAnswer {
    pub status: u16,
    pub body: String,
}

/// The moment since when first answers count.
pub(super) const fn counted_since(now: Timestamp) -> Timestamp {
    Timestamp::from_millis(now.millis() - KEPT_MILLIS)
}

impl Moderation {
    /// The first answer to this request, if it came before.
    ///
    /// # Errors
    /// [`Error::KeyReused`] when another request used the key.
    pub async fn first_answer(&self, keyed: &Keyed) -> Result<Option<FirstAnswer>, Error> {
        let since = counted_since(self.clock.now());
        let known = self
            .store
            .read()
            .await?
            .db()
            .remembered(&[&keyed.id], since)
            .await?;
        known.first().map(|first| keyed.replay(first)).transpose()
    }

    /// Keeps the first answer to a request that is over.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keep_answer(
        &self,
        keyed: &Keyed,
        status: u16,
        answer: String,
    ) -> Result<(), Error> {
        let answers = [keyed.remembered(status, answer)];
        let mut tx = self.store.begin().await?;
        tx.db()
            .write(Writes::default().answers(&answers, self.clock.now()))
            .await?;
        Ok(tx.commit().await?)
    }
}
