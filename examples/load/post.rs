//! `load post`: comments a second.

use std::{cell::RefCell, rc::Rc, sync::Arc, time::Duration};

use serde_json::{Value, json};

use crate::{
    corpus::{Corpus, Tone},
    drive::{self, Source, Window},
    report::{Report, Table},
    server::{Home, Setup},
    traffic::{Draft, Kind, Traffic},
};

/// Not counted: connections are made, caches filled.
const WARM_UP: Duration = Duration::from_secs(2);
/// For how many comments there are threads and readers.
const EXPECTED: usize = 50_000;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// How many clients post at once; several numbers are measured one after the other, each on a new database
    #[arg(long, value_delimiter = ',', default_values_t = [1, 8, 64])]
    clients: Vec<usize>,

    /// How long is measured, after two seconds of warm-up
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,

    /// How many of a hundred comments are exact copies of an earlier one
    #[arg(long, default_value_t = 0.0)]
    duplicates: f64,
}

struct Mixed {
    traffic: Traffic,
    repeats: f64,
}

impl Source for Mixed {
    fn next(&mut self) -> anyhow::Result<Option<Draft>> {
        let repeats = self.traffic.rng().chance(self.repeats);
        let kind = if repeats {
            Kind::Repeat
        } else {
            Kind::Text(Tone::Natural)
        };
        self.traffic.draft(kind).map(Some)
    }

    fn answered(&mut self, draft: &Draft, status: u16, body: &[u8]) {
        if status == 201 {
            self.traffic.published(draft, body);
        }
    }
}

pub async fn run(args: &Args, setup: &Setup) -> anyhow::Result<Report> {
    let mut report = Report::new("post", setup);
    report.fact("seconds", args.seconds);
    report.fact("duplicates_percent", args.duplicates);
    let mut table = Table::new(
        "post",
        &[
            "clients",
            "comments_per_second",
            "p50_ms",
            "p99_ms",
            "max_ms",
            "201",
            "202",
            "other",
            "server_cpu_ms",
            "database_cpu_ms",
            "load_cpu_ms",
            "written_kb",
            "memory_mb",
            "rss_mb",
            "peak_rss_mb",
            "bytes_per_comment",
        ],
    );
    let mut corpus = None;
    for clients in &args.clients {
        table.row(measure(*clients, args, setup, &mut corpus).await?);
    }
    report.table(table);
    Ok(report)
}

async fn measure(
    clients: usize,
    args: &Args,
    setup: &Setup,
    corpus: &mut Option<Arc<Corpus>>,
) -> anyhow::Result<Vec<Value>> {
    let home = Home::fresh(setup).await?;
    home.add_site()?;
    let corpus = match corpus {
        Some(corpus) => corpus,
        None => corpus.insert(home.corpus().await?),
    };
    // The first start stores the shipped model, which is no comment's.
    home.serve()?.stop()?;
    let empty = home.bytes().await?;

    let server = home.serve()?;
    let target = home.target(&server, "site")?;
    let source = Rc::new(RefCell::new(Mixed {
        traffic: Traffic::new(corpus, setup.seed, EXPECTED)?,
        repeats: args.duplicates / 100.0,
    }));
    let window = Window {
        warm_up: WARM_UP,
        measured: Duration::from_secs(args.seconds),
    };
    let meter = home.meter(&server);
    let mut tally = drive::post(&target, clients, &source, Some(window), Some(&meter)).await?;
    let memory = meter.memory()?;
    server.stop()?;
    let grown = home.bytes().await?.saturating_sub(empty);

    let measured = tally.latencies.count() as f64;
    Ok(vec![
        json!(clients),
        json!(tally.rate()),
        tally.latencies.millis(0.5),
        tally.latencies.millis(0.99),
        tally.latencies.millis(1.0),
        json!(tally.of_status(201)),
        json!(tally.of_status(202)),
        json!(tally.odd()),
        json!(tally.cost.server / measured),
        json!(tally.cost.database / measured),
        json!(tally.cost.load / measured),
        json!(tally.cost.written / measured),
        json!(memory.own),
        json!(memory.rss),
        json!(memory.peak_rss),
        json!(grown as f64 / tally.stored as f64),
    ])
}
