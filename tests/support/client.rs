//! Somebody who asks a server over HTTP.

#![allow(
    dead_code,
    reason = "each test target uses what it needs of the shared helpers"
)]

use reqwest::{Method, Response};
use serde_json::Value;

use super::program::Server;

#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    address: String,
    token: String,
}

impl Client {
    pub fn of(server: &Server, token: &str) -> Self {
        Self {
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            address: server.address.clone(),
            token: token.trim_end().to_owned(),
        }
    }

    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Option<Response> {
        let request = self.http.request(method, format!("{}{path}", self.address));
        let request = request.bearer_auth(&self.token);
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        request.send().await.ok()
    }

    pub async fn ask(&self, method: Method, path: &str) -> Response {
        let answer = self.send(method, path, None).await;
        answer.expect("the server answers")
    }

    /// Status and body, unless the server went away.
    pub async fn try_post(&self, path: &str, body: Value) -> Option<(u16, Value)> {
        let response = self.send(Method::POST, path, Some(&body)).await?;
        Some((response.status().as_u16(), response.json().await.ok()?))
    }

    pub async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.try_post(path, body).await.expect("the server answers")
    }

    /// The body, of something that must go well.
    pub async fn posted(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.post(path, body).await;
        assert!((200..300).contains(&status), "{path}: {status}: {answer}");
        answer
    }

    pub async fn get(&self, path: &str) -> (u16, Value) {
        let response = self.ask(Method::GET, path).await;
        (response.status().as_u16(), response.json().await.unwrap())
    }
}
