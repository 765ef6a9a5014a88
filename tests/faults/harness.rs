//! A newspaper with its server, clients that time what they ask, chance that can be repeated, and waiting within bounds.

use std::{
    io::Write as _,
    process::Command,
    time::{Duration, Instant},
};

use reqwest::{Method, RequestBuilder, header::HeaderMap};
use serde_json::{Value, json};
use tokio::task::block_in_place;

use crate::program::{Home, Server};

/// No request may take longer, whatever is broken.
pub const ANSWER_BOUND: Duration = Duration::from_secs(15);
/// How soon a server that lacks nothing answers, even in a debug build beside others on two cores.
pub const PROMPT: Duration = Duration::from_secs(5);

/// Whether the tests run in full.
pub fn in_full() -> bool {
    match std::env::var("PALABRE_FAULTS").as_deref() {
        Err(_) | Ok("") => false,
        Ok("full") => true,
        Ok(other) => panic!("PALABRE_FAULTS is {other:?}; it knows only \"full\""),
    }
}

/// One size for every day, one for the full run.
pub fn size<T>(shortened: T, full: T) -> T {
    if in_full() { full } else { shortened }
}

/// Says what was counted, past the test runner, which swallows what passing tests print.
pub fn say(what: &str) {
    let _ = writeln!(std::io::stderr(), "    {what}");
}

/// Chance that can be repeated (splitmix64).
pub struct Dice(u64);

impl Dice {
    /// Chance of its own for each `purpose`, from the seed of this run.
    pub fn of(purpose: &str) -> Self {
        let seed = std::env::var("PALABRE_FAULTS_SEED").map_or(1, |seed| {
            seed.parse::<u64>()
                .expect("PALABRE_FAULTS_SEED is a number")
        });
        let start = purpose.bytes().fold(seed, |sum, byte| {
            sum.wrapping_mul(31).wrapping_add(u64::from(byte))
        });
        Self(start)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len() as u64) as usize]
    }

    /// Words of a calm remark, unlike any other.
    pub fn words(&mut self, count: usize) -> String {
        let words: Vec<&str> = (0..count).map(|_| *self.pick(WORDS)).collect();
        words.join(" ")
    }
}

const WORDS: &[&str] = &[
    "marché",
    "pont",
    "pluie",
    "quartier",
    "école",
    "route",
    "maire",
    "riz",
    "prix",
    "eau",
    "réunion",
    "jardin",
    "bus",
    "lumière",
    "coupure",
    "match",
    "équipe",
    "village",
    "récolte",
    "puits",
    "hôpital",
    "médecin",
    "travaux",
    "chantier",
    "taxi",
    "trottoir",
    "fleuve",
    "bateau",
    "budget",
    "impôt",
    "vote",
    "conseil",
    "bibliothèque",
    "livre",
    "musique",
    "concert",
    "radio",
    "cuisine",
    "mangue",
    "tissu",
    "artisan",
    "forge",
    "coton",
    "mil",
    "savane",
    "vent",
    "poussière",
    "saison",
    "enfant",
    "grand-mère",
    "voisin",
    "boutique",
    "monnaie",
    "banque",
    "crédit",
    "train",
];

/// A text that every model holds as a threat.
pub const THREAT: &str = "MORT À TOUS CES TRAÎTRES ! On va vous égorger un par un, vous allez tous mourir, sales chiens.";

/// What a request came to.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
    pub took: Duration,
}

impl Answer {
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{:#}", self.body);
        self.body
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// What is wrong with this as the answer of a server that cannot work for the moment: it must be a problem document
    /// of status 503 that says when to try again.
    pub fn wrong_as_unavailable(&self) -> Option<String> {
        let seconds = self
            .header("retry-after")
            .and_then(|text| text.parse().ok());
        let problem = &self.body;
        let wrong = if self.status != 503 {
            "it is no 503"
        } else if self.header("content-type") != Some("application/problem+json") {
            "it is no problem document"
        } else if problem["status"] != 503
            || ["type", "title", "detail"]
                .iter()
                .any(|field| problem[field].as_str().is_none_or(str::is_empty))
        {
            "it lacks a status, type, title or detail"
        } else if problem["request_id"].as_str() != self.header("x-request-id") {
            "its request id is not the one of the answer"
        } else if !seconds.is_some_and(|seconds: u64| (1..=60).contains(&seconds)) {
            "it has no sane Retry-After"
        } else {
            return None;
        };
        Some(format!(
            "{wrong}: {} {:?} {problem}",
            self.status, self.headers
        ))
    }
}

/// No answer.
#[derive(Debug, Clone)]
pub enum Silence {
    /// Nothing came within [`ANSWER_BOUND`].
    TimedOut,
    /// The connection ended.
    Gone(#[expect(dead_code, reason = "shown where a test fails")] String),
}

/// Somebody who asks one server with one token.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    address: String,
    token: String,
}

impl Client {
    pub fn new(server: &Server, token: &str) -> Self {
        Self::at(&server.address, token)
    }

    pub fn at(address: &str, token: &str) -> Self {
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(ANSWER_BOUND)
            // Sooner than the server does, so that no request meets a connection that is just being closed.
            .pool_idle_timeout(Duration::from_secs(2))
            .build()
            .unwrap();
        Self {
            http,
            address: address.to_owned(),
            token: token.to_owned(),
        }
    }

