//! Is the process up, and can it work?

use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::problem::Problem;
use crate::moderation::Moderation;

/// What the service counts and measures of itself, in Prometheus' text format.
#[utoipa::path(
    get, path = "/metrics", operation_id = "getMetrics",
    responses(
        (status = 200, description = "The metrics.", body = String, content_type = "text/plain"),
        (status = 503, description = "The database does not answer."),
    ),
)]
pub async fn metrics(moderation: web::Data<Moderation>) -> Result<HttpResponse, Problem> {
    let (text, format) = moderation.render_metrics().await?;
    Ok(HttpResponse::Ok().content_type(format).body(text))
}

/// The process is up.
#[derive(Serialize, ToSchema)]
pub struct Alive {
    #[schema(pattern = "^ok$")]
    status: &'static str,
}

/// It can work.
#[derive(Serialize, ToSchema)]
pub struct Ready {
    #[schema(pattern = "^ok$")]
    status: &'static str,
    /// The version of the live model.
    model: String,
}

/// The process is up.
#[utoipa::path(
    get, path = "/healthz", operation_id = "getHealth",
    responses((status = 200, description = "It is.", body = Alive)),
)]
pub async fn alive() -> HttpResponse {
    HttpResponse::Ok().json(Alive { status: "ok" })
}

/// The database answers, and a model is loaded.
#[utoipa::path(
    get, path = "/readyz", operation_id = "getReadiness",
    responses(
        (status = 200, description = "It can work.", body = Ready),
        (status = 503, description = "The database does not answer."),
    ),
)]
pub async fn ready(moderation: web::Data<Moderation>) -> Result<HttpResponse, Problem> {
    if let Err(error) = moderation.ready().await {
        tracing::warn!(error = ?anyhow::Error::from(error), "not ready");
        return Err(Problem::unavailable());
    }
    Ok(HttpResponse::Ok().json(Ready {
        status: "ok",
        model: moderation.model().version().to_owned(),
    }))
}
