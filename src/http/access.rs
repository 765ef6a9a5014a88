//! Who is asking, and may they: every guarded route passes here, and nowhere else.

use actix_web::{
    Error, FromRequest, HttpMessage as _, HttpRequest, ResponseError as _,
    body::{EitherBody, MessageBody},
    dev::{Payload, ServiceRequest, ServiceResponse},
    http::header::AUTHORIZATION,
    middleware::Next,
    web,
};

use super::problem::Problem;
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
    next.call(request)
        .await
        .map(ServiceResponse::map_into_left_body)
}

async fn admit(request: &ServiceRequest, permission: Permission) -> Result<(), Problem> {
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
    let caller = match moderation.verify_token(token).await {
        Ok(caller) => caller,
        Err(TokenError::Expired) => return Err(Problem::unauthorized("the token is expired")),
        Err(TokenError::Invalid) => return Err(Problem::unauthorized("the token is not valid")),
        Err(TokenError::Internal(error)) => return Err(error.into()),
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
