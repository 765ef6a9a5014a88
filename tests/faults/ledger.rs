//! What was posted and what was answered, and whether the server still knows the same.

use std::{
    collections::HashMap,
    fmt::Write as _,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use reqwest::Method;
use serde_json::json;

use crate::{
    books::Books,
    harness::{
        Answer, Client, Dice, Newspaper, Silence, THREAT, at_once, comment, eventually, id, say,
    },
    program::{PATIENCE, Server},
};

/// By what the site makes sure that a repeated post is stored once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Twin {
    ExternalId,
    IdempotencyKey,
}

/// A comment to post, known again by a mark in its text.
#[derive(Debug, Clone)]
pub struct Post {
    pub thread: String,
    pub mark: String,
    pub twin: Twin,
    body: String,
}

impl Post {
    /// A comment of a random kind: most are calm, some must wait for a moderator, some repeat an earlier text.
    pub fn any(dice: &mut Dice, thread: &str, mark: &str) -> Self {
        let words = match dice.below(8) {
            0 => THREAT.to_owned(),
            1 => {
                "Le pont est encore fermé ce matin, prenez par le marché ou par la route du fleuve."
                    .to_owned()
            }
            _ => dice.words(14),
        };
        let twin = match dice.below(4) {
            0 => Twin::IdempotencyKey,
            _ => Twin::ExternalId,
        };
        Self {
            thread: thread.to_owned(),
            mark: mark.to_owned(),
            twin,
            body: format!("{words} [{mark}]"),
        }
    }

    /// A calm comment of several thousand characters.
    pub fn long(dice: &mut Dice, thread: &str, mark: &str) -> Self {
        Self {
            thread: thread.to_owned(),
            mark: mark.to_owned(),
            twin: Twin::ExternalId,
            body: format!("{} [{mark}]", dice.words(1_000)),
        }
    }

    pub async fn send(&self, site: &Client) -> Result<Answer, Silence> {
        let mut body = comment(&format!("a-{}", self.mark), &self.body);
        let path = format!("/v1/threads/{}/comments", self.thread);
        let mut request = site.request(Method::POST, &path);
        match self.twin {
            Twin::ExternalId => body["external_id"] = json!(self.mark),
            Twin::IdempotencyKey => request = request.header("idempotency-key", &self.mark),
        }
        site.try_send(request.json(&body)).await
    }
}

/// One post and what came of it.
#[derive(Debug, Clone)]
pub struct Entry {
    pub post: Post,
    pub outcome: Result<Answer, Silence>,
}

impl Entry {
    /// The id under which the server said that it is stored.
    pub fn acknowledged(&self) -> Option<&str> {
        let answer = self.outcome.as_ref().ok()?;
        answer.is_success().then(|| id(&answer.body))
    }

    /// Whether the server said that nothing was stored.
    fn refused(&self) -> bool {
        self.outcome.as_ref().is_ok_and(|answer| {
            !answer.is_success() && answer.body["type"] != "urn:palabre:problem:uncertain"
        })
    }
}

/// Writers who post one comment after the other until they are stopped, or the server is gone.
pub struct Load {
    stop: Arc<AtomicBool>,
    acknowledged: Arc<AtomicUsize>,
    refused: Arc<AtomicUsize>,
    writers: Vec<tokio::task::JoinHandle<Vec<Entry>>>,
}

