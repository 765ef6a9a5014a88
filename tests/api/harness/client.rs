//! Clients, what they ask most, and what they are answered.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::contract;

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
    pub(super) address: String,
    pub(super) token: Option<String>,
    pub(super) http: reqwest::Client,
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

/// The codes of a comment's reasons.
pub fn codes(comment: &Value) -> Vec<&str> {
    comment["reasons"]
        .as_array()
        .expect("it has reasons")
        .iter()
        .map(|reason| reason["code"].as_str().unwrap())
        .collect()
}
