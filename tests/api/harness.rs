//! A server of its own for each test, on a database of its own, and clients named after who is asking.

use std::{
    net::TcpListener,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use palabre::{
    domain::{Caller, Policy, Role, Share, SiteScope, SiteSlug, Subject},
    http::{self, RateLimit, Settings},
    moderation::{Moderation, SsoKeys},
    store::Store,
};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};

mod client;
#[path = "../support/postgres.rs"]
mod postgres;
mod redactions;

pub use client::{Answer, Client, by, codes, id, ids, path, with_cursor};
use postgres::PostgresDatabase;
pub use redactions::{redacted_id, redacted_score, redacted_scores, redacted_time};

/// Runs a test on a server with a fresh SQLite file, and on one with a fresh PostgreSQL database.
macro_rules! on_each_database {
    ($(#[doc = $doc:literal])* async fn $name:ident($app:ident: App) $body:block) => {
        mod $name {
            use super::*;

            async fn check($app: App) $body

            #[tokio::test]
            async fn sqlite() {
                $crate::harness::run_on_sqlite(check).await;
            }

            #[tokio::test]
            async fn postgres() {
                $crate::harness::run_on_postgres(check).await;
            }
        }
    };
}
pub(crate) use on_each_database;

/// The site that most tests post to, and a second one that its tokens must not reach.
pub const SITE: &str = "bamako";
pub const OTHER_SITE: &str = "lyon";

/// How long a test waits for something before it gives up: longer than any machine needs.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running server.
#[derive(Clone)]
pub struct App {
    pub moderation: Arc<Moderation>,
    /// Where it listens, with the path that everything is below.
    pub address: String,
    /// Where its database is.
    pub database_url: String,
    http: reqwest::Client,
    /// Every server of this test.
    running: Arc<Mutex<Vec<Running>>>,
}

/// What stops a server.
struct Running {
    moderation: Arc<Moderation>,
    handle: actix_web::dev::ServerHandle,
    serving: tokio::task::JoinHandle<std::io::Result<()>>,
}

pub async fn run_on_sqlite<F: Future<Output = ()> + Send + 'static>(check: fn(App) -> F) {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", directory.path().join("test.db").display());
    run(url, check).await;
}

pub async fn run_on_postgres<F: Future<Output = ()> + Send + 'static>(check: fn(App) -> F) {
    let Some(database) = PostgresDatabase::create().await else {
        return;
    };
    let outcome = tokio::spawn(run(database.url.clone(), check)).await;
    database.drop().await;
    if let Err(failure) = outcome {
        std::panic::resume_unwind(failure.into_panic());
    }
}

async fn run<F: Future<Output = ()> + Send + 'static>(url: String, check: fn(App) -> F) {
    let app = App::start(url, open_doors(), SsoKeys::default(), Arc::default()).await;
    for site in [SITE, OTHER_SITE] {
        let slug = SiteSlug::parse(site).unwrap();
        let site = app.moderation.administration().add_site(slug, None).await;
        // Nothing is left to chance.
        let policy = Policy {
            sample_share: Share::NONE,
            ..Policy::default()
        };
        let site = site.unwrap();
        app.moderation.set_policy(&site, policy).await.unwrap();
    }
    let outcome = tokio::spawn(check(app.clone())).await;
    let servers = std::mem::take(&mut *app.running.lock().unwrap());
    for server in servers {
        server.handle.stop(false).await;
        server.serving.await.unwrap().unwrap();
        server.moderation.close().await;
    }
    if let Err(failure) = outcome {
        std::panic::resume_unwind(failure.into_panic());
    }
}

/// The settings of most tests, which post as fast as they can, by a few authors.
pub fn open_doors() -> Settings {
    Settings {
        rate_limit: RateLimit::Off,
        ..Settings::default()
    }
}

