//! Sites and their policies over HTTP, for admins.

use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::{
    access::Asking,
    extract::{Json, Slug, present},
    fields::Fields,
    problem::Problem,
    threads::changed,
};
use crate::{
    domain::{Policy, SiteChange, SiteSlug, Title},
    moderation::{Moderation, Page},
};

/// The most words a list has.
const MAX_WORDS: usize = 5_000;
/// The longest time in days that a policy may name: a century.
const MAX_DAYS: u32 = 36_500;

/// The sites of the caller's token, by slug.
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
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteBody {
    slug: String,
    #[serde(default)]
    name: Option<String>,
}

/// Adds a site with the default policy.
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
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SitePatch {
    #[serde(default, deserialize_with = "present")]
    name: Option<Option<String>>,
}

/// Changes a site.
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
    Ok(HttpResponse::Ok().json(moderation.change_site(site, change).await?))
}

/// A site's policy.
pub async fn policy(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
    Slug(slug): Slug,
) -> Result<HttpResponse, Problem> {
    let site = moderation.site_of(&caller, Some(&slug)).await?;
    Ok(HttpResponse::Ok().json(site.policy))
}

/// Gives a site another policy; what the request leaves out is as in the default policy.
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
    for (name, days) in [
        ("close_after_days", policy.close_after_days),
        ("retention_days", policy.retention_days),
    ] {
        if days.is_some_and(|days| days.get() > MAX_DAYS) {
            fields.refuse(name, format!("must be at most {MAX_DAYS}"));
        }
    }
    fields.finish()?;
    let site = moderation.site_of(&caller, Some(&slug)).await?;
    Ok(HttpResponse::Ok().json(moderation.set_policy(&site, policy).await?))
}
