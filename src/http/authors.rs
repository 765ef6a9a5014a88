//! Authors over HTTP, as moderators see them.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::{
    access::Asking,
    extract::{Json, Params, ReaderId},
    fields::Fields,
    problem::Problem,
};
use crate::{
    domain::{Note, SanctionId, SanctionKind, Timestamp},
    moderation::{Moderation, NewSanction},
};

/// All that is known of an author.
pub async fn show(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
    ReaderId(author): ReaderId,
    params: Params,
) -> Result<HttpResponse, Problem> {
    let site = moderation.site_of(&caller, params.site()?.as_ref()).await?;
    Ok(HttpResponse::Ok().json(moderation.author(&site, author).await?))
}

/// A measure to take.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SanctionBody {
    kind: SanctionKind,
    #[serde(default)]
    until: Option<Timestamp>,
    #[serde(default)]
    note: Option<String>,
}

/// Takes a measure against an author.
pub async fn sanction(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
    ReaderId(author): ReaderId,
    params: Params,
    Json(body): Json<SanctionBody>,
) -> Result<HttpResponse, Problem> {
    let mut fields = Fields::default();
    let note = fields.check_optional("note", body.note.as_deref(), Note::parse);
    fields.finish()?;
    let site = moderation.site_of(&caller, params.site()?.as_ref()).await?;
    let new = NewSanction {
        kind: body.kind,
        until: body.until,
        note,
    };
    let sanction = moderation.sanction(&caller, &site, &author, new).await?;
    Ok(HttpResponse::Created().json(sanction))
}

/// Lifts a measure.
pub async fn lift(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
    ReaderId(author): ReaderId,
    params: Params,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let id: SanctionId = request
        .match_info()
        .get("id")
        .and_then(|id| id.parse().ok())
        .ok_or_else(|| Problem::not_found("not-an-id", "there is nothing of this id"))?;
    let site = moderation.site_of(&caller, params.site()?.as_ref()).await?;
    moderation
        .lift_sanction(&caller, &site, &author, id)
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// What to note.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoteBody {
    text: String,
}

/// Notes something about an author.
pub async fn note(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
    ReaderId(author): ReaderId,
    params: Params,
    Json(body): Json<NoteBody>,
) -> Result<HttpResponse, Problem> {
    let text = Note::parse(&body.text).map_err(|refusal| Problem::invalid("text", refusal.0))?;
    let site = moderation.site_of(&caller, params.site()?.as_ref()).await?;
    let note = moderation
        .note_author(&caller, &site, &author, text)
        .await?;
    Ok(HttpResponse::Created().json(note))
}
