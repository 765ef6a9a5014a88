//! The queue over HTTP.

use actix_web::{HttpResponse, web};

use super::{access::Asking, extract::Params, problem::Problem};
use crate::{
    domain::{AuthorId, Invalid, ThreadKey, Words},
    moderation::{Moderation, QueueRequest},
};

/// The default and the most items a page has.
pub const PAGE: (usize, usize) = (50, 200);

/// A page of the queue.
pub async fn list(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
    params: Params,
) -> Result<HttpResponse, Problem> {
    let request = QueueRequest {
        queue: params.named("queue")?.unwrap_or_default(),
        sort: params.named("sort")?.unwrap_or_default(),
        reason: params.named("reason")?,
        site: params.site()?,
        thread: params.parsed("thread", ThreadKey::parse)?,
        author: params.parsed("author", AuthorId::parse)?,
        min_score: params.number("min_score", 0.0, 1.0)?,
        q: params.parsed("q", Words::parse)?,
        collapse: params
            .parsed("collapse", |fold| match fold {
                "cluster" => Ok(()),
                _ => Err(Invalid("must be \"cluster\", or left out".into())),
            })?
            .is_some(),
        limit: params.limit(PAGE.0, PAGE.1)?,
        cursor: params.cursor(),
    };
    Ok(HttpResponse::Ok().json(moderation.queue(&caller, &request).await?))
}

/// How many items wait in each queue.
pub async fn counts(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
    params: Params,
) -> Result<HttpResponse, Problem> {
    let counts = moderation
        .queue_counts(&caller, params.site()?.as_ref())
        .await?;
    Ok(HttpResponse::Ok().json(counts))
}
