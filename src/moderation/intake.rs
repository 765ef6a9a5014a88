//! Group commit: new comments that wait at the same moment are stored by one transaction.
//!
//! A handler leaves its arrival here and waits. A worker takes everything that is there, reads what the verdicts need by
//! set, decides in order, writes by set and commits once; only then is anybody answered. A commit costs the disk the
//! same for one comment as for a hundred, and a statement costs nearly the same. If a batch fails for one of them, each
//! is tried alone.
//!
//! SQLite has one worker, since it has one writer. On PostgreSQL several go on beside one another: most of a transaction's
//! time is spent waiting for the next answer.
//!
//! Nobody waits forever: who finds no room within [`ROOM_PATIENCE`], or was not begun within [`BEGIN_PATIENCE`], is told
//! to try again, and nothing was stored.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::{Mutex, mpsc, oneshot};

use super::{
    Error, Submitted,
    clock::Clock,
    metrics::Metrics,
    round::{self, Arrival},
};
use crate::store::{Store, StoreError};

/// The most comments one transaction stores on SQLite.
const MAX_BATCH: usize = 256;
/// The same on PostgreSQL, where each holds a few advisory locks, of which a server has some thousands for all.
const MAX_LOCKED_BATCH: usize = 64;
/// How many transactions of new comments go on at the same time on PostgreSQL.
const WORKERS: usize = 2;
/// How many arrivals may wait.
const CAPACITY: usize = 2048;
/// How long an arrival waits for room among those that wait.
const ROOM_PATIENCE: Duration = Duration::from_secs(2);
/// How long one may wait for its transaction to begin.
const BEGIN_PATIENCE: Duration = Duration::from_secs(10);
/// How long one waits for an answer. After that the disk hangs, and what became of it is not known.
const ANSWER_PATIENCE: Duration = Duration::from_secs(30);
/// A batch that failed quicker than this is tried again one by one.
const RETRY_WITHIN: Duration = Duration::from_secs(1);

struct Job {
    arrival: Arrival,
    since: Instant,
    answer: oneshot::Sender<Result<Submitted, Error>>,
}

/// Where new comments wait to be stored.
#[derive(Debug)]
pub(super) struct Intake {
    jobs: mpsc::Sender<Job>,
    metrics: Arc<Metrics>,
}

/// What a batch needs.
#[derive(Clone)]
struct Desk {
    store: Store,
    clock: Arc<Clock>,
    metrics: Arc<Metrics>,
}

impl Intake {
    /// Starts the workers. They end when this is dropped.
    pub fn start(store: &Store, clock: &Arc<Clock>, metrics: &Arc<Metrics>) -> Self {
        let (jobs, waiting) = mpsc::channel(CAPACITY);
        let waiting = Arc::new(Mutex::new(waiting));
        let (workers, most) = match store {
            Store::Sqlite { .. } => (1, MAX_BATCH),
            Store::Postgres(_) => (WORKERS, MAX_LOCKED_BATCH),
        };
        for _ in 0..workers {
            let desk = Desk {
                store: store.clone(),
                clock: Arc::clone(clock),
                metrics: Arc::clone(metrics),
            };
            tokio::spawn(work(desk, Arc::clone(&waiting), most));
        }
        Self {
            jobs,
            metrics: Arc::clone(metrics),
        }
    }

    /// Has a comment stored. It is on disk when this returns well.
    pub async fn submit(&self, arrival: Arrival) -> Result<Submitted, Error> {
        let room = tokio::time::timeout(ROOM_PATIENCE, self.jobs.reserve()).await;
        let Ok(Ok(room)) = room else {
            return Err(Error::Busy);
        };
        let (answer, answered) = oneshot::channel();
        self.metrics.waiting.inc();
        room.send(Job {
            arrival,
            since: Instant::now(),
            answer,
        });
        match tokio::time::timeout(ANSWER_PATIENCE, answered).await {
            Ok(Ok(outcome)) => outcome,
            // The worker failed in the middle: the transaction was rolled back.
            Ok(Err(_)) => Err(Error::Broken),
            Err(_) => Err(Error::Unanswered),
        }
    }
}

async fn work(desk: Desk, waiting: Arc<Mutex<mpsc::Receiver<Job>>>, most: usize) {
    loop {
        let mut jobs = Vec::new();
        let taken = waiting.lock().await.recv_many(&mut jobs, most).await;
        if taken == 0 {
            return;
        }
        desk.metrics.waiting.sub(taken as i64);
        // A task of its own, so that a panic loses this batch and not the worker.
        if let Err(failure) = tokio::spawn(store(desk.clone(), jobs)).await {
            tracing::error!(%failure, "a batch of new comments failed");
        }
    }
}

/// Stores what has not waited too long, and answers all.
async fn store(desk: Desk, jobs: Vec<Job>) {
    let (jobs, late): (Vec<Job>, Vec<Job>) = jobs
        .into_iter()
        .partition(|job| job.since.elapsed() < BEGIN_PATIENCE);
    for job in late {
        let _ = job.answer.send(Err(Error::Busy));
    }
    if jobs.is_empty() {
        return;
    }
    let begun = Instant::now();
    let arrivals: Vec<&Arrival> = jobs.iter().map(|job| &job.arrival).collect();
    match desk.attempt(&arrivals).await {
        Ok(outcomes) => {
            for (job, outcome) in jobs.into_iter().zip(outcomes) {
                let _ = job.answer.send(outcome);
            }
        }
        Err(error) if jobs.len() == 1 || !worth_single(&error, begun) => {
            let error = Arc::new(error);
            for job in jobs {
                let _ = job.answer.send(Err(Error::Shared(Arc::clone(&error))));
            }
        }
        Err(error) => {
            tracing::warn!(%error, comments = jobs.len(), "a batch failed; its comments are tried one by one");
            for job in jobs {
                let outcome = desk.attempt(&[&job.arrival]).await;
                let outcome = outcome
                    .map_err(Error::from)
                    .and_then(|mut one| one.pop().unwrap_or(Err(Error::Broken)));
                let _ = job.answer.send(outcome);
            }
        }
    }
}

/// Whether what failed together may succeed alone: the database answered, and soon.
fn worth_single(error: &StoreError, begun: Instant) -> bool {
    begun.elapsed() < RETRY_WITHIN && error.is_refusal()
}

impl Desk {
    /// One transaction: what becomes of each arrival, in their order.
    async fn attempt(
        &self,
        arrivals: &[&Arrival],
    ) -> Result<Vec<Result<Submitted, Error>>, StoreError> {
        let timer = self.metrics.batch_seconds.start_timer();
        let mut tx = self.store.begin().await?;
        let outcomes = round::take_in(&mut tx.db(), arrivals, &self.clock).await?;
        tx.commit().await?;
        timer.observe_duration();
        self.metrics.batch_size.observe(arrivals.len() as f64);
        for outcome in &outcomes {
            if let Ok(Submitted::New(comment)) = outcome {
                self.metrics.verdict(comment.status);
            }
        }
        Ok(outcomes)
    }
}
