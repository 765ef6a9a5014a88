//! Comments over HTTP.

use std::{sync::Arc, time::Duration};

use actix_web::{
    HttpMessage as _, HttpRequest, HttpResponse,
    http::{StatusCode, header::ContentType},
    web,
};
use serde::Deserialize;
use tokio::sync::Semaphore;
use utoipa::ToSchema;

use super::{
    access::Asking,
    extract::{Id, Json, Key, Params},
    fields::Fields,
    held::hold,
    idempotency::{Kept, replay},
    limits::Limits,
    parameters::{CommentPath, OfOneSite, OfSites, Paging, ThreadPath},
    problem::Problem,
    queue::PAGE as LIST_PAGE,
};
use crate::{
    domain::{
        Author, AuthorId, AuthorName, Body, CommentId, Cursor, Email, ExternalId, Invalid, Lang,
        NewAuthor, NewComment, Revision, Status, ThreadChange, ThreadKey, Timestamp, Title, Url,
        object, optional_object, schema::nullable_ip,
    },
    moderation::{
        ChangesFilter, CommentView, Edit, Keyed, Listing, Moderation, Page, ReaderComment,
        ReaderSort, Submission, Submitted, View,
    },
};

/// The default and the most comments a page of a thread has.
const PAGE: (usize, usize) = (200, 10_000);
/// How many levels below the first a tree shows, by default and at most: JSON parsers stop at 128 levels.
const TREE_DEPTH: (usize, usize) = (10, 60);
/// The deepest a flat list can be asked to go: all of it.
const FLAT_DEPTH: usize = 255;

/// A comment as a site posts it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewComment)]
pub struct CommentBody {
    #[schema(value_type = Body)]
    body: String,
    #[serde(deserialize_with = "object")]
    author: AuthorBody,
    /// The comment it answers.
    #[serde(default)]
    parent_id: Option<CommentId>,
    /// The site's own id of the comment; the same again is the same comment.
    #[serde(default)]
    #[schema(value_type = Option<ExternalId>)]
    external_id: Option<String>,
    /// Of a thread that is made with this comment.
    #[serde(default, deserialize_with = "optional_object")]
    thread: Option<ThreadDetails>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewAuthor)]
struct AuthorBody {
    #[schema(value_type = AuthorId)]
    id: String,
    #[schema(value_type = AuthorName)]
    name: String,
    #[serde(default)]
    #[schema(value_type = Option<Email>)]
    email: Option<String>,
    #[serde(default)]
    #[schema(schema_with = nullable_ip)]
    ip: Option<String>,
}

#[derive(Deserialize, Default, ToSchema)]
#[serde(deny_unknown_fields)]
struct ThreadDetails {
    #[schema(value_type = Option<Title>)]
    title: Option<String>,
    #[schema(value_type = Option<Url>)]
    url: Option<String>,
    #[schema(value_type = Option<Lang>)]
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
#[utoipa::path(
    post, path = "/v1/threads/{key}/comments", operation_id = "postComment",
    params(ThreadPath, OfOneSite),
    request_body = CommentBody,
    responses(
        (status = 200, description = "The site had posted it before, with this external_id.", body = CommentView),
        (status = 201, description = "Readers see it.", body = CommentView),
        (status = 202, description = "It waits for a moderator, or is hidden.", body = CommentView),
        (status = 403, description = "The author is banned, or the token may not post."),
        (status = 404, description = "There is no such site, no comment of the id parent_id, or it is in another thread."),
        (status = 409, description = "The thread is closed, or the parent is hidden or deleted."),
    ),
)]
pub async fn submit(
    moderation: web::Data<Moderation>,
    limits: web::Data<Limits>,
    Asking(caller): Asking,
    Key(key): Key,
    params: Params,
    request: HttpRequest,
    Json(body): Json<CommentBody>,
) -> Result<HttpResponse, Problem> {
    let submission = body.submission(key)?;
    let site = moderation.site_of(&caller, params.site()?.as_ref()).await?;
    limits
        .post(site.id, &submission.comment.author.author.id)
        .map_err(|early| {
            Problem::too_many(
                "the author posts too often; others of the site may post",
                early,
            )
        })?;
    let keyed = request.extensions().get::<Keyed>().cloned();
    let submitted = moderation.submit(&site, submission, keyed).await?;
    if let Submitted::Replayed(first) = submitted {
        return Ok(replay(first));
    }
    let (status, body) = render(&submitted);
    let status = StatusCode::from_u16(status).map_err(|_| Problem::internal())?;
    let mut response = HttpResponse::build(status)
        .content_type(ContentType::json())
        .body(body);
    response.extensions_mut().insert(Kept);
    Ok(response)
}

/// How what became of a comment is answered.
pub fn render(submitted: &Submitted) -> (u16, String) {
    let (status, comment) = match submitted {
        Submitted::New(comment) if comment.status == Status::Published => (201, comment),
        Submitted::New(comment) => (202, comment),
        Submitted::Known(comment) => (200, comment),
        Submitted::Replayed(first) => return (first.status, first.body.clone()),
    };
    (status, serde_json::to_string(comment).unwrap_or_default())
}

/// A new text for a comment.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CommentEdit)]
pub struct EditBody {
    #[schema(value_type = Body)]
    body: String,
    /// The version that the author saw; null edits whatever is there.
    #[serde(default)]
    version: Option<i64>,
}

