//! What happened, in one order.

use serde::Serialize;
use uuid::Uuid;

use super::{
    Db, StoreError, sql,
    writes::{Kind, Rows, Writes, row},
};
use crate::domain::{
    Action, Claim, CommentId, Event, EventKind, QueueName, SiteId, Status, ThreadKey, Timestamp,
};

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

/// Where an event stands among all others. On SQLite commits are serial, and its number says it; on PostgreSQL the
/// transaction does first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventPosition {
    pub tx: i64,
    pub seq: i64,
}

impl std::fmt::Display for EventPosition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.tx, self.seq)
    }
}

impl std::str::FromStr for EventPosition {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (tx, seq) = text.split_once('-').unwrap_or(("", text));
        Ok(Self {
            tx: tx.parse()?,
            seq: seq.parse()?,
        })
    }
}

/// An event, with what is known of its comment when it is read.
#[derive(Debug, Serialize)]
pub struct Happened {
    #[serde(skip)]
    pub position: EventPosition,
    #[serde(skip)]
    pub kind: EventKind,
    #[serde(skip)]
    pub site: SiteId,
    pub comment_id: CommentId,
    pub at: Timestamp,
    pub thread: ThreadKey,
    pub status: Status,
    /// The queue it waits in, if it does.
    pub queue: Option<QueueName>,
    /// Who has it, who decided on it, or who looks at it.
    pub by: Option<String>,
    /// Until when they have it.
    pub until: Option<Timestamp>,
    /// The latest decision.
    pub action: Option<Action>,
}

#[derive(sqlx::FromRow)]
struct Row {
    tx: i64,
    seq: i64,
    site_id: Uuid,
    kind: String,
    comment_id: Uuid,
    at: i64,
    key: String,
    status: String,
    queue: Option<String>,
    claimed_by: Option<String>,
    claimed_until: Option<i64>,
    action: Option<String>,
    moderator: Option<String>,
    who: Option<String>,
}

impl TryFrom<Row> for Happened {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let kind = EventKind::from_name(&row.kind).ok_or(StoreError::Unreadable("events.kind"))?;
        let claim = Claim::standing(row.claimed_by, row.claimed_until, Timestamp::from_millis(0));
        let (by, until) = match kind {
            EventKind::QueueClaimed => claim.map(|claim| (claim.by, claim.until)).unzip(),
            EventKind::CommentDecided => (row.moderator, None),
            EventKind::QueueViewed => (row.who, None),
            _ => (None, None),
        };
        Ok(Self {
            position: EventPosition {
                tx: row.tx,
                seq: row.seq,
            },
            kind,
            site: SiteId(row.site_id),
            comment_id: CommentId(row.comment_id),
            at: Timestamp::from_millis(row.at),
            thread: ThreadKey::stored(row.key),
            status: Status::from_name(&row.status)
                .ok_or(StoreError::Unreadable("comments.status"))?,
            queue: row.queue.as_deref().and_then(QueueName::from_name),
            by,
            until,
            action: row.action.as_deref().and_then(Action::from_name),
        })
    }
}

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

macro_rules! select_happened {
    ($tx:literal, $rest:literal) => {
        concat!(
            "SELECT ",
            $tx,
            " AS tx, e.seq, e.site_id, e.kind, e.comment_id, e.at, t.key, c.status, q.queue, q.claimed_by,
                 q.claimed_until, d.action, d.moderator, e.who
             FROM events e
             JOIN comments c ON c.id = e.comment_id
             JOIN threads t ON t.id = c.thread_id
             LEFT JOIN queue q ON q.comment_id = e.comment_id
             LEFT JOIN decisions d ON d.id = c.decision_id ",
            $rest
        )
    };
}

impl Db<'_> {
    /// The next events after a position that nothing can come before any more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn events_after(
        &mut self,
        after: EventPosition,
        limit: i64,
    ) -> Result<Vec<Happened>, StoreError> {
        let text = sql::by_engine!(
            self,
            sqlite: select_happened!("0", "WHERE e.seq > $2 AND $1 = 0 ORDER BY e.seq LIMIT $3"),
            postgres: select_happened!(
                "CAST(CAST(e.tx AS TEXT) AS BIGINT)",
                "WHERE (e.tx, e.seq) > (CAST(CAST($1 AS TEXT) AS xid8), $2)
                     AND e.tx < pg_snapshot_xmin(pg_current_snapshot())
                 ORDER BY e.tx, e.seq LIMIT $3"
            ),
        );
        let rows = sql::fetch_all!(self, Row, text, after.tx, after.seq, limit)?;
        rows.into_iter().map(Happened::try_from).collect()
    }

    /// The position of the last event that nothing can come before any more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn latest_event(&mut self) -> Result<EventPosition, StoreError> {
        let text = sql::by_engine!(
            self,
            sqlite: "SELECT 0, seq FROM events ORDER BY seq DESC LIMIT 1",
            postgres: "SELECT CAST(CAST(tx AS TEXT) AS BIGINT), seq FROM events
                 WHERE tx < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY tx DESC, seq DESC LIMIT 1",
        );
        let row = sql::fetch_optional!(self, (i64, i64), text)?;
        Ok(
            row.map_or_else(EventPosition::default, |(tx, seq)| EventPosition {
                tx,
                seq,
            }),
        )
    }

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
