//! Sites and their policies over HTTP, for admins.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    access::Asking,
    extract::{Json, Slug, present},
    fields::Fields,
    parameters::SitePath,
    problem::Problem,
    threads::changed,
};
use crate::{
    domain::{Policy, SiteChange, SiteSlug, Title},
    moderation::{Moderation, Page, SiteView},
};

/// The most words a list has.
const MAX_WORDS: usize = 5_000;
/// The longest time in days that a policy may name: a century.
const MAX_DAYS: u32 = 36_500;
/// A year.
const MAX_HOURS: u32 = 8_760;

/// The sites of the caller's token, by slug.
#[utoipa::path(
    get, path = "/v1/sites", operation_id = "listSites",
    responses((status = 200, description = "All of them.", body = Page<SiteView>)),
)]
pub async fn list(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(Page {
        items: moderation.list_sites(&caller).await?,
        next_cursor: None,
    }))
}

/// A new site.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewSite)]
pub struct SiteBody {
    #[schema(value_type = SiteSlug)]
    slug: String,
    #[serde(default)]
    #[schema(value_type = Option<Title>)]
    name: Option<String>,
}

/// Adds a site with the default policy.
#[utoipa::path(
    post, path = "/v1/sites", operation_id = "createSite",
    request_body = SiteBody,
    responses(
        (status = 201, description = "The site.", body = SiteView),
        (status = 403, description = "Only an admin of all sites may."),
        (status = 409, description = "There is a site of that name already."),
    ),
)]
pub async fn create(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
    Json(body): Json<SiteBody>,
) -> Result<HttpResponse, Problem> {
    let mut fields = Fields::default();
    let slug = fields.check("slug", SiteSlug::parse(&body.slug));
    let name = fields.check_optional("name", body.name.as_deref(), Title::parse);
    fields.finish()?;
    let slug = slug.ok_or_else(Problem::internal)?;
    let site = moderation.create_site(&caller, slug, name).await?;
    Ok(HttpResponse::Created().json(site))
}

/// What to change of a site. An absent field stays as it is, null clears it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SiteChange)]
pub struct SitePatch {
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Title>)]
    name: Option<Option<String>>,
}

/// Changes a site.
#[utoipa::path(
    patch, path = "/v1/sites/{slug}", operation_id = "changeSite",
    params(SitePath),
    request_body = SitePatch,
    responses(
        (status = 200, description = "The site.", body = SiteView),
        (status = 404, description = "There is no such site."),
    ),
)]
pub async fn change(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
    Slug(slug): Slug,
    Json(body): Json<SitePatch>,
) -> Result<HttpResponse, Problem> {
    let mut fields = Fields::default();
    let change = SiteChange {
        name: changed(&mut fields, "name", body.name, Title::parse),
    };
    fields.finish()?;
    let site = moderation.site_of(&caller, Some(&slug)).await?;
    Ok(HttpResponse::Ok().json(moderation.change_site(&site, change).await?))
}

/// A site's policy.
#[utoipa::path(
    get, path = "/v1/sites/{slug}/policy", operation_id = "getPolicy",
    params(SitePath),
    responses(
        (status = 200, description = "The policy.", body = Policy),
        (status = 404, description = "There is no such site."),
    ),
)]
pub async fn policy(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
    Slug(slug): Slug,
) -> Result<HttpResponse, Problem> {
    let site = moderation.site_of(&caller, Some(&slug)).await?;
    Ok(HttpResponse::Ok().json(&site.policy))
}

/// Gives a site another policy; what the request leaves out is as in the default policy.
#[utoipa::path(
    put, path = "/v1/sites/{slug}/policy", operation_id = "setPolicy",
    params(SitePath),
    request_body = Policy,
    responses(
        (status = 200, description = "The policy, in force from now on.", body = Policy),
        (status = 404, description = "There is no such site."),
    ),
)]
pub async fn set_policy(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
    Slug(slug): Slug,
    Json(policy): Json<Policy>,
) -> Result<HttpResponse, Problem> {
    let mut fields = Fields::default();
    for (name, words) in [
        ("banned_words", &policy.banned_words),
        ("suspect_words", &policy.suspect_words),
    ] {
        if words.len() > MAX_WORDS {
            fields.refuse(name, format!("must have at most {MAX_WORDS} words"));
        }
    }
    for (name, time, most) in [
        ("close_after_days", policy.close_after_days, MAX_DAYS),
        ("retention_days", policy.retention_days, MAX_DAYS),
        (
            "escalate_after_hours",
            policy.escalate_after_hours,
            MAX_HOURS,
        ),
    ] {
        if time.is_some_and(|time| time.get() > most) {
            fields.refuse(name, format!("must be at most {most}"));
        }
    }
    fields.finish()?;
    let site = moderation.site_of(&caller, Some(&slug)).await?;
    Ok(HttpResponse::Ok().json(moderation.set_policy(&site, policy).await?))
}
