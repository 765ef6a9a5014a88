//! The API as one list: method, path, who may, and the handler.

use actix_web::{HttpResponse, Route, http::Method, middleware::from_fn, web};

use super::{
    ADMIN_BODY, access::authorize, authors, comments, decisions, extract::BodyLimit, health,
    idempotency::remember, problem::Problem, queue, reports, score, sites, threads,
};
use crate::domain::Permission::{self, Administer, Moderate, Post, Read, Score};

/// One line of the API.
pub struct Endpoint {
    pub method: Method,
    pub path: &'static str,
    /// What the caller needs; `None` is open to all.
    pub needs: Option<Permission>,
    route: Route,
}

/// Every endpoint.
#[must_use]
#[rustfmt::skip]
pub fn table() -> Vec<Endpoint> {
    vec![
        get("/healthz", None, health::alive),
        get("/readyz", None, health::ready),
        get("/metrics", None, health::metrics),

        get("/v1/threads", Some(Read), threads::list),
        put("/v1/threads/{key}", Some(Post), threads::put),
        get("/v1/threads/{key}", Some(Read), threads::show),
        post("/v1/threads/{key}/comments", Some(Post), comments::submit),
        get("/v1/threads/{key}/comments", Some(Read), comments::list),
        get("/v1/threads/{key}/count", Some(Read), threads::count),
        post("/v1/counts", Some(Read), threads::counts),
        get("/v1/comments", Some(Read), comments::changes),
        get("/v1/comments/{id}", Some(Read), comments::show),
        patch("/v1/comments/{id}", Some(Post), comments::edit),
        delete("/v1/comments/{id}", Some(Post), comments::delete),
        post("/v1/comments/{id}/reports", Some(Post), reports::report),
        post("/v1/comments/{id}/appeals", Some(Post), reports::appeal),
        post("/v1/score", Some(Score), score::score),

        get("/v1/queue", Some(Moderate), queue::list),
        get("/v1/queue/counts", Some(Moderate), queue::counts),
        post("/v1/comments/{id}/decisions", Some(Moderate), decisions::decide),
        post("/v1/decisions/{id}/undo", Some(Moderate), decisions::undo),
        get("/v1/decisions", Some(Moderate), decisions::list),
        get("/v1/comments/{id}/revisions", Some(Moderate), comments::revisions),
        get("/v1/authors/{author}", Some(Moderate), authors::show),
        post("/v1/authors/{author}/sanctions", Some(Moderate), authors::sanction),
        delete("/v1/authors/{author}/sanctions/{id}", Some(Moderate), authors::lift),
        post("/v1/authors/{author}/notes", Some(Moderate), authors::note),

        get("/v1/sites", Some(Administer), sites::list),
        post("/v1/sites", Some(Administer), sites::create),
        patch("/v1/sites/{slug}", Some(Administer), sites::change),
        get("/v1/sites/{slug}/policy", Some(Administer), sites::policy),
        put("/v1/sites/{slug}/policy", Some(Administer), sites::set_policy),
    ]
}

macro_rules! methods {
    ($($name:ident $method:ident),+) => {$(
        fn $name<F, Args>(path: &'static str, needs: Option<Permission>, handler: F) -> Endpoint
        where
            F: actix_web::Handler<Args>,
            Args: actix_web::FromRequest + 'static,
            F::Output: actix_web::Responder + 'static,
        {
            Endpoint { method: Method::$method, path, needs, route: web::$name().to(handler) }
        }
    )+};
}
methods!(get GET, put PUT, post POST, patch PATCH, delete DELETE);

/// Registers every endpoint, guarded by what it needs.
pub fn configure(config: &mut web::ServiceConfig) {
    let mut endpoints = table();
    while !endpoints.is_empty() {
        let path = endpoints[0].path;
        let (here, rest): (Vec<_>, Vec<_>) = endpoints
            .into_iter()
            .partition(|endpoint| endpoint.path == path);
        endpoints = rest;
        let allowed = here
            .iter()
            .map(|endpoint| endpoint.method.as_str())
            .collect::<Vec<_>>()
            .join(", ");
        let mut resource = web::resource(path);
        if here
            .iter()
            .any(|endpoint| endpoint.needs == Some(Administer))
        {
            resource = resource
                .app_data(web::PayloadConfig::new(ADMIN_BODY.0))
                .app_data(BodyLimit(ADMIN_BODY.0));
        }
        let resource = here.into_iter().fold(resource, |resource, endpoint| {
            let needs = endpoint.needs;
            resource.route(endpoint.route.wrap(from_fn(remember)).wrap(from_fn(
                move |request, next| authorize(needs, request, next),
            )))
        });
        config.service(resource.default_service(web::to(move || {
            let problem = Problem::method_not_allowed(&allowed);
            async move { Err::<HttpResponse, _>(problem) }
        })));
    }
}

/// The answer to a path that leads nowhere.
pub async fn unknown() -> Result<HttpResponse, Problem> {
    Err(Problem::unknown_path())
}
