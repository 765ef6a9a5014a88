//! What happened, in one order.

use super::{
    Db, StoreError, sql,
    writes::{Kind, Rows, Writes, row},
};
use crate::domain::{Event, Timestamp};

static EVENTS: Rows = Rows::of(
    "events",
    &[
        ("site_id", Kind::Uuid),
        ("kind", Kind::Text),
        ("comment_id", Kind::Uuid),
        ("at", Kind::Int),
    ],
    "",
);

impl<'a> Writes<'a> {
    /// Events, in the transaction of what they tell.
    pub fn events(self, events: &'a [Event]) -> Self {
        let rows = events.iter().map(|event| {
            row![
                event.site.0,
                event.kind.as_str(),
                event.comment.0,
                event.at.millis(),
            ]
        });
        self.rows(&EVENTS, rows)
    }
}

impl Db<'_> {
    /// The oldest event that readers may not see yet, since a transaction that began before it is still open. There is
    /// none on SQLite, where commits are serial.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn oldest_unsettled_event(&mut self) -> Result<Option<Timestamp>, StoreError> {
        if let Self::Sqlite(_) = self {
            return Ok(None);
        }
        let (at,) = sql::fetch_one!(
            self,
            (Option<i64>,),
            "SELECT MIN(at) FROM events WHERE tx >= pg_snapshot_xmin(pg_current_snapshot())"
        )?;
        Ok(at.map(Timestamp::from_millis))
    }
}