impl Load {
    /// One writer for each client. Marks begin with `name`; the comments go to `threads` in turn.
    pub fn start(clients: Vec<Client>, name: &str, threads: &[&str]) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let acknowledged = Arc::new(AtomicUsize::new(0));
        let refused = Arc::new(AtomicUsize::new(0));
        let writers = clients.into_iter().enumerate().map(|(writer, client)| {
            let (stop, acknowledged, refused) =
                (stop.clone(), acknowledged.clone(), refused.clone());
            let name = format!("{name}-{writer}");
            let threads: Vec<String> = threads.iter().map(|&thread| thread.to_owned()).collect();
            tokio::spawn(async move {
                let mut dice = Dice::of(&name);
                let mut entries = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let number = entries.len();
                    let thread = &threads[number % threads.len()];
                    let post = Post::any(&mut dice, thread, &format!("{name}-{number}"));
                    let outcome = post.send(&client).await;
                    match &outcome {
                        Ok(answer) if answer.is_success() => {
                            acknowledged.fetch_add(1, Ordering::Relaxed);
                        }
                        Ok(_) => {
                            refused.fetch_add(1, Ordering::Relaxed);
                            // A site that is refused does not ask again at once.
                            tokio::time::sleep(Duration::from_millis(200)).await;
                        }
                        Err(_) => {}
                    }
                    let gone = matches!(outcome, Err(Silence::Gone(_)));
                    entries.push(Entry { post, outcome });
                    if gone {
                        break;
                    }
                }
                entries
            })
        });
        Self {
            writers: writers.collect(),
            stop,
            acknowledged,
            refused,
        }
    }

    pub fn acknowledged(&self) -> usize {
        self.acknowledged.load(Ordering::Relaxed)
    }

    pub async fn until_acknowledged(&self, count: usize) {
        until(&self.acknowledged, count, "posts acknowledged").await;
    }

    pub async fn until_refused(&self, count: usize) {
        until(&self.refused, count, "posts refused").await;
    }

    /// What the writers did, once the server is gone.
    pub async fn end(self) -> Vec<Entry> {
        let mut entries = Vec::new();
        for writer in self.writers {
            entries.extend(writer.await.unwrap());
        }
        entries
    }

    /// Tells the writers to stop; what they did.
    pub async fn stop(self) -> Vec<Entry> {
        self.stop.store(true, Ordering::Relaxed);
        self.end().await
    }
}

async fn until(counter: &AtomicUsize, count: usize, what: &str) {
    let what = format!("{count} {what}");
    eventually(&what, PATIENCE, || async {
        (counter.load(Ordering::Relaxed) >= count).then_some(())
    })
    .await;
}

/// What is wrong with a comment after the fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    /// It was acknowledged, and is not there.
    Lost,
    /// It is there more than once.
    Doubled,
    /// It was refused, and is there.
    Slipped,
    /// A repetition was not answered by the same comment.
    NotKnownAgain,
    /// It is there, and a look-up by its external id does not find it.
    NotFound,
}

/// The sum of a fault.
#[derive(Debug, Default)]
pub struct Tally {
    posted: usize,
    acknowledged: usize,
    refused: usize,
    /// Posts whose fate the client did not know, and how many of them turned out to be stored.
    open: usize,
    open_stored: usize,
    wrong: Vec<(Wrong, String)>,
    halves: Vec<String>,
}

impl Tally {
    pub fn add(&mut self, other: Self) {
        self.posted += other.posted;
        self.acknowledged += other.acknowledged;
        self.refused += other.refused;
        self.open += other.open;
        self.open_stored += other.open_stored;
        self.wrong.extend(other.wrong);
        self.halves.extend(other.halves);
    }

    /// Says the counts, and fails if anything is wrong.
    #[track_caller]
    pub fn settle(&self, what: &str) {
        let count = |kind| {
            self.wrong
                .iter()
                .filter(|(wrong, _)| *wrong == kind)
                .count()
        };
        let sum = format!(
            "{what}: {} posted, {} acknowledged, {} refused, {} without an answer ({} of them stored): \
             {} lost, {} doubled, {} stored though refused, {} not known again, {} not found, {} half-written",
            self.posted,
            self.acknowledged,
            self.refused,
            self.open,
            self.open_stored,
            count(Wrong::Lost),
            count(Wrong::Doubled),
            count(Wrong::Slipped),
            count(Wrong::NotKnownAgain),
            count(Wrong::NotFound),
            self.halves.len()
        );
        say(&sum);
        assert!(self.acknowledged > 0, "{sum}");
        if self.wrong.is_empty() && self.halves.is_empty() {
            return;
        }
        let mut message = sum;
        for (wrong, post) in self.wrong.iter().take(8) {
            let _ = write!(message, "\n{wrong:?}: {post}");
        }
        for half in &self.halves {
            let _ = write!(message, "\n{half}");
        }
        panic!("{message}");
    }
}

/// Everything in these threads, by the mark in its text.
async fn stored(moderator: &Client, threads: &[String]) -> HashMap<String, Vec<String>> {
    let mut stored: HashMap<String, Vec<String>> = HashMap::new();
    for thread in threads {
        let path = format!("/v1/threads/{thread}/comments?view=flat&status=all&limit=10000");
        for item in moderator.all(&path).await {
            let body = item["body"].as_str().unwrap();
            if let Some((_, mark)) = body.rsplit_once('[') {
                let mark = mark.trim_end_matches(']').to_owned();
                stored.entry(mark).or_default().push(id(&item).to_owned());
            }
        }
    }
    stored
}

