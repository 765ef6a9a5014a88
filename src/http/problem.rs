//! Problem documents: `application/problem+json` (RFC 9457), the shape of every 4xx and 5xx.

use actix_web::{
    HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{ALLOW, CONTENT_TYPE, HeaderName, RETRY_AFTER, WWW_AUTHENTICATE},
    },
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{fields::Fields, limits::TooOften};
use crate::{domain::Claim, moderation::CommentView};

/// The media type of a problem.
pub const PROBLEM_JSON: &str = "application/problem+json";
/// How long to wait before trying again, in seconds, when the database is away.
const RETRY_SECONDS: &str = "2";

/// What went wrong, for the one who asked.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Problem {
    #[serde(rename = "type")]
    #[schema(format = "uri", pattern = "^urn:palabre:problem:")]
    kind: String,
    title: &'static str,
    #[serde(serialize_with = "as_number")]
    #[schema(value_type = u16, minimum = 400, maximum = 599)]
    status: StatusCode,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required)]
    request_id: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    /// The comment as it is, where the caller's picture of it is stale.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = CommentView)]
    current: Option<Box<CommentView>>,
    /// Who has the item, where somebody else does.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Claim)]
    claim: Option<Claim>,
    #[serde(skip)]
    header: Option<(HeaderName, String)>,
}

/// What is wrong with one field of a request.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct FieldError {
    pub field: String,
    pub message: String,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands out references"
)]
fn as_number<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

impl Problem {
    pub(super) fn new(
        status: StatusCode,
        kind: &str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            kind: format!("urn:palabre:problem:{kind}"),
            title,
            status,
            detail: detail.into(),
            request_id: None,
            errors: Vec::new(),
            current: None,
            claim: None,
            header: None,
        }
    }

    /// 422: a field holds what it may not.
    pub fn invalid(field: &str, message: impl Into<String>) -> Self {
        let mut fields = Fields::default();
        fields.refuse(field, message);
        fields.into()
    }

    /// 422: several fields do.
    pub(super) fn validation(errors: Vec<FieldError>) -> Self {
        let detail = match errors.as_slice() {
            [one] if one.field.is_empty() => one.message.clone(),
            [one] => format!("{} {}", one.field, one.message),
            several => format!("{} fields are not valid", several.len()),
        };
        Self {
            errors,
            ..Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "validation",
                "Not valid",
                detail,
            )
        }
    }

    /// 400: the body is no JSON.
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "malformed-json",
            "Malformed JSON",
            detail,
        )
    }

    /// 413: the body is too large.
    pub fn too_large(limit: usize) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too-large",
            "Body too large",
            format!("a request body may have at most {limit} bytes"),
        )
    }

    /// 415: the body is of another type.
    pub fn unsupported_media_type() -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported-media-type",
            "Unsupported media type",
            "the body must be JSON: Content-Type: application/json",
        )
    }

    /// 408: the body did not arrive in time.
    pub fn too_slow() -> Self {
        Self::new(
            StatusCode::REQUEST_TIMEOUT,
            "too-slow",
            "Too slow",
            "the body did not arrive in time",
        )
    }

    /// 429: asked too often.
    pub fn too_many(detail: &str, TooOften(wait): TooOften) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        Self {
            header: Some((RETRY_AFTER, seconds.max(1).to_string())),
            ..Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too-many-requests",
                "Too many requests",
                detail,
            )
        }
    }

    /// 401: no token, or one that proves nothing.
    pub fn unauthorized(detail: &str) -> Self {
        Self {
            header: Some((WWW_AUTHENTICATE, "Bearer realm=\"palabre\"".into())),
            ..Self::new(
                StatusCode::UNAUTHORIZED,
                "unauthorized",
                "Not signed in",
                detail,
            )
        }
    }

    /// 403: a good token that may not do this.
    pub fn forbidden(detail: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "Not allowed", detail)
    }

    /// 410: it was deleted.
    pub fn gone(detail: &str) -> Self {
        Self::new(StatusCode::GONE, "comment-deleted", "Gone", detail)
    }

    /// 404: the path leads nowhere.
    pub fn unknown_path() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "unknown-path",
            "Not found",
            "there is nothing at this path",
        )
    }

    /// 404: what was asked for is not there.
    pub fn not_found(kind: &str, detail: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, kind, "Not found", detail)
    }

    /// 405: the path knows other methods.
    pub fn method_not_allowed(allowed: &str) -> Self {
        Self {
            header: Some((ALLOW, allowed.to_owned())),
            ..Self::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "method-not-allowed",
                "Method not allowed",
                format!("this path takes {allowed}"),
            )
        }
    }

    /// 500: our fault.
    pub fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Internal error",
            "something went wrong on our side; the log has it under this request id",
        )
    }

    /// 503: the database is away.
    pub fn unavailable() -> Self {
        Self {
            header: Some((RETRY_AFTER, RETRY_SECONDS.into())),
            ..Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "unavailable",
                "Not available",
                "the database does not answer; nothing was changed, try again",
            )
        }
    }

    /// 503: the database went away at the very end.
    pub fn uncertain() -> Self {
        Self {
            header: Some((RETRY_AFTER, RETRY_SECONDS.into())),
            ..Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "uncertain",
                "Not known",
                "the database went away while this was being stored, and whether it was is not known; look before trying again, or post with an external_id, which is never stored twice",
            )
        }
    }

    /// A problem that the framework found, by its status alone.
    pub fn of_status(status: StatusCode) -> Self {
        Self::new(
            status,
            "request",
            status.canonical_reason().unwrap_or("Problem"),
            "the request could not be answered",
        )
    }

    /// Adds who has the item.
    pub(super) fn with_claim(self, claim: Claim) -> Self {
        Self {
            claim: Some(claim),
            ..self
        }
    }

    /// The same, with the comment as it is.
    pub(super) fn with_current(self, current: Box<CommentView>) -> Self {
        Self {
            current: Some(current),
            ..self
        }
    }

    /// The same, of a request.
    pub(super) fn of_request(self, id: &str) -> Self {
        Self {
            request_id: Some(id.to_owned()),
            ..self
        }
    }

    /// The answer, once it is known which request it is for.
    pub fn response(mut self, request_id: &str) -> HttpResponse {
        self.request_id = Some(request_id.to_owned());
        let mut response = HttpResponse::build(self.status);
        if let Some((name, value)) = &self.header {
            response.insert_header((name.clone(), value.as_str()));
        }
        response
            .insert_header((CONTENT_TYPE, PROBLEM_JSON))
            .body(serde_json::to_vec(&self).unwrap_or_default())
    }

    /// 409: it stands otherwise than the caller thinks.
    pub(super) fn conflict(kind: &str, title: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, kind, title, detail)
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    /// Carries the problem to [`super::trace`], which writes it with the request's id.
    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::new(self.status);
        response.extensions_mut().insert(self.clone());
        response
    }
}
