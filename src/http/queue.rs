//! The queue over HTTP.

use actix_web::{HttpResponse, web};

use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    access::Asking,
    extract::{Id, Json, Params},
    fields::Fields,
    parameters::{CommentPath, OfSites, Paging},
    problem::Problem,
};
use crate::{
    domain::{
        AuthorId, Claim, CommentId, Invalid, QueueName, QueueSort, ReasonCode, SiteSlug, ThreadKey,
        Words,
    },
    moderation::{
        ClaimRequest, Claimed, Error, Moderation, Page, QueueCounts, QueueItem, QueueRequest, Thing,
    },
};

/// The default and the most items a page has.
pub const PAGE: (usize, usize) = (50, 200);

/// A page of the queue.
#[utoipa::path(
    get, path = "/v1/queue", operation_id = "listQueue",
    params(
        ("queue" = inline(Option<QueueName>), Query, description = "Which part of the queue; `waiting` if absent."),
        ("sort" = inline(Option<QueueSort>), Query, description = "`priority`, threats and then the most harm, if absent; `harm`, by the harm to be expected alone."),
        ("reason" = inline(Option<ReasonCode>), Query, description = "Only what waits for this reason."),
        ("thread" = inline(Option<ThreadKey>), Query, description = "Only of this thread; it is of one site."),
        ("author" = inline(Option<AuthorId>), Query, description = "Only of this author, who is of one site."),
        ("min_score" = Option<f32>, Query, minimum = 0, maximum = 1, description = "Only what has at least this as its highest score."),
        ("q" = inline(Option<Words>), Query, description = "Only what holds all these words, where a word begins, whatever their case and accents."),
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

/// What to lease.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ClaimRequest)]
pub struct ClaimBody {
    /// How many items; one moderator has at most fifty at a time. May be left out where `minutes` is given.
    #[schema(minimum = 1, maximum = 50)]
    limit: Option<usize>,
    /// As many as the caller decides in so many minutes, at the pace of their last days.
    #[schema(minimum = 1, maximum = 480)]
    minutes: Option<u32>,
    /// Which come first; `harm` if absent where `minutes` is given, else `priority`.
    sort: Option<QueueSort>,
    #[serde(default)]
    filter: ClaimFilter,
}

/// The longest time that can be filled, in minutes: a working day.
const MOST_MINUTES: u32 = 480;

/// Which items, as in a page of the queue.
#[derive(Deserialize, Default, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ClaimFilter {
    queue: QueueName,
    #[schema(value_type = Option<SiteSlug>)]
    site: Option<String>,
    reason: Option<ReasonCode>,
    #[schema(value_type = Option<ThreadKey>)]
    thread: Option<String>,
    #[schema(value_type = Option<AuthorId>)]
    author: Option<String>,
    #[schema(minimum = 0, maximum = 1)]
    min_score: Option<f32>,
    #[schema(value_type = Option<Words>)]
    q: Option<String>,
}

/// Leases the next items to the one who asks, for ten minutes; whatever they then do makes it ten minutes again.
#[utoipa::path(
    post, path = "/v1/queue/claims", operation_id = "claimItems",
    request_body = ClaimBody,
    responses(
        (status = 200, description = "Items that are nobody else's, in that order; none if there are none, or the caller has fifty.", body = Claimed),
        (status = 404, description = "There is no such site or thread."),
    ),
)]
pub async fn claim(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
    Json(body): Json<ClaimBody>,
) -> Result<HttpResponse, Problem> {
    let mut fields = Fields::default();
    let filter = body.filter;
    let site = fields.check_optional("filter.site", filter.site.as_deref(), SiteSlug::parse);
    let thread = fields.check_optional("filter.thread", filter.thread.as_deref(), ThreadKey::parse);
    let author = fields.check_optional("filter.author", filter.author.as_deref(), AuthorId::parse);
    let q = fields.check_optional("filter.q", filter.q.as_deref(), Words::parse);
    match (body.limit, body.minutes) {
        (None, None) => fields.refuse("limit", "is needed, or `minutes` is"),
        (Some(limit), _) if !(1..=Claim::MOST).contains(&limit) => {
            fields.refuse("limit", format!("must be from 1 to {}", Claim::MOST));
        }
        _ => {}
    }
    if (body.minutes).is_some_and(|minutes| !(1..=MOST_MINUTES).contains(&minutes)) {
        fields.refuse("minutes", format!("must be from 1 to {MOST_MINUTES}"));
    }
    if filter
        .min_score
        .is_some_and(|score| !(0.0..=1.0).contains(&score))
    {
        fields.refuse("filter.min_score", "must be from 0 to 1");
    }
    fields.finish()?;
    let usual = match body.minutes {
        Some(_) => QueueSort::Harm,
        None => QueueSort::Priority,
    };
    let items = QueueRequest {
        queue: filter.queue,
        sort: body.sort.unwrap_or(usual),
        reason: filter.reason,
        site,
        thread,
        author,
        min_score: filter.min_score,
        q,
        collapse: false,
        limit: body.limit.unwrap_or(Claim::MOST),
        cursor: None,
    };
    let request = ClaimRequest {
        items,
        minutes: body.minutes,
    };
    Ok(HttpResponse::Ok().json(moderation.claim(&caller, &request).await?))
}

/// What the caller looks at.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PresenceRequest {
    /// Null, or nothing, where they look at nothing any more.
    #[serde(default)]
    #[schema(value_type = Option<CommentId>)]
    comment_id: Option<String>,
}

/// Says what the caller looks at, for others to see in `viewers`. It is believed for a minute, unless it is said again; one
/// comment at a time. It keeps nobody from deciding.
#[utoipa::path(
    put, path = "/v1/queue/presence", operation_id = "lookAt",
    request_body = PresenceRequest,
    responses(
        (status = 204, description = "Others see it."),
        (status = 404, description = "There is no such comment."),
    ),
)]
pub async fn look_at(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
    Json(body): Json<PresenceRequest>,
) -> Result<HttpResponse, Problem> {
    let comment = body.comment_id.map(|id| id.parse::<CommentId>());
    let comment = comment
        .transpose()
        .map_err(|_| Error::NotFound(Thing::Comment))?;
    moderation.look_at(&caller, comment).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Gives an item back.
#[utoipa::path(
    delete, path = "/v1/queue/claims/{id}", operation_id = "releaseItem",
    params(CommentPath),
    responses(
        (status = 204, description = "It is not the caller's, whether it was before or not."),
        (status = 404, description = "That is the id of nothing."),
    ),
)]
pub async fn release(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
    Id(id): Id<CommentId>,
) -> Result<HttpResponse, Problem> {
    moderation.release(&caller, Some(id)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Gives back all that the caller has.
#[utoipa::path(
    delete, path = "/v1/queue/claims", operation_id = "releaseItems",
    responses((status = 204, description = "Nothing is the caller's.")),
)]
pub async fn release_all(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
) -> Result<HttpResponse, Problem> {
    moderation.release(&caller, None).await?;
    Ok(HttpResponse::NoContent().finish())
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
