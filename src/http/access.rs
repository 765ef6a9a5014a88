//! Who is asking, and may they: every guarded route passes here, and nowhere else.

use actix_web::{
    Error, FromRequest, HttpMessage as _, HttpRequest, ResponseError as _,
    body::{EitherBody, MessageBody},
    dev::{Payload, ServiceRequest, ServiceResponse},
    http::header::AUTHORIZATION,
    middleware::Next,
    web,
};

use xxhash_rust::xxh3::xxh3_128;

use super::{
    limits::{Asker, Limits},
    problem::Problem,
    settings::client_address,
};
use crate::{
    domain::{Caller, Permission},
    moderation::{Moderation, TokenError},
    store::SessionRow,
};

/// Lets a request through to its handler if its token is good and its role may do what the route needs.
pub async fn authorize<B: MessageBody>(
    needs: Option<Permission>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    if let Some(permission) = needs
        && let Err(problem) = admit(&request, permission).await
    {
        return Ok(request
            .into_response(problem.error_response())
            .map_into_right_body());
    }
    let asked = request.request().clone();
    if let Ok(outcome) = actix_web::rt::time::timeout(DEADLINE, next.call(request)).await {
        return outcome.map(ServiceResponse::map_into_left_body);
    }
    // What was given up may still be written: see the intake.
    let problem = if asked.method().is_safe() {
        Problem::unavailable()
    } else {
        Problem::uncertain()
    };
    Ok(ServiceResponse::new(asked, problem.error_response()).map_into_right_body())
}

/// How long any request may take once it is let in.
const DEADLINE: std::time::Duration = std::time::Duration::from_secs(13);

async fn admit(request: &ServiceRequest, permission: Permission) -> Result<(), Problem> {
    let caller = match identify(request.request()).await {
        Ok((caller, secret)) => {
            ask(request, Asker::Token(xxh3_128(secret.as_bytes())))?;
            caller
        }
        Err(problem) => {
            // Whoever guesses tokens is slowed down by address.
            if let Some(address) = client_address(request.request()) {
                ask(request, Asker::Address(address))?;
            }
            return Err(problem);
        }
    };
    if !caller.role.may(permission) {
        return Err(Problem::forbidden(&format!(
            "a token of role {} may not do this",
            caller.role
        )));
    }
    request.extensions_mut().insert(Asking(caller));
    Ok(())
}

fn ask(request: &ServiceRequest, asker: Asker) -> Result<(), Problem> {
    let limits = request
        .app_data::<web::Data<Limits>>()
        .ok_or_else(Problem::internal)?;
    limits
        .ask(asker)
        .map_err(|early| Problem::too_many("too many requests; ask again later", early))
}

/// The cookie of a session at the moderators' page.
pub(super) const SESSION: &str = "palabre_session";
/// What the page says with whatever changes something. No page of another origin can: a browser would ask us first.
const OF_THE_PAGE: &str = "x-palabre-page";

/// Who asks, and by which token or cookie.
pub(super) async fn identify(request: &HttpRequest) -> Result<(Caller, String), Problem> {
    let moderation = request
        .app_data::<web::Data<Moderation>>()
        .ok_or_else(Problem::internal)?;
    let Some(header) = request.headers().get(AUTHORIZATION) else {
        let (SignedIn(caller, _), cookie) = signed_in(request).await?;
        return Ok((caller, cookie));
    };
    let token = header.to_str().ok().and_then(bearer);
    let token = token
        .ok_or_else(|| Problem::unauthorized("the Authorization header must be: Bearer <JWT>"))?;
    match moderation.verify_token(token).await {
        Ok(caller) => Ok((caller, token.to_owned())),
        Err(TokenError::Expired) => Err(Problem::unauthorized("the token is expired")),
        Err(TokenError::Invalid) => Err(Problem::unauthorized("the token is not valid")),
        Err(TokenError::Internal(error)) => Err(error.into()),
    }
}

/// Who is signed in at the page, by the cookie of a request that comes from it, and the cookie.
async fn signed_in(request: &HttpRequest) -> Result<(SignedIn, String), Problem> {
    let cookie = request.cookie(SESSION).ok_or_else(|| {
        Problem::unauthorized("sign in, or send a token: Authorization: Bearer <JWT>")
    })?;
    let elsewhere = request
        .headers()
        .get("sec-fetch-site")
        .is_some_and(|site| site != "same-origin" && site != "none");
    if elsewhere || (!request.method().is_safe() && !request.headers().contains_key(OF_THE_PAGE)) {
        return Err(Problem::forbidden(
            "a session changes nothing at the word of another page",
        ));
    }
    let moderation = request
        .app_data::<web::Data<Moderation>>()
        .ok_or_else(Problem::internal)?;
    let (caller, session) = moderation.verify_session(cookie.value()).await?;
    Ok((SignedIn(caller, session), cookie.value().to_owned()))
}

/// Whoever is signed in at the page, and their session.
pub struct SignedIn(pub Caller, pub SessionRow);

impl FromRequest for SignedIn {
    type Error = Problem;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { Ok(signed_in(&request).await?.0) })
    }
}

fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty()).then(|| token.trim())
}

/// The caller of a guarded route.
#[derive(Clone)]
pub struct Asking(pub Caller);

impl FromRequest for Asking {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(
            request
                .extensions()
                .get::<Self>()
                .cloned()
                .ok_or_else(Problem::internal),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::bearer;

    #[test]
    fn only_bearer_tokens_are_read() {
        assert_eq!(bearer("Bearer abc"), Some("abc"));
        assert_eq!(bearer("bearer abc"), Some("abc"));
        for other in ["abc", "Basic abc", "Bearer ", "Bearer"] {
            assert_eq!(bearer(other), None, "{other:?}");
        }
    }
}
