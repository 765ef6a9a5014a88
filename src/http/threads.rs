//! Threads over HTTP.

use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::{
    access::Asking,
    extract::{Json, Key, Params, present},
    fields::Fields,
    problem::Problem,
};
use crate::{
    domain::{Invalid, Lang, Mode, ThreadChange, Title, Url},
    moderation::Moderation,
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

fn changed<T>(
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
