//! What handlers take from a request, with errors that name the field.

use std::{future::Future, pin::Pin, str::FromStr, time::Duration};

use actix_web::{
    FromRequest, HttpMessage as _, HttpRequest,
    dev::{Payload, ServiceRequest},
    web,
};
use serde::{
    Deserialize,
    de::{DeserializeOwned, IntoDeserializer as _},
};

use super::problem::Problem;
use crate::{
    domain::{AuthorId, Invalid, ModelVersion, Object, SiteSlug, Subject, ThreadKey},
    moderation::{Error, Thing},
};

/// How long a body may take to arrive.
const BODY_PATIENCE: Duration = Duration::from_secs(10);

/// A JSON body. Unknown fields are an error where the type says so, as all of ours do.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Json<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_json = request
            .content_type()
            .eq_ignore_ascii_case("application/json");
        let bytes = read(request, payload);
        Box::pin(async move {
            if !is_json {
                return Err(Problem::unsupported_media_type());
            }
            parse(&bytes.await?).map(Self)
        })
    }
}

/// The most bytes a body may have, on the routes it is registered for.
#[derive(Clone, Copy)]
pub struct BodyLimit(pub usize);

/// Reads a body to its end, or says why not.
fn read(
    request: &HttpRequest,
    payload: &mut Payload,
) -> impl Future<Output = Result<web::Bytes, Problem>> + use<> {
    let limit = request.app_data::<BodyLimit>().map_or(0, |limit| limit.0);
    let refused = request.extensions().get::<Problem>().cloned();
    let bytes = web::Bytes::from_request(request, payload);
    async move {
        if let Some(problem) = refused {
            return Err(problem);
        }
        in_time(bytes, limit).await
    }
}

/// A body, once it has arrived; or what is wrong with it.
pub(super) async fn in_time(
    bytes: impl Future<Output = Result<web::Bytes, actix_web::Error>>,
    limit: usize,
) -> Result<web::Bytes, Problem> {
    match actix_web::rt::time::timeout(BODY_PATIENCE, bytes).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if error.as_response_error().status_code() == 413 => {
            Err(Problem::too_large(limit))
        }
        Ok(Err(_)) => Err(Problem::malformed("the body could not be read to its end")),
        Err(_) => Err(Problem::too_slow()),
    }
}

/// The body of a request that is still on its way to its handler.
///
/// # Errors
/// When it is too large or does not arrive.
pub async fn body(request: &mut ServiceRequest) -> Result<web::Bytes, Problem> {
    let (request, payload) = request.parts_mut();
    read(request, payload).await
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let parsed = serde_path_to_error::deserialize::<_, Object<T>>(&mut deserializer);
    let Object(value) = parsed.map_err(|error| {
        let path = error.path().to_string();
        let cause = error.into_inner();
        // A value of the wrong type counts as a syntax error where an enum was expected, though the JSON may be fine.
        let is_json = || serde_json::from_slice::<serde_json::Value>(bytes).is_ok();
        if cause.classify() == serde_json::error::Category::Data || is_json() {
            let (field, message) = name_field(&path, &cause.to_string());
            Problem::invalid(&field, message)
        } else {
            Problem::malformed(format!("the body is not valid JSON: {cause}"))
        }
    })?;
    deserializer
        .end()
        .map_err(|cause| Problem::malformed(format!("the body is not valid JSON: {cause}")))?;
    Ok(value)
}

/// The field an error is about, and the error in fewer words.
fn name_field(path: &str, message: &str) -> (String, String) {
    let message = message
        .rsplit_once(" at line ")
        .map_or(message, |(message, _)| message);
    let inside = |name: &str| {
        if path == "." || path == name || path.ends_with(&format!(".{name}")) {
            path.trim_start_matches('.').to_owned()
        } else {
            format!("{path}.{name}")
        }
    };
    for (prefix, words) in [
        ("unknown field `", "is not a field of this request"),
        ("missing field `", "is needed"),
    ] {
        if let Some((name, _)) = message
            .strip_prefix(prefix)
            .and_then(|rest| rest.split_once('`'))
        {
            let field = inside(name);
            let field = if field.is_empty() {
                name.to_owned()
            } else {
                field
            };
            return (field, words.to_owned());
        }
    }
    (path.trim_start_matches('.').to_owned(), message.to_owned())
}

/// Tells an absent field (`None`) from one that is null (`Some(None)`).
pub fn present<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer).map(Some)
}

/// The parameters after the `?`, each parsed by name.
pub struct Params(Vec<(String, String)>);

impl FromRequest for Params {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let parsed = web::Query::<Vec<(String, String)>>::from_query(request.query_string())
            .map_err(|_| Problem::invalid("query", "must be percent-encoded UTF-8"))
            .and_then(|pairs| {
                let pairs = pairs.into_inner();
                // PostgreSQL knows no text with NUL in it, so nothing can be found by one.
                match pairs.iter().find(|(_, value)| value.contains('\0')) {
                    Some((name, _)) => Err(Problem::invalid(name, "must not have NUL characters")),
                    None => Ok(Self(pairs)),
                }
            });
        std::future::ready(parsed)
    }
}

