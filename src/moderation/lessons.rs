//! The decisions of moderators, read as lessons.
//!
//! They are read page by page, each page with a statement of its own, so that nobody waits for a training.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};

use uuid::Uuid;
use xxhash_rust::xxh3::xxh3_64;

use super::{Administration, Error};
use crate::{
    classifier::training::{Lesson, Progress},
    domain::{Action, DecisionId, SiteId, SiteSlug, Timestamp, taught},
    store::{Db, DecidedComment, PublishedCopy},
};

/// Decisions read at a time.
const PAGE: usize = 500;
/// Lessons of either kind that are learned from, at most: against a comment, or not.
const MOST_OF_A_KIND: usize = 100_000;
/// Copies of either kind that are lessons, at most.
const MOST_COPIES: u32 = 50;

/// What there is to learn from.
#[derive(Debug, Default)]
pub(super) struct Lessons {
    /// In the order in which they were decided.
    pub decided: Vec<Lesson>,
    /// How many comments arrived since the first of these decisions was made.
    pub received: Option<u64>,
    /// Decisions that teach something, and are not among these as there are so many.
    pub left_aside: u64,
}

impl Administration {
    /// The decisions that stand, as lessons.
    pub(super) async fn lessons(
        &self,
        site: Option<&SiteSlug>,
        progress: &dyn Progress,
    ) -> Result<Lessons, Error> {
        let sites = self.sites_named(site).await?;
        let sites: Vec<SiteId> = sites.iter().map(|site| site.id).collect();
        let decided = {
            let mut conn = self.store.read().await?;
            conn.db().count_decided(&sites).await?
        };
        progress.stage("decisions", decided.cast_unsigned());
        let mut newest = Newest::new(MOST_OF_A_KIND);
        let mut turns = {
            let mut conn = self.store.read().await?;
            Turns::begin(&mut conn.db(), &sites).await?
        };
        loop {
            // A connection for each page: nobody is kept waiting in between.
            let mut conn = self.store.read().await?;
            let mut db = conn.db();
            let next = turns.next(&mut db).await?;
            if next.is_empty() {
                break;
            }
            let page = db.decided_comments(&next).await?;
            // Only of what was hidden is it asked whether somebody published it.
            let hidden = page.iter().filter(|decided| decided.action == Action::Hide);
            let clusters = hidden.filter_map(|decided| decided.cluster);
            let published = published(db.published_copies(clusters).await?);
            progress.advance(page.len() as u64);
            for decided in page {
                let cluster = decided.cluster;
                if let Some(lesson) = lesson(decided, &published) {
                    newest.add(lesson, cluster);
                }
            }
        }
        let (lessons, left_aside) = newest.finish();
        let received = match lessons.first() {
            Some(first) => {
                let first = Timestamp::from_millis(first.at);
                let mut conn = self.store.read().await?;
                let received = conn.db().count_received(&sites, first).await?;
                Some(received.cast_unsigned())
            }
            None => None,
        };
        Ok(Lessons {
            decided: lessons,
            received,
            left_aside,
        })
    }
}

/// The decisions of several sites in one order of time. Each site's are read by themselves, as its index has them.
struct Turns {
    sites: Vec<Turn>,
    /// The first of each site that is still to come.
    next: BinaryHeap<Reverse<(Timestamp, DecisionId, usize)>>,
}

struct Turn {
    site: SiteId,
    last: Option<(Timestamp, DecisionId)>,
    ahead: VecDeque<(Timestamp, DecisionId)>,
}

impl Turns {
    async fn begin(db: &mut Db<'_>, sites: &[SiteId]) -> Result<Self, Error> {
        let turn = |site: &SiteId| Turn {
            site: *site,
            last: None,
            ahead: VecDeque::new(),
        };
        let mut turns = Self {
            sites: sites.iter().map(turn).collect(),
            next: BinaryHeap::new(),
        };
        for at in 0..sites.len() {
            // Of many sites most have few decisions.
            turns.queue(db, at, PAGE / sites.len() + 1).await?;
        }
        Ok(turns)
    }

    /// Puts the next decision of a site in its place.
    async fn queue(&mut self, db: &mut Db<'_>, at: usize, page: usize) -> Result<(), Error> {
        let turn = &mut self.sites[at];
        if turn.ahead.is_empty() {
            let read = db.decisions_of(turn.site, turn.last, page as i64).await?;
            turn.ahead.extend(read);
        }
        if let Some((when, decision)) = turn.ahead.pop_front() {
            turn.last = Some((when, decision));
            self.next.push(Reverse((when, decision, at)));
        }
        Ok(())
    }

    /// The next decisions, at most a page of them; none where there are no more.
    async fn next(&mut self, db: &mut Db<'_>) -> Result<Vec<DecisionId>, Error> {
        let mut next = Vec::new();
        while next.len() < PAGE {
            let Some(Reverse((_, decision, at))) = self.next.pop() else {
                break;
            };
            next.push(decision);
            self.queue(db, at, PAGE).await?;
        }
        Ok(next)
    }
}

/// As many lessons as memory is for: the newest of those against a comment, and of the others as many, evenly spread over the
/// same time, so that no topic of a day is learned as the mark of one kind. Copies are one lesson in the end: of a raid of
/// them no more are kept than tell that, so that it takes nobody's place.
struct Newest {
    most: usize,
    seen: u64,
    against: VecDeque<Lesson>,
    others: VecDeque<Lesson>,
    /// Of each cluster of copies, how many of either kind were met.
    copies: HashMap<(Uuid, bool), u32>,
    /// Of the others, those are kept whose number is at most this.
    kept_to: u64,
}

