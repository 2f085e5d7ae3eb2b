//! `/sync` as server-sent events: each body is an event whose id is the position after it.
//! (HTML standard, "Server-sent events")
//!
//! Nothing is computed before the client's connection has taken what was sent, and a stream ends with its session.

use std::convert::Infallible;

use axum::{
    body::Body,
    extract::FromRequestParts,
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use futures_util::stream::unfold;
use hearth_homeserver::{
    sync::{Sync, SyncRequest},
    users::LocalUser,
};
use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE},
    request::Parts,
};

use crate::{state::AppState, waiting::Waiting, ws::Seat};

/// How long a stream is silent before a comment keeps it open through proxies, in milliseconds.
const KEEP_ALIVE_MS: u64 = 25_000;

/// How a client wants what is new.
pub enum Delivery {
    /// In one answer.
    Once(Waiting),
    /// As a stream of events.
    Stream(Box<EventStream>),
}

/// A stream of events that is to be opened.
pub struct EventStream {
    waiting: Waiting,
    token: String,
    last_event_id: Option<String>,
}

impl FromRequestParts<AppState> for Delivery {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Infallible> {
        let waiting = Waiting::from_request_parts(parts, state).await?;
        let token = waiting.token.clone().filter(|_| wants_events(&parts.headers));
        // Application services have no session whose end could end the stream.
        let Some(token) = token else { return Ok(Self::Once(waiting)) };
        let last_event_id = parts.headers.get("last-event-id").and_then(|id| id.to_str().ok());
        let last_event_id = last_event_id.filter(|id| !id.is_empty()).map(str::to_owned);
        Ok(Self::Stream(Box::new(EventStream { waiting, token, last_event_id })))
    }
}

fn wants_events(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|kind| {
        let kind = kind.split(';').next().unwrap_or_default();
        kind.trim().eq_ignore_ascii_case("text/event-stream")
    })
}

/// A stream that is open.
struct Open {
    stream: EventStream,
    seat: Seat,
    sync: Sync,
    user: LocalUser,
    request: SyncRequest,
}

impl EventStream {
    /// The position after the last event that the client has.
    pub fn last_event_id(&self) -> Option<&str> {
        self.last_event_id.as_deref()
    }

    /// Begins to send. The first body comes at once.
    pub fn open(self, sync: Sync, user: LocalUser, request: SyncRequest) -> Response {
        let seat = self.waiting.sockets.sit(&user);
        let request = SyncRequest { timeout_ms: 0, ..request };
        let open = Box::new(Open { stream: self, seat, sync, user, request });
        let body = Body::from_stream(unfold(open, async |mut open| {
            let event = open.next().await?;
            Some((Ok::<Bytes, Infallible>(event), open))
        }));
        let headers = [
            (CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
            (CACHE_CONTROL, HeaderValue::from_static("no-store")),
            // What nginx would otherwise gather, it passes on at once.
            (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
        ];
        (headers, body).into_response()
    }
}

impl Open {
    /// The next event, or a comment after a silence; none at the end of the session or the server.
    async fn next(&mut self) -> Option<Bytes> {
        let response = loop {
            let news = self.sync.next(&self.user, &self.request, self.stream.waiting.stop());
            tokio::select! {
                news = news => break news.inspect_err(|error| tracing::error!(%error, "a stream ends")).ok()?,
                () = self.seat.rung() => self.check().await?,
            }
        };
        if self.stream.waiting.stop().is_cancelled() {
            return None;
        }
        // It may have been computed while the session ended.
        self.check().await?;
        let is_silent = self.request.timeout_ms > 0 && response.is_empty();
        let event = if is_silent {
            Bytes::from_static(b":\n\n")
        } else {
            self.stream.waiting.sockets.note_body();
            let mut event = format!("id: {}\ndata: ", response.next_batch).into_bytes();
            serde_json::to_writer(&mut event, &response).ok()?;
            event.extend_from_slice(b"\n\n");
            event.into()
        };
        self.request.since = Some(response.next_batch);
        self.request.timeout_ms = KEEP_ALIVE_MS;
        self.request.full_state = false;
        Some(event)
    }

    /// Whether the session is still there.
    async fn check(&self) -> Option<()> {
        self.stream.waiting.sockets.users().authenticate(&self.stream.token).await.ok().map(drop)
    }
}