/// Compares what was answered with what is there; then posts everything once more, and compares again.
pub async fn reconcile(paper: &Newspaper, server: &Server, entries: &[Entry]) -> Tally {
    let mut tally = Tally {
        posted: entries.len(),
        ..Tally::default()
    };
    let mut threads: Vec<String> = entries
        .iter()
        .map(|entry| entry.post.thread.clone())
        .collect();
    threads.sort_unstable();
    threads.dedup();
    let moderator = paper.moderator(server);

    let before = stored(&moderator, &threads).await;
    for entry in entries {
        let mark = &entry.post.mark;
        let ids = before.get(mark).map_or(&[][..], Vec::as_slice);
        match entry.acknowledged() {
            Some(id) => {
                tally.acknowledged += 1;
                if !ids.iter().any(|stored| stored == id) {
                    tally.wrong.push((Wrong::Lost, format!("{entry:?}")));
                }
            }
            None if entry.refused() => {
                tally.refused += 1;
                if !ids.is_empty() {
                    tally.wrong.push((Wrong::Slipped, format!("{entry:?}")));
                }
            }
            None => {
                tally.open += 1;
                tally.open_stored += usize::from(!ids.is_empty());
            }
        }
        if ids.len() > 1 {
            tally.wrong.push((Wrong::Doubled, format!("{entry:?}")));
        }
    }

    let site = paper.site(server);
    let parts = entries.chunks(entries.len().div_ceil(8).max(1));
    let again = at_once(parts.map(|part| {
        let (part, site, before) = (part.to_vec(), site.clone(), before.clone());
        async move { repeat(&part, &site, &before).await }
    }))
    .await;
    tally.wrong.extend(again.into_iter().flatten());

    let after = stored(&moderator, &threads).await;
    for entry in entries {
        let times = after.get(&entry.post.mark).map_or(0, Vec::len);
        let before = before.get(&entry.post.mark).map_or(0, Vec::len);
        if times == 0 {
            tally
                .wrong
                .push((Wrong::Lost, format!("after posting again: {entry:?}")));
        } else if times > before.max(1) {
            tally
                .wrong
                .push((Wrong::Doubled, format!("by posting again: {entry:?}")));
        }
    }

    let mut books = Books::open(&paper.database_url).await;
    tally.halves = books.halves().await;
    books.close().await;
    tally
}

/// Posts everything once more: what was stored must be answered by the comment that is there.
async fn repeat(
    entries: &[Entry],
    site: &Client,
    before: &HashMap<String, Vec<String>>,
) -> Vec<(Wrong, String)> {
    let mut wrong = Vec::new();
    for entry in entries {
        let answer = match entry.post.send(site).await {
            Ok(answer) if answer.is_success() => answer,
            other => {
                wrong.push((Wrong::NotKnownAgain, format!("{entry:?} again: {other:?}")));
                continue;
            }
        };
        let Some(ids) = before.get(&entry.post.mark) else {
            continue;
        };
        if entry.post.twin == Twin::ExternalId {
            let path = format!("/v1/comments?external_id={}", entry.post.mark);
            let found = site.all(&path).await;
            if found.iter().map(id).ne(ids.iter().map(String::as_str)) {
                wrong.push((
                    Wrong::NotFound,
                    format!("{found:?} instead of {ids:?}: {entry:?}"),
                ));
            }
        }
        let same = ids.iter().any(|stored| stored == id(&answer.body));
        let known = match entry.post.twin {
            Twin::ExternalId => answer.status == 200,
            Twin::IdempotencyKey => answer.header("idempotent-replayed") == Some("true"),
        };
        let as_before = match (&entry.outcome, entry.post.twin) {
            (Ok(first), Twin::IdempotencyKey) if first.is_success() => {
                (first.status, &first.body) == (answer.status, &answer.body)
            }
            _ => true,
        };
        if !(same && known && as_before) {
            wrong.push((Wrong::NotKnownAgain, format!("{entry:?} again: {answer:?}")));
        }
    }
    wrong
}
