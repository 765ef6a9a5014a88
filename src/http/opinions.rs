//! What the policy lets through, and how far moderators agree with the model and with one another, over HTTP.

use actix_web::{HttpResponse, web};

use super::{
    access::Asking, extract::Params, parameters::OfSites, problem::Problem, queue::PAGE,
    stats::period,
};
use crate::{
    domain::{Agreement, Label},
    moderation::{Disagreement, DisagreementRequest, Moderation, Page, Recall},
};

/// How much of what is wrong the policy found: what it published is estimated from the samples that moderators decided.
#[utoipa::path(
    get, path = "/v1/recall", operation_id = "getRecall", tag = "stats",
    params(
        ("from" = Option<String>, Query, format = Date, description = "The first day; thirty days in all if absent."),
        ("to" = Option<String>, Query, format = Date, description = "The last day; today if absent."),
        ("tz" = Option<String>, Query, description = "The time zone whose days are meant; UTC if absent."),
        OfSites,
    ),
    responses(
        (status = 200, description = "The figures; of 366 days at most.", body = Recall),
        (status = 404, description = "There is no such site."),
    ),
)]
pub async fn recall(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
    params: Params,
) -> Result<HttpResponse, Problem> {
    let request = period(&params)?;
    Ok(HttpResponse::Ok().json(moderation.recall(&caller, &request).await?))
}

/// How far moderators agree, where one decided what another had: appeals, and what somebody came upon again.
#[utoipa::path(
    get, path = "/v1/agreement", operation_id = "getAgreement", tag = "stats",
    params(
        ("from" = Option<String>, Query, format = Date, description = "The first day of the second decisions; thirty days in all if absent."),
        ("to" = Option<String>, Query, format = Date, description = "The last day; today if absent."),
        ("tz" = Option<String>, Query, description = "The time zone whose days are meant; UTC if absent."),
        OfSites,
    ),
    responses(
        (status = 200, description = "The figures; of 366 days at most.", body = Agreement),
        (status = 404, description = "There is no such site."),
    ),
)]
pub async fn agreement(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
    params: Params,
) -> Result<HttpResponse, Problem> {
    let request = period(&params)?;
    Ok(HttpResponse::Ok().json(moderation.agreement(&caller, &request).await?))
}

/// Where decisions that stand and the model differ most, for somebody to look again; the newest 10,000 are looked at, and
/// copies of a text are one.
#[utoipa::path(
    get, path = "/v1/disagreements", operation_id = "listDisagreements", tag = "decisions",
    params(
        ("label" = inline(Option<Label>), Query, description = "Only about this label."),
        ("limit" = Option<usize>, Query, minimum = 1, maximum = 200, description = "How many at most; 50 if absent. There is one page."),
        OfSites,
    ),
    responses(
        (status = 200, description = "Comments with what was decided, the most surprising first.", body = Page<Disagreement>),
        (status = 404, description = "There is no such site."),
    ),
)]
pub async fn disagreements(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
    params: Params,
) -> Result<HttpResponse, Problem> {
    let request = DisagreementRequest {
        site: params.site()?,
        label: params.named("label")?,
        limit: params.limit(PAGE.0, PAGE.1)?,
    };
    Ok(HttpResponse::Ok().json(moderation.disagreements(&caller, &request).await?))
}
