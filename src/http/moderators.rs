//! Moderators' accounts over HTTP, for admins of all sites.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    access::Asking,
    extract::{Json, Params},
    fields::Fields,
    problem::Problem,
};
use crate::{
    domain::{Account, Caller, Role, SiteScope, SiteSlug, Subject},
    moderation::{Error, Moderation, Thing},
};

/// An account to add.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewModerator {
    #[schema(value_type = Subject)]
    name: String,
    #[serde(default)]
    role: ModeratorRole,
    /// Slugs of the sites to moderate; `*` is all.
    #[schema(min_items = 1)]
    sites: Vec<String>,
}

#[derive(Deserialize, Default, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ModeratorRole {
    #[default]
    Moderator,
    Admin,
}

/// What changes of an account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ModeratorChange {
    /// A disabled account is shut out at once.
    disabled: bool,
}

/// An account, and the secret of a link by which its owner signs in once: `moderation#link=...`.
#[derive(Serialize, ToSchema)]
pub struct Invited {
    moderator: Account,
    link: String,
}

/// The secret of a new link.
#[derive(Serialize, ToSchema)]
pub struct NewLink {
    link: String,
}

/// Every account.
#[derive(Serialize, ToSchema)]
pub struct Moderators {
    items: Vec<Account>,
}

/// Accounts are of the whole instance.
fn require_all_sites(caller: &Caller) -> Result<(), Problem> {
    match caller.sites {
        SiteScope::All => Ok(()),
        SiteScope::Only(_) => Err(Error::AllSitesNeeded.into()),
    }
}

/// The account of a path. What is no name names nobody.
fn named(name: &str) -> Result<Subject, Problem> {
    Subject::parse(name).map_err(|_| Error::NotFound(Thing::Moderator).into())
}

/// Lists the accounts.
#[utoipa::path(
    get, path = "/v1/moderators", operation_id = "listModerators",
    responses((status = 200, description = "The accounts, by name.", body = Moderators)),
)]
pub async fn list(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
    _: Params,
) -> Result<HttpResponse, Problem> {
    require_all_sites(&caller)?;
    let items = moderation.administration().moderators().await?;
    Ok(HttpResponse::Ok().json(Moderators { items }))
}

/// Adds an account.
#[utoipa::path(
    post, path = "/v1/moderators", operation_id = "addModerator",
    request_body = NewModerator,
    responses(
        (status = 201, description = "The account, and its first link.", body = Invited),
        (status = 409, description = "The name is taken."),
    ),
)]
pub async fn add(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
    Json(body): Json<NewModerator>,
) -> Result<HttpResponse, Problem> {
    require_all_sites(&caller)?;
    let mut fields = Fields::default();
    let name = fields.check("name", Subject::parse(&body.name));
    let sites = if body.sites.iter().any(|site| site == "*") {
        Some(SiteScope::All)
    } else {
        let slugs: Vec<SiteSlug> = body
            .sites
            .iter()
            .filter_map(|site| fields.check("sites", SiteSlug::parse(site)))
            .collect();
        if body.sites.is_empty() {
            fields.refuse("sites", "must name a site, or be [\"*\"]");
        }
        Some(SiteScope::Only(slugs))
    };
    fields.finish()?;
    let (Some(name), Some(sites)) = (name, sites) else {
        return Err(Problem::internal());
    };
    let role = match body.role {
        ModeratorRole::Moderator => Role::Moderator,
        ModeratorRole::Admin => Role::Admin,
    };
    let (moderator, link) = moderation
        .administration()
        .add_moderator(&name, role, &sites)
        .await?;
    Ok(HttpResponse::Created().json(Invited { moderator, link }))
}

/// Disables an account, or enables it again.
#[utoipa::path(
    patch, path = "/v1/moderators/{name}", operation_id = "changeModerator",
    params(("name" = inline(Subject), Path, description = "The account.")),
    request_body = ModeratorChange,
    responses(
        (status = 200, description = "The account.", body = Account),
        (status = 404, description = "There is no such account."),
    ),
)]
pub async fn change(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
    name: web::Path<String>,
    Json(body): Json<ModeratorChange>,
) -> Result<HttpResponse, Problem> {
    require_all_sites(&caller)?;
    let name = named(&name)?;
    let account = moderation
        .administration()
        .set_disabled(name.as_str(), body.disabled)
        .await?;
    Ok(HttpResponse::Ok().json(account))
}

/// Makes a new link for an account, whose owner then chooses a password anew.
#[utoipa::path(
    post, path = "/v1/moderators/{name}/links", operation_id = "newSignInLink",
    params(("name" = inline(Subject), Path, description = "The account.")),
    responses(
        (status = 201, description = "The link's secret; earlier ones have ended.", body = NewLink),
        (status = 404, description = "There is no such account."),
    ),
)]
pub async fn link(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
    name: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    require_all_sites(&caller)?;
    let name = named(&name)?;
    let link = moderation.administration().new_link(name.as_str()).await?;
    Ok(HttpResponse::Created().json(NewLink { link }))
}
