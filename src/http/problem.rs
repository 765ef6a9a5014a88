//! The one mapping from what went wrong to `application/problem+json` (RFC 9457).
//!
//! A 5xx never carries what happened inside: that is logged once, here.

use actix_web::{
    HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{ALLOW, CONTENT_TYPE, HeaderName, RETRY_AFTER, WWW_AUTHENTICATE},
    },
};
use serde::Serialize;

use crate::{
    domain::{Invalid, Refusal},
    moderation::{CommentView, Error, Thing},
    store::StoreError,
};

/// How long to wait before trying again, in seconds, when the database is away.
const RETRY_SECONDS: &str = "2";

/// What went wrong, for the one who asked.
#[derive(Debug, Clone, Serialize)]
pub struct Problem {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    #[serde(serialize_with = "as_number")]
    status: StatusCode,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    /// The comment as it is, where the caller's picture of it is stale.
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<Box<CommentView>>,
    #[serde(skip)]
    header: Option<(HeaderName, String)>,
}

/// What is wrong with one field of a request.
#[derive(Debug, Clone, Serialize)]
struct FieldError {
    field: String,
    message: String,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands out references"
)]
fn as_number<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

impl Problem {
    fn new(status: StatusCode, kind: &str, title: &'static str, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:palabre:problem:{kind}"),
            title,
            status,
            detail: detail.into(),
            request_id: None,
            errors: Vec::new(),
            current: None,
            header: None,
        }
    }

    /// 422: a field holds what it may not.
    pub fn invalid(field: &str, message: impl Into<String>) -> Self {
        let mut fields = Fields::default();
        fields.refuse(field, message);
        fields.into()
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

    /// A problem that the framework found, by its status alone.
    pub fn of_status(status: StatusCode) -> Self {
        Self::new(
            status,
            "request",
            status.canonical_reason().unwrap_or("Problem"),
            "the request could not be answered",
        )
    }

    /// The answer, once it is known which request it is for.
    pub fn response(mut self, request_id: &str) -> HttpResponse {
        self.request_id = Some(request_id.to_owned());
        let mut response = HttpResponse::build(self.status);
        if let Some((name, value)) = &self.header {
            response.insert_header((name.clone(), value.as_str()));
        }
        response
            .insert_header((CONTENT_TYPE, "application/problem+json"))
            .body(serde_json::to_vec(&self).unwrap_or_default())
    }

    fn conflict(kind: &str, title: &'static str, detail: impl Into<String>) -> Self {
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

/// What is wrong with the fields of a request, collected so that all of it is said at once.
#[derive(Debug, Default)]
pub struct Fields(Vec<FieldError>);

impl Fields {
    /// Notes what is wrong with a field.
    pub fn refuse(&mut self, field: &str, message: impl Into<String>) {
        self.0.push(FieldError {
            field: field.to_owned(),
            message: message.into(),
        });
    }

    /// The value of a field that parsed; notes what is wrong with one that did not.
    pub fn check<T>(&mut self, field: &str, parsed: Result<T, Invalid>) -> Option<T> {
        parsed.map_err(|refusal| self.refuse(field, refusal.0)).ok()
    }

    /// The same for a field that may be absent or null.
    pub fn check_optional<T>(
        &mut self,
        field: &str,
        text: Option<&str>,
        parse: impl FnOnce(&str) -> Result<T, Invalid>,
    ) -> Option<T> {
        text.and_then(|text| self.check(field, parse(text)))
    }

    /// Goes on only if nothing was wrong.
    ///
    /// # Errors
    /// When something was.
    pub fn finish(self) -> Result<(), Problem> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(self.into())
        }
    }
}

impl From<Fields> for Problem {
    fn from(fields: Fields) -> Self {
        let detail = match fields.0.as_slice() {
            [one] if one.field.is_empty() => one.message.clone(),
            [one] => format!("{} {}", one.field, one.message),
            several => format!("{} fields are not valid", several.len()),
        };
        Self {
            errors: fields.0,
            ..Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "validation",
                "Not valid",
                detail,
            )
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound(thing) => {
                let (kind, detail) = match thing {
                    Thing::Site => ("site-not-found", "there is no such site"),
                    Thing::Thread => ("thread-not-found", "the site has no thread of this key"),
                    Thing::Comment => ("comment-not-found", "there is no such comment"),
                    Thing::Parent => (
                        "parent-not-found",
                        "there is no comment of the id parent_id",
                    ),
                    Thing::ParentInThread => (
                        "parent-in-another-thread",
                        "the comment of the id parent_id is in another thread",
                    ),
                    Thing::Decision => ("decision-not-found", "there is no such decision"),
                };
                Self::not_found(kind, detail)
            }
            Error::SiteRequired => Self::invalid(
                "site",
                "is needed: the token covers more than one site; add ?site=slug",
            ),
            Error::SiteExists => Self::conflict(
                "site-exists",
                "Taken",
                "there is a site of that name already",
            ),
            Error::ThreadClosed => Self::conflict(
                "thread-closed",
                "Closed",
                "the thread takes no new comments",
            ),
            Error::ParentGone => Self::conflict(
                "parent-gone",
                "No replies",
                "the comment of the id parent_id is hidden or deleted and takes no replies",
            ),
            Error::TooDeep => Self::invalid("parent_id", "hangs 255 replies deep already"),
            Error::Cursor(refusal) => Self::invalid("cursor", refusal.to_string()),
            Error::Stale(current) => Self {
                current: Some(current),
                ..Self::conflict(
                    "stale-version",
                    "Changed meanwhile",
                    "the comment is no longer at this version; here is the current one",
                )
            },
            Error::Refused { refusal, current } => {
                let problem = match refusal {
                    Refusal::Deleted => Self::new(
                        StatusCode::GONE,
                        "comment-deleted",
                        "Gone",
                        refusal.to_string(),
                    ),
                    Refusal::OwnEscalation => Self::new(
                        StatusCode::FORBIDDEN,
                        "own-escalation",
                        "Not allowed",
                        refusal.to_string(),
                    ),
                    Refusal::UndoIsNotAnAction => {
                        return Self::invalid("action", refusal.to_string());
                    }
                    Refusal::NotPending => {
                        Self::conflict("not-pending", "Not pending", refusal.to_string())
                    }
                    Refusal::AlreadyEscalated => Self::conflict(
                        "already-escalated",
                        "Already escalated",
                        refusal.to_string(),
                    ),
                };
                Self {
                    current: Some(current),
                    ..problem
                }
            }
            Error::UndoRefused { refusal, current } => Self {
                current: Some(current),
                ..Self::conflict("cannot-undo", "Cannot be undone", refusal.to_string())
            },
            Error::ForceForbidden | Error::AllForbidden => Self::forbidden(&error.to_string()),
            Error::Store(StoreError::Unavailable(cause)) => {
                tracing::warn!(error = %cause, "the database is not available");
                Self::unavailable()
            }
            Error::Store(_) | Error::Model(_) | Error::Keys => {
                tracing::error!(error = ?anyhow::Error::from(error), "request failed");
                Self::internal()
            }
        }
    }
}
