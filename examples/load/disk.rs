//! `load disk`: how often a second the disk by itself makes 4 KiB durable. No database that keeps its promises commits
//! more often, one comment at a time.

use std::{
    fs::File,
    os::unix::fs::FileExt as _,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::{
    meter::Latencies,
    report::{Report, Table},
    server::Setup,
};

const BLOCK: usize = 4096;
/// How many blocks are overwritten in turn: as many as a WAL of SQLite has before it begins again.
const BLOCKS: u64 = 1000;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// How long each way is measured
    #[arg(long, default_value_t = 5)]
    seconds: u64,
}

pub fn run(args: &Args, setup: &Setup) -> anyhow::Result<Report> {
    let directory = setup.temporary()?;
    let mut report = Report::new("disk", setup);
    report.fact("directory", directory.path().to_string_lossy());
    let mut table = Table::new(
        "fdatasync_of_4_KiB",
        &["way", "per_second", "p50_ms", "p99_ms", "max_ms"],
    );
    for (way, appends) in [("written anew", true), ("written over", false)] {
        let file = File::create(directory.path().join("blocks"))?;
        if !appends {
            file.write_all_at(&vec![0; BLOCK * BLOCKS as usize], 0)?;
            file.sync_all()?;
        }
        let mut latencies = Latencies::default();
        let begun = Instant::now();
        let mut at = 0;
        while begun.elapsed() < Duration::from_secs(args.seconds) {
            let block = if appends { at } else { at % BLOCKS };
            let start = Instant::now();
            file.write_all_at(&[at as u8; BLOCK], block * BLOCK as u64)?;
            file.sync_data()?;
            latencies.record(start.elapsed());
            at += 1;
        }
        let rate = latencies.count() as f64 / begun.elapsed().as_secs_f64();
        table.row(vec![
            json!(way),
            json!(rate),
            latencies.millis(0.5),
            latencies.millis(0.99),
            latencies.millis(1.0),
        ]);
    }
    report.table(table);
    Ok(report)
}
