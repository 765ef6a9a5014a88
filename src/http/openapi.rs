//! The API's description for machines: `OpenAPI` 3.1.
//!
//! Each handler describes what is its own: parameters, body, answers. What the middleware and the extractors do on all
//! routes alike (who may call, problem documents, repetition, headers) is added here by what [`table`] says of a route,
//! so that no annotation can forget it.

use actix_web::http::Method;
use utoipa::{
    OpenApi as _, ToSchema as _,
    openapi::{
        Components, Content, ObjectBuilder, OpenApi, Ref, RefOr, Required, Response,
        ResponseBuilder, Server,
        header::HeaderBuilder,
        path::{HttpMethod, Operation, Parameter, ParameterBuilder, ParameterIn},
        schema::{ArrayItems, Schema, Type},
        security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};

use super::{
    problem::{PROBLEM_JSON, Problem},
    routes::{Endpoint, table},
    settings::BasePath,
};
use crate::domain::Role;

/// What holds for all of it.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Palabre",
        description = include_str!("openapi.md"),
        contact(name = "The people of Palabre"),
    ),
    components(schemas(Problem)),
    tags(
        (name = "threads", description = "A thread is the comments under one page of a site."),
        (name = "comments", description = "What readers write, as their site posts it and shows it."),
        (name = "reports", description = "What readers and authors say about a comment, through their site."),
        (name = "score", description = "Scores without storing."),
        (name = "queue", description = "What waits for a moderator."),
        (name = "decisions", description = "What moderators decide, and the audit log."),
        (name = "clusters", description = "Copies of one text."),
        (name = "events", description = "What happens, as it happens."),
        (name = "stats", description = "Figures."),
        (name = "authors", description = "Readers as moderators see them."),
        (name = "sites", description = "Sites and their policies."),
        (name = "models", description = "What scores comments: which models there are, and which is live."),
        (name = "moderators", description = "Accounts of the moderators' page."),
        (name = "sessions", description = "Signing in to the moderators' page, and out."),
        (name = "health", description = "The process itself."),
    ),
)]
struct Common;

/// Problems that come from outside the handlers: status, name, and when.
const PROBLEMS: [(&str, &str, &str); 10] = [
    (
        "400",
        "Malformed",
        "The body is not JSON, or did not arrive whole.",
    ),
    (
        "401",
        "Unauthorized",
        "There is no token, or it is not valid or expired.",
    ),
    (
        "403",
        "Forbidden",
        "The token is good, and its role may not do this.",
    ),
    ("408", "TooSlow", "The body did not arrive in time."),
    ("413", "TooLarge", "The body is too large."),
    (
        "415",
        "UnsupportedMediaType",
        "The body is not `application/json`.",
    ),
    (
        "422",
        "Invalid",
        "The request is understood and not valid; `errors` names the fields.",
    ),
    ("429", "TooManyRequests", "Too many requests."),
    (
        "500",
        "Internal",
        "Something went wrong on the server's side; its log has it under the request id.",
    ),
    (
        "503",
        "Unavailable",
        "The database does not answer. Unless `type` ends with `uncertain`, nothing was changed.",
    ),
];

/// The headers that answers have: name, type, and what it says.
const HEADERS: [(&str, Type, &str); 4] = [
    (
        "x-request-id",
        Type::String,
        "The id of the request in the server's log: the caller's own, if it sent a sane one.",
    ),
    ("WWW-Authenticate", Type::String, "`Bearer`, and the realm."),
    (
        "Retry-After",
        Type::Integer,
        "After how many seconds to try again.",
    ),
    (
        REPLAYED,
        Type::String,
        "`true` where this is the first answer to a request of this `Idempotency-Key`, given again.",
    ),
];

const BEARER: &str = "bearer";
const IDEMPOTENCY_KEY: &str = "Idempotency-Key";
const REPLAYED: &str = "Idempotent-Replayed";

/// The document of a server whose routes are below a path.
#[must_use]
pub fn document(base_path: &BasePath) -> OpenApi {
    let mut api = Common::openapi();
    let root = match base_path.as_str() {
        "" => "/",
        path => path,
    };
    api.servers = Some(vec![Server::new(root)]);
    let mut components = api.components.take().unwrap_or_default();
    for endpoint in table() {
        let Some((method, described)) = method(&endpoint.method).zip(endpoint.described) else {
            continue;
        };
        let one = described();
        if let Some(operation) = one.paths.get_path_operation(endpoint.path, method.clone()) {
            let mut operation = operation.clone();
            complete(&mut operation, &endpoint);
            api.paths
                .add_path_operation(endpoint.path, vec![method], operation);
        }
        components
            .schemas
            .extend(one.components.unwrap_or_default().schemas);
    }
    name_items(&mut components);
    add_shared(&mut components);
    api.components = Some(components);
    api
}

fn method(method: &Method) -> Option<HttpMethod> {
    Some(match method.as_str() {
        "GET" => HttpMethod::Get,
        "POST" => HttpMethod::Post,
        "PUT" => HttpMethod::Put,
        "PATCH" => HttpMethod::Patch,
        "DELETE" => HttpMethod::Delete,
        _ => return None,
    })
}

