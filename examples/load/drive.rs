//! Many clients post in a closed loop, and what that took.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use tokio::task::JoinSet;

use crate::{
    client::{Client, Target},
    meter::{Cost, Latencies, Meter},
    traffic::{Draft, Kind, Traffic},
};

/// Where the next comment comes from, and who learns what became of it.
pub trait Source {
    /// The next one; none when there is no more to post.
    fn next(&mut self) -> anyhow::Result<Option<Draft>>;
    fn answered(&mut self, draft: &Draft, status: u16, body: &[u8]);
}

/// Comments of one kind without end.
pub struct Steady {
    pub traffic: Traffic,
    pub kind: Kind,
}

impl Source for Steady {
    fn next(&mut self) -> anyhow::Result<Option<Draft>> {
        self.traffic.draft(self.kind).map(Some)
    }

    fn answered(&mut self, draft: &Draft, status: u16, body: &[u8]) {
        if status == 201 {
            self.traffic.published(draft, body);
        }
    }
}

/// How long clients post.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// Not counted.
    pub warm_up: Duration,
    pub measured: Duration,
}

/// What came of it, as far as it was measured.
#[derive(Default)]
pub struct Tally {
    pub latencies: Latencies,
    pub statuses: BTreeMap<u16, u64>,
    pub seconds: f64,
    pub cost: Cost,
    /// All that were stored, whether measured or not.
    pub stored: u64,
}

impl Tally {
    pub fn rate(&self) -> f64 {
        self.latencies.count() as f64 / self.seconds
    }

    pub fn of_status(&self, status: u16) -> u64 {
        self.statuses.get(&status).copied().unwrap_or(0)
    }

    /// Answers that are neither 201 nor 202.
    pub fn odd(&self) -> u64 {
        let good = |status: &u16| matches!(status, 201 | 202);
        let odd = self.statuses.iter().filter(|(status, _)| !good(status));
        odd.map(|(_, count)| count).sum()
    }
}

/// What the clients of a run share.
struct Run<S> {
    source: Rc<RefCell<S>>,
    tally: RefCell<Tally>,
    measures: Cell<bool>,
    ends: Cell<bool>,
    said_odd: Cell<bool>,
}

/// Posts with so many clients at once until the window closes, or the source has no more.
pub async fn post<S: Source + 'static>(
    target: &Target,
    clients: usize,
    source: &Rc<RefCell<S>>,
    window: Option<Window>,
    meter: Option<&Meter>,
) -> anyhow::Result<Tally> {
    let run = Rc::new(Run {
        source: Rc::clone(source),
        tally: RefCell::default(),
        measures: Cell::new(window.is_none()),
        ends: Cell::new(false),
        said_odd: Cell::new(false),
    });
    let cost = || meter.map_or(Ok(Cost::default()), Meter::cost);
    let mut begun = Instant::now();
    let mut cost_before = cost()?;
    let mut posting = JoinSet::new();
    for _ in 0..clients {
        posting.spawn_local(keep_posting(Client::new(target), Rc::clone(&run)));
    }
    if let Some(window) = window {
        tokio::time::sleep(window.warm_up).await;
        begun = Instant::now();
        cost_before = cost()?;
        run.measures.set(true);
        tokio::time::sleep(window.measured).await;
        run.measures.set(false);
        run.ends.set(true);
    } else {
        finish(&mut posting).await?;
    }
    let seconds = begun.elapsed().as_secs_f64();
    let used = cost()?.since(cost_before);
    finish(&mut posting).await?;
    let mut tally = run.tally.take();
    tally.seconds = seconds;
    tally.cost = used;
    Ok(tally)
}

async fn finish(posting: &mut JoinSet<anyhow::Result<()>>) -> anyhow::Result<()> {
    while let Some(client) = posting.join_next().await {
        client?.context("a client was cut off")?;
    }
    Ok(())
}

async fn keep_posting<S: Source>(mut client: Client, run: Rc<Run<S>>) -> anyhow::Result<()> {
    while !run.ends.get() {
        let Some(draft) = run.source.borrow_mut().next()? else {
            break;
        };
        let answer = client.post(draft.uri.clone(), draft.json.clone()).await?;
        let good = matches!(answer.status, 201 | 202);
        if !good && !run.said_odd.replace(true) {
            let text = String::from_utf8_lossy(&answer.body).into_owned();
            eprintln!("load: {} answered {}: {text}", draft.uri, answer.status);
        }
        run.source
            .borrow_mut()
            .answered(&draft, answer.status, &answer.body);
        let mut tally = run.tally.borrow_mut();
        tally.stored += u64::from(good);
        if run.measures.get() {
            tally.latencies.record(answer.took);
            *tally.statuses.entry(answer.status).or_default() += 1;
        }
    }
    Ok(())
}
