//! Comments and their tree.

use uuid::Uuid;

use super::{
    Db, Explanation, Lock, StoreError,
    appeals::AppealColumns,
    listing::{self, ListedComment, ListedRow, listed_columns},
    scores::{ScoreColumns, Scored},
    sql,
    writes::{Kind, Rows, Writes, row},
};
use crate::domain::{
    Comment, CommentId, ExternalId, SiteId, Status, ThreadId, ThreadKey, Timestamp,
};

#[derive(sqlx::FromRow)]
struct CommentRow {
    #[sqlx(flatten)]
    listed: ListedRow,
    site_id: Uuid,
    thread_id: Uuid,
    thread_key: String,
    changed_at: i64,
    #[sqlx(flatten)]
    scores: ScoreColumns,
    #[sqlx(flatten)]
    appeal: AppealColumns,
}

macro_rules! select_comment {
    ($rest:literal) => {
        concat!(
            "SELECT ",
            listed_columns!(),
            ", c.site_id, c.thread_id, t.key AS thread_key, c.changed_at,
                 s.model, s.toxicity, s.insult, s.threat, s.identity_attack, s.profanity, s.spam, s.reasons,
                 s.duplicate_of, s.duplicate_kind, s.similarity,
                 c.appeal_id, a.text AS appeal_text, a.at AS appeal_at, a.answer_id, answer.action AS answer_action,
                 answer.note AS answer_note, answer.at AS answer_at
             FROM comments c
             JOIN threads t ON t.id = c.thread_id
             JOIN scores s ON s.comment_id = c.id
             LEFT JOIN decisions d ON d.id = c.decision_id
             LEFT JOIN appeals a ON a.id = c.appeal_id
             LEFT JOIN decisions answer ON answer.id = a.answer_id ",
            $rest
        )
    };
}

/// What a reply needs to know of the comment it answers.
#[derive(Debug, Clone, Copy)]
pub struct Parent {
    pub id: CommentId,
    pub site: SiteId,
    pub thread: ThreadId,
    pub status: Status,
    pub depth: u8,
}

/// Which comments a list of changes shows.
#[derive(Debug, Clone, Default)]
pub struct ChangeFilter {
    pub sites: Vec<SiteId>,
    pub status: Option<Status>,
    pub external_id: Option<ExternalId>,
    /// Changed at this moment or later.
    pub since: Option<Timestamp>,
}

static COMMENTS: Rows = Rows::of(
    "comments",
    &[
        ("id", Kind::Uuid),
        ("site_id", Kind::Uuid),
        ("thread_id", Kind::Uuid),
        ("parent_id", Kind::Uuid),
        ("depth", Kind::Int),
        ("external_id", Kind::Text),
        ("author_id", Kind::Text),
        ("author_name", Kind::Text),
        ("body", Kind::Text),
        ("status", Kind::Text),
        ("created_at", Kind::Int),
        ("edited_at", Kind::Int),
        ("version", Kind::Int),
        ("decision_id", Kind::Uuid),
        ("changed_at", Kind::Int),
    ],
    "",
);

impl TryFrom<CommentRow> for Comment {
    type Error = StoreError;

    fn try_from(row: CommentRow) -> Result<Self, StoreError> {
        let listed = ListedComment::try_from(row.listed)?;
        let scored = Scored::try_from(row.scores)?;
        Ok(Self {
            id: listed.id,
            site: SiteId(row.site_id),
            thread: ThreadId(row.thread_id),
            thread_key: ThreadKey::stored(row.thread_key),
            parent: listed.parent,
            depth: listed.depth,
            external_id: listed.external_id,
            author: listed.author,
            body: listed.body,
            status: listed.status,
            created_at: listed.created_at,
            edited_at: listed.edited_at,
            version: listed.version,
            changed_at: Timestamp::from_millis(row.changed_at),
            scores: scored.scores,
            reasons: scored.reasons,
            duplicate_of: scored.duplicate_of,
            decision: listed.decision,
            appeal: row.appeal.standing()?,
            model: scored.model,
        })
    }
}

fn comments(rows: Vec<CommentRow>) -> Result<Vec<Comment>, StoreError> {
    rows.into_iter().map(Comment::try_from).collect()
}

