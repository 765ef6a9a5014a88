//! Threads, and how many comments they have.

use uuid::Uuid;

use super::{
    Db, Lock, StoreError, sql,
    writes::{Kind, Rows, Writes, row},
};
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

static THREADS: Rows = Rows::of(
    "threads",
    &[
        ("id", Kind::Uuid),
        ("site_id", Kind::Uuid),
        ("key", Kind::Text),
        ("title", Kind::Text),
        ("url", Kind::Text),
        ("lang", Kind::Text),
        ("closed", Kind::Int),
        ("mode", Kind::Text),
        ("created_at", Kind::Int),
    ],
    "ON CONFLICT (site_id, key) DO NOTHING",
);

impl<'a> Writes<'a> {
    /// New threads, but for those whose sites have one of that key.
    pub fn threads(self, threads: impl IntoIterator<Item = &'a Thread>) -> Self {
        let rows = threads.into_iter().map(|thread| {
            row![
                thread.id.0,
                thread.site.0,
                thread.key.as_str(),
                thread.title.as_ref().map(Title::as_str),
                thread.url.as_ref().map(Url::as_str),
                thread.lang.as_ref().map(Lang::as_str),
                i64::from(thread.closed),
                thread.mode.map(Mode::as_str),
                thread.created_at.millis(),
            ]
        });
        self.rows(&THREADS, rows)
    }
}

impl Db<'_> {
    /// The threads of these keys, in no order, held by [`Lock::Share`].
    ///
    /// # Errors
    /// When the database fails.
    pub async fn threads_by_keys(
        &mut self,
        keys: &[(SiteId, &ThreadKey)],
    ) -> Result<Vec<Thread>, StoreError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let text = sql::by_engine!(
            &*self,
            sqlite: select_thread!(
                "WHERE id IN (
                     SELECT known.id FROM json_each($1) AS k JOIN threads known
                     ON known.site_id = unhex(k.value ->> 0, '-') AND known.key = k.value ->> 1)"
            ),
            // The LIMIT keeps PostgreSQL from reading the whole table.
            postgres: "SELECT t.id, t.site_id, t.key, t.title, t.url, t.lang, t.closed, t.mode, t.created_at
                       FROM json_array_elements(CAST($1 AS json)) AS k
                       CROSS JOIN LATERAL (
                           SELECT * FROM threads WHERE site_id = CAST(k.value ->> 0 AS uuid) AND key = k.value ->> 1
                           LIMIT 1 FOR SHARE) AS t",
        );
        let keys = sql::to_json(&keys)?;
        sql::fetch_all!(self, ThreadRow, text, &keys)?
            .into_iter()
            .map(Thread::try_from)
            .collect()
    }

    /// The next threads after a position, in the order in which they were made. On PostgreSQL, one that was made while a
    /// transaction was open that still is comes a moment later.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn thread_page(
        &mut self,
        sites: &[SiteId],
        since: Option<Timestamp>,
        after: Option<(Timestamp, ThreadId)>,
        limit: i64,
    ) -> Result<Vec<Thread>, StoreError> {
        let settled = sql::settled_before(self).await?;
        let mut select = sql::Select::new(select_thread!("WHERE site_id IN "));
        select.list(sites.iter().map(|site| site.0));
        if let Some(settled) = settled {
            select.push(" AND created_at < ").bind(settled);
        }
        if let Some(since) = since {
            select.push(" AND created_at >= ").bind(since.millis());
        }
        if let Some((at, id)) = after {
            select.after("created_at", "id", (at, id.0));
        }
        select.push(" ORDER BY created_at, id LIMIT ").bind(limit);
        select
            .fetch_all::<ThreadRow>(self)
            .await?
            .into_iter()
            .map(Thread::try_from)
            .collect()
    }

    /// How many comments readers can see in each of these threads of a site; a thread without any may be left out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn published_counts(
        &mut self,
        site: SiteId,
        keys: &[ThreadKey],
    ) -> Result<Vec<(ThreadKey, i64)>, StoreError> {
        let mut select = sql::Select::new(
            "SELECT t.key, COUNT(*) FROM threads t JOIN comments c ON c.thread_id = t.id AND c.status = 'published'
             WHERE t.site_id = ",
        );
        select
            .bind(site.0)
            .push(" AND t.key IN ")
            .list(keys.iter().map(ThreadKey::as_str))
            .push(" GROUP BY t.key");
        let rows: Vec<(String, i64)> = select.fetch_all(self).await?;
        Ok(rows
            .into_iter()
            .map(|(key, count)| (ThreadKey::stored(key), count))
            .collect())
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

    /// How many comments of each of these threads have each status, in their order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn thread_counts(
        &mut self,
        threads: &[ThreadId],
    ) -> Result<Vec<ThreadCounts>, StoreError> {
        let mut select = sql::Select::new(
            "SELECT thread_id, status, COUNT(*) FROM comments WHERE thread_id IN ",
        );
        select
            .list(threads.iter().map(|thread| thread.0))
            .push(" GROUP BY thread_id, status");
        let rows: Vec<(Uuid, String, i64)> = select.fetch_all(self).await?;
        let mut counts = vec![ThreadCounts::default(); threads.len()];
        for (thread, status, count) in rows {
            let Some(at) = threads.iter().position(|known| known.0 == thread) else {
                continue;
            };
            match Status::from_name(&status) {
                Some(Status::Published) => counts[at].published = count,
                Some(Status::Pending) => counts[at].pending = count,
                Some(Status::Hidden) => counts[at].hidden = count,
                Some(Status::Deleted) => counts[at].deleted = count,
                None => return Err(StoreError::Unreadable("comments.status")),
            }
        }
        Ok(counts)
    }
}
