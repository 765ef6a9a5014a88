//! Scoring over HTTP, without storing anything.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    access::Asking,
    extract::{Json, Params},
    fields::Fields,
    parameters::OfOneSite,
    problem::Problem,
};
use crate::{
    domain::{Body, Lang, Policy},
    moderation::{Error, Moderation, ScoreRequest, ScoredText, score_text},
};

/// A text to score.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ScoreRequest)]
pub struct ScoreBody {
    #[schema(value_type = Body)]
    text: String,
    #[serde(default)]
    /// The comment it answers. A blank one counts as absent.
    #[schema(max_length = 10_000)]
    parent_text: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<Lang>)]
    lang: Option<String>,
    #[serde(default)]
    explain: bool,
}

/// Scores, and what the site's policy would say; the default policy where the token covers several sites and none is named.
#[utoipa::path(
    post, path = "/v1/score", operation_id = "scoreText",
    params(OfOneSite),
    request_body = ScoreBody,
    responses(
        (status = 200, description = "The scores and the verdict.", body = ScoredText),
        (status = 404, description = "There is no such site."),
    ),
)]
pub async fn score(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
    params: Params,
    Json(body): Json<ScoreBody>,
) -> Result<HttpResponse, Problem> {
    let mut fields = Fields::default();
    let parent_text = body
        .parent_text
        .as_deref()
        .filter(|text| !text.trim().is_empty());
    let text = fields.check("text", Body::parse(&body.text));
    let parent = fields.check_optional("parent_text", parent_text, Body::parse);
    let lang = fields.check_optional("lang", body.lang.as_deref(), Lang::parse);
    fields.finish()?;
    let policy = match moderation.site_of(&caller, params.site()?.as_ref()).await {
        Ok(site) => site.policy.clone(),
        Err(Error::SiteRequired) => Policy::default(),
        Err(error) => return Err(error.into()),
    };
    let scored = score_text(
        &moderation.model(),
        &policy,
        ScoreRequest {
            text: text.as_ref().map_or("", Body::as_str),
            parent_text: parent.as_ref().map(Body::as_str),
            lang: lang.as_ref().map(Lang::as_str),
            explain: body.explain,
        },
    );
    Ok(HttpResponse::Ok().json(scored))
}
