//! A server of its own for each test, on a database of its own, and clients named after who is asking.

use std::{
    net::TcpListener,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use insta::internals::Content;
use palabre::{
    domain::{Caller, Role, SiteScope, SiteSlug, Subject},
    http::{self, RateLimit, Settings},
    moderation::{Moderation, SsoKeys},
    store::Store,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};

#[path = "../support/postgres.rs"]
mod postgres;
use postgres::PostgresDatabase;

use crate::contract;

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
        app.moderation
            .administration()
            .add_site(SiteSlug::parse(site).unwrap(), None)
            .await
            .unwrap();
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

    /// Gives [`SITE`] a policy that differs from the default by this.
    pub async fn set_policy(&self, policy: Value) {
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

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl Answer {
    /// The body, if the status is this one.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{:#}", self.body);
        self.body
    }

    /// The body of a problem document of this status and kind; its shape is checked too.
    #[track_caller]
    pub fn problem(self, status: u16, kind: &str) -> Value {
        assert_eq!(self.status.as_u16(), status, "{:#}", self.body);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(self.body["status"], status);
        assert_eq!(
            self.body["type"],
            format!("urn:palabre:problem:{kind}"),
            "{:#}",
            self.body
        );
        assert!(self.body["title"].is_string() && self.body["detail"].is_string());
        assert_eq!(
            self.body["request_id"],
            self.headers["x-request-id"].to_str().unwrap()
        );
        self.body
    }

    /// The fields that a 422 names.
    #[track_caller]
    pub fn invalid_fields(self) -> Vec<String> {
        self.problem(422, "validation")["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|error| error["field"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// Somebody who asks with one token, or with none.
#[derive(Clone)]
pub struct Client {
    address: String,
    token: Option<String>,
    http: reqwest::Client,
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

impl Client {
    /// A request with this token, to be shaped further.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.address));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let (http, request) = request.build_split();
        let request = request.unwrap();
        let (method, url) = (request.method().clone(), request.url().to_string());
        let response = http.execute(request).await.expect("the server answers");
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.bytes().await.expect("the answer is whole");
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        let answer = Answer {
            status,
            headers,
            body,
        };
        let path = url.strip_prefix(&self.address).unwrap_or_default();
        contract::check(&method, path.split('?').next().unwrap_or_default(), &answer);
        answer
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::POST, path).json(&body))
            .await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::PUT, path).json(&body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::PATCH, path).json(&body))
            .await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }

    /// Posts with an `Idempotency-Key`.
    pub async fn post_keyed(&self, key: &str, path: &str, body: Value) -> Answer {
        let request = self.request(Method::POST, path).json(&body);
        self.send(request.header("idempotency-key", key)).await
    }

    /// Sends bytes as they are, as JSON or as whatever `content_type` says.
    pub async fn post_bytes(&self, path: &str, content_type: &str, body: Vec<u8>) -> Answer {
        let request = self.request(Method::POST, path);
        self.send(request.header("content-type", content_type).body(body))
            .await
    }

    /// Every item of a list, page after page.
    pub async fn all(&self, path: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut next = path.to_owned();
        loop {
            let page = self.get(&next).await.expect(200);
            items.extend(page["items"].as_array().unwrap().iter().cloned());
            match page["next_cursor"].as_str() {
                Some(cursor) => next = with_cursor(path, cursor),
                None => return items,
            }
        }
    }

    /// Posts a comment by `author` to a thread and answers it as stored.
    pub async fn comment(&self, thread: &str, author: &str, body: &str) -> Value {
        self.comment_with(
            thread,
            json!({"body": body, "author": {"id": author, "name": author}}),
        )
        .await
    }

    /// Posts a reply and answers it as stored.
    pub async fn reply(&self, parent: &Value, author: &str, body: &str) -> Value {
        let thread = parent["thread"].as_str().unwrap();
        self.comment_with(
            thread,
            json!({"body": body, "author": {"id": author, "name": author}, "parent_id": parent["id"]}),
        )
        .await
    }

    #[track_caller]
    pub fn comment_with(&self, thread: &str, body: Value) -> impl Future<Output = Value> {
        let path = format!("/v1/threads/{thread}/comments");
        let client = self.clone();
        async move {
            let answer = client.post(&path, body).await;
            assert!(answer.status.is_success(), "{:#}", answer.body);
            answer.body
        }
    }

    /// The comment as it is now.
    pub async fn now(&self, comment: &Value) -> Value {
        self.get(&path(comment, "")).await.expect(200)
    }

    /// Gives a comment another text, whatever its version.
    pub async fn edit(&self, comment: &Value, body: &str) -> Value {
        let answer = self.patch(&path(comment, ""), json!({"body": body})).await;
        answer.expect(200)
    }

    /// The item of a queue about this comment.
    pub async fn card(&self, queue: &str, comment: &Value) -> Option<Value> {
        let items = self.all(&format!("/v1/queue?queue={queue}")).await;
        items
            .into_iter()
            .find(|item| item["comment"]["id"] == comment["id"])
    }

    /// The queues in which a comment waits.
    pub async fn queues_of(&self, comment: &Value) -> Vec<&'static str> {
        let mut found = Vec::new();
        for queue in ["waiting", "reported", "escalated", "appeals", "sampled"] {
            if self.card(queue, comment).await.is_some() {
                found.push(queue);
            }
        }
        found
    }

    /// Decides on a comment seen as `comment`.
    pub async fn decide(&self, comment: &Value, action: &str) -> Answer {
        self.post(
            &format!("/v1/comments/{}/decisions", id(comment)),
            json!({"action": action, "version": comment["version"]}),
        )
        .await
    }
}

