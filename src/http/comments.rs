//! Comments over HTTP.

use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::{
    access::Asking,
    extract::{Id, Json, Key, Params, object, optional_object},
    fields::Fields,
    problem::Problem,
};
use crate::{
    domain::{
        Author, AuthorId, AuthorName, Body, CommentId, Email, ExternalId, Invalid, Lang, NewAuthor,
        NewComment, Status, ThreadChange, ThreadKey, Title, Url,
    },
    moderation::{Listing, Moderation, Submission, Submitted, View},
};

/// The default and the most comments a page of a thread has.
const PAGE: (usize, usize) = (200, 10_000);
/// How many levels below the first a tree shows, by default and at most: JSON parsers stop at 128 levels.
const TREE_DEPTH: (usize, usize) = (10, 60);
/// The deepest a flat list can be asked to go: all of it.
const FLAT_DEPTH: usize = 255;

/// A comment as a site posts it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommentBody {
    body: String,
    #[serde(deserialize_with = "object")]
    author: AuthorBody,
    #[serde(default)]
    parent_id: Option<CommentId>,
    #[serde(default)]
    external_id: Option<String>,
    #[serde(default, deserialize_with = "optional_object")]
    thread: Option<ThreadDetails>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AuthorBody {
    id: String,
    name: String,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    ip: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct ThreadDetails {
    title: Option<String>,
    url: Option<String>,
    lang: Option<String>,
}

impl CommentBody {
    fn submission(self, thread: ThreadKey) -> Result<Submission, Problem> {
        let mut fields = Fields::default();
        let body = fields.check("body", Body::parse(&self.body));
        let id = fields.check("author.id", AuthorId::parse(&self.author.id));
        let name = fields.check("author.name", AuthorName::parse(&self.author.name));
        let email =
            fields.check_optional("author.email", self.author.email.as_deref(), Email::parse);
        let ip = fields.check_optional("author.ip", self.author.ip.as_deref(), |text| {
            text.parse()
                .map_err(|_| Invalid("must be an IPv4 or IPv6 address".into()))
        });
        let external_id = fields.check_optional(
            "external_id",
            self.external_id.as_deref(),
            ExternalId::parse,
        );
        let details = self.thread.unwrap_or_default();
        let thread_details = ThreadChange {
            title: fields
                .check_optional("thread.title", details.title.as_deref(), Title::parse)
                .map(Some),
            url: fields
                .check_optional("thread.url", details.url.as_deref(), Url::parse)
                .map(Some),
            lang: fields
                .check_optional("thread.lang", details.lang.as_deref(), Lang::parse)
                .map(Some),
            closed: None,
            mode: None,
        };
        fields.finish()?;
        let (Some(body), Some(id), Some(name)) = (body, id, name) else {
            return Err(Problem::internal());
        };
        Ok(Submission {
            thread,
            thread_details,
            comment: NewComment {
                body,
                author: NewAuthor {
                    author: Author { id, name },
                    email,
                    ip,
                },
                parent: self.parent_id,
                external_id,
            },
        })
    }
}

/// Posts a comment: 201 if readers see it, 202 if it waits or is hidden, 200 if the site had posted it before.
pub async fn submit(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
    Key(key): Key,
    params: Params,
    Json(body): Json<CommentBody>,
) -> Result<HttpResponse, Problem> {
    let submission = body.submission(key)?;
    let site = moderation.site_of(&caller, params.site()?.as_ref()).await?;
    Ok(match moderation.submit(&site, submission).await? {
        Submitted::New(comment) if comment.status == Status::Published => {
            HttpResponse::Created().json(comment)
        }
        Submitted::New(comment) => HttpResponse::Accepted().json(comment),
        Submitted::Known(comment) => HttpResponse::Ok().json(comment),
    })
}

/// One comment.
pub async fn show(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
    Id(id): Id<CommentId>,
) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(moderation.comment(&caller, id).await?))
}

/// A thread as readers see it.
pub async fn list(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
    Key(key): Key,
    params: Params,
) -> Result<HttpResponse, Problem> {
    let view = params.named("view")?.unwrap_or_default();
    let listing = Listing {
        view,
        sort: params.named("sort")?.unwrap_or_default(),
        max_depth: match view {
            View::Tree => Some(
                params
                    .number("max_depth", 0, TREE_DEPTH.1)?
                    .unwrap_or(TREE_DEPTH.0),
            ),
            View::Flat => params.number("max_depth", 0, FLAT_DEPTH)?,
        },
        parent: params.named("parent")?,
        viewer: params.parsed("viewer", AuthorId::parse)?,
        all: params
            .parsed("status", |status| match status {
                "all" => Ok(()),
                _ => Err(Invalid("must be \"all\", or left out".into())),
            })?
            .is_some(),
        limit: params.limit(PAGE.0, PAGE.1)?,
        cursor: params.cursor(),
    };
    let site = moderation.site_of(&caller, params.site()?.as_ref()).await?;
    let page = moderation
        .list_comments(&caller, &site, &key, &listing)
        .await?;
    Ok(HttpResponse::Ok().json(page))
}