impl Newest {
    fn new(most: usize) -> Self {
        Self {
            most,
            seen: 0,
            against: VecDeque::new(),
            others: VecDeque::new(),
            copies: HashMap::new(),
            kept_to: u64::MAX,
        }
    }

    /// A number of the lesson's own, any of all.
    fn number(lesson: &Lesson) -> u64 {
        xxh3_64(lesson.id.as_bytes())
    }

    /// Adds a lesson that is newer than all before it.
    fn add(&mut self, lesson: Lesson, cluster: Option<Uuid>) {
        self.seen += 1;
        if let Some(cluster) = cluster {
            let met = self
                .copies
                .entry((cluster, lesson.is_against()))
                .or_default();
            *met += 1;
            if *met > MOST_COPIES {
                return;
            }
        }
        if lesson.is_against() {
            self.against.push_back(lesson);
            if self.against.len() > self.most {
                self.against.pop_front();
                let first = self.against.front().map(|first| first.at);
                while self.others.front().map(|other| other.at) < first && !self.others.is_empty() {
                    self.others.pop_front();
                }
            }
        } else if Self::number(&lesson) <= self.kept_to {
            self.others.push_back(lesson);
            if self.others.len() > self.most {
                self.kept_to /= 2;
                let kept_to = self.kept_to;
                self.others.retain(|other| Self::number(other) <= kept_to);
            }
        }
    }

    /// The lessons in the order of time, and how many are not among them.
    fn finish(self) -> (Vec<Lesson>, u64) {
        let mut lessons: Vec<Lesson> = self.against.into();
        lessons.extend(self.others);
        lessons.sort_by_key(|lesson| lesson.at);
        let left_aside = self.seen - lessons.len() as u64;
        (lessons, left_aside)
    }
}

/// Published copies by cluster.
fn published(copies: Vec<PublishedCopy>) -> HashMap<Uuid, Vec<PublishedCopy>> {
    let mut published: HashMap<Uuid, Vec<PublishedCopy>> = HashMap::new();
    for copy in copies {
        published.entry(copy.cluster_id).or_default().push(copy);
    }
    published
}

/// What a decision teaches; none where that is nothing.
fn lesson(
    decided: DecidedComment,
    published: &HashMap<Uuid, Vec<PublishedCopy>>,
) -> Option<Lesson> {
    let labels = taught(
        decided.action,
        decided.reason,
        &decided.labels,
        &decided.reasons,
    );
    if labels.iter().all(|(_, label)| label.is_none()) {
        return None;
    }
    let copies = decided.cluster.and_then(|cluster| published.get(&cluster));
    let copies_published = copies
        .into_iter()
        .flatten()
        .any(|copy| copy.author_id != decided.author && copy.since < decided.created_at.millis());
    Some(Lesson {
        id: decided.comment.to_string(),
        text: decided.text,
        parent: decided.parent,
        lang: decided.lang.unwrap_or_default(),
        thread: decided.thread.to_string(),
        moderator: decided.moderator,
        at: decided.at.millis(),
        labels,
        copies_published,
        split: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Label, PerLabel};

    fn newest(most: usize, all: u32, is_against: impl Fn(u32) -> bool) -> (Vec<Lesson>, u64) {
        newest_of(most, all, is_against, |_| None)
    }

    fn newest_of(
        most: usize,
        all: u32,
        is_against: impl Fn(u32) -> bool,
        cluster: impl Fn(u32) -> Option<Uuid>,
    ) -> (Vec<Lesson>, u64) {
        let mut newest = Newest::new(most);
        for at in 0..all {
            let against = is_against(at);
            let lesson = Lesson {
                id: at.to_string(),
                text: String::new(),
                parent: None,
                lang: String::new(),
                thread: String::new(),
                moderator: String::new(),
                at: at.into(),
                labels: PerLabel::from_fn(|label| Some(against && label == Label::Insult)),
                copies_published: false,
                split: None,
            };
            newest.add(lesson, cluster(at));
        }
        newest.finish()
    }

    #[test]
    fn few_are_all_learned_from() {
        let (lessons, left_aside) = newest(100, 150, |at| at % 3 == 0);
        assert_eq!((lessons.len(), left_aside), (150, 0));
        assert!(lessons.is_sorted_by_key(|lesson| lesson.at));
    }

    #[test]
    fn of_many_the_newest_are_and_both_kinds_from_the_same_time() {
        let (lessons, left_aside) = newest(1_000, 40_000, |at| at % 10 == 0);
        let (against, others): (Vec<_>, Vec<_>) = lessons.iter().partition(|one| one.is_against());
        assert_eq!((against.len(), against[0].at), (1_000, 30_000));
        assert!((500..=1_000).contains(&others.len()), "{}", others.len());
        assert!(others.iter().all(|other| other.at >= 30_000));
        let early = others.iter().filter(|other| other.at < 35_000).count();
        assert!(early * 3 > others.len() && early * 3 < 2 * others.len());
        assert_eq!(left_aside, 40_000 - lessons.len() as u64);
    }

    #[test]
    fn a_raid_of_copies_takes_nobodys_place() {
        let raid = Uuid::from_u128(7);
        let (lessons, _) = newest_of(
            1_000,
            20_000,
            |at| at >= 900 || at % 2 == 0,
            |at| (at >= 900).then_some(raid),
        );
        assert_eq!(lessons.len(), 900 + MOST_COPIES as usize);
    }

    #[test]
    fn nothing_is_nothing() {
        let (lessons, left_aside) = newest(10, 0, |_| true);
        assert_eq!((lessons.len(), left_aside), (0, 0));
    }
}
