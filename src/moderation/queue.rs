//! The moderators' queue: what waits, in what order, and everything a card shows.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use utoipa::ToSchema;

use super::{CommentView, Error, Moderation, Page, ThreadView, sites::thread_id, view::Copies};
use crate::{
    classifier::fold,
    domain::{
        Appeal, AuthorId, Caller, Claim, Comment, CommentId, Cursor, Highlight, Priority,
        QueueName, QueueSort, Reason, ReasonCode, Report, Sanction, Site, SiteId, SiteSlug, Span,
        Thread, ThreadId, ThreadKey, Timestamp, Words,
    },
    store::{
        AuthorRecord, Db, Explanation, QueueFilter, QueuePosition, QueueRow, StoreError, Writes,
    },
};

/// How many comments above an item a card shows.
const SHOWN_ANCESTORS: usize = 10;

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

/// An item of the queue with all that a card shows.
#[derive(Debug, Serialize, ToSchema)]
pub struct QueueItem {
    pub comment: CommentView,
    pub site: SiteSlug,
    pub queue: QueueName,
    pub priority: Priority,
    pub highlights: Vec<Highlight>,
    /// Text of the comments above that this one quotes.
    pub quotes: Vec<Span>,
    #[schema(required)]
    pub parent: Option<CommentView>,
    /// The comments above, the topmost first, the parent last; at most ten.
    pub ancestors: Vec<CommentView>,
    pub thread: ThreadView,
    pub author_history: AuthorHistory,
    #[schema(required)]
    pub duplicates: Option<Copies>,
    pub reports: Vec<Report>,
    /// What its author says against its being held or hidden.
    pub appeals: Vec<Appeal>,
    #[schema(required)]
    pub claim: Option<Claim>,
}

/// What is known of an author.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuthorHistory {
    pub published: i64,
    pub hidden: i64,
    pub sanctions: Vec<Sanction>,
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

/// What to store of an item that enters the queue, for the first time or again, with its text for search: all of it
/// follows from the comment and the queue.
pub(super) fn entry(
    comment: &Comment,
    queue: QueueName,
    cluster: Option<uuid::Uuid>,
) -> (QueueRow, String) {
    let mut reasons = comment.reasons.clone();
    // Why it waits here, where that is not what the machine said of it.
    let here = match queue {
        QueueName::Reported => Some((ReasonCode::Report, "reported by readers")),
        QueueName::Appeals => Some((ReasonCode::Appeal, "its author asks for another look")),
        QueueName::Sampled => Some((ReasonCode::Sample, "looked at by chance")),
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
        priority: Priority::of(&comment.scores, &reasons),
        reason_bits: reasons
            .iter()
            .fold(0, |bits, reason| bits | reason.code.bit()),
        max_score: comment
            .scores
            .iter()
            .map(|(_, score)| score.value())
            .fold(0.0, f32::max),
        cluster,
        claim: None,
        created_at: comment.created_at,
    };
    (row, fold(comment.body.as_str()))
}

