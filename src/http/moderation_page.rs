//! The moderators' page: what is in `src/http/page`, out of this binary and nowhere else.
//!
//! All addresses in it are relative, so that it works below any path. What a browser keeps it asks for again by its
//! checksum, and gets nothing new until there is a new version.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{
        CACHE_CONTROL, CONTENT_SECURITY_POLICY, ContentType, ETAG, EntityTag, IF_NONE_MATCH,
        LOCATION,
    },
    web,
};
use xxhash_rust::xxh3::xxh3_64;

use super::{PAGE_POLICY, problem::Problem};

/// The files by name.
static ASSETS: &[(&str, &[u8])] = &include!(concat!(env!("OUT_DIR"), "/page_assets.rs"));

/// The page.
pub async fn page(request: HttpRequest) -> Result<HttpResponse, Problem> {
    file(&request, "index.html")
}

/// A style or a script of it; a slash too many leads back to the page.
pub async fn asset(
    request: HttpRequest,
    asset: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    if asset.is_empty() {
        return Ok(HttpResponse::PermanentRedirect()
            .insert_header((LOCATION, "../moderation"))
            .finish());
    }
    file(&request, &asset)
}

fn file(request: &HttpRequest, wanted: &str) -> Result<HttpResponse, Problem> {
    let (name, bytes) = ASSETS
        .iter()
        .find(|(name, _)| *name == wanted)
        .ok_or_else(Problem::unknown_path)?;
    let tag = EntityTag::new_strong(format!("{:016x}", xxh3_64(bytes)));
    let known = request.headers().get(IF_NONE_MATCH);
    if known.is_some_and(|known| known.as_bytes() == tag.to_string().as_bytes()) {
        return Ok(HttpResponse::NotModified()
            .insert_header((ETAG, tag.to_string()))
            .finish());
    }
    let kind = match name.rsplit('.').next() {
        Some("html") => ContentType::html().to_string(),
        Some("css") => "text/css; charset=utf-8".to_owned(),
        _ => "text/javascript; charset=utf-8".to_owned(),
    };
    Ok(HttpResponse::Ok()
        .content_type(kind)
        .insert_header((CONTENT_SECURITY_POLICY, PAGE_POLICY))
        .insert_header((CACHE_CONTROL, "no-cache"))
        .insert_header((ETAG, tag.to_string()))
        .body(*bytes))
}
