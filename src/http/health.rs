//! Is the process up, and can it work?

use actix_web::{HttpResponse, web};
use serde_json::json;

use super::problem::Problem;
use crate::moderation::Moderation;

/// What the service counts and measures of itself, in Prometheus' text format.
pub async fn metrics(moderation: web::Data<Moderation>) -> Result<HttpResponse, Problem> {
    let (text, format) = moderation.render_metrics().await?;
    Ok(HttpResponse::Ok().content_type(format).body(text))
}

/// The process is up.
pub async fn alive() -> HttpResponse {
    HttpResponse::Ok().json(json!({"status": "ok"}))
}

/// The database answers, and a model is loaded.
pub async fn ready(moderation: web::Data<Moderation>) -> Result<HttpResponse, Problem> {
    if let Err(error) = moderation.ready().await {
        tracing::warn!(error = ?anyhow::Error::from(error), "not ready");
        return Err(Problem::unavailable());
    }
    Ok(HttpResponse::Ok().json(json!({
        "status": "ok",
        "model": moderation.model().version(),
    })))
}
