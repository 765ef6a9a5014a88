//! `Idempotency-Key`: a site that does not know whether its request arrived sends it again, and gets the first answer.
//!
//! A key belongs to site, method, path and key; the same key with another body is refused. Twins that arrive together
//! wait for one another here; on two replicas, posts wait for one another in the database.

use actix_web::{
    Error, HttpMessage as _, HttpResponse, ResponseError as _,
    body::{self, BoxBody, MessageBody},
    dev::{Payload, ServiceRequest, ServiceResponse},
    http::{
        Method, StatusCode,
        header::{CONTENT_TYPE, HeaderName, HeaderValue},
    },
    middleware::Next,
    web,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{
    access::Asking,
    comments, extract,
    problem::{PROBLEM_JSON, Problem},
};
use crate::{
    domain::{Role, SiteScope},
    moderation::{FirstAnswer, Keyed, Moderation},
};

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// How many requests with a key go on at a time, at most; by chance, two with different keys may wait for one another.
const PLACES: usize = 256;

/// Where twins wait for one another.
pub struct Twins([tokio::sync::Mutex<()>; PLACES]);

impl Default for Twins {
    fn default() -> Self {
        Self(std::array::from_fn(|_| tokio::sync::Mutex::default()))
    }
}

/// The answer is kept already, with what it tells of.
#[derive(Clone, Copy)]
pub struct Kept;

/// Answers a request with a key that came before, and keeps the first answer of one that did not.
pub async fn remember(
    mut request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let key = match key_of(&request) {
        Ok(Some(key)) => key,
        Ok(None) => return next.call(request).await,
        Err(problem) => return Ok(request.into_response(problem.error_response())),
    };
    let bytes = match extract::body(&mut request).await {
        Ok(bytes) => bytes,
        Err(problem) => return Ok(request.into_response(problem.error_response())),
    };
    let keyed = Keyed {
        id: digest(&[
            scope(&request).as_bytes(),
            request.method().as_str().as_bytes(),
            request.path().as_bytes(),
            key.as_bytes(),
        ]),
        request: digest(&[&bytes]),
        render: comments::render,
    };
    request.set_payload(Payload::from(bytes));
    let (Some(moderation), Some(twins)) = (
        request.app_data::<web::Data<Moderation>>().cloned(),
        request.app_data::<web::Data<Twins>>().cloned(),
    ) else {
        return Ok(request.into_response(Problem::internal().error_response()));
    };
    let place = keyed
        .id
        .bytes()
        .fold(0, |sum, byte| sum + usize::from(byte))
        % PLACES;
    let _turn = twins.0[place].lock().await;
    match moderation.first_answer(&keyed).await {
        Ok(Some(first)) => return Ok(request.into_response(replay(first))),
        Ok(None) => {}
        Err(error) => {
            return Ok(request.into_response(Problem::from(error).error_response()));
        }
    }
    request.extensions_mut().insert(keyed.clone());
    let response = next.call(request).await?;
    let status = response.status();
    let passes = status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error();
    if passes
        || response.response().extensions().get::<Kept>().is_some()
        || response.headers().contains_key(REPLAYED)
    {
        return Ok(response);
    }
    keep(&moderation, &keyed, response).await
}

/// Keeps an answer, and gives it.
async fn keep(
    moderation: &Moderation,
    keyed: &Keyed,
    response: ServiceResponse<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let (request, response) = response.into_parts();
    let problem = response.extensions().get::<Problem>().cloned();
    let (head, content) = response.into_parts();
    let bytes = match &problem {
        Some(problem) => web::Bytes::from(serde_json::to_vec(problem).unwrap_or_default()),
        None => body::to_bytes(content)
            .await
            .map_err(|_| Problem::internal())?,
    };
    let text = String::from_utf8_lossy(&bytes).into_owned();
    if let Err(error) = moderation
        .keep_answer(keyed, head.status().as_u16(), text)
        .await
    {
        // The request itself went well; only its repetition will be carried out again.
        tracing::warn!(error = %error, "a first answer could not be kept");
    }
    let mut response = head.set_body(bytes.boxed());
    if let Some(problem) = problem {
        response.extensions_mut().insert(problem);
    }
    Ok(ServiceResponse::new(request, response))
}

/// The first answer, given again. A problem is written by [`super::trace`], with the id of this request.
pub fn replay(first: FirstAnswer) -> HttpResponse {
    let status = StatusCode::from_u16(first.status).unwrap_or(StatusCode::OK);
    let mut response = HttpResponse::build(status);
    response.insert_header((REPLAYED, HeaderValue::from_static("true")));
    let mut response = if status.is_client_error() {
        let mut response = response.finish();
        response.extensions_mut().insert(Repeated(first.body));
        response
    } else {
        response
            .insert_header((CONTENT_TYPE, "application/json"))
            .body(first.body)
    };
    response.extensions_mut().insert(Kept);
    response
}

/// A problem that was the first answer, as it was kept.
pub struct Repeated(String);

impl Repeated {
    /// The answer to a later request.
    pub fn response(&self, status: StatusCode, request_id: &str) -> HttpResponse {
        let mut problem: serde_json::Map<String, Value> =
            serde_json::from_str(&self.0).unwrap_or_default();
        problem.insert("request_id".into(), request_id.into());
        HttpResponse::build(status)
            .insert_header((CONTENT_TYPE, PROBLEM_JSON))
            .insert_header((REPLAYED, HeaderValue::from_static("true")))
            .body(Value::Object(problem).to_string())
    }
}

/// The key of a request that has one: a POST by a site.
fn key_of(request: &ServiceRequest) -> Result<Option<String>, Problem> {
    let by_site = request
        .extensions()
        .get::<Asking>()
        .is_some_and(|asking| asking.0.role == Role::Site);
    if request.method() != Method::POST || !by_site {
        return Ok(None);
    }
    let Some(key) = request.headers().get(KEY) else {
        return Ok(None);
    };
    let visible = |key: &&str| {
        (1..=255).contains(&key.len()) && key.bytes().all(|byte| matches!(byte, b' '..=b'~'))
    };
    match key.to_str().ok().filter(visible) {
        Some(key) => Ok(Some(key.to_owned())),
        None => Err(Problem::invalid(
            "Idempotency-Key",
            "must be 1 to 255 visible ASCII characters",
        )),
    }
}

/// The site that a request is about, as it names it or as its token does.
fn scope(request: &ServiceRequest) -> String {
    // The path names a comment, and with it the site.
    if request.match_info().get("id").is_some() {
        return String::new();
    }
    let named = web::Query::<Vec<(String, String)>>::from_query(request.query_string())
        .ok()
        .and_then(|pairs| {
            let site = pairs.0.into_iter().find(|(name, _)| name == "site");
            site.map(|(_, slug)| slug)
        })
        .filter(|slug| !slug.is_empty());
    named.unwrap_or_else(|| {
        let extensions = request.extensions();
        match extensions.get::<Asking>().map(|asking| &asking.0.sites) {
            Some(SiteScope::Only(slugs)) => {
                let slugs: Vec<&str> = slugs.iter().map(crate::domain::SiteSlug::as_str).collect();
                slugs.join(" ")
            }
            _ => "*".to_owned(),
        }
    })
}

/// A digest of parts, each told from the next.
fn digest(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    URL_SAFE_NO_PAD.encode(hash.finalize())
}
