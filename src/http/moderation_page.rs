//! The moderators' page: what is in `src/http/page`, out of this binary and nowhere else.
//!
//! All addresses in it are relative, so that it works below any path. What a browser keeps it asks for again by its
//! checksum, and gets nothing new until there is a new version. It travels compressed, as the build left it.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{
            AcceptEncoding, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, ContentType,
            ETAG, Encoding, EntityTag, Header as _, IF_NONE_MATCH, LOCATION, VARY,
        },
    },
    web,
};
use xxhash_rust::xxh3::xxh3_64;

use super::{PAGE_POLICY, problem::Problem};

/// A file of the page, as it is and compressed.
struct Asset {
    name: &'static str,
    plain: &'static [u8],
    gzip: &'static [u8],
}

static ASSETS: &[Asset] = &include!(concat!(env!("OUT_DIR"), "/page_assets.rs"));

/// The page.
pub async fn page(request: HttpRequest) -> Result<HttpResponse, Problem> {
    file(&request, "index.html")
}

/// The admins' page, and what else it has.
const MODELS: (&str, &str) = ("models", "models.html");

/// A style or a script of it, or the admins' page; a slash too many leads back to the page.
pub async fn asset(
    request: HttpRequest,
    asset: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    if asset.is_empty() {
        return Ok(HttpResponse::PermanentRedirect()
            .insert_header((LOCATION, "../moderation"))
            .finish());
    }
    if *asset == MODELS.0 {
        return file(&request, MODELS.1);
    }
    file(&request, &asset)
}

fn file(request: &HttpRequest, wanted: &str) -> Result<HttpResponse, Problem> {
    let asset = ASSETS
        .iter()
        .find(|asset| asset.name == wanted)
        .ok_or_else(Problem::unknown_path)?;
    let compressed = takes_gzip(request);
    let bytes = if compressed { asset.gzip } else { asset.plain };
    let tag = EntityTag::new_strong(format!("{:016x}", xxh3_64(bytes)));
    let mut response = HttpResponse::Ok();
    response
        .insert_header((CONTENT_SECURITY_POLICY, PAGE_POLICY))
        .insert_header((CACHE_CONTROL, "no-cache"))
        .insert_header((VARY, "accept-encoding"))
        .insert_header((ETAG, tag.to_string()));
    let known = request.headers().get(IF_NONE_MATCH);
    if known.is_some_and(|known| known.as_bytes() == tag.to_string().as_bytes()) {
        return Ok(response.status(StatusCode::NOT_MODIFIED).finish());
    }
    if compressed {
        response.insert_header((CONTENT_ENCODING, "gzip"));
    }
    let kind = match wanted.rsplit('.').next() {
        Some("html") => ContentType::html().to_string(),
        Some("css") => "text/css; charset=utf-8".to_owned(),
        _ => "text/javascript; charset=utf-8".to_owned(),
    };
    Ok(response.content_type(kind).body(bytes))
}

fn takes_gzip(request: &HttpRequest) -> bool {
    let known = [Encoding::gzip(), Encoding::identity()];
    AcceptEncoding::parse(request)
        .ok()
        .and_then(|accepted| accepted.negotiate(known.iter()))
        .is_some_and(|chosen| chosen == Encoding::gzip())
}
