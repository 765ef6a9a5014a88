//! What happens, as server-sent events.

use std::time::{Duration, Instant};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName},
    web,
};
use futures_util::stream;

use super::{
    BelieveFor, Stopping,
    access::{Asking, identify},
    problem::Problem,
};
use crate::{
    moderation::{LOOK_EVERY, Listener, Moderation, Told},
    store::EventPosition,
};

/// A line that says nothing is sent this often, so that a proxy does not take the connection for dead.
const BREATH: Duration = Duration::from_secs(15);
/// How long a client waits before it begins another, in milliseconds.
const RETRY: u32 = 1000;
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// What happens on the caller's sites, as it happens.
///
/// Kinds: `queue.added`, `queue.claimed`, `queue.released`, `queue.viewed`, `comment.created`, `comment.changed`, `comment.deleted` and
/// `comment.decided`. `Last-Event-ID` goes on after that event.
#[utoipa::path(
    get, path = "/v1/events", operation_id = "listenToEvents",
    responses(
        (status = 200, description = "Server-sent events.", body = String, content_type = "text/event-stream"),
        (status = 422, description = "`Last-Event-ID` is not the id of an event."),
    ),
)]
pub async fn listen(
    moderation: web::Data<Moderation>,
    stopping: web::Data<Stopping>,
    believe_for: web::Data<BelieveFor>,
    Asking(caller): Asking,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let since = request
        .headers()
        .get(LAST_EVENT_ID)
        .map(|id| {
            let parsed = id
                .to_str()
                .ok()
                .and_then(|id| id.parse::<EventPosition>().ok());
            parsed.ok_or_else(|| Problem::invalid("Last-Event-ID", "is not the id of an event"))
        })
        .transpose()?;
    let listener = moderation.listen(&caller, since).await?;
    let stream = Stream {
        moderation,
        request,
        believed: Instant::now(),
        believe_for: believe_for.0,
        listener,
        stopping: stopping.get_ref().clone(),
        sent: None,
    };
    let chunks = stream::unfold(stream, |mut stream| async move {
        let chunk = stream.chunk().await?;
        Some((
            Ok::<_, std::convert::Infallible>(web::Bytes::from(chunk)),
            stream,
        ))
    });
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/event-stream"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header(("x-accel-buffering", "no"))
        .streaming(chunks))
}

struct Stream {
    moderation: web::Data<Moderation>,
    /// By what the client proved who they are.
    request: HttpRequest,
    /// When they last had.
    believed: Instant,
    /// For how long that does.
    believe_for: Duration,
    listener: Listener,
    stopping: Stopping,
    /// When something was last sent; never yet.
    sent: Option<Instant>,
}

impl Stream {
    /// The next piece to send; none at the end, where the listener fell behind or may hear no more.
    async fn chunk(&mut self) -> Option<String> {
        let Some(sent) = self.sent.replace(Instant::now()) else {
            return Some(format!("retry: {RETRY}\n\n"));
        };
        loop {
            if self.believed.elapsed() > self.believe_for {
                identify(&self.request).await.ok()?;
                self.believed = Instant::now();
            }
            let told = tokio::select! {
                told = self.listener.next(LOOK_EVERY) => told.ok()?,
                () = self.stopping.ordered() => return None,
            };
            if let Some(told) = told {
                return Some(event(&told));
            }
            if sent.elapsed() > BREATH {
                return Some(": still here\n\n".into());
            }
            if let Err(error) = self.moderation.tell().await {
                tracing::warn!(%error, "what happened could not be read; it is told later");
            }
        }
    }
}

fn event(told: &Told) -> String {
    let data = serde_json::to_string(told).unwrap_or_default();
    format!(
        "id: {}\nevent: {}\ndata: {data}\n\n",
        told.position, told.kind
    )
}
