//! `load start`: from the start of `palabre serve` to its line `listening on`, and the memory it holds doing nothing.

use std::time::Duration;

use serde_json::json;

use crate::{
    meter::Latencies,
    report::{Report, Table},
    server::{Home, Setup},
};

/// After which a server that nobody asks anything is done with whatever it does at first.
const IDLE: Duration = Duration::from_secs(5);

#[derive(Debug, clap::Args)]
pub struct Args {
    /// How many starts of each kind
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    times: u32,
}

pub async fn run(args: &Args, setup: &Setup) -> anyhow::Result<Report> {
    let mut report = Report::new("start", setup);
    let mut table = Table::new("start", &["data", "starts", "p50_ms", "max_ms"]);
    let mut fresh = Latencies::default();
    for _ in 0..args.times {
        let home = Home::fresh(setup).await?;
        let server = home.serve()?;
        fresh.record(server.started_in);
        server.stop()?;
    }
    let home = Home::fresh(setup).await?;
    home.serve()?.stop()?;
    let mut existing = Latencies::default();
    for _ in 0..args.times {
        let server = home.serve()?;
        existing.record(server.started_in);
        server.stop()?;
    }
    for (data, mut latencies) in [("none yet", fresh), ("there", existing)] {
        table.row(vec![
            json!(data),
            json!(latencies.count()),
            latencies.millis(0.5),
            latencies.millis(1.0),
        ]);
    }
    report.table(table);
    let server = home.serve()?;
    tokio::time::sleep(IDLE).await;
    let meter = home.meter(&server);
    let memory = meter.memory()?;
    report.fact("idle_memory_mb", memory.own);
    report.fact("idle_rss_mb", memory.rss);
    report.fact("idle_cpu_ms_so_far", meter.cost()?.server);
    server.stop()?;
    Ok(report)
}
