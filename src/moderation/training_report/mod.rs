//! The report of a training as a page: what was measured when the model was made, with the texts of comments looked up now.
//!
//! Figures are kept without any text, and longer than a comment may be: one that was deleted since is not in the page.

mod details;
mod figures;
mod page;
mod tables;

use std::{
    collections::{BTreeMap, HashMap},
    sync::LazyLock,
};

use uuid::Uuid;

use self::figures::Figures;
use super::{Administration, Error, ModelView, Moderation, sites::require_all_sites};
use crate::{
    document,
    domain::{Caller, CommentId, ModelVersion, Status, ThreadId},
};

/// What a browser may do with the page: show it.
pub static POLICY: LazyLock<String> = LazyLock::new(|| document::policy(page::STYLE));

/// Place and text of labelled comments, by the names that the report has for them.
pub type LabelledTexts = BTreeMap<String, (String, String)>;

/// The page, whole.
pub type ReportPage = String;

/// A comment of the report as it is now.
enum Now {
    /// Its thread, and what it says.
    Is(String, String),
    /// A row of a labelled file.
    Row(String, String),
    /// It says something else than what was decided.
    Edited,
    Deleted,
}

/// What the page needs to know beside the figures.
#[derive(Default)]
struct Known {
    comments: HashMap<String, Now>,
    /// Names of threads.
    threads: HashMap<String, String>,
}

impl Administration {
    /// The report of a training as a page. `model` is what was stored of it: nothing where it was refused.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn report_page(
        &self,
        figures: &serde_json::Value,
        model: Option<&ModelView>,
        labelled: LabelledTexts,
    ) -> Result<ReportPage, Error> {
        let figures = Figures::read(figures);
        let mut known = self.known(&figures).await?;
        let labelled = labelled.into_iter();
        let labelled = labelled.map(|(id, (place, text))| (id, Now::Row(place, text)));
        known.comments.extend(labelled);
        Ok(page::render(&figures, model, &known))
    }

    /// Looks up the comments and threads that the figures name.
    async fn known(&self, figures: &Figures) -> Result<Known, Error> {
        let Some(closer) = &figures.closer else {
            return Ok(Known::default());
        };
        let ids = closer.movers.iter().map(|mover| &mover.comment);
        let ids: Vec<Uuid> = ids.filter_map(|id| id.parse().ok()).collect();
        let threads = closer.threads.iter().map(|thread| &thread.name);
        let threads: Vec<Uuid> = threads.filter_map(|id| id.parse().ok()).collect();
        let mut known = Known::default();
        let mut conn = self.store.read().await?;
        let mut db = conn.db();
        if !threads.is_empty() {
            for thread in db.threads(threads.into_iter().map(ThreadId)).await? {
                let title = thread.title.as_ref();
                let name = title.map_or_else(|| thread.key.as_str(), |title| title.as_str());
                known.threads.insert(thread.id.to_string(), name.to_owned());
            }
        }
        if !ids.is_empty() {
            for id in &ids {
                known.comments.insert(id.to_string(), Now::Deleted);
            }
            for comment in db.comments(ids.into_iter().map(CommentId)).await? {
                let decided = comment.decision.as_ref().map(|decision| decision.at);
                if comment.status == Status::Deleted {
                    continue;
                }
                let now = if comment.edited_at > decided {
                    Now::Edited
                } else {
                    let place = comment.thread_key.as_str().to_owned();
                    let text = comment.body.as_str().to_owned();
                    Now::Is(place, text)
                };
                known.comments.insert(comment.id.to_string(), now);
            }
        }
        Ok(known)
    }
}

impl Moderation {
    /// What was measured when a model was made, as a page.
    ///
    /// # Errors
    /// When the caller is no admin of all sites, or there is no such model.
    #[tracing::instrument(skip_all)]
    pub async fn model_report(
        &self,
        caller: &Caller,
        version: &ModelVersion,
    ) -> Result<ReportPage, Error> {
        require_all_sites(caller)?;
        let shown = self.administration.model(version).await?;
        self.administration
            .report_page(&shown.figures, Some(&shown.model), LabelledTexts::new())
            .await
    }
}
