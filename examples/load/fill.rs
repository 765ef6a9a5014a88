//! Fills threads and databases, by the one way in that there is.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use hyper::body::Bytes;

use crate::{
    client::{Client, Target},
    corpus::{Corpus, Tone},
    drive::{self, Source},
    meter::{Cost, Meter},
    traffic::{Draft, Kind, Traffic},
};

/// How often is said how far one is.
const SAYS_EVERY: Duration = Duration::from_secs(10);
/// Of the comments that are to wait, those that do for what they say; the others are in threads where all do.
const HARSH_SHARE: f64 = 0.8;

/// A number of comments in one thread, all of them such that readers see them.
struct Visible {
    traffic: Traffic,
    wanted: usize,
    under_way: usize,
    published: usize,
}

impl Source for Visible {
    fn next(&mut self) -> anyhow::Result<Option<Draft>> {
        if self.published + self.under_way >= self.wanted {
            return Ok(None);
        }
        self.under_way += 1;
        self.traffic.draft(Kind::Text(Tone::Calm)).map(Some)
    }

    fn answered(&mut self, draft: &Draft, status: u16, body: &[u8]) {
        self.under_way -= 1;
        if status == 201 {
            self.published += 1;
            self.traffic.published(draft, body);
        }
    }
}

/// Posts to a thread until readers see so many comments there.
pub async fn fill_thread(
    target: &Target,
    corpus: &Arc<Corpus>,
    seed: u64,
    key: &str,
    comments: usize,
) -> anyhow::Result<()> {
    let source = Rc::new(RefCell::new(Visible {
        traffic: Traffic::in_thread(corpus, seed, comments, key)?,
        wanted: comments,
        under_way: 0,
        published: 0,
    }));
    // What was held is made up for in another round.
    for _ in 0..100 {
        drive::post(target, 8, &source, None, None).await?;
        if source.borrow().published == comments {
            return Ok(());
        }
    }
    anyhow::bail!("the server publishes hardly anything in {key}")
}

/// How a database is to grow.
#[derive(Debug, Clone, Copy)]
pub struct Growth {
    pub comments: usize,
    /// How many of them are to wait for a moderator.
    pub waiting: usize,
    /// How often one text is posted. The copies wait, and are among `waiting`.
    pub copies: usize,
}

/// What came of it.
#[derive(Debug, Clone, Default)]
pub struct Grown {
    pub stored: usize,
    pub waiting: usize,
    /// Why those that are no copies of the one text wait.
    pub reasons: BTreeMap<&'static str, usize>,
    pub seconds: f64,
    pub cost: Cost,
}

/// Posts towards that growth, steering by what the server holds.
struct Growing {
    traffic: Traffic,
    growth: Growth,
    drafted: usize,
    copied: usize,
    grown: Grown,
    begun: Instant,
    said: Instant,
}

impl Growing {
    /// What to post next, so that what is left comes out as it should.
    fn kind(&mut self) -> Kind {
        let left = (self.growth.comments - self.drafted) as f64;
        let copies_left = (self.growth.copies - self.copied) as f64;
        if self.traffic.rng().chance(copies_left / left) {
            return Kind::Copy;
        }
        let to_wait = self.growth.waiting as f64 - self.grown.waiting as f64 - copies_left;
        if !self.traffic.rng().chance(to_wait / (left - copies_left)) {
            Kind::Text(Tone::Calm)
        } else if self.traffic.rng().chance(HARSH_SHARE) {
            Kind::Text(Tone::Harsh)
        } else {
            Kind::Held
        }
    }

    fn say(&mut self) {
        if self.said.elapsed() < SAYS_EVERY {
            return;
        }
        self.said = Instant::now();
        let Grown {
            stored, waiting, ..
        } = self.grown;
        let rate = stored as f64 / self.begun.elapsed().as_secs_f64();
        eprintln!(
            "{stored} of {} comments, {waiting} waiting, {rate:.0} a second, {:.0} s left",
            self.growth.comments,
            (self.growth.comments - stored) as f64 / rate
        );
    }
}

const REASONS: [&str; 9] = [
    "toxicity",
    "insult",
    "threat",
    "identity_attack",
    "profanity",
    "spam",
    "duplicate",
    "links",
    "premoderation",
];

impl Source for Growing {
    fn next(&mut self) -> anyhow::Result<Option<Draft>> {
        if self.drafted >= self.growth.comments {
            return Ok(None);
        }
        let kind = self.kind();
        self.drafted += 1;
        self.copied += usize::from(kind == Kind::Copy);
        self.traffic.draft(kind).map(Some)
    }

    fn answered(&mut self, draft: &Draft, status: u16, body: &[u8]) {
        match status {
            201 => self.traffic.published(draft, body),
            202 => {
                self.grown.waiting += 1;
                if draft.kind != Kind::Copy {
                    let body = String::from_utf8_lossy(body);
                    for reason in REASONS {
                        if body.contains(&format!("\"code\":\"{reason}\"")) {
                            *self.grown.reasons.entry(reason).or_default() += 1;
                        }
                    }
                }
            }
            _ => return,
        }
        self.grown.stored += 1;
        self.say();
    }
}

/// Fills an empty database.
pub async fn grow(
    target: &Target,
    corpus: &Arc<Corpus>,
    seed: u64,
    clients: usize,
    growth: Growth,
    meter: &Meter,
) -> anyhow::Result<Grown> {
    let mut client = Client::new(target);
    for key in Traffic::held_threads() {
        let held = Bytes::from_static(br#"{"mode": "pre"}"#);
        let answer = client.put(&format!("/v1/threads/{key}"), held).await?;
        anyhow::ensure!(answer.status / 100 == 2, "PUT {key}: {}", answer.status);
    }
    let source = Rc::new(RefCell::new(Growing {
        traffic: Traffic::new(corpus, seed, growth.comments)?,
        growth,
        drafted: 0,
        copied: 0,
        grown: Grown::default(),
        begun: Instant::now(),
        said: Instant::now(),
    }));
    let tally = drive::post(target, clients, &source, None, Some(meter)).await?;
    anyhow::ensure!(tally.odd() == 0, "{} comments were not stored", tally.odd());
    let mut grown = source.borrow().grown.clone();
    grown.seconds = tally.seconds;
    grown.cost = tally.cost;
    Ok(grown)
}
