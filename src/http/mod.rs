//! Palabre over HTTP: the contract's routes, each handler being its extractors, one use case and one answer.
//!
//! `routes` is the API as one list. To add an endpoint: a line there, a handler in the file of its noun, and a row in
//! the table test of who may call it.

mod access;
mod comments;
mod decisions;
mod errors;
mod extract;
mod fields;
mod health;
mod problem;
mod queue;
pub mod routes;
mod score;
mod threads;
mod trace;

use std::{net::TcpListener, sync::Arc};

use actix_web::{App, HttpServer, dev::Server, middleware, web};

use crate::moderation::Moderation;

/// The most bytes a request body may have.
const MAX_BODY_BYTES: usize = 64 * 1024;
/// How long requests under way may take after the order to stop, in seconds.
const DRAIN_SECONDS: u64 = 10;

/// Starts the server on a bound listener. It runs while the returned value is awaited, and stops on SIGTERM or SIGINT
/// after the requests under way.
///
/// # Errors
/// When the listener cannot be used.
pub fn start(moderation: Arc<Moderation>, listener: TcpListener) -> std::io::Result<Server> {
    let state: web::Data<Moderation> = web::Data::from(moderation);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(state.clone())
            .app_data(web::PayloadConfig::new(MAX_BODY_BYTES))
            .configure(routes::configure)
            .default_service(web::to(routes::unknown))
            .wrap(middleware::from_fn(trace::observe))
    })
    .listen(listener)?
    .shutdown_signal(stop_ordered())
    .shutdown_timeout(DRAIN_SECONDS)
    .run();
    Ok(server)
}

/// Ends on the first SIGTERM or SIGINT. (Actix by itself cuts requests off on SIGINT.)
async fn stop_ordered() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) else {
        tracing::warn!("signals cannot be caught; only kill -9 stops this server");
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
