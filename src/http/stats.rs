//! Figures over HTTP.

use actix_web::{HttpResponse, web};

use super::{access::Asking, extract::Params, parameters::OfSites, problem::Problem};
use crate::moderation::{Day, Moderation, Stats, StatsRequest, Zone};

/// The sites and days that a request is about.
pub(super) fn period(params: &Params) -> Result<StatsRequest, Problem> {
    Ok(StatsRequest {
        site: params.site()?,
        from: params.parsed("from", Day::parse)?,
        to: params.parsed("to", Day::parse)?,
        zone: params.parsed("tz", Zone::parse)?.unwrap_or_default(),
    })
}

/// What was received, held and decided, by day, reason and moderator.
#[utoipa::path(
    get, path = "/v1/stats", operation_id = "getStats",
    params(
        ("from" = Option<String>, Query, format = Date, description = "The first day; thirty days in all if absent."),
        ("to" = Option<String>, Query, format = Date, description = "The last day; today if absent."),
        ("tz" = Option<String>, Query, description = "The time zone whose days are meant, such as `Africa/Bamako`; UTC if absent."),
        OfSites,
    ),
    responses(
        (status = 200, description = "The figures; of 366 days at most.", body = Stats),
        (status = 404, description = "There is no such site."),
    ),
)]
pub async fn show(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
    params: Params,
) -> Result<HttpResponse, Problem> {
    let request = period(&params)?;
    Ok(HttpResponse::Ok().json(moderation.stats(&caller, &request).await?))
}
