//! Signing in to the moderators' page, and out.
//!
//! A session's cookie is `HttpOnly` and `SameSite=Strict`. What changes something needs a header besides, which a page of
//! another origin cannot send without asking first, and is refused: see [`super::access`].

use actix_web::{
    HttpRequest, HttpResponse,
    cookie::{Cookie, SameSite, time::Duration},
    http::header::USER_AGENT,
    web,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    access::{SESSION, SignedIn},
    extract::{Id, Json},
    limits::{Asker, Limits, TooOften},
    problem::Problem,
    settings::{BasePath, client_address},
};
use crate::{
    domain::{Password, SessionId},
    moderation::{Moderation, OpenSession, Proof, SessionView},
};

/// A name and a password, or the secret of a one-time link.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignInRequest {
    name: Option<String>,
    #[schema(format = "password")]
    password: Option<String>,
    link: Option<String>,
}

/// A password in place of another.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordRequest {
    /// Needed by who has one.
    #[schema(format = "password")]
    old: Option<String>,
    #[schema(format = "password", min_length = 10)]
    new: String,
}

/// Where somebody is signed in.
#[derive(Serialize, ToSchema)]
pub struct OpenSessions {
    items: Vec<OpenSession>,
}

/// Signs in.
#[utoipa::path(
    post, path = "/moderation/session", operation_id = "signIn",
    request_body = SignInRequest,
    responses(
        (status = 200, description = "Signed in, by a cookie.", body = SessionView),
        (status = 401, description = "That proves nothing."),
        (status = 429, description = "Too many attempts."),
    ),
)]
pub async fn sign_in(
    moderation: web::Data<Moderation>,
    limits: web::Data<Limits>,
    base: web::Data<BasePath>,
    request: HttpRequest,
    Json(body): Json<SignInRequest>,
) -> Result<HttpResponse, Problem> {
    let proof = match (body.name, body.password, body.link) {
        (Some(name), Some(password), None) => Proof::Password { name, password },
        (None, None, Some(link)) => Proof::Link(link),
        _ => {
            return Err(Problem::invalid(
                "",
                "must have name and password, or link alone",
            ));
        }
    };
    let name = match &proof {
        Proof::Password { name, .. } => Some(name.as_str()),
        Proof::Link(_) => None,
    };
    if let Some(address) = client_address(&request) {
        (limits.try_to_sign_in(Asker::Address(address), name)).map_err(too_often)?;
    }
    let agent = request.headers().get(USER_AGENT);
    let agent = agent
        .and_then(|agent| agent.to_str().ok())
        .unwrap_or_default();
    let (secret, session) = moderation.sign_in(proof, agent).await?;
    let cookie = cookie(&request, &base, secret, Duration::days(7));
    Ok(HttpResponse::Ok().cookie(cookie).json(session))
}

/// Who is signed in.
#[utoipa::path(
    get, path = "/moderation/session", operation_id = "getSession",
    responses(
        (status = 200, description = "Who is signed in.", body = SessionView),
        (status = 401, description = "Nobody is."),
    ),
)]
pub async fn show(
    moderation: web::Data<Moderation>,
    SignedIn(caller, session): SignedIn,
) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(moderation.session_view(&caller, &session).await?))
}

/// Signs out.
#[utoipa::path(
    delete, path = "/moderation/session", operation_id = "signOut",
    responses(
        (status = 204, description = "Signed out."),
        (status = 401, description = "Nobody was signed in."),
    ),
)]
pub async fn sign_out(
    moderation: web::Data<Moderation>,
    base: web::Data<BasePath>,
    request: HttpRequest,
    SignedIn(_, session): SignedIn,
) -> Result<HttpResponse, Problem> {
    moderation
        .end_session(&session, SessionId(session.id))
        .await?;
    let gone = cookie(&request, &base, String::new(), Duration::ZERO);
    Ok(HttpResponse::NoContent().cookie(gone).finish())
}

/// Where whoever asks is signed in.
#[utoipa::path(
    get, path = "/moderation/sessions", operation_id = "listSessions",
    responses(
        (status = 200, description = "The sessions, the latest seen first.", body = OpenSessions),
        (status = 401, description = "Nobody is signed in."),
    ),
)]
pub async fn list(
    moderation: web::Data<Moderation>,
    SignedIn(_, session): SignedIn,
) -> Result<HttpResponse, Problem> {
    let items = moderation.open_sessions(&session).await?;
    Ok(HttpResponse::Ok().json(OpenSessions { items }))
}

/// Ends one of one's own sessions.
#[utoipa::path(
    delete, path = "/moderation/sessions/{id}", operation_id = "endSession",
    params(("id" = inline(SessionId), Path, description = "The session.")),
    responses(
        (status = 204, description = "It has ended."),
        (status = 401, description = "Nobody is signed in."),
        (status = 404, description = "There is no such session of theirs."),
    ),
)]
pub async fn end(
    moderation: web::Data<Moderation>,
    SignedIn(_, session): SignedIn,
    Id(id): Id<SessionId>,
) -> Result<HttpResponse, Problem> {
    moderation.end_session(&session, id).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Chooses a password, and ends one's other sessions.
#[utoipa::path(
    post, path = "/moderation/password", operation_id = "changePassword",
    request_body = PasswordRequest,
    responses(
        (status = 204, description = "It is the password now."),
        (status = 401, description = "Nobody is signed in."),
        (status = 429, description = "Too many attempts."),
    ),
)]
pub async fn password(
    moderation: web::Data<Moderation>,
    limits: web::Data<Limits>,
    SignedIn(_, session): SignedIn,
    Json(body): Json<PasswordRequest>,
) -> Result<HttpResponse, Problem> {
    let new = Password::parse(&body.new).map_err(|refusal| Problem::invalid("new", refusal.0))?;
    (limits.try_to_sign_in(Asker::Token(session.id.as_u128()), None)).map_err(too_often)?;
    moderation.change_password(&session, body.old, new).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn too_often(early: TooOften) -> Problem {
    Problem::too_many("too many attempts; try again later", early)
}

/// The cookie of a session, for this server's own pages alone.
fn cookie(
    request: &HttpRequest,
    base: &BasePath,
    secret: String,
    lasts: Duration,
) -> Cookie<'static> {
    let path = if base.as_str().is_empty() {
        "/"
    } else {
        base.as_str()
    };
    Cookie::build(SESSION, secret)
        .path(path.to_owned())
        .http_only(true)
        .secure(request.connection_info().scheme() == "https")
        .same_site(SameSite::Strict)
        .max_age(lasts)
        .finish()
}
