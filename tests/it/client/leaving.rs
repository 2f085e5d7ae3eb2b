//! `POST /rooms/{roomId}/leave` and `/forget`.

use serde_json::json;

use crate::harness::{Client, TestServer, escape};

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
    let since = bob.sync(None).await["next_batch"].as_str().expect("a token").to_owned();
    let carol = server.register("carol").await;
    carol.join(&room).await;
    carol.send_text(&room, "not for bob").await;
    let path = |rest: &str| Client::room_path(&room, rest);
    assert_eq!(bob.get(&path("/state/m.room.name")).await.ok()["name"], "before");
    assert_eq!(alice.get(&path("/state/m.room.name")).await.ok()["name"], "after");
    let members = bob.get(&path("/members")).await.ok();
    let found = |client: &Client| members["chunk"].to_string().contains(&client.user_id);
    assert!(found(&alice) && found(&bob) && !found(&carol), "{members}");
    assert!(alice.get(&path("/members")).await.text().contains(&carol.user_id));
    bob.get(&path("/joined_members")).await.fails(403, "M_FORBIDDEN");
    let forward = bob.get(&path(&format!("/messages?dir=f&limit=100&from={}", escape(&since)))).await.ok();
    assert_eq!(forward["chunk"], json!([]));
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

/// Another device would never hear that the room was left, if the leave of a forgotten room were kept from it.
#[tokio::test]
async fn a_forgotten_room_is_in_no_sync_but_in_the_one_that_tells_of_the_leave() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    let since = bob.sync(None).await["next_batch"].as_str().expect("a token").to_owned();
    bob.leave(&room).await;
    bob.post(&Client::room_path(&room, "/forget"), json!({})).await.ok();
    let filter = format!("timeout=0&filter={}", escape(&json!({ "room": { "include_leave": true } }).to_string()));
    assert!(bob.sync_with(None, &filter).await.get("rooms").is_none());
    let answer = bob.sync_with(Some(&since), &filter).await;
    assert!(answer["rooms"]["leave"].get(&room).is_some(), "{answer}");
    let since = answer["next_batch"].as_str().expect("a token").to_owned();
    assert!(bob.sync_with(Some(&since), &filter).await.get("rooms").is_none());
}

#[tokio::test]
async fn who_was_kicked_or_never_in_forgets_too() {
    let server = TestServer::start().await;
    let (alice, bob, carol) =
        (server.register("alice").await, server.register("bob").await, server.register("carol").await);
    let room = alice.create_room_with(&[&bob]).await;
    alice.post(&Client::room_path(&room, "/kick"), json!({ "user_id": bob.user_id })).await.ok();
    alice.invite(&room, &carol).await;
    carol.leave(&room).await;
    alice.leave(&room).await;
    for user in [&alice, &bob, &carol] {
        user.post(&Client::room_path(&room, "/forget"), json!({})).await.ok();
        assert!(user.sync(None).await.get("rooms").is_none());
    }
}

#[tokio::test]
async fn who_forgot_a_room_comes_back_by_invite_and_reads_what_was_before() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room(json!({ "preset": "private_chat", "invite": [bob.user_id] })).await;
    bob.join(&room).await;
    alice.send_text(&room, "before").await;
    bob.leave(&room).await;
    bob.post(&Client::room_path(&room, "/forget"), json!({})).await.ok();
    bob.post(&Client::room_path(&room, "/join"), json!({})).await.fails(403, "M_FORBIDDEN");
    alice.invite(&room, &bob).await;
    bob.join(&room).await;
    alice.send_text(&room, "after").await;
    let page = bob.get(&Client::room_path(&room, "/messages?dir=b&limit=100")).await.ok();
    let bodies: Vec<_> = page["chunk"]
        .as_array()
        .expect("events")
        .iter()
        .filter_map(|event| event["content"]["body"].as_str())
        .collect();
    assert_eq!(bodies, ["after", "before"]);
}
