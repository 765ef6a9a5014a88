//! Stored comments as a model reads them: with the texts above, which they may quote.

use super::{Error, appraisal::QUOTABLE_ANCESTORS};
use crate::{
    classifier::{Comment, Model},
    store::{Db, Explanation, Rescored, ToScore},
};

/// A stored comment, and the texts above it, the nearest first.
pub(super) struct StoredText {
    comment: ToScore,
    above: Vec<String>,
}

impl StoredText {
    /// Reads what is above each of these comments.
    pub async fn read(db: &mut Db<'_>, comments: Vec<ToScore>) -> Result<Vec<Self>, Error> {
        let mut texts = Vec::with_capacity(comments.len());
        for comment in comments {
            let above = match comment.parent {
                Some(parent) => db.texts_above(parent, QUOTABLE_ANCESTORS).await?,
                None => Vec::new(),
            };
            texts.push(Self { comment, above });
        }
        Ok(texts)
    }

    /// What a model says of it.
    pub fn assess(self, model: &Model) -> Rescored {
        let above: Vec<&str> = self.above.iter().map(String::as_str).collect();
        let assessment = model.assess(&Comment {
            text: &self.comment.text,
            ancestors: &above,
            lang: self.comment.lang.as_deref(),
        });
        Rescored {
            id: self.comment.id,
            edited_at: self.comment.edited_at,
            scores: assessment.scores,
            explanation: Explanation {
                highlights: assessment.highlights,
                quotes: assessment.quotes,
            },
        }
    }
}
