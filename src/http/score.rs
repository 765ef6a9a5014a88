//! Scoring over HTTP, without storing anything.

use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::{
    access::Asking,
    extract::{Json, Params},
    fields::Fields,
    problem::Problem,
};
use crate::{
    domain::{Body, Lang, Policy},
    moderation::{Error, Moderation, ScoreRequest, score_text},
};

/// A text to score.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScoreBody {
    text: String,
    #[serde(default)]
    parent_text: Option<String>,
    #[serde(default)]
    lang: Option<String>,
    #[serde(default)]
    explain: bool,
}

/// Scores, and what the site's policy would say; the default policy where the token covers several sites and none is named.
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
        Ok(site) => site.policy,
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
