//! One transaction of new comments: what their verdicts need is read by set, they are decided in the order in which
//! they came, each seeing those before it, and everything is written by set.

use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    sync::Arc,
};

use xxhash_rust::xxh3::xxh3_64;

use super::{
    CommentView, Error, Keyed, Submitted, Thing,
    appraisal::Appraisal,
    clock::Clock,
    duplicates::{self, Copies},
    idempotency::counted_since,
    queue, samples,
};
use crate::{
    domain::{
        AuthorId, AuthorStanding, Comment, CommentId, Credibility, Event, EventKind, ExternalId,
        NewAuthor, NewComment, QueueName, Site, SiteId, Status, Thread, ThreadChange, ThreadId,
        ThreadKey, ThreadStanding, Timestamp, decide,
    },
    store::{
        Db, Explanation, Fingerprinted, Parent, QueueRow, Remembered, SampledComment, StoreError,
        Writes,
    },
};

/// The deepest a reply may hang. Deeper chains are conversations of two that no page can show.
const MAX_DEPTH: u8 = 255;

/// A comment that is ready to be stored.
#[derive(Debug)]
pub(super) struct Arrival {
    pub site: Arc<Site>,
    pub thread: ThreadKey,
    /// What the thread is to be, should this be its first comment.
    pub thread_details: ThreadChange,
    /// There was no such thread when we looked.
    pub thread_is_new: bool,
    pub new: NewComment,
    pub appraisal: Appraisal,
    pub keyed: Option<Keyed>,
}

impl Arrival {
    /// The numbers by which this arrival and its twins lock one another out.
    fn lock_numbers(&self) -> impl Iterator<Item = i64> {
        let site = self.site.id;
        let text = duplicates::lock_number(site, &self.appraisal.assessment.fingerprint);
        let external = (self.new.external_id.as_ref())
            .map(|id| site.salt() ^ xxh3_64(id.as_str().as_bytes()).cast_signed());
        let key = (self.keyed.as_ref()).map(|keyed| xxh3_64(keyed.id.as_bytes()).cast_signed());
        let thread = (self.thread_is_new).then(|| thread_lock_number(site, &self.thread));
        [text, external, key, thread].into_iter().flatten()
    }
}

/// The number that whoever makes a thread holds, so that there is one of its key.
pub(super) fn thread_lock_number(site: SiteId, key: &ThreadKey) -> i64 {
    site.salt().rotate_left(1) ^ xxh3_64(key.as_str().as_bytes()).cast_signed()
}

/// Stores arrivals. What becomes of each, in their order.
pub(super) async fn take_in(
    db: &mut Db<'_>,
    arrivals: &[&Arrival],
    clock: &Clock,
) -> Result<Vec<Result<Submitted, Error>>, StoreError> {
    let numbers = arrivals.iter().flat_map(|arrival| arrival.lock_numbers());
    db.lock_numbers(numbers.collect()).await?;
    // Read once it is our turn to write, so that the order of times is that of commits wherever there is one writer.
    let now = clock.now();
    let mut round = Round::read(db, arrivals, now).await?;
    let outcomes = arrivals
        .iter()
        .enumerate()
        .map(|(at, arrival)| round.settle(at, arrival))
        .collect();
    round.write(db).await?;
    Ok(outcomes)
}