/// The id of a thing.
pub fn id(thing: &Value) -> &str {
    thing["id"].as_str().expect("it has an id")
}

/// The path of a comment, and of what is below it.
pub fn path(comment: &Value, below: &str) -> String {
    format!("/v1/comments/{}{below}", id(comment))
}

/// A comment as a site posts it.
pub fn by(author: &str, text: &str) -> Value {
    json!({"body": text, "author": {"id": author, "name": author}})
}

/// The ids of a list's items, by this path of fields.
pub fn ids(list: &Value, path: &str) -> Vec<String> {
    list["items"]
        .as_array()
        .expect("it is a list")
        .iter()
        .map(|item| item.pointer(path).unwrap().as_str().unwrap().to_owned())
        .collect()
}

/// A list's path with a cursor.
pub fn with_cursor(path: &str, cursor: &str) -> String {
    let sign = if path.contains('?') { '&' } else { '?' };
    format!("{path}{sign}cursor={cursor}")
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

/// The codes of a comment's reasons.
pub fn codes(comment: &Value) -> Vec<&str> {
    comment["reasons"]
        .as_array()
        .expect("it has reasons")
        .iter()
        .map(|reason| reason["code"].as_str().unwrap())
        .collect()
}

/// For snapshots: hides a value behind `name` if `is_one` knows it, and leaves it to be seen if not.
fn redacted(name: &'static str, is_one: fn(&Content) -> bool) -> insta::internals::Redaction {
    insta::dynamic_redaction(move |value, _| {
        if is_one(&value) {
            Content::from(name)
        } else {
            value
        }
    })
}

/// An id of ours.
pub fn redacted_id() -> insta::internals::Redaction {
    redacted("[id]", |value| {
        let id = value
            .as_str()
            .and_then(|text| text.parse::<uuid::Uuid>().ok());
        id.is_some_and(|id| id.get_version_num() == 7)
    })
}

/// A time in UTC with milliseconds.
pub fn redacted_time() -> insta::internals::Redaction {
    redacted("[time]", |value| {
        let shape = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "0");
        value.as_str().map(shape).as_deref() == Some("0000-00-00T00:00:00.000Z")
    })
}

fn is_score(value: &Content) -> bool {
    match value {
        Content::F64(score) => (0.0..=1.0).contains(score),
        Content::U64(score) => *score <= 1,
        _ => false,
    }
}

/// A probability.
pub fn redacted_score() -> insta::internals::Redaction {
    redacted("[score]", is_score)
}

/// The six probabilities of a text.
pub fn redacted_scores() -> insta::internals::Redaction {
    redacted("[six scores]", |value| match value {
        Content::Map(scores) => {
            scores.len() == 6 && scores.iter().all(|(_, score)| is_score(score))
        }
        _ => false,
    })
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
