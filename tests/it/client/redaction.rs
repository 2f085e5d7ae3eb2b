//! `PUT /rooms/{roomId}/redact/{eventId}/{txnId}`.

use serde_json::json;

use crate::harness::{Client, TestServer, escape};

fn event_path(room: &str, event: &str) -> String {
    Client::room_path(room, &format!("/event/{}", escape(event)))
}

fn redact_path(room: &str, event: &str, transaction: &str) -> String {
    Client::room_path(room, &format!("/redact/{}/{transaction}", escape(event)))
}

#[tokio::test]
async fn a_redacted_event_loses_its_content_in_every_version() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    for version in ["1", "6", "10", "11", "12"] {
        let room = alice.create_room(json!({ "room_version": version })).await;
        let event = alice.send_text(&room, "regretted").await;
        let answer = alice.put(&redact_path(&room, &event, "t"), json!({ "reason": "typo" })).await.ok();
        let redacted = alice.get(&event_path(&room, &event)).await.ok();
        assert_eq!(redacted["content"], json!({}), "version {version}");
        let because = &redacted["unsigned"]["redacted_because"];
        assert_eq!(because["event_id"], answer["event_id"], "version {version}: {redacted}");
        assert_eq!(because["content"]["reason"], "typo");
        let redaction = alice.get(&event_path(&room, answer["event_id"].as_str().expect("an id"))).await.ok();
        assert_eq!(redaction["redacts"], event.as_str(), "version {version}: {redaction}");
        assert_eq!(redaction["content"]["redacts"], event.as_str(), "version {version}: {redaction}");
    }
}

#[tokio::test]
async fn a_repeated_transaction_is_the_same_redaction() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    let event = alice.send_text(&room, "x").await;
    let path = redact_path(&room, &event, "same");
    let first = alice.put(&path, json!({})).await.ok();
    assert_eq!(alice.put(&path, json!({})).await.ok(), first);
}

#[tokio::test]
async fn others_events_need_power() {
    let server = TestServer::start().await;
    let (alice, bob, eve) =
        (server.register("alice").await, server.register("bob").await, server.register("eve").await);
    let room = alice.create_room_with(&[&bob]).await;
    let (by_alice, by_bob) = (alice.send_text(&room, "a").await, bob.send_text(&room, "b").await);
    bob.put(&redact_path(&room, &by_alice, "1"), json!({})).await.fails(403, "M_FORBIDDEN");
    eve.put(&redact_path(&room, &by_alice, "1"), json!({})).await.fails(403, "M_FORBIDDEN");
    bob.put(&redact_path(&room, &by_bob, "2"), json!({})).await.ok();
    assert_eq!(alice.get(&event_path(&room, &by_alice)).await.ok()["content"]["body"], "a");
}

#[tokio::test]
async fn a_redaction_may_be_sent_as_an_event() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    let event = alice.send_text(&room, "x").await;
    alice.put(&Client::send_path(&room, "m.room.redaction"), json!({ "redacts": event })).await.ok();
    assert_eq!(alice.get(&event_path(&room, &event)).await.ok()["content"], json!({}));
}

#[tokio::test]
async fn an_event_of_another_room_is_not_redacted_from_here() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let (room, other) = (alice.create_room(json!({})).await, alice.create_room(json!({})).await);
    let event = alice.send_text(&other, "stays").await;
    alice.put(&redact_path(&room, &event, "1"), json!({})).await.fails(404, "M_NOT_FOUND");
    let as_event = alice.put(&Client::send_path(&room, "m.room.redaction"), json!({ "redacts": event })).await;
    as_event.fails(404, "M_NOT_FOUND");
    assert_eq!(alice.get(&event_path(&other, &event)).await.ok()["content"]["body"], "stays");
    let messages = alice.get(&Client::room_path(&room, "/messages?dir=b")).await.ok();
    assert!(!messages.to_string().contains("m.room.redaction"), "nothing was sent");
    alice.put(&redact_path(&room, "$never-seen-here", "2"), json!({})).await.ok();
}
