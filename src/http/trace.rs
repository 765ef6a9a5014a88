//! Around every request: an id, a span, one line in the log, and problems written with that id.
//!
//! The log names the route's template, never the path: a path may hold what a reader wrote.

use std::time::Instant;

use actix_web::{
    Error, HttpMessage as _, HttpResponse,
    body::{EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method,
        header::{CONTENT_LENGTH, HeaderName, HeaderValue},
    },
    middleware::Next,
    web,
};
use tracing::Instrument as _;

use super::{idempotency::Repeated, problem::Problem};
use crate::moderation::Moderation;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of the request at hand, for answers that hold several.
#[derive(Clone)]
pub struct RequestId(pub String);

/// Handles one request inside its span.
pub async fn observe<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let id = request_id(&request);
    let span = tracing::info_span!("request", id = %id, method = known_method(request.method()));
    let metrics = request.app_data::<web::Data<Moderation>>().cloned();
    request.extensions_mut().insert(RequestId(id.clone()));
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
    let took = begun.elapsed();
    if let Some(moderation) = metrics {
        let method = known_method(response.request().method());
        let route = if route.is_empty() { "unknown" } else { &route };
        moderation.metrics().answered(method, route, status, took);
    }
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    span.in_scope(|| {
        if ["/healthz", "/readyz", "/metrics"]
            .iter()
            .any(|probe| route.ends_with(probe))
        {
            tracing::debug!(route, status, micros, "answered");
        } else {
            tracing::info!(route, status, micros, "answered");
        }
    });
    Ok(response)
}

/// The name of a method, of which clients may make up any number.
fn known_method(method: &Method) -> &'static str {
    [
        Method::GET,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::HEAD,
        Method::OPTIONS,
    ]
    .iter()
    .zip(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
    .find(|(known, _)| *known == method)
    .map_or("other", |(_, name)| name)
}

/// Makes sure that every 4xx and 5xx is a problem document.
fn finish<B: MessageBody>(
    mut response: ServiceResponse<B>,
    id: &str,
) -> ServiceResponse<EitherBody<B>> {
    let status = response.status();
    let repeated = response
        .response_mut()
        .extensions_mut()
        .remove::<Repeated>();
    if let Some(repeated) = repeated {
        return replaced(response, repeated.response(status, id));
    }
    let problem = response
        .response_mut()
        .extensions_mut()
        .remove::<Problem>()
        .or_else(|| {
            (status.is_client_error() || status.is_server_error())
                .then(|| Problem::of_status(status))
        });
    match problem {
        Some(problem) => replaced(response, problem.response(id)),
        None => response.map_into_left_body(),
    }
}

/// Another answer in place of one, with the headers that the layers inside gave it.
fn replaced<B: MessageBody>(
    response: ServiceResponse<B>,
    mut by: HttpResponse,
) -> ServiceResponse<EitherBody<B>> {
    let own: Vec<HeaderName> = by.headers().keys().cloned().collect();
    for (name, value) in response.headers() {
        if !own.contains(name) && name != CONTENT_LENGTH {
            by.headers_mut().append(name.clone(), value.clone());
        }
    }
    response.into_response(by).map_into_right_body()
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
