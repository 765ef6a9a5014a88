//! What happens, told to whoever listens: one reader of the events for all of them.
//!
//! Whoever listens has new events looked for, four times a second in all however many listen, and all get them through one
//! bounded channel. Who listens again names the last event they saw; what came since is read from the database first, so that
//! nothing is missed, whichever replica they come to. Who does not read falls behind the channel and is cut off.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde::Serialize;
use tokio::{
    sync::{Mutex, broadcast},
    time::timeout,
};

use super::{Error, Moderation};
use crate::{
    domain::{Caller, SiteId},
    store::{EventPosition, Happened, Store},
};

/// How often whoever listens has new events looked for.
pub const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How many events may wait for somebody who is slow to read.
const CAPACITY: usize = 4096;
/// How many events are read at a time.
const STEP: i64 = 500;

/// Where events are handed out.
#[derive(Debug)]
pub(super) struct Live {
    sender: broadcast::Sender<Arc<Happened>>,
    /// Held while a reading goes on.
    reached: Mutex<Reached>,
}

/// How far events were handed out.
#[derive(Debug, Default)]
struct Reached {
    /// The last one; none before anybody listened.
    position: Option<EventPosition>,
    /// When they were last looked for.
    looked: Option<Instant>,
}

impl Default for Live {
    fn default() -> Self {
        Self {
            sender: broadcast::Sender::new(CAPACITY),
            reached: Mutex::default(),
        }
    }
}

/// An event as listeners are told it.
#[derive(Debug, Serialize)]
pub struct Told {
    #[serde(skip)]
    pub position: EventPosition,
    #[serde(skip)]
    pub kind: &'static str,
    #[serde(flatten)]
    pub happened: Arc<Happened>,
    pub site: String,
}

/// Events, one after the other, for one who listens.
pub struct Listener {
    sites: Vec<(SiteId, String)>,
    /// What is still to be read of what happened before they began to listen.
    past: Option<(Store, EventPosition)>,
    /// As much of it as was read, the next one last.
    missed: Vec<Arc<Happened>>,
    /// The last event handed over.
    seen: EventPosition,
    receiver: broadcast::Receiver<Arc<Happened>>,
}

/// Nobody told this listener all that happened: they have to begin again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FellBehind;

impl Moderation {
    /// Begins to listen to what happens on the caller's sites, after the event `since`; without one, from now on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn listen(
        &self,
        caller: &Caller,
        since: Option<EventPosition>,
    ) -> Result<Listener, Error> {
        let sites = self.sites_of(caller, None, false).await?;
        let sites = sites
            .into_iter()
            .map(|site| (site.id, site.slug.as_str().to_owned()))
            .collect();
        let mut reached = self.live.reached.lock().await;
        if self.live.sender.receiver_count() == 0 {
            // What happened while nobody listened is nobody's to hear.
            reached.position = None;
        }
        let now = match reached.position {
            Some(now) => now,
            None => self.store.read().await?.db().latest_event().await?,
        };
        // Before the past is read, so that nothing falls between: what is in both is told once.
        let receiver = self.live.sender.subscribe();
        reached.position = Some(now);
        drop(reached);
        Ok(Listener {
            sites,
            past: since.map(|since| (self.store.clone(), since)),
            missed: Vec::new(),
            seen: since.unwrap_or(now),
            receiver,
        })
    }

    /// Hands out what happened since the last time, unless somebody looks just now or has just looked.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tell(&self) -> Result<(), Error> {
        let live = &self.live;
        let Ok(mut reached) = live.reached.try_lock() else {
            return Ok(());
        };
        let just_looked = reached
            .looked
            .is_some_and(|looked| looked.elapsed() < LOOK_EVERY / 2);
        let (false, Some(mut at)) = (just_looked, reached.position) else {
            return Ok(());
        };
        reached.looked = Some(Instant::now());
        let mut conn = self.store.read().await?;
        let mut db = conn.db();
        loop {
            let step = db.events_after(at, STEP).await?;
            let full = step.len() as i64 == STEP;
            for happened in step {
                at = happened.position;
                // Nobody may be listening any more.
                let _ = live.sender.send(Arc::new(happened));
            }
            reached.position = Some(at);
            if !full {
                return Ok(());
            }
        }
    }
}

impl Listener {
    /// Reads more of what happened before, as fast as the listener takes it.
    async fn read_past(&mut self) -> Result<(), FellBehind> {
        let Some((store, at)) = &mut self.past else {
            return Ok(());
        };
        let step = async {
            let mut conn = store.read().await?;
            conn.db().events_after(*at, STEP).await
        };
        // They ask again, by the last event they saw.
        let step = step.await.map_err(|_| FellBehind)?;
        match step.last() {
            Some(last) if step.len() as i64 == STEP => *at = last.position,
            _ => self.past = None,
        }
        self.missed = step.into_iter().rev().map(Arc::new).collect();
        Ok(())
    }

    /// The next event on this listener's sites; none if nothing happens for `patience`. What happened before is waited for
    /// as long as it takes to read.
    ///
    /// # Errors
    /// When they fell behind.
    pub async fn next(&mut self, patience: Duration) -> Result<Option<Told>, FellBehind> {
        loop {
            if self.missed.is_empty() {
                self.read_past().await?;
            }
            let happened = match self.missed.pop() {
                Some(happened) => happened,
                None => match timeout(patience, self.receiver.recv()).await {
                    Ok(happened) => happened.map_err(|_| FellBehind)?,
                    Err(_) => return Ok(None),
                },
            };
            if happened.position <= self.seen {
                continue;
            }
            self.seen = happened.position;
            let site = self.sites.iter().find(|(id, _)| *id == happened.site);
            if let Some((_, slug)) = site {
                return Ok(Some(Told {
                    position: happened.position,
                    kind: happened.kind.as_str(),
                    site: slug.clone(),
                    happened,
                }));
            }
        }
    }
}
