//! The moderators' queue: what waits, and in what order.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::{Error, Moderation, Page, QueueItem, cards::items, sites::thread_id};
use crate::{
    classifier::fold,
    domain::{
        AuthorId, Caller, Comment, Credibility, Cursor, Priority, QueueName, QueueSort, Reason,
        ReasonCode, Site, SiteId, SiteSlug, ThreadKey, Timestamp, Words,
    },
    store::{Db, QueueFilter, QueuePosition, QueueRow, StoreError, Writes},
};

/// Which items to show, and in what order.
#[derive(Debug, Clone, Default, Serialize)]
pub struct QueueRequest {
    pub queue: QueueName,
    pub sort: QueueSort,
    pub reason: Option<ReasonCode>,
    pub site: Option<SiteSlug>,
    pub thread: Option<ThreadKey>,
    pub author: Option<AuthorId>,
    pub min_score: Option<f32>,
    /// Words that must all occur, whatever their case and accents.
    pub q: Option<Words>,
    /// One item for each cluster of copies.
    pub collapse: bool,
    #[serde(skip)]
    pub limit: usize,
    #[serde(skip)]
    pub cursor: Option<String>,
}

/// How many items wait in each queue, counted when asked.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct QueueCounts {
    pub waiting: i64,
    pub reported: i64,
    pub escalated: i64,
    pub appeals: i64,
    pub sampled: i64,
    /// Of those in `waiting`, how many wait for each reason.
    pub reasons: BTreeMap<ReasonCode, i64>,
}

/// What moderators are told of why a published comment is there, which nobody complained of.
const BY_CHANCE: &str = "looked at by chance";

/// A comment as the item of a queue shows it: a sample says so, which its site is not told.
pub(super) fn shown(mut comment: Comment, queue: QueueName) -> Comment {
    if queue == QueueName::Sampled {
        comment.reasons.push(Reason {
            code: ReasonCode::Sample,
            score: None,
            detail: BY_CHANCE.into(),
        });
    }
    comment
}

/// What to store of an item that enters the queue, for the first time or again, with its text for search: all of it
/// follows from the comment, the queue, and how far readers' reports of it are to be believed.
pub(super) fn entry(
    comment: &Comment,
    queue: QueueName,
    cluster: Option<uuid::Uuid>,
    reports: Credibility,
    at: Timestamp,
) -> (QueueRow, String) {
    let mut reasons = comment.reasons.clone();
    // Why it waits here, where that is not what the machine said of it.
    let here = match queue {
        QueueName::Reported => Some((ReasonCode::Report, "reported by readers")),
        QueueName::Appeals => Some((ReasonCode::Appeal, "its author asks for another look")),
        QueueName::Sampled => Some((ReasonCode::Sample, BY_CHANCE)),
        QueueName::Waiting | QueueName::Escalated => None,
    };
    if let Some((code, detail)) = here
        && reasons.iter().all(|reason| reason.code != code)
    {
        reasons.push(Reason {
            code,
            score: None,
            detail: detail.into(),
        });
    }
    let row = QueueRow {
        comment: comment.id,
        site: comment.site,
        thread: comment.thread,
        author: comment.author.id.clone(),
        queue,
        priority: Priority::of(&comment.scores, &reasons, reports),
        harm: Priority::harm_key(&comment.scores),
        reason_bits: reasons
            .iter()
            .fold(0, |bits, reason| bits | reason.code.bit()),
        max_score: comment.scores.highest().value(),
        cluster,
        claim: None,
        created_at: comment.created_at,
        entered_at: at,
    };
    (row, fold(comment.body.as_str()))
}

/// Puts a comment into the queue, or anew where it waits already.
pub(super) async fn enter(
    db: &mut Db<'_>,
    comment: &Comment,
    queue: QueueName,
    cluster: Option<uuid::Uuid>,
    at: Timestamp,
) -> Result<(), StoreError> {
    let reports = credibility(db, comment, queue).await?;
    let items = [entry(comment, queue, cluster, reports, at)];
    db.write(Writes::default().queue(&items)?).await
}

