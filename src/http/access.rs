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
    let caller = match identify(request).await {
        Ok((caller, token)) => {
            ask(request, Asker::Token(xxh3_128(token.as_bytes())))?;
            caller
        }
        Err(problem) => {
            // Whoever guesses tokens is slowed down by address.
            if let Some(address) = client_address(request) {
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

/// Who asks, and with which token.
async fn identify(request: &ServiceRequest) -> Result<(Caller, &str), Problem> {
    let token = request
        .headers()
        .get(AUTHORIZATION)
        .ok_or_else(|| Problem::unauthorized("this needs a token: Authorization: Bearer <JWT>"))?
        .to_str()
        .ok()
        .and_then(bearer)
        .ok_or_else(|| Problem::unauthorized("the Authorization header must be: Bearer <JWT>"))?;
    let moderation = request
        .app_data::<web::Data<Moderation>>()
        .ok_or_else(Problem::internal)?;
    match moderation.verify_token(token).await {
        Ok(caller) => Ok((caller, token)),
        Err(TokenError::Expired) => Err(Problem::unauthorized("the token is expired")),
        Err(TokenError::Invalid) => Err(Problem::unauthorized("the token is not valid")),
        Err(TokenError::Internal(error)) => Err(error.into()),
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
