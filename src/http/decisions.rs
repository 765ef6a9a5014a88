//! Decisions over HTTP.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::{
    access::Asking,
    extract::{Id, Json, Params},
    fields::Fields,
    problem::Problem,
    queue::PAGE,
};
use crate::{
    domain::{
        CommentId, DecisionId, DecisionReason, Label, LabelOverrides, Note, Subject, ThreadKey,
        Verb,
    },
    moderation::{AuditFilter, DecisionRequest, Moderation},
};

/// What a moderator wants done.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecisionBody {
    action: Verb,
    version: i64,
    #[serde(default)]
    reason: Option<DecisionReason>,
    #[serde(default)]
    note: Option<String>,
    #[serde(default)]
    labels: Option<BTreeMap<String, bool>>,
    #[serde(default)]
    scope: Scope,
    #[serde(default)]
    force: bool,
}

/// What a decision is about.
#[derive(Deserialize, Default)]
#[serde(rename_all = "snake_case")]
enum Scope {
    #[default]
    Comment,
}

/// Approves, hides or escalates a comment.
pub async fn decide(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
    Id(id): Id<CommentId>,
    Json(body): Json<DecisionBody>,
) -> Result<HttpResponse, Problem> {
    let mut fields = Fields::default();
    let note = fields.check_optional("note", body.note.as_deref(), Note::parse);
    let mut labels = LabelOverrides::new();
    for (name, taught) in body.labels.unwrap_or_default() {
        match Label::from_name(&name) {
            Some(label) => {
                labels.insert(label, taught);
            }
            None => fields.refuse(&format!("labels.{name}"), "is not a label"),
        }
    }
    fields.finish()?;
    let Scope::Comment = body.scope;
    let request = DecisionRequest {
        verb: body.action,
        version: body.version,
        reason: body.reason,
        note,
        labels,
        force: body.force,
    };
    Ok(HttpResponse::Created().json(moderation.decide(&caller, id, request).await?))
}

/// Takes a decision back.
pub async fn undo(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
    Id(id): Id<DecisionId>,
) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Created().json(moderation.undo(&caller, id).await?))
}

/// The audit log, the newest first.
pub async fn list(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
    params: Params,
) -> Result<HttpResponse, Problem> {
    let filter = AuditFilter {
        site: params.site()?,
        comment: params.named("comment")?,
        moderator: params.parsed("moderator", Subject::parse)?,
        thread: params.parsed("thread", ThreadKey::parse)?,
        since: params.named("since")?,
        limit: params.limit(PAGE.0, PAGE.1)?,
        cursor: params.cursor(),
    };
    Ok(HttpResponse::Ok().json(moderation.decisions(&caller, &filter).await?))
}
