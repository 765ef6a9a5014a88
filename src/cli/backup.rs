//! `palabre backup`

use std::{fs::File, path::PathBuf};

use anyhow::Context as _;
use clap::Args;

use crate::config::Config;

/// Write a consistent copy of the database to a file, also while a server runs. SQLite only; PostgreSQL has its own tools.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: palabre backup /var/backups/palabre-2026-11-25.db\n\nTo restore: stop the server, put the copy in place of palabre.db, remove palabre.db-wal and palabre.db-shm, start it."
)]
pub struct BackupArgs {
    /// The copy; must not be there yet
    file: PathBuf,
}

pub async fn run(config: &Config, args: &BackupArgs) -> anyhow::Result<()> {
    let file = &args.file;
    anyhow::ensure!(
        !file.exists(),
        "{} is there already: name another file",
        file.display()
    );
    anyhow::ensure!(
        config.database_url().is_some() || config.database_file().exists(),
        "there is no database in {} to copy",
        config.data_dir.display()
    );
    let store = super::open_store(config).await?;
    // Under another name until it is whole and on disk, and for its owner alone: it holds the keys that sign tokens.
    let directory = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => std::path::Path::new("."),
    };
    let unfinished = tempfile::Builder::new()
        .prefix(".palabre-backup-")
        .tempfile_in(directory)
        .with_context(|| format!("cannot write into {}", directory.display()))?;
    let copied = store.copy_into(unfinished.path()).await;
    store.close().await;
    copied.context("no copy was made")?;
    File::open(unfinished.path())?.sync_all()?;
    unfinished
        .persist_noclobber(file)
        .with_context(|| format!("the copy cannot be named {}", file.display()))?;
    File::open(directory)?.sync_all()?;
    println!("{}", file.display());
    Ok(())
}