/// How far to believe what readers reported of a comment's text. What was reported of an earlier text, for which it still
/// waits, counts as one report.
async fn credibility(
    db: &mut Db<'_>,
    comment: &Comment,
    queue: QueueName,
) -> Result<Credibility, StoreError> {
    let by_readers = |reason: &Reason| reason.code == ReasonCode::Report;
    if queue != QueueName::Reported && !comment.reasons.iter().any(by_readers) {
        return Ok(Credibility::default());
    }
    let weights = db.report_weights(comment.id, &comment.body).await?;
    Ok(if weights.is_empty() {
        Credibility::of_a_stranger()
    } else {
        Credibility::of(weights)
    })
}

impl Moderation {
    /// A page of the queue.
    ///
    /// # Errors
    /// When the cursor is of another list, or a thread is named without its site.
    #[tracing::instrument(skip_all, fields(queue = request.queue.as_str()))]
    pub async fn queue(
        &self,
        caller: &Caller,
        request: &QueueRequest,
    ) -> Result<Page<QueueItem>, Error> {
        let after = request
            .cursor
            .as_deref()
            .map(|cursor| Cursor::read::<_, QueuePosition>(cursor, &("queue", request)))
            .transpose()?;
        let sites = self
            .sites_of(caller, request.site.as_ref(), request.is_of_one_site())
            .await?;
        let mut conn = self.store.read().await?;
        let mut db = conn.db();
        let filter = filter(&mut db, &sites, request).await?;
        let rows = db
            .queue_page(&filter, request.sort, after, request.limit as i64 + 1)
            .await?;
        let page = Page::cut(rows, request.limit, |last| {
            Cursor::new(&("queue", request), &last.position(request.sort))
        });
        Ok(Page {
            items: items(&mut db, caller, &sites, page.items).await?,
            next_cursor: page.next_cursor,
        })
    }

    /// How many items wait in each queue.
    ///
    /// # Errors
    /// When the site named is foreign.
    pub async fn queue_counts(
        &self,
        caller: &Caller,
        site: Option<&SiteSlug>,
    ) -> Result<QueueCounts, Error> {
        let sites = self.sites_of(caller, site, false).await?;
        let ids: Vec<SiteId> = sites.iter().map(|site| site.id).collect();
        let mut counts = QueueCounts::default();
        let mut conn = self.store.read().await?;
        let mut db = conn.db();
        for (bits, count) in db.reason_counts(&ids).await? {
            for code in ReasonCode::ALL
                .into_iter()
                .filter(|code| bits & code.bit() != 0)
            {
                *counts.reasons.entry(code).or_default() += count;
            }
        }
        for (queue, count) in db.queue_counts(&ids).await? {
            *match queue {
                QueueName::Waiting => &mut counts.waiting,
                QueueName::Reported => &mut counts.reported,
                QueueName::Escalated => &mut counts.escalated,
                QueueName::Appeals => &mut counts.appeals,
                QueueName::Sampled => &mut counts.sampled,
            } = count;
        }
        Ok(counts)
    }
}

impl QueueRequest {
    /// A thread or an author is of one site.
    pub(super) const fn is_of_one_site(&self) -> bool {
        self.thread.is_some() || self.author.is_some()
    }
}

/// The filter of a request, on these sites.
pub(super) async fn filter(
    db: &mut Db<'_>,
    sites: &[Site],
    request: &QueueRequest,
) -> Result<QueueFilter, Error> {
    let words = request.q.as_ref().map(words).transpose()?;
    Ok(QueueFilter {
        sites: sites.iter().map(|site| site.id).collect(),
        queue: request.queue,
        reason: request.reason,
        thread: thread_id(db, sites, request.thread.as_ref()).await?,
        author: request.author.clone(),
        min_score: request.min_score,
        words: words.unwrap_or_default(),
        collapse: request.collapse,
    })
}

/// What is searched for: words without case and accents, of which there must be one.
fn words(q: &Words) -> Result<Vec<String>, Error> {
    let words: Vec<String> = fold(q.as_str())
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    if words.is_empty() {
        return Err(Error::NoWords);
    }
    Ok(words)
}
