//! PostgreSQL for tests: a database for each, dropped afterwards.
//!
//! Most begin as a copy of one that is migrated and holds the shipped model, which takes a tenth of the time of making it
//! so again. It is made by the first test that wants it, and named after what it holds.

#![allow(
    dead_code,
    reason = "each test target uses what it needs of the shared helpers"
)]

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use palabre::{classifier::Model, moderation::Moderation, store::Store};
use sqlx::{Connection as _, PgConnection};

/// A database made for one test.
pub struct PostgresDatabase {
    pub url: String,
    name: String,
    server: String,
}

/// Where tests look when `TEST_DATABASE_URL` is not set.
const USUAL: &str = "postgres://postgres@127.0.0.1:5432/postgres";

impl PostgresDatabase {
    /// Makes one that is ready to be served, or says loudly that there is no PostgreSQL.
    pub async fn create() -> Option<Self> {
        let server = server().await?;
        let template = template(&server).await;
        Some(Self::copy(server, &template).await)
    }

    /// Makes one with nothing in it, for tests of first starts.
    pub async fn create_empty() -> Option<Self> {
        Some(Self::copy(server().await?, "template0").await)
    }

    async fn copy(server: String, template: &str) -> Self {
        let name = format!("palabre_test_{}", uuid::Uuid::now_v7().simple());
        statement(
            &server,
            format!("CREATE DATABASE {name} TEMPLATE {template} ENCODING 'UTF8'"),
        )
        .await;
        Self {
            url: sibling(&server, &name),
            name,
            server,
        }
    }

    pub async fn drop(self) {
        statement(
            &self.server,
            format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name),
        )
        .await;
    }
}

/// The address of another database of the same server.
fn sibling(server: &str, name: &str) -> String {
    let (base, _) = server
        .rsplit_once('/')
        .expect("TEST_DATABASE_URL ends with /NAME");
    format!("{base}/{name}")
}

/// The name of the database that others are copied from; made if it is not there yet. Other test processes wait.
async fn template(server: &str) -> String {
    let name = template_name();
    let mut connection = PgConnection::connect(server)
        .await
        .expect("PostgreSQL answers at TEST_DATABASE_URL");
    let exists = "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)";
    let mut held = false;
    loop {
        let (ready,): (bool,) = sqlx::query_as(exists)
            .bind(&name)
            .fetch_one(&mut connection)
            .await
            .expect("databases can be listed");
        if ready {
            break;
        }
        if held {
            let unfinished = format!("{name}_unfinished");
            statement(
                server,
                format!("DROP DATABASE IF EXISTS {unfinished} WITH (FORCE)"),
            )
            .await;
            statement(
                server,
                format!("CREATE DATABASE {unfinished} TEMPLATE template0 ENCODING 'UTF8'"),
            )
            .await;
            let store = Store::open(&sibling(server, &unfinished)).await;
            let moderation = Moderation::open(store.expect("the template opens")).await;
            moderation
                .expect("the template can be served")
                .close()
                .await;
            statement(
                server,
                format!("ALTER DATABASE {unfinished} RENAME TO {name}"),
            )
            .await;
            sweep(&mut connection, &name).await;
            break;
        }
        // Asked again once it is ours: somebody else may have made it meanwhile.
        sqlx::query("SELECT pg_advisory_lock(hashtext('palabre test template'))")
            .execute(&mut connection)
            .await
            .expect("the lock is given back in time");
        held = true;
    }
    connection.close().await.expect("PostgreSQL says goodbye");
    name
}

/// Drops the templates of earlier migrations and models; one that is being copied just now stays.
async fn sweep(connection: &mut PgConnection, current: &str) {
    let old: Vec<(String,)> = sqlx::query_as(
        "SELECT datname FROM pg_database WHERE datname LIKE 'palabre_template_%' AND datname <> $1",
    )
    .bind(current)
    .fetch_all(&mut *connection)
    .await
    .expect("databases can be listed");
    for (name,) in old {
        let drop = sqlx::AssertSqlSafe(format!("DROP DATABASE IF EXISTS {name}"));
        let _ = sqlx::raw_sql(drop).execute(&mut *connection).await;
    }
}

/// A name for what the template holds: the migrations and the model.
fn template_name() -> String {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/postgres");
    let mut files: Vec<_> = std::fs::read_dir(directory)
        .expect("the migrations are there")
        .map(|entry| entry.expect("the migrations can be listed").path())
        .collect();
    files.sort();
    let mut hash = DefaultHasher::new();
    for file in files {
        std::fs::read(file)
            .expect("a migration can be read")
            .hash(&mut hash);
    }
    Model::SHIPPED.hash(&mut hash);
    format!("palabre_template_{:016x}", hash.finish())
}

/// The server to make databases on.
async fn server() -> Option<String> {
    let server = match std::env::var("TEST_DATABASE_URL") {
        Ok(url) => url,
        Err(_) => match PgConnection::connect(USUAL).await {
            Ok(connection) => {
                connection.close().await.expect("PostgreSQL says goodbye");
                USUAL.to_owned()
            }
            Err(error) => {
                assert!(
                    std::env::var_os("PALABRE_REQUIRE_POSTGRES").is_none(),
                    "PALABRE_REQUIRE_POSTGRES is set, but {USUAL} does not let us in ({error}): set TEST_DATABASE_URL"
                );
                say_loudly(&format!(
                    "NOT TESTED ON POSTGRESQL: {USUAL} does not let us in ({error}). Set TEST_DATABASE_URL."
                ));
                return None;
            }
        },
    };
    Some(server)
}

async fn statement(server: &str, text: String) {
    let mut connection = PgConnection::connect(server)
        .await
        .expect("PostgreSQL answers at TEST_DATABASE_URL");
    sqlx::raw_sql(sqlx::AssertSqlSafe(text))
        .execute(&mut connection)
        .await
        .expect("the test user may make databases");
}

/// Says what was not tested, each thing once, past the test runner, which swallows what passing tests print.
pub fn say_loudly(what: &str) {
    use std::{io::Write as _, sync::Mutex};
    static SAID: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let mut said = SAID
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    if said.iter().all(|before| before != what) {
        let _ = writeln!(std::io::stderr(), "\n*** {what} ***\n");
        said.push(what.to_owned());
    }
}
