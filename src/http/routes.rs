//! The API as one list: method, path, who may, and the handler.

use actix_web::{HttpResponse, Route, http::Method, middleware::from_fn, web};
use utoipa::openapi::OpenApi;

use super::{
    ADMIN_BODY, access::authorize, authors, clusters, comments, decisions, docs, events,
    extract::BodyLimit, health, idempotency::remember, models, moderation_page, moderators,
    opinions, problem::Problem, queue, reports, score, sessions, simulation, sites, stats, threads,
};
use crate::domain::{
    Permission::{self, Administer, Moderate, Post, Read, Score},
    Role,
};

/// One line of the API.
pub struct Endpoint {
    pub method: Method,
    pub path: &'static str,
    /// What the caller needs; `None` is open to all.
    pub needs: Option<Permission>,
    /// A document with what the handler says of itself; `None` for the document and its page.
    pub described: Option<fn() -> OpenApi>,
    route: Route,
}

impl Endpoint {
    /// Whether a site may send such a request again by its `Idempotency-Key`.
    pub(super) fn is_repeatable(&self) -> bool {
        self.method == Method::POST && self.needs.is_some_and(|needs| Role::Site.may(needs))
    }
}

/// A line of the table. Its handler has a description by `utoipa::path`.
macro_rules! route {
    ($method:ident $path:literal, $needs:expr, $module:ident::$handler:ident) => {{
        #[derive(utoipa::OpenApi)]
        #[openapi(paths($module::$handler))]
        struct Described;
        Endpoint {
            method: Method::$method,
            path: $path,
            needs: $needs,
            described: Some(<Described as utoipa::OpenApi>::openapi),
            route: web::method(Method::$method).to($module::$handler),
        }
    }};
}

/// A line of the table for a page that is about the API, not part of it.
fn page<F, Args>(path: &'static str, handler: F) -> Endpoint
where
    F: actix_web::Handler<Args>,
    Args: actix_web::FromRequest + 'static,
    F::Output: actix_web::Responder + 'static,
{
    Endpoint {
        method: Method::GET,
        path,
        needs: None,
        described: None,
        route: web::get().to(handler),
    }
}

/// Every endpoint.
#[must_use]
#[rustfmt::skip]
pub fn table() -> Vec<Endpoint> {
    vec![
        route!(GET "/healthz", None, health::alive),
        route!(GET "/readyz", None, health::ready),
        route!(GET "/metrics", None, health::metrics),
        page("/openapi.json", docs::document),
        page("/docs", docs::page),
        page("/docs/{asset:.*}", docs::asset),

        page("/moderation", moderation_page::page),
        route!(POST "/moderation/session", None, sessions::sign_in),
        route!(GET "/moderation/session", None, sessions::show),
        route!(DELETE "/moderation/session", None, sessions::sign_out),
        route!(GET "/moderation/sessions", None, sessions::list),
        route!(DELETE "/moderation/sessions/{id}", None, sessions::end),
        route!(POST "/moderation/password", None, sessions::password),
        page("/moderation/{asset:.*}", moderation_page::asset),

        route!(GET "/v1/threads", Some(Read), threads::list),
        route!(PUT "/v1/threads/{key}", Some(Post), threads::put),
        route!(GET "/v1/threads/{key}", Some(Read), threads::show),
        route!(POST "/v1/threads/{key}/comments", Some(Post), comments::submit),
        route!(GET "/v1/threads/{key}/comments", Some(Read), comments::list),
        route!(GET "/v1/threads/{key}/count", Some(Read), threads::count),
        route!(POST "/v1/counts", Some(Read), threads::counts),
        route!(GET "/v1/comments", Some(Read), comments::changes),
        route!(GET "/v1/comments/{id}", Some(Read), comments::show),
        route!(PATCH "/v1/comments/{id}", Some(Post), comments::edit),
        route!(DELETE "/v1/comments/{id}", Some(Post), comments::delete),
        route!(POST "/v1/comments/{id}/reports", Some(Post), reports::report),
        route!(POST "/v1/comments/{id}/appeals", Some(Post), reports::appeal),
        route!(POST "/v1/score", Some(Score), score::score),

        route!(GET "/v1/queue", Some(Moderate), queue::list),
        route!(GET "/v1/queue/counts", Some(Moderate), queue::counts),
        route!(POST "/v1/queue/claims", Some(Moderate), queue::claim),
        route!(DELETE "/v1/queue/claims", Some(Moderate), queue::release_all),
        route!(DELETE "/v1/queue/claims/{id}", Some(Moderate), queue::release),
        route!(PUT "/v1/queue/presence", Some(Moderate), queue::look_at),
        route!(POST "/v1/comments/{id}/decisions", Some(Moderate), decisions::decide),
        route!(POST "/v1/decisions/{id}/undo", Some(Moderate), decisions::undo),
        route!(GET "/v1/stats", Some(Moderate), stats::show),
        route!(GET "/v1/recall", Some(Moderate), opinions::recall),
        route!(GET "/v1/agreement", Some(Moderate), opinions::agreement),
        route!(GET "/v1/disagreements", Some(Moderate), opinions::disagreements),
        route!(GET "/v1/events", Some(Moderate), events::listen),
        route!(GET "/v1/decisions", Some(Moderate), decisions::list),
        route!(POST "/v1/decisions:batch", Some(Moderate), decisions::batch),
        route!(GET "/v1/clusters/{id}", Some(Moderate), clusters::show),
        route!(GET "/v1/comments/{id}/revisions", Some(Moderate), comments::revisions),
        route!(GET "/v1/authors/{author}", Some(Moderate), authors::show),
        route!(POST "/v1/authors/{author}/sanctions", Some(Moderate), authors::sanction),
        route!(DELETE "/v1/authors/{author}/sanctions/{id}", Some(Moderate), authors::lift),
        route!(POST "/v1/authors/{author}/notes", Some(Moderate), authors::note),

        route!(GET "/v1/moderators", Some(Administer), moderators::list),
        route!(POST "/v1/moderators", Some(Administer), moderators::add),
        route!(PATCH "/v1/moderators/{name}", Some(Administer), moderators::change),
        route!(POST "/v1/moderators/{name}/links", Some(Administer), moderators::link),

        route!(GET "/v1/models", Some(Administer), models::list),
        route!(POST "/v1/models:rollback", Some(Administer), models::roll_back),
        route!(GET "/v1/models/{version}", Some(Administer), models::show),
        route!(GET "/v1/models/{version}/report", Some(Administer), models::report),
        route!(POST "/v1/models/{version}/activate", Some(Administer), models::activate),
        route!(POST "/v1/models/{version}/shadow", Some(Administer), models::shadow),
        route!(POST "/v1/models:unshadow", Some(Administer), models::unshadow),
        route!(GET "/v1/models/{version}/comparison", Some(Administer), models::compare),

        route!(GET "/v1/sites", Some(Administer), sites::list),
        route!(POST "/v1/sites", Some(Administer), sites::create),
        route!(PATCH "/v1/sites/{slug}", Some(Administer), sites::change),
        route!(GET "/v1/sites/{slug}/policy", Some(Administer), sites::policy),
        route!(PUT "/v1/sites/{slug}/policy", Some(Administer), sites::set_policy),
        route!(POST "/v1/sites/{slug}/policy:simulate", Some(Administer), simulation::simulate),
    ]
}

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
