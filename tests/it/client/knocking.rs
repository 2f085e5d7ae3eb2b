//! `POST /knock/{roomIdOrAlias}`.

use serde_json::json;

use crate::harness::{Client, TestServer, escape};

async fn knock_room(alice: &Client) -> String {
    let rules = json!({ "type": "m.room.join_rules", "state_key": "", "content": { "join_rule": "knock" } });
    alice.create_room(json!({ "name": "Knock first", "initial_state": [rules] })).await
}

#[tokio::test]
async fn a_knock_is_seen_on_both_sides_and_answered_by_an_invite() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = knock_room(&alice).await;
    bob.post(&Client::room_path(&room, "/join"), json!({})).await.fails(403, "M_FORBIDDEN");
    let answer = bob.post(&format!("/knock/{}", escape(&room)), json!({ "reason": "please" })).await.ok();
    assert_eq!(answer["room_id"], room.as_str());
    assert_eq!(alice.membership_of(&room, &bob).await, "knock");
    let seen = bob.sync(None).await;
    let events = seen["rooms"]["knock"][&room]["knock_state"]["events"].as_array().expect("state").clone();
    assert!(events.iter().any(|event| event["type"] == "m.room.name"), "{seen}");
    alice.invite(&room, &bob).await;
    bob.join(&room).await;
}

#[tokio::test]
async fn a_knock_can_be_taken_back() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = knock_room(&alice).await;
    bob.request(http::Method::POST, &format!("/knock/{}", escape(&room)), "").await.ok();
    bob.leave(&room).await;
    assert_eq!(alice.membership_of(&room, &bob).await, "leave");
}

#[tokio::test]
async fn where_nobody_may_knock_it_is_forbidden() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room(json!({})).await;
    bob.post(&format!("/knock/{}", escape(&room)), json!({})).await.fails(403, "M_FORBIDDEN");
    let room = knock_room(&alice).await;
    alice.post(&format!("/knock/{}", escape(&room)), json!({})).await.fails(403, "M_FORBIDDEN");
}