impl App {
    async fn start(
        url: String,
        settings: Settings,
        sso: SsoKeys,
        running: Arc<Mutex<Vec<Running>>>,
    ) -> Self {
        let store = Store::open(&url).await.unwrap();
        let moderation = Arc::new(Moderation::trusting(store, sso).await.unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let address = format!("http://{address}{}", settings.base_path.as_str());
        let server = http::start(Arc::clone(&moderation), listener, settings).unwrap();
        running.lock().unwrap().push(Running {
            moderation: Arc::clone(&moderation),
            handle: server.handle(),
            serving: tokio::spawn(server),
        });
        Self {
            moderation,
            address,
            database_url: url,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            running,
        }
    }

    /// Another server on the same database, reached as these settings say. It knows nothing that is not stored, as after
    /// a restart.
    pub async fn beside(&self, settings: Settings) -> Self {
        self.trusting(settings, SsoKeys::default()).await
    }

    /// The same, which believes tokens of single sign-on too.
    pub async fn trusting(&self, settings: Settings, sso: SsoKeys) -> Self {
        let url = self.database_url.clone();
        Self::start(url, settings, sso, Arc::clone(&self.running)).await
    }

    /// Changes something behind the servers' backs, such as how long ago it was.
    pub async fn sql(&self, statement: &str) {
        self.texts(statement).await;
    }

    /// What is stored, where no answer shows it: the texts of a query's one column.
    pub async fn texts(&self, query: &str) -> Vec<String> {
        let query = AssertSqlSafe(query.to_owned());
        if self.database_url.starts_with("sqlite:") {
            let mut connection = SqliteConnection::connect(&self.database_url).await.unwrap();
            let rows = sqlx::query_scalar(query).fetch_all(&mut connection).await;
            connection.close().await.unwrap();
            rows.unwrap()
        } else {
            let mut connection = PgConnection::connect(&self.database_url).await.unwrap();
            let rows = sqlx::query_scalar(query).fetch_all(&mut connection).await;
            connection.close().await.unwrap();
            rows.unwrap()
        }
    }

    /// Gives [`SITE`] a policy that differs from the default by this, and draws no samples unless this says so.
    pub async fn set_policy(&self, mut policy: Value) {
        let fields = policy.as_object_mut().unwrap();
        fields.entry("sample_share").or_insert(Value::from(0));
        let path = format!("/v1/sites/{SITE}/policy");
        self.admin().put(&path, policy).await.expect(200);
    }
}

/// Waits until it is so.
pub async fn eventually<F: Future<Output = bool>>(what: &str, so: impl Fn() -> F) {
    let begun = Instant::now();
    while !so().await {
        assert!(begun.elapsed() < PATIENCE, "not yet: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

impl App {
    /// Somebody without a token.
    pub fn anonymous(&self) -> Client {
        Client {
            address: self.address.clone(),
            token: None,
            http: self.http.clone(),
        }
    }

    /// The server of [`SITE`].
    pub fn site(&self) -> Client {
        self.bearer(Role::Site, "site", &[SITE])
    }

    /// The server of [`OTHER_SITE`].
    pub fn other_site(&self) -> Client {
        self.bearer(Role::Site, "other-site", &[OTHER_SITE])
    }

    /// A moderator of [`SITE`].
    pub fn moderator(&self, name: &str) -> Client {
        self.bearer(Role::Moderator, name, &[SITE])
    }

    /// An admin of every site.
    pub fn admin(&self) -> Client {
        self.bearer(Role::Admin, "admin", &[])
    }

    /// Somebody of that role; no sites means all.
    pub fn bearer(&self, role: Role, subject: &str, sites: &[&str]) -> Client {
        let sites = match sites {
            [] => SiteScope::All,
            some => SiteScope::Only(some.iter().map(|s| SiteSlug::parse(s).unwrap()).collect()),
        };
        let caller = Caller {
            subject: Subject::parse(subject).unwrap(),
            role,
            sites,
        };
        let token = self
            .moderation
            .administration()
            .sign_token(&caller, Duration::from_mins(1))
            .unwrap();
        self.with_token(&token)
    }

    /// Somebody with this token, good or not.
    pub fn with_token(&self, token: &str) -> Client {
        Client {
            token: Some(token.into()),
            ..self.anonymous()
        }
    }
}

/// Runs them all at once.
pub async fn at_once<T: Send + 'static>(
    all: impl Iterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let mut running = Vec::new();
    for one in all {
        running.push(tokio::spawn(one));
    }
    let mut done = Vec::new();
    for one in running {
        done.push(one.await.unwrap());
    }
    done
}

/// Short, calm, and unlike any other: for threads where the shape matters, not the words.
pub fn remark(number: usize) -> String {
    format!("Avis n° {number}, merci.")
}

/// A text that every model holds as a threat.
pub const THREAT: &str = "MORT À TOUS CES TRAÎTRES ! On va vous égorger un par un, vous allez tous mourir, sales chiens.";
/// Long enough to be a duplicate, and nothing that a model would hold.
pub const NEWS: &str = "Le marché de Médine rouvre lundi matin avec de nouveaux hangars et une entrée pour les camions.";
/// A text that no model holds.
pub const CALM: &str = "Merci pour cet article, très clair et bien documenté.";
