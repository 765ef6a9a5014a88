//! A PostgreSQL database for one run, dropped afterwards.

use std::time::Duration;

use anyhow::Context as _;
use sqlx::{Connection as _, PgConnection, postgres::PgConnectOptions};

/// How long the server may take to let us in.
const PATIENCE: Duration = Duration::from_secs(10);

pub struct PostgresDatabase {
    pub name: String,
    pub url: String,
    server: String,
}

impl PostgresDatabase {
    /// Makes a database on the server at `server`, an address that names any database there.
    pub async fn create(server: &str) -> anyhow::Result<Self> {
        let options: PgConnectOptions = server.parse().context("--database-url")?;
        anyhow::ensure!(
            matches!(options.get_host(), "127.0.0.1" | "localhost" | "::1")
                || options.get_host().starts_with('/'),
            "--database-url must be on this machine: a network between would be measured too"
        );
        let name = format!("palabre_load_{}", uuid::Uuid::now_v7().simple());
        let (base, options) = server
            .split_once('?')
            .map_or((server, None), |(base, options)| (base, Some(options)));
        let (base, _) = base
            .rsplit_once('/')
            .filter(|(base, _)| base.contains("//"))
            .context("--database-url must end with /NAME")?;
        let options = options.map(|options| format!("?{options}"));
        let statement = format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'");
        execute(server, statement).await?;
        Ok(Self {
            url: format!("{base}/{name}{}", options.unwrap_or_default()),
            name,
            server: server.to_owned(),
        })
    }

    /// What it takes on disk.
    pub async fn bytes(&self) -> anyhow::Result<u64> {
        let mut connection = connect(&self.url).await?;
        let bytes: i64 = sqlx::query_scalar("SELECT pg_database_size(current_database())")
            .fetch_one(&mut connection)
            .await?;
        connection.close().await?;
        Ok(bytes.unsigned_abs())
    }

    /// Does what autovacuum has done on a server that grew for months; it may be off, or not have come by yet.
    pub async fn vacuum(&self) -> anyhow::Result<()> {
        execute(&self.url, "VACUUM (ANALYZE)".to_owned()).await
    }

    pub async fn comments(&self) -> anyhow::Result<u64> {
        let mut connection = connect(&self.url).await?;
        let comments: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM comments")
            .fetch_one(&mut connection)
            .await?;
        connection.close().await?;
        Ok(comments.unsigned_abs())
    }
}

impl Drop for PostgresDatabase {
    fn drop(&mut self) {
        let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let server = self.server.clone();
        // On a thread of its own: this may run inside a runtime, which cannot be blocked on.
        let dropped = std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?
                .block_on(execute(&server, statement))
        });
        if !matches!(dropped.join(), Ok(Ok(()))) {
            eprintln!("load: the database {} is left behind", self.name);
        }
    }
}

async fn execute(server: &str, statement: String) -> anyhow::Result<()> {
    let mut connection = connect(server).await?;
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
        .execute(&mut connection)
        .await?;
    connection.close().await?;
    Ok(())
}

async fn connect(url: &str) -> anyhow::Result<PgConnection> {
    tokio::time::timeout(PATIENCE, PgConnection::connect(url))
        .await
        .context("PostgreSQL does not answer")?
        .context("PostgreSQL does not let us in")
}

/// How many comments the SQLite database in `file` holds.
pub async fn sqlite_comments(file: &std::path::Path) -> anyhow::Result<u64> {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
    let mut connection = sqlx::SqliteConnection::connect_with(&options).await?;
    let comments: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM comments")
        .fetch_one(&mut connection)
        .await?;
    connection.close().await?;
    Ok(comments.unsigned_abs())
}
