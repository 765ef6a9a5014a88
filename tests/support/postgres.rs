//! PostgreSQL for tests: a database for each, dropped afterwards.

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
    /// Makes one, or says loudly that there is no PostgreSQL.
    pub async fn create() -> Option<Self> {
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
        let name = format!("palabre_test_{}", uuid::Uuid::now_v7().simple());
        statement(
            &server,
            format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"),
        )
        .await;
        let (base, _) = server
            .rsplit_once('/')
            .expect("TEST_DATABASE_URL ends with /NAME");
        Some(Self {
            url: format!("{base}/{name}"),
            name,
            server,
        })
    }

    pub async fn drop(self) {
        statement(
            &self.server,
            format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name),
        )
        .await;
    }
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
