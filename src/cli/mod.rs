//! The command line: each command is its arguments, one or a few use cases, and what it prints.
//!
//! Results go to stdout, messages to stderr; the exit code is 0 only on success.

mod backup;
mod compare;
mod demo;
mod doctor;
mod eval;
mod key;
mod migrate;
mod models;
mod moderator;
mod opinions;
mod rescore;
mod score;
mod serve;
mod simulate;
mod site;
mod study_page;
mod token;
mod train;

use std::{path::Path, process::ExitCode};

use anyhow::Context as _;
use clap::{Parser, Subcommand};

use crate::{
    config::{Config, Logging},
    domain::{Label, Timestamp},
    moderation::Administration,
    store::Store,
};

/// Comment threads, scored as they arrive, with a queue for moderators.
#[derive(Debug, Parser)]
#[command(name = "palabre", version, about, propagate_version = true)]
pub struct Cli {
    #[command(flatten)]
    config: Config,
    #[command(flatten)]
    logging: Logging,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Try Palabre with sample threads in a throw-away directory
    Demo(demo::DemoArgs),
    /// Serve the API
    Serve(serve::ServeArgs),
    /// Bring the database up to this version
    Migrate(migrate::MigrateArgs),
    /// Check an installation and say what to do
    Doctor(doctor::DoctorArgs),
    /// Write a consistent copy of the database
    Backup(backup::BackupArgs),
    /// Print a token
    Token(token::TokenArgs),
    /// Rotate or list the keys that sign tokens
    Key(key::KeyArgs),
    /// Add or list sites
    Site(site::SiteArgs),
    /// Add moderators, let them sign in, and shut them out
    Moderator(moderator::ModeratorArgs),
    /// Score texts
    Score(score::ScoreArgs),
    /// Adapt the model to the moderators' decisions, or train one
    Train(train::TrainArgs),
    /// Measure a model on labelled files
    Eval(eval::EvalArgs),
    /// Try other thresholds on what a site received
    Simulate(simulate::SimulateArgs),
    /// List models and switch between them
    Models(models::ModelsArgs),
    /// Give stored comments scores of the live model
    Rescore(rescore::RescoreArgs),
}

/// Runs a command; its errors are told on stderr.
#[must_use]
pub fn run(cli: Cli) -> ExitCode {
    match dispatch(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("palabre: {error:#}");
            if error.is::<Refused>() {
                ExitCode::from(REFUSED)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}

/// The exit code of a training whose model was not kept.
const REFUSED: u8 = 3;

/// All went as it should, and the outcome is not good enough.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Refused(String);

fn dispatch(cli: Cli) -> anyhow::Result<()> {
    cli.logging.start()?;
    match cli.command {
        Command::Score(args) => score::run(&cli.config, &args),
        Command::Train(args) => train::run(&cli.config, args),
        Command::Eval(args) => eval::run(&cli.config, args),
        Command::Demo(args) => wait_for(demo::run(args)),
        Command::Serve(args) => wait_for(serve::run(&cli.config, &args)),
        Command::Migrate(args) => wait_for(migrate::run(&cli.config, &args)),
        Command::Doctor(args) => wait_for(doctor::run(&cli.config, &args)),
        Command::Backup(args) => wait_for(backup::run(&cli.config, &args)),
        Command::Token(args) => wait_for(token::run(&cli.config, &args)),
        Command::Key(args) => wait_for(key::run(&cli.config, &args)),
        Command::Moderator(args) => wait_for(moderator::run(&cli.config, &args)),
        Command::Site(args) => wait_for(site::run(&cli.config, &args)),
        Command::Simulate(args) => wait_for(simulate::run(&cli.config, &args)),
        Command::Rescore(args) => wait_for(rescore::run(&cli.config, &args)),
        Command::Models(args) => wait_for(models::run(&cli.config, &args)),
    }
}

fn wait_for<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("no runtime could be started")?
        .block_on(work)
}

/// Opens what admins need of the service that a configuration names.
async fn open_administration(config: &Config) -> anyhow::Result<Administration> {
    Administration::open(open_store(config).await?)
        .await
        .context("the database cannot be used")
}

async fn open_store(config: &Config) -> anyhow::Result<Store> {
    let opened = if let Some(url) = config.database_url() {
        Store::open(url).await
    } else {
        make_private_directory(&config.data_dir).with_context(|| {
            format!(
                "the data directory {} cannot be made",
                config.data_dir.display()
            )
        })?;
        Store::open_file(&config.database_file()).await
    };
    opened.context("the database cannot be opened")
}

/// Whether there is a database already. One that is not a file is taken to be there.
fn has_database(config: &Config) -> bool {
    match config.database_url() {
        None => config.database_file().exists(),
        Some(url) => url
            .strip_prefix("sqlite://")
            .is_none_or(|file| Path::new(file).exists()),
    }
}

/// A moment as an argument gives it.
fn moment(text: &str) -> Result<Timestamp, String> {
    serde_json::from_value(text.into()).map_err(|error| error.to_string())
}

/// Who runs this command, for the records: the name of their account on this machine.
fn operator() -> String {
    std::env::var("USER")
        .ok()
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "command line".to_owned())
}

/// Makes a directory for its owner alone, unless it is there.
fn make_private_directory(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
}

/// A label by its name.
fn label(text: &str) -> anyhow::Result<Label> {
    Label::from_name(text).with_context(|| {
        let all = Label::ALL.map(Label::as_str).join(", ");
        format!("{text:?} is no label; there are {all}")
    })
}
