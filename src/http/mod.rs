//! Palabre over HTTP: the contract's routes, each handler being its extractors, one use case and one answer.
//!
//! `routes` is the API as one list. To add an endpoint: a line there, a handler with its description (`utoipa::path`)
//! in the file of its noun, and a row in the table test of who may call it.

mod access;
mod authors;
mod clusters;
mod comments;
mod decisions;
mod docs;
mod errors;
mod events;
mod extract;
mod fields;
mod health;
mod held;
mod idempotency;
mod limits;
mod models;
mod moderation_page;
mod moderators;
pub mod openapi;
mod opinions;
mod parameters;
mod problem;
mod queue;
mod reports;
pub mod routes;
mod score;
mod sessions;
mod settings;
mod simulation;
mod sites;
mod stats;
mod threads;
mod trace;

use std::{net::TcpListener, sync::Arc, time::Duration};

use actix_cors::Cors;
use actix_web::{
    App, HttpServer,
    dev::Server,
    middleware::{self, DefaultHeaders},
    web,
};

pub use limits::RateLimit;
pub use settings::{BasePath, BelieveFor, Origins, Settings, TrustedProxies};

use self::{docs::Docs, extract::BodyLimit, idempotency::Twins, limits::Limits};
use crate::moderation::Moderation;

/// The most bytes a request body may have.
const BODY: BodyLimit = BodyLimit(64 * 1024);
/// The same for what admins send.
const ADMIN_BODY: BodyLimit = BodyLimit(1024 * 1024);
/// How long requests under way may take after the order to stop, in seconds.
const DRAIN_SECONDS: u64 = 10;
/// How long a request's head may take to arrive.
const HEAD_PATIENCE: Duration = Duration::from_secs(10);
/// How long a connection may be idle: longer than proxies keep theirs.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// How many connections may wait to be accepted.
const BACKLOG: i32 = 4096;
/// How long a client may leave an answer unread before its connection is cut.
const READING_PATIENCE: Duration = Duration::from_secs(30);

/// Starts the server on a bound listener. It runs while the returned value is awaited, and stops on SIGTERM or SIGINT
/// after the requests under way.
///
/// # Errors
/// When the listener cannot be used.
pub fn start(
    moderation: Arc<Moderation>,
    listener: TcpListener,
    settings: Settings,
) -> std::io::Result<Server> {
    let socket = socket2::SockRef::from(&listener);
    // Inherited by every connection: who stops reading is cut off by the kernel, however slowly we notice.
    socket.set_tcp_user_timeout(Some(READING_PATIENCE))?;
    // The standard library lets 128 wait, which a burst of connections overflows.
    socket.listen(BACKLOG)?;
    let state: web::Data<Moderation> = web::Data::from(moderation);
    let limits = web::Data::new(Limits::new(settings.rate_limit));
    let proxies = web::Data::new(settings.trusted_proxies);
    let believe_for = web::Data::new(settings.believe_for);
    let twins: web::Data<Twins> = web::Data::default();
    let places: web::Data<comments::Places> = web::Data::default();
    let docs = web::Data::new(Docs::new(&settings.base_path)?);
    let (stop, stopping) = tokio::sync::watch::channel(false);
    let stopping = web::Data::new(Stopping(stopping));
    let base = web::Data::new(settings.base_path.clone());
    let (base_path, origins) = (settings.base_path, settings.cors_origins);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(state.clone())
            .app_data(limits.clone())
            .app_data(proxies.clone())
            .app_data(believe_for.clone())
            .app_data(twins.clone())
            .app_data(places.clone())
            .app_data(docs.clone())
            .app_data(stopping.clone())
            .app_data(base.clone())
            .app_data(web::PayloadConfig::new(BODY.0))
            .app_data(BODY)
            .service(
                web::scope(base_path.as_str())
                    .configure(routes::configure)
                    .default_service(web::to(routes::unknown)),
            )
            .default_service(web::to(routes::unknown))
            .wrap(cors(&origins))
            .wrap(headers())
            .wrap(middleware::from_fn(trace::observe))
            .wrap(middleware::from_fn(held::whole_chunks))
    })
    .listen(listener)?
    .client_request_timeout(HEAD_PATIENCE)
    .keep_alive(KEEP_ALIVE)
    .shutdown_signal(stop_ordered(stop)?)
    .shutdown_timeout(DRAIN_SECONDS)
    .run();
    Ok(server)
}

/// Lets pages of these origins read answers.
fn cors(origins: &Origins) -> middleware::Condition<Cors> {
    let cors = origins.iter().fold(Cors::default(), Cors::allowed_origin);
    let cors = cors
        .allowed_methods(["GET", "POST", "PUT", "PATCH", "DELETE"])
        .allowed_headers(["authorization", "content-type", "idempotency-key"])
        .expose_headers(["x-request-id", "retry-after", "idempotent-replayed"])
        .max_age(3600);
    middleware::Condition::new(!origins.is_empty(), cors)
}

/// What a page of our own may do: its own scripts and styles, and requests to its own server.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                           connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What every answer tells browsers: nothing here is a page, nothing is to be guessed, framed or kept.
fn headers() -> DefaultHeaders {
    DefaultHeaders::new()
        .add(("x-content-type-options", "nosniff"))
        .add(("referrer-policy", "no-referrer"))
        .add((
            "content-security-policy",
            "default-src 'none'; frame-ancestors 'none'",
        ))
        .add(("cache-control", "no-store"))
}

/// Says when the server is ordered to stop, to answers that have no end of their own.
#[derive(Clone)]
struct Stopping(tokio::sync::watch::Receiver<bool>);

impl Stopping {
    /// Ends when the order comes.
    async fn ordered(&mut self) {
        let _ = self.0.wait_for(|ordered| *ordered).await;
    }
}

/// Ends on the first SIGTERM or SIGINT from now on, and tells `stop`. (Actix by itself cuts requests off on SIGINT.)
fn stop_ordered(
    stop: tokio::sync::watch::Sender<bool>,
) -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        stop.send_replace(true);
    })
}
