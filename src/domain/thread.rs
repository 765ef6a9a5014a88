//! A thread: the comments under one page of a site.

use super::{Lang, Mode, SiteId, ThreadId, ThreadKey, Timestamp, Title, Url};

/// A thread as stored.
#[derive(Debug, Clone)]
pub struct Thread {
    pub id: ThreadId,
    pub site: SiteId,
    /// The site's own id of the page.
    pub key: ThreadKey,
    pub title: Option<Title>,
    pub url: Option<Url>,
    pub lang: Option<Lang>,
    /// Takes no new comments.
    pub closed: bool,
    /// Its own mode; `None` follows the site's policy.
    pub mode: Option<Mode>,
    pub created_at: Timestamp,
}

/// A change of a thread: `None` leaves a field as it is, `Some(None)` clears it.
#[derive(Debug, Clone, Default)]
pub struct ThreadChange {
    pub title: Option<Option<Title>>,
    pub url: Option<Option<Url>>,
    pub lang: Option<Option<Lang>>,
    pub closed: Option<bool>,
    pub mode: Option<Option<Mode>>,
}

impl Thread {
    /// An open thread without title, address or language.
    #[must_use]
    pub const fn new(id: ThreadId, site: SiteId, key: ThreadKey, created_at: Timestamp) -> Self {
        Self {
            id,
            site,
            key,
            title: None,
            url: None,
            lang: None,
            closed: false,
            mode: None,
            created_at,
        }
    }

    /// Makes the change.
    pub fn apply(&mut self, change: ThreadChange) {
        if let Some(title) = change.title {
            self.title = title;
        }
        if let Some(url) = change.url {
            self.url = url;
        }
        if let Some(lang) = change.lang {
            self.lang = lang;
        }
        if let Some(closed) = change.closed {
            self.closed = closed;
        }
        if let Some(mode) = change.mode {
            self.mode = mode;
        }
    }
}

/// How many comments of a thread have each status, counted when asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, utoipa::ToSchema)]
pub struct ThreadCounts {
    pub published: i64,
    pub pending: i64,
    pub hidden: i64,
    pub deleted: i64,
}
