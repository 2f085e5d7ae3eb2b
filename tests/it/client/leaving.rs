//! `POST /rooms/{roomId}/leave` and `/forget`.

use serde_json::json;

use crate::harness::{Client, TestServer};

#[tokio::test]
async fn who_left_is_gone_and_sees_nothing_new() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    let since = bob.sync(None).await["next_batch"].as_str().expect("a token").to_owned();
    bob.post(&Client::room_path(&room, "/leave"), json!({ "reason": "late" })).await.ok();
    alice.send_text(&room, "not for bob").await;
    let answer = bob.sync(Some(&since)).await;
    let events = answer["rooms"]["leave"][&room]["timeline"]["events"].as_array().expect("the leave");
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["content"], json!({ "membership": "leave", "reason": "late" }));
    assert_eq!(bob.get("/joined_rooms").await.ok()["joined_rooms"], json!([]));
    bob.put(&Client::send_path(&room, "m.room.message"), json!({})).await.fails(403, "M_FORBIDDEN");
}

#[tokio::test]
async fn a_room_one_left_shows_its_state_of_then() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    alice.set_state(&room, "m.room.name", json!({ "name": "before" })).await;
    bob.leave(&room).await;
    alice.set_state(&room, "m.room.name", json!({ "name": "after" })).await;
    assert_eq!(bob.get(&Client::room_path(&room, "/state/m.room.name")).await.ok()["name"], "before");
    bob.get(&Client::room_path(&room, "/members")).await.ok();
}

#[tokio::test]
async fn strangers_cannot_leave() {
    let server = TestServer::start().await;
    let (alice, eve) = (server.register("alice").await, server.register("eve").await);
    let room = alice.create_room(json!({})).await;
    eve.post(&Client::room_path(&room, "/leave"), json!({})).await.fails(403, "M_FORBIDDEN");
    let answer = eve.post("/rooms/%21nothing%3Atest.hearth/leave", json!({})).await;
    assert!(answer.status == 404 || answer.status == 403, "{}", answer.text());
}

#[tokio::test]
async fn a_room_is_forgotten_only_after_leaving() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    let forget = Client::room_path(&room, "/forget");
    bob.post(&forget, json!({})).await.fails(400, "M_UNKNOWN");
    bob.leave(&room).await;
    bob.get(&Client::room_path(&room, "/messages?dir=b")).await.ok();
    bob.post(&forget, json!({})).await.ok();
    for query in ["", "?dir=b"] {
        bob.get(&Client::room_path(&room, &format!("/messages{query}"))).await.fails(403, "M_FORBIDDEN");
    }
    bob.join(&room).await;
    bob.get(&Client::room_path(&room, "/messages?dir=b")).await.ok();
}