impl Params {
    /// The value of a parameter; an empty one counts as absent.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, value)| known == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// A parameter that parses itself.
    pub fn parsed<T>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, Invalid>,
    ) -> Result<Option<T>, Problem> {
        self.text(name)
            .map(|text| parse(text).map_err(|refusal| Problem::invalid(name, refusal.0)))
            .transpose()
    }

    /// A parameter that is one of a few names, an id or a time: what its JSON form is as a string.
    pub fn named<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Problem> {
        self.parsed(name, |text| {
            let deserializer: serde::de::value::StrDeserializer<'_, serde::de::value::Error> =
                text.into_deserializer();
            T::deserialize(deserializer).map_err(|error| Invalid(error.to_string()))
        })
    }

    /// A number from `min` to `max`.
    pub fn number<T>(&self, name: &str, min: T, max: T) -> Result<Option<T>, Problem>
    where
        T: FromStr + PartialOrd + std::fmt::Display + Copy,
    {
        self.parsed(name, |text| {
            text.parse()
                .ok()
                .filter(|number| (min..=max).contains(number))
                .ok_or_else(|| Invalid(format!("must be a number from {min} to {max}")))
        })
    }

    /// How many items a page has at most.
    pub fn limit(&self, default: usize, max: usize) -> Result<usize, Problem> {
        Ok(self.number("limit", 1, max)?.unwrap_or(default))
    }

    /// Where a page begins.
    pub fn cursor(&self) -> Option<String> {
        self.text("cursor").map(str::to_owned)
    }

    /// The site that the request names.
    pub fn site(&self) -> Result<Option<SiteSlug>, Problem> {
        self.parsed("site", SiteSlug::parse)
    }
}

/// The `{key}` of a thread in a path.
pub struct Key(pub ThreadKey);

impl FromRequest for Key {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(part(request, "key", ThreadKey::parse).map(Self))
    }
}

/// The `{slug}` of a site in a path. What is no slug names nothing.
pub struct Slug(pub SiteSlug);

impl FromRequest for Slug {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let slug = part(request, "slug", SiteSlug::parse).map(Self);
        std::future::ready(
            slug.map_err(|_| Problem::not_found("site-not-found", "there is no such site")),
        )
    }
}

/// The `{name}` of a moderator in a path. What is no name names nobody.
pub struct ModeratorName(pub Subject);

impl FromRequest for ModeratorName {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let name = part(request, "name", Subject::parse).map(Self);
        std::future::ready(name.map_err(|_| Error::NotFound(Thing::Moderator).into()))
    }
}

/// The `{version}` of a model in a path. What is no name names nothing.
pub struct Version(pub ModelVersion);

impl FromRequest for Version {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let version = part(request, "version", ModelVersion::parse).map(Self);
        std::future::ready(version.map_err(|_| Error::NotFound(Thing::Model).into()))
    }
}

/// The `{author}` of a path: a site's own id of a reader.
pub struct ReaderId(pub AuthorId);

impl FromRequest for ReaderId {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(part(request, "author", AuthorId::parse).map(Self))
    }
}

/// A part of a path that is a text: percent-decoded, then parsed.
fn part<T>(
    request: &HttpRequest,
    name: &str,
    parse: impl FnOnce(&str) -> Result<T, Invalid>,
) -> Result<T, Problem> {
    let encoded = request.match_info().get(name).unwrap_or_default();
    percent_encoding::percent_decode_str(encoded)
        .decode_utf8()
        .map_err(|_| Invalid("must be percent-encoded UTF-8".into()))
        // Broken UTF-8 may arrive with its broken parts replaced; two such texts would become one.
        .and_then(|text| {
            if text.contains('\u{fffd}') {
                Err(Invalid("must be percent-encoded UTF-8".into()))
            } else {
                parse(&text)
            }
        })
        .map_err(|refusal| Problem::invalid(name, refusal.0))
}

/// The `{id}` of a thing in a path. What is no id names nothing.
pub struct Id<T>(pub T);

impl<T: FromStr + 'static> FromRequest for Id<T> {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let id = request
            .match_info()
            .get("id")
            .and_then(|id| id.parse().ok())
            .map(Self)
            .ok_or_else(|| Problem::not_found("not-an-id", "there is nothing of this id"));
        std::future::ready(id)
    }
}

#[cfg(test)]
mod tests {
    use super::name_field;

    #[test]
    fn an_error_names_its_field() {
        for (path, message, field, words) in [
            (
                ".",
                "unknown field `foo`, expected one of `a` at line 1 column 9",
                "foo",
                "is not a field of this request",
            ),
            (
                "author",
                "missing field `name` at line 1 column 20",
                "author.name",
                "is needed",
            ),
            (
                "body",
                "invalid type: integer `1`, expected a string at line 1 column 9",
                "body",
                "invalid type: integer `1`, expected a string",
            ),
        ] {
            assert_eq!(
                name_field(path, message),
                (field.to_owned(), words.to_owned())
            );
        }
    }
}
