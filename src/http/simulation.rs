//! Trying a policy over HTTP, for admins.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    access::Asking,
    extract::{Json, Slug},
    fields::Fields,
    parameters::SitePath,
    problem::Problem,
};
use crate::{
    domain::{PolicyThresholds, object},
    moderation::{Moderation, Simulation, SimulationRequest},
};

/// The most days that are looked at: a year.
const MAX_DAYS: u32 = 366;

/// Thresholds to try.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SimulationRequest)]
pub struct SimulationBody {
    /// Scores from which a comment waits; null is as the policy has it.
    #[serde(default, deserialize_with = "object")]
    hold: PolicyThresholds,
    /// Move these thresholds, all alike, so that no more cards a day come of them.
    #[serde(default)]
    #[schema(minimum = 0)]
    max_cards_a_day: Option<f64>,
    /// Set the thresholds of these labels so that by their own scores at least such a share, from 0 to 1, of what moderators
    /// hid for them would have waited. `max_cards_a_day` then moves the others.
    #[serde(default, deserialize_with = "object")]
    min_found: PolicyThresholds,
    /// Say for each label what its threshold would have done, moved alone.
    #[serde(default)]
    curves: bool,
    /// Of so many days back from now.
    #[serde(default = "a_month")]
    #[schema(minimum = 1, maximum = 366, default = 30)]
    days: u32,
}

const fn a_month() -> u32 {
    30
}

/// Says what other thresholds would have done with what the site received. Changes nothing.
#[utoipa::path(
    post, path = "/v1/sites/{slug}/policy:simulate", operation_id = "simulatePolicy", tag = "sites",
    params(SitePath),
    request_body = SimulationBody,
    responses(
        (status = 200, description = "What they would have done, beside the policy as it is.", body = Simulation),
        (status = 404, description = "There is no such site."),
    ),
)]
pub async fn simulate(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
    Slug(slug): Slug,
    Json(body): Json<SimulationBody>,
) -> Result<HttpResponse, Problem> {
    let mut fields = Fields::default();
    if !(1..=MAX_DAYS).contains(&body.days) {
        fields.refuse("days", format!("must be from 1 to {MAX_DAYS}"));
    }
    if body.max_cards_a_day.is_some_and(|cards| cards < 0.0) {
        fields.refuse("max_cards_a_day", "must not be negative");
    }
    fields.finish()?;
    let site = moderation.site_of(&caller, Some(&slug)).await?;
    let request = SimulationRequest {
        hold: body.hold,
        max_cards_a_day: body.max_cards_a_day,
        min_found: body.min_found,
        curves: body.curves,
        days: body.days,
    };
    Ok(HttpResponse::Ok().json(moderation.simulate(&site, &request).await?))
}
