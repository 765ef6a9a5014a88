//! Checks of the database itself, past the program: every comment with all that belongs to it, and nothing without.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};

/// What must not be, and how many there are of it.
const HALVES: &[(&str, &str)] = &[
    (
        "comments without scores",
        "SELECT COUNT(*) FROM comments c WHERE NOT EXISTS (SELECT 1 FROM scores s WHERE s.comment_id = c.id)",
    ),
    (
        "scores without a comment",
        "SELECT COUNT(*) FROM scores s WHERE NOT EXISTS (SELECT 1 FROM comments c WHERE c.id = s.comment_id)",
    ),
    (
        "comments long enough for a fingerprint without one",
        "SELECT COUNT(*) FROM comments c WHERE LENGTH(c.body) >= 60
             AND NOT EXISTS (SELECT 1 FROM fingerprints f WHERE f.comment_id = c.id)",
    ),
    (
        "fingerprints without a comment",
        "SELECT COUNT(*) FROM fingerprints f WHERE NOT EXISTS (SELECT 1 FROM comments c WHERE c.id = f.comment_id)",
    ),
    (
        "bands without a fingerprint",
        "SELECT COUNT(*) FROM fingerprint_bands b
             WHERE NOT EXISTS (SELECT 1 FROM fingerprints f WHERE f.comment_id = b.comment_id)",
    ),
    (
        "clusters that no band leads to",
        "SELECT COUNT(*) FROM (SELECT f.cluster_id FROM fingerprints f
             LEFT JOIN fingerprint_bands b ON b.comment_id = f.comment_id
             GROUP BY f.cluster_id HAVING COUNT(b.band) = 0) unreachable",
    ),
    (
        "pending comments that are in no queue",
        "SELECT COUNT(*) FROM comments c WHERE c.status = 'pending'
             AND NOT EXISTS (SELECT 1 FROM queue q WHERE q.comment_id = c.id)",
    ),
    (
        "items that wait without a pending comment",
        "SELECT COUNT(*) FROM queue q WHERE q.queue = 'waiting'
             AND NOT EXISTS (SELECT 1 FROM comments c WHERE c.id = q.comment_id AND c.status = 'pending')",
    ),
    (
        "samples to look at that readers do not see",
        "SELECT COUNT(*) FROM queue q WHERE q.queue = 'sampled'
             AND NOT EXISTS (SELECT 1 FROM comments c WHERE c.id = q.comment_id AND c.status = 'published')",
    ),
    (
        "items that were drawn, and nobody knows how likely that was",
        "SELECT COUNT(*) FROM queue q WHERE q.queue = 'sampled'
             AND NOT EXISTS (SELECT 1 FROM samples s WHERE s.comment_id = q.comment_id)",
    ),
    (
        "comments whose creation was not told exactly once",
        "SELECT COUNT(*) FROM comments c LEFT JOIN (
             SELECT comment_id, COUNT(*) AS times FROM events WHERE kind = 'comment.created' GROUP BY comment_id
         ) e ON e.comment_id = c.id WHERE COALESCE(e.times, 0) <> 1",
    ),
    (
        "events without a comment",
        "SELECT COUNT(*) FROM events e WHERE NOT EXISTS (SELECT 1 FROM comments c WHERE c.id = e.comment_id)",
    ),
    (
        "comments without their author",
        "SELECT COUNT(*) FROM comments c WHERE NOT EXISTS (
             SELECT 1 FROM authors a WHERE a.site_id = c.site_id AND a.author_id = c.author_id)",
    ),
    (
        "comments without their thread",
        "SELECT COUNT(*) FROM comments c WHERE NOT EXISTS (SELECT 1 FROM threads t WHERE t.id = c.thread_id)",
    ),
    (
        "external ids of more than one comment",
        "SELECT COUNT(*) FROM (SELECT external_id FROM comments WHERE external_id IS NOT NULL
             GROUP BY site_id, external_id HAVING COUNT(*) > 1) twins",
    ),
    (
        "decisions without a comment",
        "SELECT COUNT(*) FROM decisions d WHERE NOT EXISTS (SELECT 1 FROM comments c WHERE c.id = d.comment_id)",
    ),
];

/// A connection of the test's own to the database under test.
pub enum Books {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Books {
    pub async fn open(url: &str) -> Self {
        if url.starts_with("sqlite:") {
            Self::Sqlite(SqliteConnection::connect(url).await.unwrap())
        } else {
            Self::Postgres(PgConnection::connect(url).await.unwrap())
        }
    }

    pub async fn number(&mut self, sql: &str) -> i64 {
        let sql = AssertSqlSafe(sql.to_owned());
        match self {
            Self::Sqlite(connection) => sqlx::query_scalar(sql).fetch_one(connection).await,
            Self::Postgres(connection) => sqlx::query_scalar(sql).fetch_one(connection).await,
        }
        .unwrap()
    }

    pub async fn texts(&mut self, sql: &str) -> Vec<String> {
        let sql = AssertSqlSafe(sql.to_owned());
        match self {
            Self::Sqlite(connection) => sqlx::query_scalar(sql).fetch_all(connection).await,
            Self::Postgres(connection) => sqlx::query_scalar(sql).fetch_all(connection).await,
        }
        .unwrap()
    }

    pub async fn execute(&mut self, sql: &str) {
        let sql = AssertSqlSafe(sql.to_owned());
        match self {
            Self::Sqlite(connection) => sqlx::raw_sql(sql).execute(connection).await.map(|_| ()),
            Self::Postgres(connection) => sqlx::raw_sql(sql).execute(connection).await.map(|_| ()),
        }
        .unwrap();
    }

    /// Everything that is half-written.
    pub async fn halves(&mut self) -> Vec<String> {
        let mut found = Vec::new();
        for (what, sql) in HALVES {
            let count = self.number(sql).await;
            if count > 0 {
                found.push(format!("{count} {what}"));
            }
        }
        if let Self::Sqlite(_) = self {
            for pragma in ["PRAGMA integrity_check", "PRAGMA foreign_key_check"] {
                found.extend(
                    self.texts(pragma)
                        .await
                        .into_iter()
                        .filter(|line| line != "ok")
                        .map(|line| format!("{pragma}: {line}")),
                );
            }
        }
        found
    }

    pub async fn close(self) {
        match self {
            Self::Sqlite(connection) => connection.close().await.unwrap(),
            Self::Postgres(connection) => connection.close().await.unwrap(),
        }
    }
}
