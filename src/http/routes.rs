//! The API as one list: method, path, who may, and the handler.

use actix_web::{HttpResponse, Route, http::Method, middleware::from_fn, web};

use super::{
    access::authorize, comments, decisions, health, problem::Problem, queue, score, threads,
};
use crate::domain::Permission::{self, Moderate, Post, Read, Score};

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

        put("/v1/threads/{key}", Some(Post), threads::put),
        get("/v1/threads/{key}", Some(Read), threads::show),
        post("/v1/threads/{key}/comments", Some(Post), comments::submit),
        get("/v1/threads/{key}/comments", Some(Read), comments::list),
        get("/v1/comments/{id}", Some(Read), comments::show),
        post("/v1/score", Some(Score), score::score),

        get("/v1/queue", Some(Moderate), queue::list),
        get("/v1/queue/counts", Some(Moderate), queue::counts),
        post("/v1/comments/{id}/decisions", Some(Moderate), decisions::decide),
        post("/v1/decisions/{id}/undo", Some(Moderate), decisions::undo),
        get("/v1/decisions", Some(Moderate), decisions::list),
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
methods!(get GET, put PUT, post POST);

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
        let resource = here
            .into_iter()
            .fold(web::resource(path), |resource, endpoint| {
                let needs = endpoint.needs;
                resource.route(endpoint.route.wrap(from_fn(move |request, next| {
                    authorize(needs, request, next)
                })))
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
