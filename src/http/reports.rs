//! Readers' reports and authors' appeals over HTTP, as their site passes them on.

use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::{
    access::Asking,
    extract::{Id, Json, object},
    fields::Fields,
    problem::Problem,
};
use crate::{
    domain::{AuthorId, CommentId, Note, ReportReason},
    moderation::{Moderation, NewReport, Reported},
};

/// A reader's report.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportBody {
    #[serde(deserialize_with = "object")]
    reporter: ReporterBody,
    reason: ReportReason,
    #[serde(default)]
    note: Option<String>,
}

/// Who reports.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReporterBody {
    id: String,
}

/// Reports a comment: 201, or 200 with the same report if the reader had reported it before.
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
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppealBody {
    text: String,
}

/// Asks for another look at a comment that is held or hidden.
pub async fn appeal(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
    Id(id): Id<CommentId>,
    Json(body): Json<AppealBody>,
) -> Result<HttpResponse, Problem> {
    let text = Note::parse(&body.text).map_err(|refusal| Problem::invalid("text", refusal.0))?;
    Ok(HttpResponse::Created().json(moderation.appeal(&caller, id, text).await?))
}
