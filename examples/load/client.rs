//! One client: one kept-alive connection on hyper's bare HTTP/1 client.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Method, Request, Uri,
    body::Bytes,
    client::conn::http1::{self, SendRequest},
    header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue},
};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// How long an answer may take before the run is given up.
const PATIENCE: Duration = Duration::from_mins(2);

/// Where a server is, and who asks.
#[derive(Clone)]
pub struct Target {
    address: SocketAddr,
    host: HeaderValue,
    authorization: HeaderValue,
}

impl Target {
    pub fn new(address: SocketAddr, token: &str) -> anyhow::Result<Self> {
        Ok(Self {
            address,
            host: HeaderValue::from_str(&address.to_string())?,
            authorization: HeaderValue::from_str(&format!("Bearer {token}"))?,
        })
    }
}

/// What came back.
pub struct Answer {
    pub status: u16,
    pub body: Bytes,
    /// From the first byte sent to the last received.
    pub took: Duration,
}

pub struct Client {
    target: Target,
    connection: Option<SendRequest<Full<Bytes>>>,
}

impl Client {
    /// A client that connects with its first request. Must live on a `LocalSet`.
    pub fn new(target: &Target) -> Self {
        Self {
            target: target.clone(),
            connection: None,
        }
    }

    pub async fn post(&mut self, uri: Uri, json: Bytes) -> anyhow::Result<Answer> {
        self.send(Method::POST, uri, json).await
    }

    pub async fn put(&mut self, path: &str, json: Bytes) -> anyhow::Result<Answer> {
        self.send(Method::PUT, path.parse()?, json).await
    }

    pub async fn get(&mut self, path: &str) -> anyhow::Result<Answer> {
        self.send(Method::GET, path.parse()?, Bytes::new()).await
    }

    async fn send(&mut self, method: Method, uri: Uri, json: Bytes) -> anyhow::Result<Answer> {
        let mut request = Request::new(Full::new(json));
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        let headers = request.headers_mut();
        headers.insert(HOST, self.target.host.clone());
        headers.insert(AUTHORIZATION, self.target.authorization.clone());
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let connection = self.connection().await?;
        let begun = Instant::now();
        let exchange = async {
            let (head, body) = connection.send_request(request).await?.into_parts();
            let body = body.collect().await?;
            anyhow::Ok((head.status.as_u16(), body, begun.elapsed()))
        };
        let (status, body, took) = tokio::time::timeout(PATIENCE, exchange)
            .await
            .context("the server does not answer")??;
        Ok(Answer {
            status,
            body: body.to_bytes(),
            took,
        })
    }

    /// The connection, made anew if the server closed it while there was nothing to ask.
    async fn connection(&mut self) -> anyhow::Result<&mut SendRequest<Full<Bytes>>> {
        let mut open = self.connection.take();
        if let Some(sender) = &mut open
            && sender.ready().await.is_err()
        {
            open = None;
        }
        let open = match open {
            Some(sender) => sender,
            None => self.connect().await?,
        };
        Ok(self.connection.insert(open))
    }

    async fn connect(&self) -> anyhow::Result<SendRequest<Full<Bytes>>> {
        let stream = TcpStream::connect(self.target.address)
            .await
            .context("cannot connect to the server")?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::task::spawn_local(async move {
            // Whoever waits for an answer is told what went wrong.
            let _ = connection.await;
        });
        Ok(sender)
    }
}
