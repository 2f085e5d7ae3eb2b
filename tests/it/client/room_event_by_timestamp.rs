//! `GET /rooms/{roomId}/timestamp_to_event`.

use serde_json::{Value, json};

use crate::harness::{Client, TestServer, escape};

/// When each test begins, in milliseconds since 1970.
const BEGIN_MS: u64 = 1_767_225_600_000;

async fn find(client: &Client, room: &str, at_ms: u64, direction: &str) -> Value {
    client.get(&path(room, at_ms, direction)).await.ok()
}

fn path(room: &str, at_ms: u64, direction: &str) -> String {
    format!("/_matrix/client/v1/rooms/{}/timestamp_to_event?ts={at_ms}&dir={direction}", escape(room))
}

#[tokio::test]
async fn the_closest_event_is_found_in_both_directions() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    server.clock.advance(10_000);
    let first = alice.send_text(&room, "first").await;
    server.clock.advance(10_000);
    let second = alice.send_text(&room, "second").await;
    let middle = BEGIN_MS + 15_000;
    let found = find(&alice, &room, middle, "b").await;
    assert_eq!(found, json!({ "event_id": first, "origin_server_ts": BEGIN_MS + 10_000 }));
    assert_eq!(find(&alice, &room, middle, "f").await["event_id"], second.as_str());
    assert_eq!(find(&alice, &room, BEGIN_MS + 20_000, "f").await["event_id"], second.as_str());
    assert_eq!(find(&alice, &room, BEGIN_MS + 20_000, "b").await["event_id"], second.as_str());
    alice.get(&path(&room, BEGIN_MS + 20_001, "f")).await.fails(404, "M_NOT_FOUND");
    alice.get(&path(&room, 1, "b")).await.fails(404, "M_NOT_FOUND");
    let unstable = path(&room, middle, "f").replace("/v1/", "/unstable/org.matrix.msc3030/");
    assert_eq!(alice.get(&unstable).await.ok()["event_id"], second.as_str());
}

#[tokio::test]
async fn what_the_reader_may_not_see_is_passed_over() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let history = json!({ "type": "m.room.history_visibility", "content": { "history_visibility": "joined" } });
    let room = alice.create_room(json!({ "preset": "public_chat", "initial_state": [history] })).await;
    server.clock.advance(10_000);
    alice.send_text(&room, "before bob").await;
    server.clock.advance(10_000);
    bob.join(&room).await;
    server.clock.advance(10_000);
    let after = alice.send_text(&room, "after").await;
    assert_eq!(find(&bob, &room, BEGIN_MS + 25_000, "f").await["event_id"], after.as_str());
    let found = find(&bob, &room, BEGIN_MS + 5_000, "f").await;
    assert_eq!(found["origin_server_ts"], BEGIN_MS + 20_000, "their own join");
    let found = find(&bob, &room, BEGIN_MS + 15_000, "b").await;
    assert_eq!(found["origin_server_ts"], BEGIN_MS, "the state from before the visibility was set, not the message");
}

#[tokio::test]
async fn strangers_find_nothing() {
    let server = TestServer::start().await;
    let (alice, eve) = (server.register("alice").await, server.register("eve").await);
    for preset in ["private_chat", "public_chat"] {
        let room = alice.create_room(json!({ "preset": preset })).await;
        eve.get(&path(&room, BEGIN_MS, "f")).await.fails(403, "M_FORBIDDEN");
    }
    let room = alice.create_room(json!({})).await;
    let bad = format!("/_matrix/client/v1/rooms/{}/timestamp_to_event", escape(&room));
    alice.get(&format!("{bad}?dir=f")).await.fails(400, "M_MISSING_PARAM");
    alice.get(&format!("{bad}?ts=x&dir=f")).await.fails(400, "M_INVALID_PARAM");
}
