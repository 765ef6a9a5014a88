//! Threads over HTTP.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    access::Asking,
    extract::{Json, Key, Params, present},
    fields::Fields,
    parameters::{OfOneSite, OfSites, Paging, ThreadPath},
    problem::Problem,
    queue::PAGE,
};
use crate::{
    domain::{Invalid, Lang, Mode, ThreadChange, ThreadKey, Timestamp, Title, Url},
    moderation::{Moderation, Page, ThreadView, ThreadsFilter},
};

/// A thread as a site sets it up. An absent field stays as it is, null clears it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ThreadChange)]
pub struct ThreadBody {
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Title>)]
    title: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Url>)]
    url: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Lang>)]
    lang: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<bool>)]
    closed: Option<Option<bool>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Mode>)]
    mode: Option<Option<Mode>>,
}

impl ThreadBody {
    fn change(self) -> Result<ThreadChange, Problem> {
        let mut fields = Fields::default();
        let change = ThreadChange {
            title: changed(&mut fields, "title", self.title, Title::parse),
            url: changed(&mut fields, "url", self.url, Url::parse),
            lang: changed(&mut fields, "lang", self.lang, Lang::parse),
            closed: self.closed.map(Option::unwrap_or_default),
            mode: self.mode,
        };
        fields.finish()?;
        Ok(change)
    }
}

pub(super) fn changed<T>(
    fields: &mut Fields,
    name: &str,
    field: Option<Option<String>>,
    parse: impl FnOnce(&str) -> Result<T, Invalid>,
) -> Option<Option<T>> {
    field.map(|text| fields.check_optional(name, text.as_deref(), parse))
}

/// Makes or changes a thread.
#[utoipa::path(
    put, path = "/v1/threads/{key}", operation_id = "putThread",
    params(ThreadPath, OfOneSite),
    request_body = ThreadBody,
    responses(
        (status = 200, description = "The thread, changed.", body = ThreadView),
        (status = 201, description = "The thread, made.", body = ThreadView),
        (status = 404, description = "There is no such site."),
    ),
)]
pub async fn put(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
    Key(key): Key,
    params: Params,
    Json(body): Json<ThreadBody>,
) -> Result<HttpResponse, Problem> {
    let change = body.change()?;
    let site = moderation.site_of(&caller, params.site()?.as_ref()).await?;
    let (thread, is_new) = moderation.put_thread(&site, key, change).await?;
    Ok(if is_new {
        HttpResponse::Created().json(thread)
    } else {
        HttpResponse::Ok().json(thread)
    })
}

/// The threads of the site, in the order in which they were made.
#[utoipa::path(
    get, path = "/v1/threads", operation_id = "listThreads",
    params(
        ("since" = inline(Option<Timestamp>), Query, description = "Only threads made at this moment or later."),
        OfSites, Paging,
    ),
    responses(
        (status = 200, description = "Threads, the oldest first.", body = Page<ThreadView>),
        (status = 404, description = "There is no such site."),
    ),
)]
pub async fn list(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
    params: Params,
) -> Result<HttpResponse, Problem> {
    let filter = ThreadsFilter {
        site: params.site()?,
        since: params.named("since")?,
        limit: params.limit(PAGE.0, PAGE.1)?,
        cursor: params.cursor(),
    };
    Ok(HttpResponse::Ok().json(moderation.list_threads(&caller, &filter).await?))
}

/// How many comments readers see in a thread.
#[utoipa::path(
    get, path = "/v1/threads/{key}/count", operation_id = "countThread",
    params(ThreadPath, OfOneSite),
    responses(
        (status = 200, description = "The count; 0 where there is no such thread yet.", body = CountView),
        (status = 404, description = "There is no such site."),
    ),
)]
pub async fn count(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
    Key(key): Key,
    params: Params,
) -> Result<HttpResponse, Problem> {
    let site = moderation.site_of(&caller, params.site()?.as_ref()).await?;
    let counts = moderation.published_counts(&site, vec![key]).await?;
    let published = counts.into_values().next().unwrap_or_default();
    Ok(HttpResponse::Ok().json(CountView { published }))
}

/// How many comments readers see in a thread.
#[derive(Serialize, ToSchema)]
#[schema(as = Count)]
pub struct CountView {
    published: i64,
}

/// Which threads to count.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CountsRequest)]
pub struct CountsBody {
    #[schema(value_type = Vec<ThreadKey>, max_items = 500)]
    keys: Vec<String>,
}

/// How many comments readers see in each thread, by its key; 0 where there is no such thread yet.
#[derive(Serialize, ToSchema)]
#[schema(as = Counts)]
pub struct CountsView {
    counts: BTreeMap<String, i64>,
}

/// The most threads counted at once.
const MAX_KEYS: usize = 500;

/// How many comments readers see in each of some threads: for a list of articles.
#[utoipa::path(
    post, path = "/v1/counts", operation_id = "countThreads",
    params(OfOneSite),
    request_body = CountsBody,
    responses(
        (status = 200, description = "A count for each key.", body = CountsView),
        (status = 404, description = "There is no such site."),
    ),
)]
pub async fn counts(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
    params: Params,
    Json(body): Json<CountsBody>,
) -> Result<HttpResponse, Problem> {
    let mut fields = Fields::default();
    if body.keys.len() > MAX_KEYS {
        fields.refuse("keys", format!("must have at most {MAX_KEYS} keys"));
    }
    let keys = body.keys.iter().take(MAX_KEYS).enumerate();
    let keys: Vec<ThreadKey> = keys
        .filter_map(|(at, key)| fields.check(&format!("keys[{at}]"), ThreadKey::parse(key)))
        .collect();
    fields.finish()?;
    let site = moderation.site_of(&caller, params.site()?.as_ref()).await?;
    let counts = moderation.published_counts(&site, keys).await?;
    Ok(HttpResponse::Ok().json(CountsView { counts }))
}

/// One thread with its counts.
#[utoipa::path(
    get, path = "/v1/threads/{key}", operation_id = "getThread",
    params(ThreadPath, OfOneSite),
    responses(
        (status = 200, description = "The thread with its counts.", body = ThreadView),
        (status = 404, description = "There is no such site or thread."),
    ),
)]
pub async fn show(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
    Key(key): Key,
    params: Params,
) -> Result<HttpResponse, Problem> {
    let site = moderation.site_of(&caller, params.site()?.as_ref()).await?;
    Ok(HttpResponse::Ok().json(moderation.thread(&site, &key).await?))
}