/// Adds to an operation what is done around its handler.
fn complete(operation: &mut Operation, endpoint: &Endpoint) {
    let mut problems: Vec<&str> = Vec::new();
    if let Some(needs) = endpoint.needs {
        // `access` asks who it is, and `limits` how often.
        problems.extend(["401", "403", "429", "500", "503"]);
        let no_scopes: [&str; 0] = [];
        operation.security = Some(vec![SecurityRequirement::new(BEARER, no_scopes)]);
        let roles: Vec<&str> = Role::ALL
            .into_iter()
            .filter(|role| role.may(needs))
            .map(Role::as_str)
            .collect();
        let who = format!("For tokens of: {}.", roles.join(", "));
        operation.description = Some(match operation.description.take() {
            Some(text) => format!("{text}\n\n{who}"),
            None => who,
        });
    }
    let repeatable = endpoint.is_repeatable();
    let has_body = operation.request_body.is_some();
    if has_body || repeatable {
        problems.extend(["400", "408", "413", "422"]);
    }
    if has_body {
        problems.push("415");
    }
    // Ids and slugs that are none name nothing: 404.
    let parsed = |parameter: &RefOr<Parameter>| {
        matches!(parameter, RefOr::T(parameter)
            if parameter.parameter_in == ParameterIn::Query || ["key", "author"].contains(&parameter.name.as_str()))
    };
    if operation.parameters.iter().flatten().any(parsed) {
        problems.push("422");
    }
    if repeatable {
        let key = Ref::new(format!("#/components/parameters/{IDEMPOTENCY_KEY}"));
        operation
            .parameters
            .get_or_insert_default()
            .push(RefOr::Ref(key));
    }
    let responses = &mut operation.responses.responses;
    for (status, name, _) in PROBLEMS {
        if problems.contains(&status) {
            responses
                .entry(status.into())
                .or_insert_with(|| Ref::from_response_name(name).into());
        }
    }
    for (status, response) in responses {
        if let RefOr::T(response) = response {
            finish(status, response);
            if repeatable && status.starts_with('2') {
                add_header(response, REPLAYED);
            }
        }
    }
}

/// Adds to an answer what `trace` makes of all answers.
fn finish(status: &str, response: &mut Response) {
    let is_problem = status.starts_with(['4', '5']);
    if is_problem && response.content.is_empty() {
        let problem = Content::new(Some(Ref::from_schema_name(Problem::name())));
        response
            .content
            .insert(PROBLEM_JSON.into(), RefOr::T(problem));
    }
    add_header(response, "x-request-id");
    match status {
        "401" => add_header(response, "WWW-Authenticate"),
        "429" | "503" => add_header(response, "Retry-After"),
        _ => {}
    }
}

fn add_header(response: &mut Response, name: &str) {
    let header = Ref::new(format!("#/components/headers/{name}"));
    response.headers.insert(name.into(), RefOr::Ref(header));
}

/// Adds what operations refer to.
fn add_shared(components: &mut Components) {
    for (status, name, description) in PROBLEMS {
        let mut response = ResponseBuilder::new().description(description).build();
        finish(status, &mut response);
        components.responses.insert(name.into(), RefOr::T(response));
    }
    for (name, kind, description) in HEADERS {
        let header = HeaderBuilder::new()
            .schema(Some(Schema::from(ObjectBuilder::new().schema_type(kind))))
            .description(Some(description))
            .build();
        components.headers.insert(name.into(), RefOr::T(header));
    }
    let text = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(255))
        .pattern(Some("^[!-~]([ -~]*[!-~])?$"));
    let key = ParameterBuilder::new()
        .name(IDEMPOTENCY_KEY)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .schema(Some(Schema::from(text)))
        .description(Some(
            "Any text that is new for each request of a site. The same request with the same key within 24 hours is \
             answered as the first was, with `Idempotent-Replayed: true`; another one is refused (422). 429 and 5xx are \
             not remembered. Moderators' and admins' keys are not read.",
        ))
        .build();
    components
        .parameters
        .insert(IDEMPOTENCY_KEY.into(), RefOr::T(key));
    let token = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some(
            "From `palabre token`, or of a single sign-on that the server was told to trust.",
        ))
        .build();
    components
        .security_schemes
        .insert(BEARER.into(), RefOr::T(SecurityScheme::Http(token)));
}

/// Gives the items of pages, which utoipa writes in place, the name they have elsewhere.
fn name_items(components: &mut Components) {
    let mut items = Vec::new();
    for (name, page) in &mut components.schemas {
        if let Some(of) = name.strip_prefix("Page_")
            && let RefOr::T(Schema::Object(page)) = page
            && let Some(RefOr::T(Schema::Array(list))) = page.properties.get_mut("items")
        {
            let named = ArrayItems::RefOrSchema(Box::new(Ref::from_schema_name(of).into()));
            if let ArrayItems::RefOrSchema(item) = std::mem::replace(&mut list.items, named) {
                items.push((of.to_owned(), *item));
            }
        }
    }
    components.schemas.extend(items);
}
