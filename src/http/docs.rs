//! The API's document, and a page to read it and to try it: Swagger UI, out of this binary and nowhere else.
//!
//! All addresses are relative, so that the page works below any path.

use std::sync::Arc;

use actix_web::{
    HttpResponse,
    http::header::{
        CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, ContentType, LOCATION,
    },
    web,
};
use utoipa_swagger_ui::Config;

use super::{PAGE_POLICY, openapi, problem::Problem, settings::BasePath};

/// What the page asks for.
const ASSETS: [&str; 6] = [
    "favicon-32x32.png",
    "index.css",
    "swagger-initializer.js",
    "swagger-ui-bundle.js",
    "swagger-ui-standalone-preset.js",
    "swagger-ui.css",
];

/// The document as it is served, and how the page shows it.
pub struct Docs {
    document: web::Bytes,
    page: Arc<Config<'static>>,
}

impl Docs {
    /// The document of a server whose routes are below a path.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn new(base_path: &BasePath) -> std::io::Result<Self> {
        let document = serde_json::to_vec(&openapi::document(base_path))?;
        let page = Config::new(["openapi.json"])
            .use_base_layout()
            .validator_url("none")
            .deep_linking(true);
        Ok(Self {
            document: document.into(),
            page: Arc::new(page),
        })
    }
}

/// The document.
pub async fn document(docs: web::Data<Docs>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(ContentType::json())
        .body(docs.document.clone())
}

/// The page.
pub async fn page() -> HttpResponse {
    HttpResponse::Ok()
        .content_type(ContentType::html())
        .insert_header((CONTENT_SECURITY_POLICY, PAGE_POLICY))
        .body(include_str!("docs.html"))
}

/// What the page asks for; a slash too many leads back to it.
pub async fn asset(
    docs: web::Data<Docs>,
    asset: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    if asset.is_empty() {
        return Ok(HttpResponse::PermanentRedirect()
            .insert_header((LOCATION, "../docs"))
            .finish());
    }
    if !ASSETS.contains(&asset.as_str()) {
        return Err(Problem::unknown_path());
    }
    let file = utoipa_swagger_ui::serve(&asset, Arc::clone(&docs.page))
        .ok()
        .flatten()
        .ok_or_else(Problem::unknown_path)?;
    let mut response = HttpResponse::Ok();
    if file.gzpipped {
        response.insert_header((CONTENT_ENCODING, "gzip"));
    }
    Ok(response
        .content_type(file.content_type)
        .insert_header((CACHE_CONTROL, "private, max-age=3600"))
        .body(file.bytes.into_owned()))
}
