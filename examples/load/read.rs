//! `load read`: how long a reader waits for a whole thread.

use std::{
    cell::RefCell,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use serde_json::json;

use crate::{
    client::{Client, Target},
    corpus::{Corpus, Tone},
    drive::{self, Source, Tally},
    fill,
    meter::Latencies,
    report::{Report, Table},
    server::{Home, Setup},
    traffic::{Draft, Kind, Traffic},
};

/// Enough reads for a p99, whatever time is left.
const ENOUGH: usize = 5_000;
/// Fewer would be no measurement, however long they take.
const FEWEST: usize = 5;
/// How many clients post meanwhile.
const POSTING: usize = 8;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Threads of how many comments
    #[arg(long, value_delimiter = ',', default_values_t = [35, 1000, 10_000])]
    comments: Vec<usize>,

    /// How long each size is read in each view
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,

    /// Read once more while eight clients post
    #[arg(long)]
    while_posting: bool,
}

pub async fn run(args: &Args, setup: &Setup) -> anyhow::Result<Report> {
    let home = Home::fresh(setup).await?;
    home.add_site()?;
    let corpus = home.corpus().await?;
    let server = home.serve()?;
    let target = home.target(&server, "site")?;
    for comments in &args.comments {
        eprintln!("filling a thread of {comments}");
        fill::fill_thread(&target, &corpus, setup.seed, &key(*comments), *comments).await?;
    }

    let mut report = Report::new("read", setup);
    let mut table = Table::new(
        "read",
        &[
            "comments",
            "view",
            "posting",
            "reads",
            "p50_ms",
            "p99_ms",
            "max_ms",
            "answer_kb",
        ],
    );
    read_all(args, &target, "no", &mut table).await?;
    if args.while_posting {
        let posters = Posters::start(target.clone(), &corpus, setup.seed);
        read_all(args, &target, "yes", &mut table).await?;
        let tally = posters.stop()?;
        report.fact("posted_meanwhile_per_second", tally.rate());
        report.fact("not_posted_meanwhile", tally.odd());
    }
    report.table(table);
    server.stop()?;
    Ok(report)
}

fn key(comments: usize) -> String {
    format!("read-{comments}")
}

async fn read_all(
    args: &Args,
    target: &Target,
    posting: &str,
    table: &mut Table,
) -> anyhow::Result<()> {
    let mut client = Client::new(target);
    for comments in &args.comments {
        for view in ["tree", "flat"] {
            let path = format!(
                "/v1/threads/{}/comments?limit=10000&view={view}",
                key(*comments)
            );
            let first = client.get(&path).await?;
            let shown = String::from_utf8_lossy(&first.body)
                .matches("\"created_at\":")
                .count();
            anyhow::ensure!(
                first.status == 200 && shown == (*comments).min(10_000),
                "{path} answered {} with {shown} comments",
                first.status
            );
            let mut latencies = Latencies::default();
            let begun = Instant::now();
            while latencies.count() < ENOUGH
                && (latencies.count() < FEWEST
                    || begun.elapsed() < Duration::from_secs(args.seconds))
            {
                let answer = client.get(&path).await?;
                anyhow::ensure!(answer.status == 200, "{path} answered {}", answer.status);
                latencies.record(answer.took);
            }
            table.row(vec![
                json!(comments),
                json!(view),
                json!(posting),
                json!(latencies.count()),
                latencies.millis(0.5),
                latencies.millis(0.99),
                latencies.millis(1.0),
                json!(first.body.len() as f64 / 1e3),
            ]);
        }
    }
    Ok(())
}

/// Clients that post on a thread of their own, so that the reader's clock waits for none of them.
struct Posters {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<anyhow::Result<Tally>>,
}

struct UntilStopped {
    traffic: Traffic,
    stop: Arc<AtomicBool>,
}

impl Source for UntilStopped {
    fn next(&mut self) -> anyhow::Result<Option<Draft>> {
        if self.stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        self.traffic.draft(Kind::Text(Tone::Natural)).map(Some)
    }

    fn answered(&mut self, draft: &Draft, status: u16, body: &[u8]) {
        if status == 201 {
            self.traffic.published(draft, body);
        }
    }
}

impl Posters {
    fn start(target: Target, corpus: &Arc<Corpus>, seed: u64) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (corpus, stops) = (Arc::clone(corpus), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            tokio::task::LocalSet::new().block_on(&runtime, async {
                let source = Rc::new(RefCell::new(UntilStopped {
                    traffic: Traffic::new(&corpus, seed, 50_000)?,
                    stop: stops,
                }));
                drive::post(&target, POSTING, &source, None, None).await
            })
        });
        Self { stop, thread }
    }

    fn stop(self) -> anyhow::Result<Tally> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread
            .join()
            .ok()
            .context("the posting clients failed")?
    }
}