/// Edits a comment for its author.
#[utoipa::path(
    patch, path = "/v1/comments/{id}", operation_id = "editComment",
    params(CommentPath),
    request_body = EditBody,
    responses(
        (status = 200, description = "The comment, scored and judged again.", body = CommentView),
        (status = 403, description = "The author is banned, or the token may not post."),
        (status = 404, description = "There is no such comment."),
        (status = 409, description = "The comment is no longer at that version; `current` has it as it is."),
        (status = 410, description = "The comment was deleted."),
    ),
)]
pub async fn edit(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
    Id(id): Id<CommentId>,
    Json(body): Json<EditBody>,
) -> Result<HttpResponse, Problem> {
    let text = Body::parse(&body.body).map_err(|refusal| Problem::invalid("body", refusal.0))?;
    let edit = Edit {
        body: text,
        version: body.version,
    };
    Ok(HttpResponse::Ok().json(moderation.edit(&caller, id, edit).await?))
}

/// Deletes a comment for its author.
#[utoipa::path(
    delete, path = "/v1/comments/{id}", operation_id = "deleteComment",
    params(CommentPath),
    responses(
        (status = 204, description = "It is deleted."),
        (status = 404, description = "There is no such comment."),
        (status = 410, description = "It was deleted before."),
    ),
)]
pub async fn delete(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
    Id(id): Id<CommentId>,
) -> Result<HttpResponse, Problem> {
    moderation.delete(&caller, id).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// What a comment said before its edits.
#[utoipa::path(
    get, path = "/v1/comments/{id}/revisions", operation_id = "listRevisions",
    params(CommentPath),
    responses(
        (status = 200, description = "The earlier texts, the oldest first; all of them.", body = Page<Revision>),
        (status = 404, description = "There is no such comment."),
        (status = 410, description = "The comment was deleted."),
    ),
)]
pub async fn revisions(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
    Id(id): Id<CommentId>,
) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(moderation.revisions(&caller, id).await?))
}

/// What changed since, the earliest change first.
#[utoipa::path(
    get, path = "/v1/comments", operation_id = "listChangedComments",
    params(
        ("since" = inline(Option<Timestamp>), Query, description = "Only what changed at this moment or later."),
        ("status" = inline(Option<Status>), Query, description = "Only comments that now have this status."),
        ("external_id" = inline(Option<ExternalId>), Query, description = "Only the comment of this id; it is of one site."),
        OfSites, Paging,
    ),
    responses(
        (status = 200, description = "Comments in the order of their latest change.", body = Page<CommentView>),
        (status = 404, description = "There is no such site."),
    ),
)]
pub async fn changes(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
    params: Params,
) -> Result<HttpResponse, Problem> {
    let filter = ChangesFilter {
        site: params.site()?,
        since: params.named("since")?,
        status: params.named("status")?,
        external_id: params.parsed("external_id", ExternalId::parse)?,
        limit: params.limit(LIST_PAGE.0, LIST_PAGE.1)?,
        cursor: params.cursor(),
    };
    Ok(HttpResponse::Ok().json(moderation.changes(&caller, &filter).await?))
}

/// One comment.
#[utoipa::path(
    get, path = "/v1/comments/{id}", operation_id = "getComment",
    params(CommentPath),
    responses(
        (status = 200, description = "The comment, whatever its status.", body = CommentView),
        (status = 404, description = "There is no such comment."),
        (status = 410, description = "The comment was deleted."),
    ),
)]
pub async fn show(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
    Id(id): Id<CommentId>,
) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(moderation.comment(&caller, id).await?))
}

/// A thread as readers see it.
#[utoipa::path(
    get, path = "/v1/threads/{key}/comments", operation_id = "listThreadComments",
    params(
        ThreadPath,
        ("view" = inline(Option<View>), Query, description = "`tree` nests replies, `flat` does not; `tree` if absent."),
        ("sort" = inline(Option<ReaderSort>), Query, description = "The order of comments beside one another; `oldest` if absent."),
        ("max_depth" = Option<usize>, Query, maximum = 255,
            description = "How many levels below the first to show. In a tree at most 60, and 10 if absent."),
        ("parent" = inline(Option<CommentId>), Query, description = "Only what hangs below this comment."),
        ("viewer" = inline(Option<AuthorId>), Query, description = "A reader whose own pending comments are shown too."),
        ("status" = Option<String>, Query, pattern = "^all$", description = "`all` shows every status, with scores: for moderators."),
        OfOneSite,
        ("limit" = Option<usize>, Query, minimum = 1, maximum = 10_000,
            description = "The most comments of a page, counted in display order; 200 if absent."),
        ("cursor" = inline(Option<Cursor>), Query, description = "The `next_cursor` or a `replies_cursor` of the page before."),
    ),
    responses(
        (status = 200, description = "A page of the thread.", body = Page<ReaderComment>),
        (status = 403, description = "Only moderators see every status."),
        (status = 404, description = "There is no such site, thread or parent."),
    ),
)]
pub async fn list(
    moderation: web::Data<Moderation>,
    places: web::Data<Places>,
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
    let place = if listing.limit > MANY {
        let place = tokio::time::timeout(PLACE_PATIENCE, Arc::clone(&places.0).acquire_owned());
        let place = place.await.map_err(|_| Problem::unavailable())?;
        Some(place.map_err(|_| Problem::internal())?)
    } else {
        None
    };
    let page = moderation
        .list_comments(&caller, &site, &key, &listing)
        .await?;
    Ok(hold(HttpResponse::Ok().json(page), place))
}

/// How many comments make an answer large.
const MANY: usize = 1_000;
/// How long who wants a large answer waits for a place.
const PLACE_PATIENCE: Duration = Duration::from_secs(10);

/// The large answers that may be under way at once: each takes megabytes until it is read.
pub struct Places(Arc<Semaphore>);

impl Default for Places {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(4)))
    }
}
