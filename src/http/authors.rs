//! Authors over HTTP, as moderators see them.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    access::Asking,
    extract::{Json, Params, ReaderId},
    fields::Fields,
    parameters::{AuthorPath, OfOneSite},
    problem::Problem,
};
use crate::{
    domain::{AuthorNote, Note, Sanction, SanctionId, SanctionKind, Timestamp},
    moderation::{AuthorView, Moderation, NewSanction},
};

/// All that is known of an author.
#[utoipa::path(
    get, path = "/v1/authors/{author}", operation_id = "getAuthor",
    params(AuthorPath, OfOneSite),
    responses(
        (status = 200, description = "What is known.", body = AuthorView),
        (status = 404, description = "Nothing is known of such an author, or there is no such site."),
    ),
)]
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
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewSanction)]
pub struct SanctionBody {
    kind: SanctionKind,
    #[serde(default)]
    until: Option<Timestamp>,
    #[serde(default)]
    #[schema(value_type = Option<Note>)]
    note: Option<String>,
}

/// Takes a measure against an author.
#[utoipa::path(
    post, path = "/v1/authors/{author}/sanctions", operation_id = "sanctionAuthor",
    params(AuthorPath, OfOneSite),
    request_body = SanctionBody,
    responses(
        (status = 201, description = "The measure, in force from now on.", body = Sanction),
        (status = 404, description = "There is no such site."),
    ),
)]
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
#[utoipa::path(
    delete, path = "/v1/authors/{author}/sanctions/{id}", operation_id = "liftSanction",
    params(AuthorPath, ("id" = inline(SanctionId), Path, description = "The measure."), OfOneSite),
    responses(
        (status = 204, description = "It is lifted."),
        (status = 404, description = "The author has no measure of this id that could be lifted, or there is no such site."),
    ),
)]
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
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewNote)]
pub struct NoteBody {
    #[schema(value_type = Note)]
    text: String,
}

/// Notes something about an author.
#[utoipa::path(
    post, path = "/v1/authors/{author}/notes", operation_id = "noteAuthor",
    params(AuthorPath, OfOneSite),
    request_body = NoteBody,
    responses(
        (status = 201, description = "The note.", body = AuthorNote),
        (status = 404, description = "There is no such site."),
    ),
)]
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
