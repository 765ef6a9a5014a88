//! Around every request: an id, a span, one line in the log, and problems written with that id.
//!
//! The log names the route's template, never the path: a path may hold what a reader wrote.

use std::time::Instant;

use actix_web::{
    Error,
    body::{EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::{HeaderName, HeaderValue},
    middleware::Next,
};
use tracing::Instrument as _;

use super::problem::Problem;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Handles one request inside its span.
pub async fn observe<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let id = request_id(&request);
    let span = tracing::info_span!("request", id = %id, method = %request.method());
    let begun = Instant::now();
    let mut response = async {
        let response = next.call(request).await?;
        Ok::<_, Error>(finish(response, &id))
    }
    .instrument(span.clone())
    .await?;

    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let route = response.request().match_pattern().unwrap_or_default();
    let status = response.status().as_u16();
    let micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
    span.in_scope(|| {
        if matches!(route.as_str(), "/healthz" | "/readyz") {
            tracing::debug!(route, status, micros, "answered");
        } else {
            tracing::info!(route, status, micros, "answered");
        }
    });
    Ok(response)
}

/// Makes sure that every 4xx and 5xx is a problem document.
fn finish<B: MessageBody>(
    mut response: ServiceResponse<B>,
    id: &str,
) -> ServiceResponse<EitherBody<B>> {
    let status = response.status();
    let problem = response
        .response_mut()
        .extensions_mut()
        .remove::<Problem>()
        .or_else(|| {
            (status.is_client_error() || status.is_server_error())
                .then(|| Problem::of_status(status))
        });
    match problem {
        Some(problem) => response
            .into_response(problem.response(id))
            .map_into_right_body(),
        None => response.map_into_left_body(),
    }
}

/// The caller's own id if it is a sane one, else a new one.
fn request_id(request: &ServiceRequest) -> String {
    request
        .headers()
        .get(&REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(|id| is_sane(id))
        .map_or_else(|| uuid::Uuid::now_v7().to_string(), str::to_owned)
}

fn is_sane(id: &str) -> bool {
    (1..=128).contains(&id.len())
        && id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':'))
}

#[cfg(test)]
mod tests {
    use super::is_sane;

    #[test]
    fn ids_that_could_forge_a_log_line_are_replaced() {
        assert!(is_sane("req-7.a_B:9"));
        let long = "a".repeat(129);
        for bad in ["", "a b", "a\nb", "é", "\"", long.as_str()] {
            assert!(!is_sane(bad), "{bad:?}");
        }
    }
}
