//! Comments as a site sends them: many threads of which few are busy, many readers of whom few write much, replies to
//! what was said lately, and every field that a site knows.

use std::sync::Arc;

use hyper::{Uri, body::Bytes};
use serde::Serialize;
use uuid::Uuid;

use crate::{
    corpus::{Corpus, Tone},
    rng::Rng,
};

/// Share of comments that answer another, where there is one to answer.
const REPLY_SHARE: f64 = 0.55;
/// The deepest reply: threads of our samples go six levels deep, and a tree shows ten unless asked for more.
const MAX_DEPTH: u8 = 8;
/// How many comments of a thread are remembered to be answered, and texts to be posted again.
const REMEMBERED: usize = 16;
const REMEMBERED_TEXTS: usize = 1000;
/// How many comments a reader writes, on average, if so many are written as were announced.
const COMMENTS_PER_READER: usize = 20;
const COMMENTS_PER_THREAD: usize = 100;
/// Threads in which every comment waits.
const HELD_THREADS: usize = 20;

/// What is posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text(Tone),
    /// A text in a thread in which every comment waits.
    Held,
    /// A text posted lately, to the letter.
    Repeat,
    /// The one text that is posted over and over.
    Copy,
    /// That text with one word in twelve changed.
    NearCopy,
}

/// A comment ready to be sent.
pub struct Draft {
    pub kind: Kind,
    pub uri: Uri,
    pub json: Bytes,
    thread: usize,
    depth: u8,
}

/// A place to post to, and what was said there lately.
struct Thread {
    uri: Uri,
    recent: Vec<(Uuid, u8)>,
}

pub struct Traffic {
    corpus: Arc<Corpus>,
    rng: Rng,
    /// First those of the kinds that are judged, then those in which every comment waits.
    threads: Vec<Thread>,
    readers: usize,
    copied: String,
    recent: Vec<String>,
    /// Makes external ids of this run unlike those of another.
    run: Uuid,
    posted: u64,
}

#[derive(Serialize)]
struct Comment<'a> {
    body: &'a str,
    author: Author<'a>,
    parent_id: Option<Uuid>,
    external_id: String,
}

#[derive(Serialize)]
struct Author<'a> {
    id: String,
    name: &'a str,
    email: String,
    ip: String,
}

impl Traffic {
    /// Traffic of about so many comments.
    pub fn new(corpus: &Arc<Corpus>, seed: u64, comments: usize) -> anyhow::Result<Self> {
        let threads = (comments / COMMENTS_PER_THREAD).max(20);
        let mut traffic = Self::in_thread(corpus, seed, comments, "thread-0")?;
        for number in 1..threads {
            traffic
                .threads
                .push(Thread::new(&format!("thread-{number}"))?);
        }
        for key in Self::held_threads() {
            traffic.threads.push(Thread::new(&key)?);
        }
        Ok(traffic)
    }

    /// Traffic in one thread.
    pub fn in_thread(
        corpus: &Arc<Corpus>,
        seed: u64,
        comments: usize,
        key: &str,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            corpus: Arc::clone(corpus),
            rng: Rng::new(seed),
            threads: vec![Thread::new(key)?],
            readers: (comments / COMMENTS_PER_READER).max(50),
            copied: corpus.text_of(300, false, &mut Rng::new(!seed)),
            recent: Vec::new(),
            run: Uuid::now_v7(),
            posted: 0,
        })
    }

    /// The keys of the threads in which every comment is to wait.
    pub fn held_threads() -> impl Iterator<Item = String> {
        (0..HELD_THREADS).map(|number| format!("held-{number}"))
    }

    pub fn rng(&mut self) -> &mut Rng {
        &mut self.rng
    }

    /// Goes on with texts that no run has posted before.
    pub fn reseed(&mut self) {
        self.rng = Rng::new(self.run.as_u64_pair().1);
    }

    pub fn draft(&mut self, kind: Kind) -> anyhow::Result<Draft> {
        let rng = &mut self.rng;
        let body = match kind {
            Kind::Text(tone) => self.corpus.text(tone, rng),
            Kind::Held => self.corpus.text(Tone::Natural, rng),
            Kind::Repeat if self.recent.is_empty() => self.corpus.text(Tone::Natural, rng),
            Kind::Repeat => self.recent[rng.below(self.recent.len())].clone(),
            Kind::Copy => self.copied.clone(),
            Kind::NearCopy => self.corpus.near_copy(&self.copied, rng),
        };
        let judged = self.threads.len().saturating_sub(HELD_THREADS).max(1);
        let thread = match kind {
            Kind::Held => (judged + rng.below(HELD_THREADS)).min(self.threads.len() - 1),
            _ => rng.popular(judged),
        };
        let recent = &self.threads[thread].recent;
        let parent = (!recent.is_empty() && rng.chance(REPLY_SHARE))
            .then(|| recent[rng.below(recent.len())])
            .filter(|(_, depth)| *depth < MAX_DEPTH);
        let reader = rng.popular(self.readers);
        self.posted += 1;
        let comment = Comment {
            body: &body,
            author: Author {
                id: format!("reader-{reader}"),
                name: self.corpus.name(reader),
                email: format!("reader-{reader}@readers.example"),
                ip: format!(
                    "10.{}.{}.{}",
                    reader >> 16 & 255,
                    reader >> 8 & 255,
                    reader & 255
                ),
            },
            parent_id: parent.map(|(id, _)| id),
            external_id: format!("{}-{}", self.run.simple(), self.posted),
        };
        let json = serde_json::to_vec(&comment)?.into();
        if matches!(kind, Kind::Text(_)) {
            if self.recent.len() < REMEMBERED_TEXTS {
                self.recent.push(body);
            } else {
                let at = self.rng.below(REMEMBERED_TEXTS);
                self.recent[at] = body;
            }
        }
        Ok(Draft {
            kind,
            uri: self.threads[thread].uri.clone(),
            json,
            thread,
            depth: parent.map_or(0, |(_, depth)| depth + 1),
        })
    }

    /// Notes a published comment, which may be answered from now on.
    pub fn published(&mut self, draft: &Draft, answer: &[u8]) {
        let Some(id) = id_of(answer) else { return };
        let recent = &mut self.threads[draft.thread].recent;
        if recent.len() < REMEMBERED {
            recent.push((id, draft.depth));
        } else {
            recent[self.rng.below(REMEMBERED)] = (id, draft.depth);
        }
    }
}

impl Thread {
    fn new(key: &str) -> anyhow::Result<Self> {
        Ok(Self {
            uri: format!("/v1/threads/{key}/comments").parse()?,
            recent: Vec::new(),
        })
    }
}

/// The id of the comment in an answer, without reading the rest of it.
fn id_of(answer: &[u8]) -> Option<Uuid> {
    const LEAD: &[u8] = b"\"id\":\"";
    let begin = answer
        .windows(LEAD.len())
        .position(|window| window == LEAD)?
        + LEAD.len();
    Uuid::try_parse_ascii(answer.get(begin..begin + 36)?).ok()
}
