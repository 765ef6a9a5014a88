//! Threads, and how many comments they have.

use uuid::Uuid;

use super::{Db, Lock, StoreError, sql};
use crate::domain::{
    Lang, Mode, SiteId, Status, Thread, ThreadCounts, ThreadId, ThreadKey, Timestamp, Title, Url,
};

#[derive(sqlx::FromRow)]
struct ThreadRow {
    id: Uuid,
    site_id: Uuid,
    key: String,
    title: Option<String>,
    url: Option<String>,
    lang: Option<String>,
    closed: i64,
    mode: Option<String>,
    created_at: i64,
}

impl TryFrom<ThreadRow> for Thread {
    type Error = StoreError;

    fn try_from(row: ThreadRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: ThreadId(row.id),
            site: SiteId(row.site_id),
            key: ThreadKey::stored(row.key),
            title: row.title.map(Title::stored),
            url: row.url.map(Url::stored),
            lang: row.lang.map(Lang::stored),
            closed: row.closed != 0,
            mode: row
                .mode
                .map(|mode| Mode::from_name(&mode).ok_or(StoreError::Unreadable("threads.mode")))
                .transpose()?,
            created_at: Timestamp::from_millis(row.created_at),
        })
    }
}

macro_rules! select_thread {
    ($rest:literal) => {
        concat!(
            "SELECT id, site_id, key, title, url, lang, closed, mode, created_at FROM threads ",
            $rest
        )
    };
}

impl Db<'_> {
    /// Adds a thread, unless the site has one of that key. Whether it was added.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_thread(&mut self, thread: &Thread) -> Result<bool, StoreError> {
        let inserted = sql::execute!(
            self,
            "INSERT INTO threads (id, site_id, key, title, url, lang, closed, mode, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             ON CONFLICT (site_id, key) DO NOTHING",
            thread.id.0,
            thread.site.0,
            thread.key.as_str(),
            thread.title.as_ref().map(Title::as_str),
            thread.url.as_ref().map(Url::as_str),
            thread.lang.as_ref().map(Lang::as_str),
            i64::from(thread.closed),
            thread.mode.map(Mode::as_str),
            thread.created_at.millis()
        )?;
        Ok(inserted == 1)
    }

    /// Stores what may change of a thread.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn update_thread(&mut self, thread: &Thread) -> Result<(), StoreError> {
        sql::execute!(
            self,
            "UPDATE threads SET title = $2, url = $3, lang = $4, closed = $5, mode = $6 WHERE id = $1",
            thread.id.0,
            thread.title.as_ref().map(Title::as_str),
            thread.url.as_ref().map(Url::as_str),
            thread.lang.as_ref().map(Lang::as_str),
            i64::from(thread.closed),
            thread.mode.map(Mode::as_str)
        )?;
        Ok(())
    }

    /// The site's thread of that key.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn thread_by_key(
        &mut self,
        site: SiteId,
        key: &ThreadKey,
        lock: Lock,
    ) -> Result<Option<Thread>, StoreError> {
        let text = match (&self, lock) {
            (Self::Sqlite(_), _) | (_, Lock::None) => {
                select_thread!("WHERE site_id = $1 AND key = $2")
            }
            (_, Lock::Share) => select_thread!("WHERE site_id = $1 AND key = $2 FOR SHARE"),
            (_, Lock::Update) => {
                select_thread!("WHERE site_id = $1 AND key = $2 FOR NO KEY UPDATE")
            }
        };
        sql::fetch_optional!(self, ThreadRow, text, site.0, key.as_str())?
            .map(Thread::try_from)
            .transpose()
    }

    /// The threads of these ids, in no order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn threads(
        &mut self,
        ids: impl IntoIterator<Item = ThreadId>,
    ) -> Result<Vec<Thread>, StoreError> {
        let mut select = sql::Select::new(select_thread!("WHERE id IN "));
        select.list(ids.into_iter().map(|id| id.0));
        select
            .fetch_all::<ThreadRow>(self)
            .await?
            .into_iter()
            .map(Thread::try_from)
            .collect()
    }

    /// How many comments of a thread have each status.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn thread_counts(&mut self, thread: ThreadId) -> Result<ThreadCounts, StoreError> {
        let rows = sql::fetch_all!(
            self,
            (String, i64),
            "SELECT status, COUNT(*) FROM comments WHERE thread_id = $1 GROUP BY status",
            thread.0
        )?;
        let mut counts = ThreadCounts::default();
        for (status, count) in rows {
            match Status::from_name(&status) {
                Some(Status::Published) => counts.published = count,
                Some(Status::Pending) => counts.pending = count,
                Some(Status::Hidden) => counts.hidden = count,
                Some(Status::Deleted) => counts.deleted = count,
                None => return Err(StoreError::Unreadable("comments.status")),
            }
        }
        Ok(counts)
    }
}
