//! The load generator behind `docs/performance.md`: it starts a Palabre of its own, uses it over HTTP as a site and its
//! moderators would, and prints what that took.
//!
//! Server and generator share the machine, so a request must cost little here: hyper's bare client on one thread, a kept
//! connection for each client, and no parsing of what is not needed. Clients work in a closed loop: each sends its next
//! request when the answer to the last is there.
//!
//! To measure something else: a module with its arguments and a `run` that returns a [`Report`], and a line in [`Command`].

mod client;
mod corpus;
mod database;
mod disk;
mod drive;
mod fill;
mod language;
mod meter;
mod post;
mod queue;
mod read;
mod report;
mod rng;
mod scale;
mod server;
mod start;
mod traffic;

use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

use report::Report;
use server::Setup;

/// Measures Palabre under load, on this machine
#[derive(Parser)]
#[command(name = "load")]
#[command(after_help = "Example: cargo run --release --example load -- post --clients 1,8,64")]
struct Cli {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    setup: Setup,

    /// Print one JSON object instead of tables
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Comments a second, and how long each takes
    Post(post::Args),
    /// How long readers wait for a thread
    Read(read::Args),
    /// Posting and the queue on a database that has grown
    Scale(scale::Args),
    /// From the start of the server to its first answer, and what it holds in memory doing nothing
    Start(start::Args),
    /// What the disk by itself can make durable
    Disk(disk::Args),
}

fn main() -> anyhow::Result<()> {
    let Cli {
        command,
        setup,
        json,
    } = Cli::parse();
    // A connection for each client, and what comes with a process.
    rlimit::increase_nofile_limit(65_536)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let tasks = tokio::task::LocalSet::new();
    let report = tasks.block_on(&runtime, async {
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            report = run(command, &setup) => report,
            // What was started here must not outlive it, nor a database stay behind.
            _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted")),
            _ = terminate.recv() => Err(anyhow::anyhow!("terminated")),
        }
    })?;
    if json {
        println!("{}", report.json());
    } else {
        print!("{}", report.text());
    }
    Ok(())
}

async fn run(command: Command, setup: &Setup) -> anyhow::Result<Report> {
    match command {
        Command::Post(args) => post::run(&args, setup).await,
        Command::Read(args) => read::run(&args, setup).await,
        Command::Scale(args) => scale::run(&args, setup).await,
        Command::Start(args) => start::run(&args, setup).await,
        Command::Disk(args) => disk::run(&args, setup),
    }
}