    pub fn token(&self) -> &str {
        &self.token
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.address))
            .bearer_auth(&self.token)
    }

    pub async fn try_send(&self, request: RequestBuilder) -> Result<Answer, Silence> {
        let begun = Instant::now();
        let answer = async {
            let response = request.send().await?;
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            Ok((status, headers, response.bytes().await?))
        };
        let (status, headers, bytes) = answer.await.map_err(|error: reqwest::Error| {
            if error.is_timeout() {
                Silence::TimedOut
            } else {
                Silence::Gone(format!("{error:?}"))
            }
        })?;
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        Ok(Answer {
            status,
            headers,
            body,
            took: begun.elapsed(),
        })
    }

    pub async fn send(&self, request: RequestBuilder) -> Answer {
        self.try_send(request).await.expect("the server answers")
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    pub async fn try_get(&self, path: &str) -> Result<Answer, Silence> {
        self.try_send(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::POST, path).json(&body))
            .await
    }

    pub async fn try_post(&self, path: &str, body: Value) -> Result<Answer, Silence> {
        self.try_send(self.request(Method::POST, path).json(&body))
            .await
    }

    /// Every item of a list, page after page; nothing of a thread that was never made.
    pub async fn all(&self, path: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut next = path.to_owned();
        for _ in 0..10_000 {
            let page = self.get(&next).await;
            if page.status == 404 {
                return items;
            }
            let page = page.expect(200);
            items.extend(page["items"].as_array().unwrap().iter().cloned());
            match page["next_cursor"].as_str() {
                Some(cursor) => {
                    let sign = if path.contains('?') { '&' } else { '?' };
                    next = format!("{path}{sign}cursor={cursor}");
                }
                None => return items,
            }
        }
        panic!("{path} never ends");
    }

    /// Decides on a comment seen as `comment`.
    pub async fn decide(&self, comment: &Value, action: &str) -> Answer {
        self.post(
            &format!("/v1/comments/{}/decisions", id(comment)),
            json!({"action": action, "version": comment["version"]}),
        )
        .await
    }

    pub async fn undo(&self, decided: &Value) -> Answer {
        let decision = id(&decided["decision"]);
        self.post(&format!("/v1/decisions/{decision}/undo"), json!({}))
            .await
    }
}

/// The id of a thing.
#[track_caller]
pub fn id(thing: &Value) -> &str {
    thing["id"]
        .as_str()
        .unwrap_or_else(|| panic!("it has no id: {thing}"))
}

/// A comment by `author`.
pub fn comment(author: &str, body: &str) -> Value {
    json!({"body": body, "author": {"id": author, "name": author}})
}

/// The site of every test.
pub const SITE: &str = "bamako";

/// One installation with a site, and the tokens of those who use it.
pub struct Newspaper {
    pub home: Home,
    /// Where its database is for the test itself: by no proxy.
    pub database_url: String,
    pub site: String,
    pub moderator: String,
}

impl Newspaper {
    pub fn open(home: Home) -> Self {
        let database_url = home.database_url.clone().unwrap_or_else(|| {
            format!("sqlite://{}", home.data_dir().join("palabre.db").display())
        });
        block_in_place(|| {
            home.stdout(&["site", "add", SITE]);
            Self {
                site: home.token("site", SITE),
                moderator: home.token("moderator", SITE),
                database_url,
                home,
            }
        })
    }

    /// The command that serves, without limits on how much one client may ask.
    pub fn serving(&self) -> Command {
        let mut command = self.home.command(&["serve", "--listen", "127.0.0.1:0"]);
        command.env("PALABRE_RATE_LIMIT", "off");
        command
    }

    pub fn serve(&self) -> Server {
        self.start(self.serving())
    }

    pub fn start(&self, command: Command) -> Server {
        block_in_place(|| self.home.start(command))
    }

    /// The site's own server asks.
    pub fn site(&self, server: &Server) -> Client {
        Client::new(server, &self.site)
    }

    pub fn moderator(&self, server: &Server) -> Client {
        Client::new(server, &self.moderator)
    }
}

/// Asks until there is something, within a bound.
#[track_caller]
pub fn eventually<T, F, Fut>(
    what: &str,
    within: Duration,
    mut look: F,
) -> impl Future<Output = T> + use<T, F, Fut>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Option<T>>,
{
    let what = what.to_owned();
    async move {
        let begun = Instant::now();
        loop {
            if let Some(found) = look().await {
                return found;
            }
            assert!(begun.elapsed() < within, "not within {within:?}: {what}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// A number of `/proc/{process}/status`, in KiB: `VmRSS` is the memory in use now, `VmHWM` the most there was.
pub fn memory(process: u32, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    status
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
        .and_then(|rest| rest.trim().strip_suffix(" kB")?.trim().parse().ok())
        .unwrap_or_else(|| panic!("no {name} in {status}"))
}

/// Runs them all at once.
pub async fn at_once<T: Send + 'static>(
    all: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let running: Vec<_> = all.into_iter().map(tokio::spawn).collect();
    let mut done = Vec::new();
    for one in running {
        done.push(one.await.unwrap());
    }
    done
}
