//! Moderators' accounts over HTTP, for admins of all sites.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    access::Asking,
    extract::{Json, ModeratorName},
    fields::Fields,
    problem::Problem,
};
use crate::{
    domain::{Account, Role, SiteScope, Subject},
    moderation::Moderation,
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

/// Lists the accounts.
#[utoipa::path(
    get, path = "/v1/moderators", operation_id = "listModerators",
    responses((status = 200, description = "The accounts, by name.", body = Moderators)),
)]
pub async fn list(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
) -> Result<HttpResponse, Problem> {
    let items = moderation.moderators(&caller).await?;
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
    let mut fields = Fields::default();
    let name = fields.check("name", Subject::parse(&body.name));
    let sites = SiteScope::from_names(&body.sites);
    if sites.is_none() {
        fields.refuse("sites", "must be slugs of sites, or [\"*\"] for all");
    }
    fields.finish()?;
    let (Some(name), Some(sites)) = (name, sites) else {
        return Err(Problem::internal());
    };
    let role = match body.role {
        ModeratorRole::Moderator => Role::Moderator,
        ModeratorRole::Admin => Role::Admin,
    };
    let (moderator, link) = moderation
        .add_moderator(&caller, &name, role, &sites)
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
    ModeratorName(name): ModeratorName,
    Json(body): Json<ModeratorChange>,
) -> Result<HttpResponse, Problem> {
    let account = moderation
        .set_disabled(&caller, &name, body.disabled)
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
    ModeratorName(name): ModeratorName,
) -> Result<HttpResponse, Problem> {
    let link = moderation.new_sign_in_link(&caller, &name).await?;
    Ok(HttpResponse::Created().json(NewLink { link }))
}