impl<'a> Writes<'a> {
    /// New comments with their scores. Their authors and threads come before them.
    ///
    /// # Errors
    /// When a value cannot be written as JSON.
    pub fn comments(self, new: &'a [(Comment, Explanation)]) -> Result<Self, StoreError> {
        let rows = new.iter().map(|(comment, _)| {
            row![
                comment.id.0,
                comment.site.0,
                comment.thread.0,
                comment.parent.map(|parent| parent.0),
                i64::from(comment.depth),
                comment.external_id.as_ref().map(ExternalId::as_str),
                comment.author.id.as_str(),
                comment.author.name.as_str(),
                comment.body.as_str(),
                comment.status.as_str(),
                comment.created_at.millis(),
                comment.edited_at.map(Timestamp::millis),
                comment.version,
                comment.decision.as_ref().map(|decision| decision.id.0),
                comment.changed_at.millis(),
            ]
        });
        self.rows(&COMMENTS, rows).scores(
            new.iter()
                .map(|(comment, explanation)| (comment, explanation)),
        )
    }
}

impl Db<'_> {
    /// One comment.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn comment(
        &mut self,
        id: CommentId,
        lock: Lock,
    ) -> Result<Option<Comment>, StoreError> {
        // After waiting for a lock PostgreSQL reads only the locked row anew, and joined rows stay those of before:
        // so the row is locked first, then read by a statement of its own.
        let lock_row = match lock {
            Lock::None => None,
            Lock::Share => Some("SELECT id FROM comments WHERE id = $1 FOR SHARE"),
            Lock::Update => Some("SELECT id FROM comments WHERE id = $1 FOR NO KEY UPDATE"),
        };
        if let (Self::Postgres(_), Some(text)) = (&*self, lock_row) {
            sql::execute!(self, text, id.0)?;
        }
        sql::fetch_optional!(self, CommentRow, select_comment!("WHERE c.id = $1"), id.0)?
            .map(Comment::try_from)
            .transpose()
    }

    /// The comments of these external ids, in no order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn comments_by_external_ids(
        &mut self,
        keys: &[(SiteId, &ExternalId)],
    ) -> Result<Vec<Comment>, StoreError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        // Ids alone first: nearly always there are none. The LIMIT keeps PostgreSQL from reading the whole table.
        let text = sql::by_engine!(
            &*self,
            sqlite: "SELECT known.id FROM json_each($1) AS k JOIN comments known
                     ON known.site_id = unhex(k.value ->> 0, '-') AND known.external_id = k.value ->> 1",
            postgres: "SELECT known.id FROM json_array_elements(CAST($1 AS json)) AS k
                       CROSS JOIN LATERAL (
                           SELECT c.id FROM comments c WHERE c.site_id = CAST(k.value ->> 0 AS uuid)
                           AND c.external_id = k.value ->> 1 LIMIT 1) AS known",
        );
        let keys = sql::to_json(&keys)?;
        let ids = sql::fetch_all!(self, (Uuid,), text, &keys)?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        self.comments(ids.into_iter().map(|(id,)| CommentId(id)))
            .await
    }

    /// What replies to these comments need to know, in no order. Nobody changes or deletes one of them until the
    /// transaction ends. Who asks for several does so in the order of the ids, as everybody else.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn parents(&mut self, ids: &[CommentId]) -> Result<Vec<Parent>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        // The LIMIT keeps PostgreSQL from reading the whole table.
        let text = sql::by_engine!(
            &*self,
            sqlite: "SELECT id, site_id, thread_id, status, depth FROM comments
                     WHERE id IN (SELECT unhex(value, '-') FROM json_each($1))",
            postgres: "SELECT c.id, c.site_id, c.thread_id, c.status, c.depth
                       FROM json_array_elements_text(CAST($1 AS json)) AS k (id)
                       CROSS JOIN LATERAL (
                           SELECT * FROM comments WHERE comments.id = CAST(k.id AS uuid) LIMIT 1 FOR SHARE) AS c",
        );
        let ids = sql::to_json(&ids)?;
        sql::fetch_all!(self, (Uuid, Uuid, Uuid, String, i64), text, &ids)?
            .into_iter()
            .map(|(id, site, thread, status, depth)| {
                Ok(Parent {
                    id: CommentId(id),
                    site: SiteId(site),
                    thread: ThreadId(thread),
                    status: listing::status(&status)?,
                    depth: listing::depth(depth)?,
                })
            })
            .collect()
    }

    /// The comments of these ids, in no order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn comments(
        &mut self,
        ids: impl IntoIterator<Item = CommentId>,
    ) -> Result<Vec<Comment>, StoreError> {
        let mut select = sql::Select::new(select_comment!("WHERE c.id IN "));
        select.list(ids.into_iter().map(|id| id.0));
        comments(select.fetch_all(self).await?)
    }

    /// The text of a comment and of those above it, nearest first, at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn texts_above(
        &mut self,
        nearest: CommentId,
        limit: i64,
    ) -> Result<Vec<String>, StoreError> {
        // The LIMIT keeps PostgreSQL from reading the whole table.
        let text = sql::by_engine!(
            &*self,
            sqlite: "WITH RECURSIVE chain (parent_id, body, steps) AS (
                         SELECT parent_id, body, 1 FROM comments WHERE id = $1
                         UNION ALL
                         SELECT c.parent_id, c.body, chain.steps + 1 FROM chain JOIN comments c ON c.id = chain.parent_id
                         WHERE chain.steps < $2
                     )
                     SELECT body FROM chain ORDER BY steps",
            postgres: "WITH RECURSIVE chain (parent_id, body, steps) AS (
                           SELECT parent_id, body, CAST(1 AS BIGINT) FROM comments WHERE id = $1
                           UNION ALL
                           SELECT c.parent_id, c.body, chain.steps + 1 FROM chain CROSS JOIN LATERAL (
                               SELECT parent_id, body FROM comments WHERE id = chain.parent_id LIMIT 1) AS c
                           WHERE chain.steps < $2
                       )
                       SELECT body FROM chain ORDER BY steps",
        );
        let rows = sql::fetch_all!(self, (String,), text, nearest.0, limit)?;
        Ok(rows.into_iter().map(|(body,)| body).collect())
    }

    /// Stores what may change of a comment. The caller holds it by [`Lock::Update`].
    ///
    /// # Errors
    /// When the database fails.
    pub async fn update_comment(&mut self, comment: &Comment) -> Result<(), StoreError> {
        sql::execute!(
            self,
            "UPDATE comments SET body = $2, status = $3, edited_at = $4, version = $5, decision_id = $6, changed_at = $7,
                 appeal_id = $8
             WHERE id = $1",
            comment.id.0,
            comment.body.as_str(),
            comment.status.as_str(),
            comment.edited_at.map(Timestamp::millis),
            comment.version,
            comment.decision.as_ref().map(|decision| decision.id.0),
            comment.changed_at.millis(),
            comment.appeal.as_ref().map(|appeal| appeal.id.0)
        )?;
        Ok(())
    }

    /// The next comments after a position, in the order of their latest change. On PostgreSQL, one that changed while a
    /// transaction was open that still is comes a moment later.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn changed_comments(
        &mut self,
        filter: &ChangeFilter,
        after: Option<(Timestamp, CommentId)>,
        limit: i64,
    ) -> Result<Vec<Comment>, StoreError> {
        // One that is looked for by its id is no list that something could be missed in.
        let settled = match filter.external_id {
            Some(_) => None,
            None => sql::settled_before(self).await?,
        };
        let mut select = sql::Select::new(select_comment!("WHERE c.site_id IN "));
        select.list(filter.sites.iter().map(|site| site.0));
        if let Some(settled) = settled {
            select.push(" AND c.changed_at < ").bind(settled);
        }
        if let Some(status) = filter.status {
            select.push(" AND c.status = ").bind(status.as_str());
        }
        if let Some(external_id) = &filter.external_id {
            select
                .push(" AND c.external_id = ")
                .bind(external_id.as_str());
        }
        if let Some(since) = filter.since {
            select.push(" AND c.changed_at >= ").bind(since.millis());
        }
        if let Some((at, id)) = after {
            select.after("c.changed_at", "c.id", (at, id.0));
        }
        select
            .push(" ORDER BY c.changed_at, c.id LIMIT ")
            .bind(limit);
        comments(select.fetch_all(self).await?)
    }
}
