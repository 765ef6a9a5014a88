//! Decisions over HTTP.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    access::Asking,
    extract::{Id, Json, Params},
    fields::Fields,
    parameters::{CommentPath, OfSites, Paging},
    problem::Problem,
    queue::PAGE,
};
use crate::{
    domain::{
        CommentId, Decision, DecisionId, DecisionReason, Label, LabelOverrides, Note, Subject,
        ThreadKey, Timestamp, Verb,
    },
    moderation::{AuditFilter, Decided, DecisionRequest, Moderation, Page},
};

/// What a moderator wants done.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DecisionRequest)]
pub struct DecisionBody {
    action: Verb,
    /// The version that was seen.
    version: i64,
    #[serde(default)]
    reason: Option<DecisionReason>,
    #[serde(default)]
    #[schema(value_type = Option<Note>)]
    note: Option<String>,
    /// What the comment teaches the model, where that is not what its reason says.
    #[serde(default)]
    #[schema(value_type = Option<BTreeMap<Label, bool>>)]
    labels: Option<BTreeMap<String, bool>>,
    #[serde(default)]
    scope: Scope,
    /// An admin's way past whoever stands in between.
    #[serde(default)]
    force: bool,
}

/// What a decision is about.
#[derive(Deserialize, Default, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DecisionScope)]
enum Scope {
    #[default]
    Comment,
}

/// Approves, hides or escalates a comment.
#[utoipa::path(
    post, path = "/v1/comments/{id}/decisions", operation_id = "decide",
    params(CommentPath),
    request_body = DecisionBody,
    responses(
        (status = 201, description = "The decision, and the comment after it.", body = Decided),
        (status = 403, description = "A second opinion is somebody else's, only an admin may force, or the token may not decide."),
        (status = 404, description = "There is no such comment."),
        (status = 409, description = "The comment is no longer at that version, or the action does not apply; `current` has it as it is."),
        (status = 410, description = "The comment was deleted."),
    ),
)]
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
#[utoipa::path(
    post, path = "/v1/decisions/{id}/undo", operation_id = "undoDecision",
    params(("id" = inline(DecisionId), Path, description = "The decision.")),
    responses(
        (status = 201, description = "A decision that takes it back, and the comment after that.", body = Decided),
        (status = 404, description = "There is no such decision."),
        (status = 409, description = "It is not the comment's latest change, or an undo was undone before; `current` has the comment as it is."),
    ),
)]
pub async fn undo(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
    Id(id): Id<DecisionId>,
) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Created().json(moderation.undo(&caller, id).await?))
}

/// The audit log, the newest first.
#[utoipa::path(
    get, path = "/v1/decisions", operation_id = "listDecisions",
    params(
        ("comment" = inline(Option<CommentId>), Query, description = "Only decisions on this comment."),
        ("moderator" = inline(Option<Subject>), Query, description = "Only those of this token's subject."),
        ("thread" = inline(Option<ThreadKey>), Query, description = "Only those in this thread; it is of one site."),
        ("since" = inline(Option<Timestamp>), Query, description = "Only those made at this moment or later."),
        OfSites, Paging,
    ),
    responses(
        (status = 200, description = "Decisions, the newest first.", body = Page<Decision>),
        (status = 404, description = "There is no such site or thread."),
    ),
)]
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
