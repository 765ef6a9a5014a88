//! What happened, in one order.

use super::{Db, StoreError, sql};
use crate::domain::Event;

impl Db<'_> {
    /// Adds an event, in the transaction of what it tells.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn append_event(&mut self, event: Event) -> Result<(), StoreError> {
        sql::execute!(
            self,
            "INSERT INTO events (site_id, kind, comment_id, at) VALUES ($1, $2, $3, $4)",
            event.site.0,
            event.kind.as_str(),
            event.comment.0,
            event.at.millis()
        )?;
        Ok(())
    }
}
