//! Decisions over HTTP.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use actix_web::{
    HttpMessage as _, HttpRequest, HttpResponse, ResponseError as _, http::StatusCode, web,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    access::Asking,
    extract::{Id, Json, Params},
    fields::Fields,
    parameters::{CommentPath, OfSites, Paging},
    problem::Problem,
    queue::PAGE,
    trace::RequestId,
};
use crate::{
    domain::{
        CommentId, Decision, DecisionId, DecisionReason, Label, LabelOverrides, Note, Scope,
        Subject, ThreadKey, Timestamp, Verb,
    },
    moderation::{
        AuditFilter, CommentView, Decided, DecisionRequest, Error, Moderation, Page, Thing,
    },
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
    /// The reasons. Needed where the author appealed: they are told.
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
    let request = DecisionRequest {
        verb: body.action,
        version: body.version,
        reason: body.reason,
        note,
        labels,
        scope: body.scope,
        force: body.force,
    };
    Ok(HttpResponse::Created().json(moderation.decide(&caller, id, request).await?))
}

/// Decisions on several comments.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchRequest {
    #[schema(min_items = 1, max_items = 200)]
    decisions: Vec<BatchEntry>,
}

/// A decision on one of them.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchEntry {
    #[schema(value_type = CommentId)]
    comment_id: String,
    action: Verb,
    version: i64,
    #[serde(default)]
    reason: Option<DecisionReason>,
    #[serde(default)]
    #[schema(value_type = Option<Note>)]
    note: Option<String>,
}

/// What became of each, in their order.
#[derive(Serialize, ToSchema)]
pub struct BatchResults {
    results: Vec<BatchResult>,
}

/// What became of one: a decision, or the problem that stands against it.
#[derive(Serialize, ToSchema)]
pub struct BatchResult {
    /// As it was asked for.
    comment_id: String,
    /// The status that a request of its own would have been answered with.
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Decision)]
    decision: Option<Decision>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = CommentView)]
    comment: Option<CommentView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Problem)]
    problem: Option<Problem>,
}

impl BatchResult {
    fn new(comment_id: String, outcome: Result<Decided, Problem>) -> Self {
        match outcome {
            Ok(decided) => Self {
                comment_id,
                status: StatusCode::CREATED.as_u16(),
                decision: Some(decided.decision),
                comment: Some(decided.comment),
                problem: None,
            },
            Err(problem) => Self {
                comment_id,
                status: problem.status_code().as_u16(),
                decision: None,
                comment: None,
                problem: Some(problem),
            },
        }
    }
}

/// The most decisions of one request.
const MOST: usize = 200;
/// How long a request goes on deciding; what is left then is to be asked again.
const PATIENCE: Duration = Duration::from_secs(6);

/// Decides on several comments, one after the other; that one cannot be decided sinks none of the others.
#[utoipa::path(
    post, path = "/v1/decisions:batch", operation_id = "decideBatch",
    request_body = BatchRequest,
    responses((status = 200, description = "A result for each decision, in their order.", body = BatchResults)),
)]
pub async fn batch(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
    request: HttpRequest,
    Json(body): Json<BatchRequest>,
) -> Result<HttpResponse, Problem> {
    if !(1..=MOST).contains(&body.decisions.len()) {
        return Err(Problem::invalid(
            "decisions",
            format!("must have from 1 to {MOST} entries"),
        ));
    }
    let request_id = request.extensions().get::<RequestId>().cloned();
    let request_id = request_id.map_or_else(String::new, |RequestId(id)| id);
    let begun = Instant::now();
    let mut fields = Fields::default();
    let decisions: Vec<(BatchEntry, Option<Note>)> = (body.decisions.into_iter().enumerate())
        .map(|(at, entry)| {
            let field = format!("decisions[{at}].note");
            let note = fields.check_optional(&field, entry.note.as_deref(), Note::parse);
            (entry, note)
        })
        .collect();
    fields.finish()?;
    let mut results = Vec::with_capacity(decisions.len());
    for (entry, note) in decisions {
        let request = DecisionRequest {
            verb: entry.action,
            version: entry.version,
            reason: entry.reason,
            note,
            labels: LabelOverrides::new(),
            scope: Scope::Comment,
            force: false,
        };
        let outcome = match entry.comment_id.parse::<CommentId>() {
            // What is answered now is known; what the request was given up in the middle of would not be.
            Ok(_) if begun.elapsed() > PATIENCE => Err(Problem::unavailable()),
            Ok(id) => moderation
                .decide(&caller, id, request)
                .await
                .map_err(Problem::from),
            Err(_) => Err(Error::NotFound(Thing::Comment).into()),
        };
        let outcome = outcome.map_err(|problem| problem.of_request(&request_id));
        results.push(BatchResult::new(entry.comment_id, outcome));
    }
    Ok(HttpResponse::Ok().json(BatchResults { results }))
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
