//! `palabre serve`

use std::{net::TcpListener, path::PathBuf, sync::Arc};

use anyhow::Context as _;
use clap::Args;

use crate::{
    config::{Config, Listen},
    http::{self, BasePath, Origins, RateLimit, Settings, TrustedProxies},
    moderation::{Moderation, SsoKeys},
    worker::Worker,
};

/// Serve the API. Migrates the database, loads the live model, and prints one line when ready.
#[derive(Debug, Args)]
#[command(after_help = "Example: palabre serve --data-dir /var/lib/palabre --listen 0.0.0.0:8080")]
pub struct ServeArgs {
    #[command(flatten)]
    listen: Listen,
    #[command(flatten)]
    reach: Reach,
}

/// How the server is reached.
#[derive(Debug, Args)]
struct Reach {
    /// Path that everything is below, where a proxy gives Palabre a part of a host, such as /comments
    #[arg(long, env = "PALABRE_BASE_PATH", default_value = "")]
    base_path: BasePath,
    /// Addresses and networks of proxies whose X-Forwarded-For counts, separated by commas
    #[arg(long, env = "PALABRE_TRUSTED_PROXIES", default_value = "")]
    trusted_proxies: TrustedProxies,
    /// Origins whose pages may read answers in a browser, separated by commas
    #[arg(long, env = "PALABRE_CORS_ORIGINS", default_value = "")]
    cors_origins: Origins,
    /// Requests a second for each token; "off" is for load tests, and lets authors post as often as they like too
    #[arg(long, env = "PALABRE_RATE_LIMIT", default_value = "500")]
    rate_limit: RateLimit,
    /// File of public keys whose tokens are believed too, for single sign-on: a JSON Web Key Set, each of whose keys has
    /// a member "palabre" with iss, role and sites
    #[arg(long, env = "PALABRE_JWT_KEYS_FILE")]
    jwt_keys_file: Option<PathBuf>,
}

impl Reach {
    fn sso_keys(&self) -> anyhow::Result<SsoKeys> {
        let file = (self.jwt_keys_file.as_ref()).filter(|file| !file.as_os_str().is_empty());
        let Some(file) = file else {
            return Ok(SsoKeys::default());
        };
        let read = || anyhow::Ok(SsoKeys::parse(&std::fs::read_to_string(file)?)?);
        read().with_context(|| format!("the keys of {} cannot be used", file.display()))
    }

    fn settings(&self) -> Settings {
        Settings {
            base_path: self.base_path.clone(),
            trusted_proxies: self.trusted_proxies.clone(),
            cors_origins: self.cors_origins.clone(),
            rate_limit: self.rate_limit,
            ..Settings::default()
        }
    }
}

/// How many files and connections we would like to have open at once.
const OPEN_FILES: u64 = 65_536;

pub async fn run(config: &Config, args: &ServeArgs) -> anyhow::Result<()> {
    // Bound before the database is touched: a taken port is the likelier mistake, and the cheaper to find.
    let listener = bind(&args.listen)?;
    // As many connections as the machine lets us have; what it does not is its admin's word.
    if let Err(error) = rlimit::increase_nofile_limit(OPEN_FILES) {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
    let moderation = Arc::new(
        Moderation::trusting(super::open_store(config).await?, args.reach.sso_keys()?)
            .await
            .context("Palabre cannot start")?,
    );
    let settings = args.reach.settings();
    let below = settings.base_path.as_str().to_owned();
    serve(moderation, listener, settings, |address| {
        println!("listening on http://{address}{below}");
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
    settings: Settings,
    ready: impl FnOnce(std::net::SocketAddr),
) -> anyhow::Result<()> {
    let address = listener.local_addr().context("no address was bound")?;
    let server =
        http::start(Arc::clone(&moderation), listener, settings).context("cannot serve")?;
    let worker = Worker::start(Arc::clone(&moderation));
    ready(address);
    server.await.context("the server failed")?;
    drop(worker);
    moderation.close().await;
    tracing::info!("stopped");
    Ok(())
}