/// Puts a comment into the queue, or anew where it waits already.
pub(super) async fn enter(
    db: &mut Db<'_>,
    comment: &Comment,
    queue: QueueName,
    cluster: Option<uuid::Uuid>,
) -> Result<(), StoreError> {
    let items = [entry(comment, queue, cluster)];
    db.write(Writes::default().queue(&items)?).await
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
            items: items(&mut db, &sites, page.items).await?,
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

/// Everything around the rows of a page, read by set.
struct Surroundings {
    comments: HashMap<CommentId, Comment>,
    threads: HashMap<ThreadId, Thread>,
    records: HashMap<(SiteId, AuthorId), AuthorRecord>,
    clusters: HashMap<uuid::Uuid, i64>,
    explanations: HashMap<CommentId, Explanation>,
    reports: HashMap<CommentId, Vec<Report>>,
    appeals: HashMap<CommentId, Vec<Appeal>>,
    /// The measures in force against each author.
    sanctions: HashMap<(SiteId, AuthorId), Vec<Sanction>>,
}

impl Surroundings {
    async fn read(db: &mut Db<'_>, rows: &[QueueRow], now: Timestamp) -> Result<Self, StoreError> {
        let mut comments = HashMap::new();
        let mut wanted: Vec<CommentId> = rows.iter().map(|row| row.comment).collect();
        // The items, then their parents, then theirs: a query for each level, whatever the size of the page.
        for _ in 0..=SHOWN_ANCESTORS {
            if wanted.is_empty() {
                break;
            }
            let level = db.comments(wanted).await?;
            wanted = level
                .iter()
                .filter_map(|comment| comment.parent)
                .filter(|parent| !comments.contains_key(parent))
                .collect();
            wanted.sort_unstable();
            wanted.dedup();
            comments.extend(level.into_iter().map(|comment| (comment.id, comment)));
        }
        let mut threads: Vec<ThreadId> = rows.iter().map(|row| row.thread).collect();
        threads.sort_unstable();
        threads.dedup();
        let threads = db.threads(threads).await?;
        let mut sites: Vec<SiteId> = rows.iter().map(|row| row.site).collect();
        sites.sort_unstable();
        sites.dedup();
        let mut records = HashMap::new();
        let mut sanctions = HashMap::new();
        for site in sites {
            let mut authors: Vec<&AuthorId> = rows
                .iter()
                .filter(|row| row.site == site)
                .map(|row| &row.author)
                .collect();
            authors.sort_unstable_by_key(|author| author.as_str());
            authors.dedup();
            let counted = db.author_records(site, &authors).await?;
            for (author, sanction) in db.sanctions(site, &authors).await? {
                if sanction.in_force(now) {
                    let of_one: &mut Vec<Sanction> = sanctions.entry((site, author)).or_default();
                    of_one.push(sanction);
                }
            }
            records.extend(
                authors
                    .into_iter()
                    .map(|author| (site, author.clone()))
                    .zip(counted),
            );
        }
        let mut clusters: Vec<uuid::Uuid> = rows.iter().filter_map(|row| row.cluster).collect();
        clusters.sort_unstable();
        clusters.dedup();
        let clusters = db.cluster_sizes(clusters).await?;
        let explanations = db.explanations(rows.iter().map(|row| row.comment)).await?;
        let mut reports: HashMap<CommentId, Vec<Report>> = HashMap::new();
        for report in db.reports(rows.iter().map(|row| row.comment)).await? {
            reports.entry(report.comment_id).or_default().push(report);
        }
        let mut appeals: HashMap<CommentId, Vec<Appeal>> = HashMap::new();
        for appeal in db.appeals(rows.iter().map(|row| row.comment)).await? {
            appeals.entry(appeal.comment_id).or_default().push(appeal);
        }
        Ok(Self {
            comments,
            threads: threads
                .into_iter()
                .map(|thread| (thread.id, thread))
                .collect(),
            records,
            clusters: clusters.into_iter().collect(),
            explanations: explanations.into_iter().collect(),
            reports,
            appeals,
            sanctions,
        })
    }

    /// The comments above one, the topmost first.
    fn above(&self, comment: &Comment) -> Vec<CommentView> {
        let mut above: Vec<CommentView> = std::iter::successors(
            comment.parent.and_then(|id| self.comments.get(&id)),
            |ancestor| ancestor.parent.and_then(|id| self.comments.get(&id)),
        )
        .take(SHOWN_ANCESTORS)
        .map(|ancestor| ancestor.clone().into())
        .collect();
        above.reverse();
        above
    }
}

/// Items with all that a card shows, in the order of their rows.
pub(super) async fn items(
    db: &mut Db<'_>,
    sites: &[Site],
    rows: Vec<QueueRow>,
) -> Result<Vec<QueueItem>, StoreError> {
    let now = Timestamp::now();
    let mut around = Surroundings::read(db, &rows, now).await?;
    let items = rows.into_iter().filter_map(|row| {
        // A row whose comment or site went away between two reads is left out.
        let comment = around.comments.get(&row.comment)?.clone();
        let thread = around.threads.get(&row.thread)?.clone();
        let site = sites.iter().find(|site| site.id == row.site)?;
        let author = row.author;
        let record = around
            .records
            .get(&(row.site, author.clone()))
            .cloned()
            .unwrap_or_default();
        let explanation = around.explanations.remove(&row.comment)?;
        let ancestors = around.above(&comment);
        Some(QueueItem {
            parent: ancestors.last().cloned(),
            ancestors,
            comment: comment.into(),
            site: site.slug.clone(),
            queue: row.queue,
            priority: row.priority,
            highlights: explanation.highlights,
            quotes: explanation.quotes,
            thread: ThreadView::new(thread, site, None, now),
            author_history: AuthorHistory {
                published: record.published,
                hidden: record.hidden,
                sanctions: around
                    .sanctions
                    .get(&(row.site, author))
                    .cloned()
                    .unwrap_or_default(),
            },
            duplicates: row.cluster.and_then(|cluster| {
                let count = *around.clusters.get(&cluster)?;
                (count > 1).then_some(Copies { cluster, count })
            }),
            reports: around.reports.remove(&row.comment).unwrap_or_default(),
            appeals: around.appeals.remove(&row.comment).unwrap_or_default(),
            claim: row.claim.filter(|claim| claim.until > now),
        })
    });
    Ok(items.collect())
}
