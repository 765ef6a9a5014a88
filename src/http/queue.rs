//! The queue over HTTP.

use actix_web::{HttpResponse, web};

use super::{
    access::Asking,
    extract::Params,
    parameters::{OfSites, Paging},
    problem::Problem,
};
use crate::{
    domain::{AuthorId, Invalid, QueueName, QueueSort, ReasonCode, ThreadKey, Words},
    moderation::{Moderation, Page, QueueCounts, QueueItem, QueueRequest},
};

/// The default and the most items a page has.
pub const PAGE: (usize, usize) = (50, 200);

/// A page of the queue.
#[utoipa::path(
    get, path = "/v1/queue", operation_id = "listQueue",
    params(
        ("queue" = inline(Option<QueueName>), Query, description = "Which part of the queue; `waiting` if absent."),
        ("sort" = inline(Option<QueueSort>), Query, description = "`priority`, the most harm first, if absent."),
        ("reason" = inline(Option<ReasonCode>), Query, description = "Only what waits for this reason."),
        ("thread" = inline(Option<ThreadKey>), Query, description = "Only of this thread; it is of one site."),
        ("author" = inline(Option<AuthorId>), Query, description = "Only of this author, who is of one site."),
        ("min_score" = Option<f32>, Query, minimum = 0, maximum = 1, description = "Only what has at least this as its highest score."),
        ("q" = inline(Option<Words>), Query, description = "Only what holds all these words, whatever their case and accents."),
        ("collapse" = Option<String>, Query, pattern = "^cluster$", description = "`cluster` shows one item for all copies of a text."),
        OfSites, Paging,
    ),
    responses(
        (status = 200, description = "Items with all that a card shows.", body = Page<QueueItem>),
        (status = 404, description = "There is no such site or thread."),
    ),
)]
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
#[utoipa::path(
    get, path = "/v1/queue/counts", operation_id = "countQueue",
    params(OfSites),
    responses(
        (status = 200, description = "A count for each part of the queue.", body = QueueCounts),
        (status = 404, description = "There is no such site."),
    ),
)]
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
