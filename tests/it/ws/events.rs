//! `/sync` as server-sent events.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use futures_util::StreamExt as _;
use http::{Request, header};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::harness::{Client, TestServer, escape};

const SOON: Duration = Duration::from_secs(30);

struct Stream(BodyDataStream);

impl Stream {
    async fn open(server: &TestServer, client: &Client, since: &str, last_event_id: Option<&str>) -> Self {
        let token = client.token.as_deref().expect("a token");
        let mut request = Request::get(format!("/_matrix/client/v3/sync?since={}", escape(since)))
            .header(header::ACCEPT, "text/event-stream")
            .header(header::AUTHORIZATION, format!("Bearer {token}"));
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        let response = server.app().oneshot(request.body(Body::empty()).expect("a request")).await.expect("an answer");
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
        Self(response.into_body().into_data_stream())
    }

    /// The next event's id and data; none at the end.
    async fn next(&mut self) -> Option<(String, Value)> {
        let chunk = tokio::time::timeout(SOON, self.0.next()).await.expect("something, soon")?.expect("bytes");
        let text = String::from_utf8(chunk.to_vec()).expect("text");
        let (id, data) = text.strip_prefix("id: ").and_then(|rest| rest.split_once("\ndata: ")).expect("an event");
        Some((id.to_owned(), serde_json::from_str(data.trim_end()).expect("JSON")))
    }
}

fn position(body: &Value) -> &str {
    body["next_batch"].as_str().expect("a token")
}

#[tokio::test]
async fn events_are_the_bodies_of_a_sync_and_go_on_after_the_last_one() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    let begin = bob.sync(None).await;
    let mut stream = Stream::open(&server, &bob, position(&begin), None).await;
    let (id, first) = stream.next().await.unwrap();
    assert_eq!(id, position(&first));
    assert!(first.get("rooms").is_none(), "the first comes at once: {first}");
    alice.send_text(&room, "streamed").await;
    let (second_id, second) = stream.next().await.unwrap();
    assert_eq!(second, bob.sync(Some(&id)).await, "the same body");
    drop(stream);
    let mut again = Stream::open(&server, &bob, position(&begin), Some(&second_id)).await;
    let (_, after) = again.next().await.unwrap();
    assert!(after.get("rooms").is_none(), "what the last event told is not told again: {after}");
}

#[tokio::test]
async fn a_stream_ends_with_its_session_and_with_the_server() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let phone = alice.log_in_again().await;
    let begin = alice.sync(None).await;
    let mut lives = Stream::open(&server, &alice, position(&begin), None).await;
    let mut ends = Stream::open(&server, &phone, position(&begin), None).await;
    assert!(lives.next().await.is_some() && ends.next().await.is_some());
    phone.post("/logout", json!({})).await.ok();
    assert_eq!(ends.next().await, None);
    let room = alice.create_room(json!({})).await;
    assert!(lives.next().await.unwrap().1.to_string().contains(&room));
    server.homeserver.stop.cancel();
    while lives.next().await.is_some() {}
    drop((lives, ends));
    assert_eq!(server.homeserver.sockets.count(), 0);
}

#[tokio::test]
async fn a_bad_position_is_refused_as_always() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let headers = [(header::ACCEPT, "text/event-stream")];
    let bad = alice.request_with(http::Method::GET, "/sync?since=garbage", &headers, Body::empty()).await;
    bad.fails(400, "M_INVALID_PARAM");
    let stranger = alice.with_token("nobody");
    let refused = stranger.request_with(http::Method::GET, "/sync", &headers, Body::empty()).await;
    refused.fails(401, "M_UNKNOWN_TOKEN");
}
