//! `POST /rooms/{roomId}/receipt/{receiptType}/{eventId}`.

use serde_json::{Value, json};

use crate::harness::{Client, TestServer, escape};

fn path(room: &str, kind: &str, event: &str) -> String {
    Client::room_path(room, &format!("/receipt/{kind}/{}", escape(event)))
}

fn receipts(answer: &Value, room: &str) -> Value {
    let events = answer["rooms"]["join"][room]["ephemeral"]["events"].as_array();
    let receipt = events.and_then(|events| events.iter().find(|event| event["type"] == "m.receipt"));
    receipt.map_or(Value::Null, |event| event["content"].clone())
}

#[tokio::test]
async fn everyone_sees_a_public_receipt_and_nobody_a_private_one() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    let (first, second) = (alice.send_text(&room, "1").await, alice.send_text(&room, "2").await);
    let since = alice.sync(None).await["next_batch"].as_str().expect("a token").to_owned();
    let own = bob.sync(None).await["next_batch"].as_str().expect("a token").to_owned();
    assert_eq!(bob.post(&path(&room, "m.read", &first), json!({})).await.ok(), json!({}));
    bob.request(http::Method::POST, &path(&room, "m.read.private", &second), "").await.ok();
    let seen = receipts(&alice.sync(Some(&since)).await, &room);
    assert!(seen[&first]["m.read"][&bob.user_id]["ts"].is_u64(), "{seen}");
    assert!(seen.get(&second).is_none(), "{seen}");
    let seen = receipts(&bob.sync(Some(&own)).await, &room);
    assert!(seen[&second]["m.read.private"][&bob.user_id]["ts"].is_u64(), "{seen}");
}

#[tokio::test]
async fn a_receipt_may_be_for_a_thread() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    let event = alice.send_text(&room, "1").await;
    let since = alice.sync(None).await["next_batch"].as_str().expect("a token").to_owned();
    bob.post(&path(&room, "m.read", &event), json!({ "thread_id": "main" })).await.ok();
    let seen = receipts(&alice.sync(Some(&since)).await, &room);
    assert_eq!(seen[&event]["m.read"][&bob.user_id]["thread_id"], "main");
}

#[tokio::test]
async fn fully_read_is_the_users_own_account_data() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    let event = alice.send_text(&room, "1").await;
    alice.post(&path(&room, "m.fully_read", &event), json!({})).await.ok();
    let data = alice.user_path(&format!("/rooms/{}/account_data/m.fully_read", escape(&room)));
    assert_eq!(alice.get(&data).await.ok(), json!({ "event_id": event }));
}

#[tokio::test]
async fn bad_receipts_are_refused() {
    let server = TestServer::start().await;
    let (alice, eve) = (server.register("alice").await, server.register("eve").await);
    let room = alice.create_room(json!({})).await;
    let event = alice.send_text(&room, "1").await;
    let answer = alice.post(&path(&room, "m.nonsense", &event), json!({})).await;
    assert_eq!(answer.status, 400, "{}", answer.text());
    alice.post(&path(&room, "m.read", "nonsense"), json!({})).await.fails(400, "M_INVALID_PARAM");
    eve.post(&path(&room, "m.read", &event), json!({})).await.fails(403, "M_FORBIDDEN");
}
