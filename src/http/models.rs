//! Models over HTTP, for admins of all sites.

use actix_web::{
    HttpResponse,
    http::header::{CONTENT_SECURITY_POLICY, ContentType},
    web,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    access::Asking,
    extract::{Params, Version},
    parameters::{ModelPath, OfSites},
    problem::Problem,
};
use crate::{
    domain::Timestamp,
    moderation::{
        Comparison, ComparisonRequest, ModelDetails, ModelView, Moderation, REPORT_POLICY,
    },
};

/// The default and the most comments that a comparison names.
const ITEMS: (usize, usize) = (50, 200);

/// Every model.
#[derive(Serialize, ToSchema)]
pub struct Models {
    items: Vec<ModelView>,
}

/// Lists the models.
#[utoipa::path(
    get, path = "/v1/models", operation_id = "listModels",
    responses((status = 200, description = "The models, the newest first.", body = Models)),
)]
pub async fn list(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
) -> Result<HttpResponse, Problem> {
    let items = moderation.list_models(&caller).await?;
    Ok(HttpResponse::Ok().json(Models { items }))
}

/// Shows a model, with what was measured when it was made.
#[utoipa::path(
    get, path = "/v1/models/{version}", operation_id = "getModel",
    params(ModelPath),
    responses(
        (status = 200, description = "The model.", body = ModelDetails),
        (status = 404, description = "There is no such model."),
    ),
)]
pub async fn show(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
    Version(version): Version,
) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(moderation.show_model(&caller, &version).await?))
}

/// The report of a model's training as a page that needs nothing else. Texts of comments are as they are now: of those that
/// were deleted since there is nothing but that.
#[utoipa::path(
    get, path = "/v1/models/{version}/report", operation_id = "getModelReport",
    params(ModelPath),
    responses(
        (status = 200, description = "The page.", body = String, content_type = "text/html"),
        (status = 404, description = "There is no such model."),
    ),
)]
pub async fn report(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
    Version(version): Version,
) -> Result<HttpResponse, Problem> {
    let page = moderation.model_report(&caller, &version).await?;
    let policy = format!("{}; frame-ancestors 'none'", *REPORT_POLICY);
    Ok(HttpResponse::Ok()
        .content_type(ContentType::html())
        .insert_header((CONTENT_SECURITY_POLICY, policy))
        .body(page))
}

/// Makes a model the live one. Other servers follow within two seconds; what is stored keeps its scores.
#[utoipa::path(
    post, path = "/v1/models/{version}/activate", operation_id = "activateModel",
    params(ModelPath),
    responses(
        (status = 200, description = "The model, live.", body = ModelView),
        (status = 404, description = "There is no such model."),
        (status = 409, description = "It cannot be used; the live one stays."),
    ),
)]
pub async fn activate(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
    Version(version): Version,
) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(moderation.activate_model(&caller, &version).await?))
}

/// Goes back to the model that was live before this one; once more, to the one before that.
#[utoipa::path(
    post, path = "/v1/models:rollback", operation_id = "rollBackModel",
    responses(
        (status = 200, description = "The model that is live again.", body = ModelView),
        (status = 409, description = "No model was live before, or it cannot be used any more; the live one stays."),
    ),
)]
pub async fn roll_back(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(moderation.roll_back_model(&caller).await?))
}

/// Lets a model score beside the live one what is written from now on, in place of another that did. Nothing else changes: no
/// status, no queue. It ends when it goes live.
#[utoipa::path(
    post, path = "/v1/models/{version}/shadow", operation_id = "shadowModel",
    params(ModelPath),
    responses(
        (status = 200, description = "The model, the shadow.", body = ModelView),
        (status = 404, description = "There is no such model."),
        (status = 409, description = "It cannot be used, or is the live one; the shadow of before stays."),
    ),
)]
pub async fn shadow(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
    Version(version): Version,
) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(moderation.set_shadow(&caller, &version).await?))
}

/// Ends the shadow, if there is one.
#[utoipa::path(
    post, path = "/v1/models:unshadow", operation_id = "endShadow",
    responses((status = 204, description = "There is no shadow.")),
)]
pub async fn unshadow(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
) -> Result<HttpResponse, Problem> {
    moderation.end_shadow(&caller).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Compares the shadow with the live model: what each would have held, and how moderators judged that.
#[utoipa::path(
    get, path = "/v1/models/{version}/comparison", operation_id = "compareModels",
    params(
        ModelPath, OfSites,
        ("since" = inline(Option<Timestamp>), Query, description = "Only what was written at this moment or later."),
        ("limit" = Option<usize>, Query, minimum = 1, maximum = 200, description = "The most items; 50 if absent."),
    ),
    responses(
        (status = 200, description = "The two on the newest comments that both scored.", body = Comparison),
        (status = 404, description = "There is no such model or site."),
        (status = 409, description = "The model is not the shadow."),
    ),
)]
pub async fn compare(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
    Version(version): Version,
    params: Params,
) -> Result<HttpResponse, Problem> {
    let request = ComparisonRequest {
        site: params.site()?,
        since: params.named("since")?,
        limit: params.limit(ITEMS.0, ITEMS.1)?,
    };
    let compared = moderation.compare_models(&caller, &version, &request);
    Ok(HttpResponse::Ok().json(compared.await?))
}
