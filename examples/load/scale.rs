//! `load scale`: posting, and the queue, when there is a million comments and a hundred thousand of them wait.

use std::{cell::RefCell, path::PathBuf, rc::Rc, sync::Arc, time::Duration};

use serde_json::json;

use crate::{
    client::Target,
    corpus::{Corpus, Tone},
    drive::{self, Steady, Window},
    fill::{self, Growth},
    meter::{Latencies, Meter},
    queue::{self, QUESTIONS},
    report::{Report, Table},
    server::{Home, Setup},
    traffic::{Kind, Traffic},
};

/// Clients at once: one shows what an answer takes, eight what they take of one another.
const CLIENTS: [usize; 2] = [1, 8];
const WARM_UP: Duration = Duration::from_millis(500);

#[derive(Debug, clap::Args)]
pub struct Args {
    /// How many comments are posted first
    #[arg(long, default_value_t = 1_000_000)]
    comments: usize,

    /// About how many of them wait for a moderator
    #[arg(long, default_value_t = 100_000)]
    waiting: usize,

    /// How often one text is among them; the copies wait
    #[arg(long, default_value_t = 50_000)]
    copies: usize,

    /// How many clients fill the database
    #[arg(long, default_value_t = 64)]
    filling: usize,

    /// How long each row is measured
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,

    /// Keep the data directory here, for --use
    #[arg(long, value_name = "DIR", conflicts_with = "reuse")]
    keep: Option<PathBuf>,

    /// Fill nothing; measure on what --keep kept. What is measured is posted there
    #[arg(long = "use", value_name = "DIR")]
    reuse: Option<PathBuf>,
}

pub async fn run(args: &Args, setup: &Setup) -> anyhow::Result<Report> {
    let growth = Growth {
        comments: args.comments,
        waiting: args.waiting,
        copies: args.copies,
    };
    anyhow::ensure!(
        growth.copies <= growth.waiting && growth.waiting <= growth.comments,
        "the copies wait, and who waits is posted: --copies <= --waiting <= --comments"
    );
    let home = match args.keep.as_ref().or(args.reuse.as_ref()) {
        Some(directory) => Home::at(directory, setup)?,
        None => Home::fresh(setup).await?,
    };
    let mut report = Report::new("scale", setup);
    home.add_site()?;
    let corpus = home.corpus().await?;
    if args.reuse.is_none() {
        anyhow::ensure!(
            home.comments().await? == 0,
            "there are comments already: --keep wants a new directory, --use an old one"
        );
        let empty = home.bytes().await?;
        let server = home.serve()?;
        let target = home.target(&server, "site")?;
        let meter = home.meter(&server);
        let grown = fill::grow(&target, &corpus, setup.seed, args.filling, growth, &meter).await?;
        let stored = grown.stored as f64;
        report.fact("filled_per_second", stored / grown.seconds);
        report.fact("server_cpu_ms_per_comment", grown.cost.server / stored);
        report.fact("database_cpu_ms_per_comment", grown.cost.database / stored);
        report.fact("written_kb_per_comment", grown.cost.written / stored);
        report.fact("waiting", grown.waiting);
        report.fact("reasons_but_of_the_copies", json!(grown.reasons));
        report.fact("memory_after_filling_mb", meter.memory()?.own);
        server.stop()?;
        let grew = home.bytes().await?.saturating_sub(empty);
        report.fact("bytes_per_comment", grew as f64 / stored);
        home.vacuum().await?;
    }
    report.fact("comments", home.comments().await?);
    report.fact("database_mb", home.bytes().await? as f64 / 1e6);

    let server = home.serve()?;
    report.fact("started_in_ms", server.started_in.as_secs_f64() * 1e3);
    let mut rows = Rows {
        table: Table::new(
            "scale",
            &[
                "what",
                "clients",
                "answers",
                "per_second",
                "p50_ms",
                "p99_ms",
                "max_ms",
            ],
        ),
        time: Duration::from_secs(args.seconds),
        meter: home.meter(&server),
    };
    let moderator = home.target(&server, "moderator")?;
    rows.queue(&moderator).await?;
    // After the queue has been asked, which would otherwise hold what this adds.
    let site = home.target(&server, "site")?;
    rows.posts(&site, &corpus, setup.seed, growth).await?;
    let memory = rows.meter.memory()?;
    report.fact("memory_mb", memory.own);
    report.fact("rss_mb", memory.rss);
    report.fact("peak_rss_mb", memory.peak_rss);
    report.table(rows.table);
    server.stop()?;
    Ok(report)
}

struct Rows {
    table: Table,
    time: Duration,
    meter: Meter,
}

impl Rows {
    fn add(&mut self, what: &str, clients: usize, mut latencies: Latencies, seconds: f64) {
        self.table.row(vec![
            json!(what),
            json!(clients),
            json!(latencies.count()),
            json!(latencies.count() as f64 / seconds),
            latencies.millis(0.5),
            latencies.millis(0.99),
            latencies.millis(1.0),
        ]);
    }

    async fn queue(&mut self, moderator: &Target) -> anyhow::Result<()> {
        for question in &QUESTIONS {
            for clients in CLIENTS {
                let (latencies, seconds) =
                    queue::ask(moderator, clients, question, self.time).await?;
                self.add(question.what, clients, latencies, seconds);
            }
        }
        Ok(())
    }

    async fn posts(
        &mut self,
        site: &Target,
        corpus: &Arc<Corpus>,
        seed: u64,
        growth: Growth,
    ) -> anyhow::Result<()> {
        let window = Window {
            warm_up: WARM_UP,
            measured: self.time,
        };
        let kinds = [
            ("post, new texts", Kind::Text(Tone::Natural)),
            ("post, exact copies", Kind::Copy),
            ("post, near copies", Kind::NearCopy),
        ];
        for (what, kind) in kinds {
            for clients in CLIENTS {
                let mut traffic = Traffic::new(corpus, seed, growth.comments)?;
                // The same copied text as it was filled with, but other new ones, in every run.
                traffic.reseed();
                let source = Rc::new(RefCell::new(Steady { traffic, kind }));
                let tally = drive::post(site, clients, &source, Some(window), None).await?;
                anyhow::ensure!(tally.odd() == 0, "{what}: {} were not stored", tally.odd());
                self.add(what, clients, tally.latencies, tally.seconds);
            }
        }
        Ok(())
    }
}
