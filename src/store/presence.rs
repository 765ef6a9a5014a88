//! Who looks at what: one row for each moderator, believed for a moment.

use uuid::Uuid;

use super::{
    Db, StoreError, sql,
    writes::{Kind, Rows, Writes, row},
};
use crate::domain::{CommentId, Event, EventKind, Timestamp, Viewer};

/// Events that say whom they are about.
static VIEWS: Rows = Rows::of(
    "events",
    &[
        ("site_id", Kind::Uuid),
        ("kind", Kind::Text),
        ("comment_id", Kind::Uuid),
        ("at", Kind::Int),
        ("who", Kind::Text),
    ],
    "",
);

impl<'a> Writes<'a> {
    /// That somebody looks at something.
    pub fn view(self, event: &Event, who: &'a str) -> Self {
        let row = row![
            event.site.0,
            event.kind.as_str(),
            event.comment.0,
            event.at.millis(),
            who,
        ];
        self.rows(&VIEWS, [row])
    }
}

impl Db<'_> {
    /// What somebody was last said to look at, and until when that is believed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn viewed_by(
        &mut self,
        who: &str,
    ) -> Result<Option<(CommentId, Timestamp)>, StoreError> {
        let row = sql::fetch_optional!(
            self,
            (Uuid, i64),
            "SELECT comment_id, until FROM presence WHERE moderator = $1",
            who
        )?;
        Ok(row.map(|(comment, until)| (CommentId(comment), Timestamp::from_millis(until))))
    }

    /// Notes what somebody looks at, in place of what they looked at before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_viewed(
        &mut self,
        viewer: &Viewer,
        comment: CommentId,
    ) -> Result<(), StoreError> {
        sql::execute!(
            self,
            "INSERT INTO presence (moderator, comment_id, until) VALUES ($1, $2, $3)
             ON CONFLICT (moderator) DO UPDATE SET comment_id = excluded.comment_id, until = excluded.until",
            &viewer.by,
            comment.0,
            viewer.until.millis()
        )?;
        Ok(())
    }

    /// Forgets what somebody looked at.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_viewed(&mut self, who: &str) -> Result<(), StoreError> {
        sql::execute!(self, "DELETE FROM presence WHERE moderator = $1", who)?;
        Ok(())
    }

    /// Forgets what nobody looks at any more. How many rows.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_views_before(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        sql::execute!(self, "DELETE FROM presence WHERE until <= $1", now.millis())
    }

    /// Forgets what was told of views before then: nobody comes back for that. How many rows.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_told_views(&mut self, before: Timestamp) -> Result<u64, StoreError> {
        sql::execute!(
            self,
            "DELETE FROM events WHERE kind = $1 AND at < $2",
            EventKind::QueueViewed.as_str(),
            before.millis()
        )
    }

    /// Who looks at these comments, by name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn viewers(
        &mut self,
        comments: impl IntoIterator<Item = CommentId>,
        now: Timestamp,
    ) -> Result<Vec<(CommentId, Viewer)>, StoreError> {
        let mut select =
            sql::Select::new("SELECT comment_id, moderator, until FROM presence WHERE until > ");
        select
            .bind(now.millis())
            .push(" AND comment_id IN ")
            .list(comments.into_iter().map(|comment| comment.0))
            .push(" ORDER BY moderator");
        let rows: Vec<(Uuid, String, i64)> = select.fetch_all(self).await?;
        Ok(rows
            .into_iter()
            .map(|(comment, by, until)| {
                let until = Timestamp::from_millis(until);
                (CommentId(comment), Viewer { by, until })
            })
            .collect())
    }
}
