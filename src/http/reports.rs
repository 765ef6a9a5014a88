//! Readers' reports and authors' appeals over HTTP, as their site passes them on.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    access::Asking,
    extract::{Id, Json},
    fields::Fields,
    parameters::CommentPath,
    problem::Problem,
};
use crate::{
    domain::{Appeal, AuthorId, CommentId, Note, Report, ReportReason, object},
    moderation::{Moderation, NewReport, Reported},
};

/// A reader's report.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewReport)]
pub struct ReportBody {
    #[serde(deserialize_with = "object")]
    reporter: ReporterBody,
    reason: ReportReason,
    #[serde(default)]
    #[schema(value_type = Option<Note>)]
    note: Option<String>,
}

/// Who reports.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewReporter)]
struct ReporterBody {
    #[schema(value_type = AuthorId)]
    id: String,
}

/// Reports a comment: 201, or 200 with the same report if the reader had reported it before.
#[utoipa::path(
    post, path = "/v1/comments/{id}/reports", operation_id = "reportComment",
    params(CommentPath),
    request_body = ReportBody,
    responses(
        (status = 200, description = "The reader had reported it before; the report of then.", body = Report),
        (status = 201, description = "The report.", body = Report),
        (status = 404, description = "There is no such comment."),
        (status = 410, description = "The comment was deleted."),
    ),
)]
pub async fn report(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
    Id(id): Id<CommentId>,
    Json(body): Json<ReportBody>,
) -> Result<HttpResponse, Problem> {
    let mut fields = Fields::default();
    let reporter = fields.check("reporter.id", AuthorId::parse(&body.reporter.id));
    let note = fields.check_optional("note", body.note.as_deref(), Note::parse);
    fields.finish()?;
    let new = NewReport {
        reporter: reporter.ok_or_else(Problem::internal)?,
        reason: body.reason,
        note,
    };
    Ok(match moderation.report(&caller, id, new).await? {
        Reported::New(report) => HttpResponse::Created().json(report),
        Reported::Known(report) => HttpResponse::Ok().json(report),
    })
}

/// What an author says.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewAppeal)]
pub struct AppealBody {
    #[schema(value_type = Note)]
    text: String,
}

/// Asks for another look at a comment that is held or hidden.
#[utoipa::path(
    post, path = "/v1/comments/{id}/appeals", operation_id = "appeal",
    params(CommentPath),
    request_body = AppealBody,
    responses(
        (status = 201, description = "The appeal.", body = Appeal),
        (status = 404, description = "There is no such comment."),
        (status = 409, description = "Readers see the comment, or there was an appeal about this version of it."),
        (status = 410, description = "The comment was deleted."),
    ),
)]
pub async fn appeal(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
    Id(id): Id<CommentId>,
    Json(body): Json<AppealBody>,
) -> Result<HttpResponse, Problem> {
    let text = Note::parse(&body.text).map_err(|refusal| Problem::invalid("text", refusal.0))?;
    Ok(HttpResponse::Created().json(moderation.appeal(&caller, id, text).await?))
}