/// What is known, and what is to be written.
struct Round<'a> {
    now: Timestamp,
    remembered: HashMap<String, Remembered>,
    external: HashMap<(SiteId, ExternalId), CommentView>,
    threads: HashMap<(SiteId, &'a ThreadKey), Thread>,
    parents: HashMap<CommentId, Parent>,
    standing: HashMap<(SiteId, &'a AuthorId), AuthorStanding>,
    copies: Copies,

    new_threads: Vec<ThreadId>,
    authors: HashMap<(SiteId, &'a AuthorId), NewAuthor>,
    comments: Vec<(Comment, Explanation)>,
    fingerprints: Vec<Fingerprinted>,
    queue: Vec<(QueueRow, String)>,
    samples: Vec<SampledComment>,
    events: Vec<Event>,
    answers: Vec<Remembered>,
}

impl<'a> Round<'a> {
    async fn read(
        db: &mut Db<'_>,
        arrivals: &[&'a Arrival],
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let keys: Vec<&str> = arrivals
            .iter()
            .filter_map(|arrival| Some(arrival.keyed.as_ref()?.id.as_str()))
            .collect();
        let remembered = db.remembered(&keys, counted_since(now)).await?;

        let external: Vec<(SiteId, &ExternalId)> = arrivals
            .iter()
            .filter_map(|arrival| Some((arrival.site.id, arrival.new.external_id.as_ref()?)))
            .collect();
        let external = db.comments_by_external_ids(&external).await?;

        let keys: HashSet<(SiteId, &ThreadKey)> = arrivals
            .iter()
            .map(|arrival| (arrival.site.id, &arrival.thread))
            .collect();
        let mut keys: Vec<_> = keys.into_iter().collect();
        keys.sort_unstable_by_key(|(site, key)| (*site, key.as_str()));
        let mut known: HashMap<(SiteId, ThreadKey), Thread> = db
            .threads_by_keys(&keys)
            .await?
            .into_iter()
            .map(|thread| ((thread.site, thread.key.clone()), thread))
            .collect();
        let threads = keys
            .into_iter()
            .filter_map(|(site, key)| Some(((site, key), known.remove(&(site, key.clone()))?)))
            .collect();

        let mut parents: Vec<CommentId> = arrivals
            .iter()
            .filter_map(|arrival| arrival.new.parent)
            .collect();
        parents.sort_unstable();
        parents.dedup();
        let parents = db.parents(&parents).await?;

        let standing = standings(db, arrivals, now).await?;
        let texts: Vec<_> = arrivals
            .iter()
            .map(|arrival| (arrival.site.id, &arrival.appraisal.assessment.fingerprint))
            .collect();
        let copies = Copies::read(db, &texts, None).await?;
        Ok(Self {
            now,
            remembered: remembered
                .into_iter()
                .map(|first| (first.id.clone(), first))
                .collect(),
            external: external
                .into_iter()
                .filter_map(|comment| {
                    let key = (comment.site, comment.external_id.clone()?);
                    Some((key, comment.into()))
                })
                .collect(),
            threads,
            parents: parents
                .into_iter()
                .map(|parent| (parent.id, parent))
                .collect(),
            standing,
            copies,
            new_threads: Vec::new(),
            authors: HashMap::new(),
            comments: Vec::new(),
            fingerprints: Vec::new(),
            queue: Vec::new(),
            samples: Vec::new(),
            events: Vec::new(),
            answers: Vec::new(),
        })
    }

    /// What becomes of an arrival: what was answered to it before, or a comment.
    fn settle(&mut self, at: usize, arrival: &'a Arrival) -> Result<Submitted, Error> {
        let Some(keyed) = &arrival.keyed else {
            return self.accept(at, arrival);
        };
        if let Some(first) = self.remembered.get(&keyed.id) {
            return keyed.replay(first).map(Submitted::Replayed);
        }
        let submitted = self.accept(at, arrival)?;
        let first = keyed.answered(&submitted);
        self.remembered.insert(keyed.id.clone(), first.clone());
        self.answers.push(first);
        Ok(submitted)
    }

    fn accept(&mut self, at: usize, arrival: &'a Arrival) -> Result<Submitted, Error> {
        let Arrival {
            site,
            new,
            appraisal,
            ..
        } = arrival;
        let external = (new.external_id.as_ref()).map(|id| (site.id, id.clone()));
        if let Some(known) = external.as_ref().and_then(|key| self.external.get(key)) {
            return Ok(Submitted::Known(known.clone()));
        }
        let author = (site.id, &new.author.author.id);
        let standing = self.standing.get(&author).copied().unwrap_or_default();
        if standing.banned {
            return Err(Error::AuthorBanned);
        }
        let known_thread = self.threads.get(&(site.id, &arrival.thread));
        let thread = if let Some(thread) = known_thread {
            thread.clone()
        } else {
            let key = arrival.thread.clone();
            let mut thread = Thread::new(ThreadId::generate(), site.id, key, self.now);
            thread.apply(arrival.thread_details.clone());
            thread
        };
        let is_new = known_thread.is_none();
        if thread.closed || site.policy.closes_by_age(thread.created_at, self.now) {
            return Err(Error::ThreadClosed);
        }
        let depth = self.depth_below(&thread, new.parent)?;
        let fingerprint = &appraisal.assessment.fingerprint;
        let found = self.copies.find(at, site.id, fingerprint);
        let signals = appraisal.signals(&found);
        let mode = ThreadStanding { mode: thread.mode };
        let verdict = decide(&signals, &site.policy, standing, mode);

        let comment = Comment {
            id: CommentId::generate(),
            site: site.id,
            thread: thread.id,
            thread_key: thread.key.clone(),
            parent: new.parent,
            depth,
            external_id: new.external_id.clone(),
            author: new.author.author.clone(),
            body: new.body.clone(),
            status: verdict.status,
            created_at: self.now,
            edited_at: None,
            version: 1,
            changed_at: self.now,
            scores: signals.scores,
            reasons: verdict.reasons,
            duplicate_of: signals.duplicate_of,
            decision: None,
            appeal: None,
            model: appraisal.model.clone(),
        };
        if is_new {
            self.new_threads.push(thread.id);
            self.threads.insert((site.id, &arrival.thread), thread);
        }
        if comment.status == Status::Published {
            self.standing.entry(author).or_default().has_published = true;
        }
        match self.authors.entry(author) {
            Entry::Occupied(mut known) => known.get_mut().update(&new.author),
            Entry::Vacant(place) => {
                place.insert(new.author.clone());
            }
        }
        let event = |kind| Event {
            site: site.id,
            kind,
            comment: comment.id,
            at: self.now,
        };
        self.events.push(event(EventKind::CommentCreated));
        let sample = samples::draw(&comment, &site.policy, &signals.thresholds);
        let queue = match comment.status {
            Status::Pending => Some(QueueName::Waiting),
            _ => sample.map(|_| QueueName::Sampled),
        };
        self.samples.extend(sample);
        if let Some(queue) = queue {
            // Nobody has seen it, so nobody has reported it.
            let reports = Credibility::default();
            self.queue.push(queue::entry(
                &comment,
                queue,
                found.cluster,
                reports,
                self.now,
            ));
            self.events.push(event(EventKind::QueueAdded));
        }
        self.fingerprints
            .extend(self.copies.add(comment.id, site.id, fingerprint, found));
        let explanation = Explanation {
            highlights: appraisal.assessment.highlights.clone(),
            quotes: appraisal.assessment.quotes.clone(),
        };
        let view = CommentView::from(comment.clone());
        self.comments.push((comment, explanation));
        if let Some(key) = external {
            self.external.insert(key, view.clone());
        }
        Ok(Submitted::New(view))
    }

    /// How deep a reply to `parent` hangs in this thread.
    fn depth_below(&self, thread: &Thread, parent: Option<CommentId>) -> Result<u8, Error> {
        let Some(parent) = parent else {
            return Ok(0);
        };
        let parent = self
            .parents
            .get(&parent)
            .filter(|parent| parent.site == thread.site)
            .ok_or(Error::NotFound(Thing::Parent))?;
        if parent.thread != thread.id {
            return Err(Error::NotFound(Thing::ParentElsewhere));
        }
        if !parent.status.takes_replies() {
            return Err(Error::ParentGone);
        }
        if parent.depth == MAX_DEPTH {
            return Err(Error::TooDeep);
        }
        Ok(parent.depth + 1)
    }

    async fn write(self, db: &mut Db<'_>) -> Result<(), StoreError> {
        let threads =
            (self.threads.values()).filter(|thread| self.new_threads.contains(&thread.id));
        // In one order everywhere, so that two replicas never wait for one another.
        let mut authors: Vec<_> = self
            .authors
            .iter()
            .map(|((site, _), author)| (*site, author, self.now))
            .collect();
        authors.sort_unstable_by(|(site, a, _), (other, b, _)| {
            (site, a.author.id.as_str()).cmp(&(other, b.author.id.as_str()))
        });
        let writes = Writes::default()
            .threads(threads)
            .authors(authors)
            .comments(&self.comments)?
            .fingerprints(&self.fingerprints)
            .queue(&self.queue)?
            .samples(&self.samples)
            .events(&self.events)
            .answers(&self.answers, self.now);
        db.write(writes).await
    }
}

/// How the authors of these arrivals stand.
async fn standings<'a>(
    db: &mut Db<'_>,
    arrivals: &[&'a Arrival],
    now: Timestamp,
) -> Result<HashMap<(SiteId, &'a AuthorId), AuthorStanding>, StoreError> {
    let of = |arrival: &'a Arrival| (arrival.site.id, &arrival.new.author.author.id);
    let authors: HashSet<_> = arrivals.iter().map(|arrival| of(arrival)).collect();
    let authors: Vec<_> = authors.into_iter().collect();
    let mut standing = HashMap::new();
    for (at, kind) in db.sanctions_in_force(&authors, now).await? {
        standing
            .entry(authors[at])
            .or_insert_with(AuthorStanding::default)
            .add(kind);
    }
    // Asked only where a policy cares.
    let newcomers: HashSet<_> = arrivals
        .iter()
        .filter(|arrival| arrival.site.policy.hold_first_comment)
        .map(|arrival| of(arrival))
        .collect();
    let newcomers: Vec<_> = newcomers.into_iter().collect();
    for at in db.published_authors(&newcomers).await? {
        standing
            .entry(newcomers[at])
            .or_insert_with(AuthorStanding::default)
            .has_published = true;
    }
    Ok(standing)
}
