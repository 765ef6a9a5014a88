//! `palabre migrate`

use anyhow::Context as _;
use clap::Args;

use crate::config::Config;

/// Bring the database up to this version. `serve` does the same when it starts.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: palabre migrate --database-url postgres://palabre@db.example/palabre"
)]
pub struct MigrateArgs {}

pub async fn run(config: &Config, _: &MigrateArgs) -> anyhow::Result<()> {
    let store = super::open_store(config).await?;
    store
        .migrate()
        .await
        .context("the database cannot be migrated")?;
    store.close().await;
    println!("the database is up to date");
    Ok(())
}
