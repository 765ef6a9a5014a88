//! Items of the queue with everything that a card shows, read by set.

use std::collections::HashMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::{
    CommentView, ThreadView,
    appeals::{Warning, warnings},
    queue,
    view::Copies,
};
use crate::{
    domain::{
        Appeal, AuthorId, Caller, Claim, Comment, CommentId, Highlight, Priority, QueueName,
        Report, Sanction, Site, SiteId, SiteSlug, Span, Thread, ThreadId, Timestamp, Viewer,
    },
    store::{AuthorRecord, Db, Explanation, QueueRow, StoreError},
};

/// How many comments above an item a card shows.
const SHOWN_ANCESTORS: usize = 10;

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
    /// Who else looks at it just now.
    pub viewers: Vec<Viewer>,
    /// What whoever asks should think of before they decide.
    pub warnings: Vec<Warning>,
}

/// What is known of an author.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuthorHistory {
    pub published: i64,
    pub hidden: i64,
    pub sanctions: Vec<Sanction>,
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
    viewers: HashMap<CommentId, Vec<Viewer>>,
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
        let mut viewers: HashMap<CommentId, Vec<Viewer>> = HashMap::new();
        for (comment, viewer) in db.viewers(rows.iter().map(|row| row.comment), now).await? {
            viewers.entry(comment).or_default().push(viewer);
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
            viewers,
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
    caller: &Caller,
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
        let me = caller.subject.as_str();
        let mut viewers = around.viewers.remove(&row.comment).unwrap_or_default();
        viewers.retain(|viewer| viewer.by != me);
        Some(QueueItem {
            parent: ancestors.last().cloned(),
            ancestors,
            warnings: warnings(&comment, me),
            comment: queue::shown(comment, row.queue).into(),
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
            viewers,
        })
    });
    Ok(items.collect())
}
