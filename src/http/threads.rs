//! Threads over HTTP.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};

use super::{
    access::Asking,
    extract::{Json, Key, Params, present},
    fields::Fields,
    problem::Problem,
    queue::PAGE,
};
use crate::{
    domain::{Invalid, Lang, Mode, ThreadChange, ThreadKey, Title, Url},
    moderation::{Moderation, ThreadsFilter},
};

/// A thread as a site sets it up. An absent field stays as it is, null clears it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThreadBody {
    #[serde(default, deserialize_with = "present")]
    title: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    url: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    lang: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    closed: Option<Option<bool>>,
    #[serde(default, deserialize_with = "present")]
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
#[derive(Serialize)]
pub struct CountView {
    published: i64,
}

/// Which threads to count.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CountsBody {
    keys: Vec<String>,
}

/// How many comments readers see in each thread, by its key; 0 where there is no such thread yet.
#[derive(Serialize)]
pub struct CountsView {
    counts: BTreeMap<String, i64>,
}

/// The most threads counted at once.
const MAX_KEYS: usize = 500;

/// How many comments readers see in each of some threads: for a list of articles.
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
pub async fn show(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
    Key(key): Key,
    params: Params,
) -> Result<HttpResponse, Problem> {
    let site = moderation.site_of(&caller, params.site()?.as_ref()).await?;
    Ok(HttpResponse::Ok().json(moderation.thread(&site, &key).await?))
}
