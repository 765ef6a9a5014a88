//! `palabre serve`

use std::{net::TcpListener, sync::Arc};

use anyhow::Context as _;
use clap::Args;

use crate::{
    config::{Config, Listen},
    http,
    moderation::Moderation,
    worker::Worker,
};

/// Serve the API. Migrates the database, loads the live model, and prints one line when ready.
#[derive(Debug, Args)]
#[command(after_help = "Example: palabre serve --data-dir /var/lib/palabre --listen 0.0.0.0:8080")]
pub struct ServeArgs {
    #[command(flatten)]
    listen: Listen,
}

pub async fn run(config: &Config, args: &ServeArgs) -> anyhow::Result<()> {
    // Bound before the database is touched: a taken port is the likelier mistake, and the cheaper to find.
    let listener = bind(&args.listen)?;
    let moderation = Arc::new(
        Moderation::open(super::open_store(config).await?)
            .await
            .context("Palabre cannot start")?,
    );
    serve(moderation, listener, |address| {
        println!("listening on http://{address}");
    })
    .await
}

/// Binds the address, or says why not.
pub fn bind(listen: &Listen) -> anyhow::Result<TcpListener> {
    TcpListener::bind(listen.listen).with_context(|| {
        format!(
            "cannot listen on {}: is another server running there? Choose another address with --listen",
            listen.listen
        )
    })
}

/// Serves until SIGTERM or SIGINT, then lets the requests under way finish and closes the database.
pub async fn serve(
    moderation: Arc<Moderation>,
    listener: TcpListener,
    ready: impl FnOnce(std::net::SocketAddr),
) -> anyhow::Result<()> {
    let address = listener.local_addr().context("no address was bound")?;
    let server = http::start(Arc::clone(&moderation), listener).context("cannot serve")?;
    let worker = Worker::start(Arc::clone(&moderation));
    ready(address);
    server.await.context("the server failed")?;
    drop(worker);
    moderation.close().await;
    tracing::info!("stopped");
    Ok(())
}
