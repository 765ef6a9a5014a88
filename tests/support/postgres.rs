//! PostgreSQL for tests: a database for each, dropped afterwards.

/// A database made for one test.
pub struct PostgresDatabase {
    pub url: String,
    name: String,
    server: String,
}

impl PostgresDatabase {
    /// Makes one, or says loudly that there is no PostgreSQL.
    pub async fn create() -> Option<Self> {
        let server = match std::env::var("TEST_DATABASE_URL") {
            Ok(url) => url,
            Err(_) if std::net::TcpStream::connect("127.0.0.1:5432").is_ok() => {
                "postgres://postgres@127.0.0.1:5432/postgres".to_owned()
            }
            Err(_) => {
                assert!(
                    std::env::var_os("PALABRE_REQUIRE_POSTGRES").is_none(),
                    "PALABRE_REQUIRE_POSTGRES is set, but there is no PostgreSQL: set TEST_DATABASE_URL"
                );
                eprintln!(
                    "\n*** NOT TESTED ON POSTGRESQL: none on 127.0.0.1:5432, and TEST_DATABASE_URL is not set ***\n"
                );
                return None;
            }
        };
        let name = format!("palabre_test_{}", uuid::Uuid::now_v7().simple());
        statement(
            &server,
            format!("CREATE DATABASE {name} TEMPLATE template0"),
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
    use sqlx::Connection as _;
    let mut connection = sqlx::PgConnection::connect(server)
        .await
        .expect("PostgreSQL answers at TEST_DATABASE_URL");
    sqlx::raw_sql(sqlx::AssertSqlSafe(text))
        .execute(&mut connection)
        .await
        .expect("the test user may make databases");
}
