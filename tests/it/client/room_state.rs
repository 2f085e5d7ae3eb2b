//! `PUT /rooms/{roomId}/state/{eventType}/{stateKey}`.

use serde_json::json;

use crate::harness::{Client, TestServer, escape};

#[tokio::test]
async fn state_is_set_with_and_without_a_key_and_slash() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    for (n, rest) in ["/state/x.y", "/state/x.y/", "/state/x.y/key"].into_iter().enumerate() {
        let path = Client::room_path(&room, rest);
        assert!(alice.put(&path, json!({ "n": n })).await.ok()["event_id"].is_string());
        assert_eq!(alice.get(&path).await.ok(), json!({ "n": n }));
    }
    assert_eq!(alice.get(&Client::room_path(&room, "/state/x.y")).await.ok(), json!({ "n": 1 }));
}

#[tokio::test]
async fn the_same_content_again_is_the_same_event() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    let first = alice.set_state(&room, "m.room.topic", json!({ "topic": "a" })).await;
    assert_eq!(alice.set_state(&room, "m.room.topic", json!({ "topic": "a" })).await, first);
    let second = alice.set_state(&room, "m.room.topic", json!({ "topic": "b" })).await;
    assert_ne!(second, first);
    assert_ne!(alice.set_state(&room, "m.room.topic", json!({ "topic": "a" })).await, first);
}

#[tokio::test]
async fn power_is_needed_and_keys_of_users_are_theirs() {
    let server = TestServer::start().await;
    let (alice, bob, eve) =
        (server.register("alice").await, server.register("bob").await, server.register("eve").await);
    let room = alice.create_room_with(&[&bob]).await;
    bob.put(&Client::room_path(&room, "/state/m.room.name"), json!({ "name": "x" })).await.fails(403, "M_FORBIDDEN");
    eve.put(&Client::room_path(&room, "/state/m.room.name"), json!({ "name": "x" })).await.fails(403, "M_FORBIDDEN");
    let key_of_bob = Client::room_path(&room, &format!("/state/x.y/{}", escape(&bob.user_id)));
    alice.put(&key_of_bob, json!({})).await.fails(403, "M_FORBIDDEN");
    alice.put(&Client::room_path(&room, "/state/m.room.create"), json!({})).await.fails(400, "M_INVALID_PARAM");
    alice.put(&Client::room_path(&room, "/state/x.y"), json!({ "n": 1.5 })).await.fails(400, "M_BAD_JSON");
}

#[tokio::test]
async fn power_levels_are_changed_and_take_effect() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    let path = Client::room_path(&room, "/state/m.room.power_levels");
    let mut levels = alice.get(&path).await.ok();
    levels["users"][&bob.user_id] = 50.into();
    bob.put(&path, levels.clone()).await.fails(403, "M_FORBIDDEN");
    alice.put(&path, levels).await.ok();
    bob.set_state(&room, "m.room.name", json!({ "name": "bob's" })).await;
}

#[tokio::test]
async fn the_levels_never_name_a_creator_whose_power_has_no_end() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let content = json!({ "additional_creators": [bob.user_id] });
    let room = alice.create_room(json!({ "room_version": "12", "creation_content": content })).await;
    let path = Client::room_path(&room, "/state/m.room.power_levels");
    let levels = alice.get(&path).await.ok();
    for user in [&alice, &bob] {
        let mut naming = levels.clone();
        naming["users"][&user.user_id] = 100.into();
        alice.put(&path, naming).await.fails(400, "M_INVALID_PARAM");
    }
    assert_eq!(alice.get(&path).await.ok(), levels);
}

#[tokio::test]
async fn owned_state_is_written_by_its_user_and_by_those_with_more_power() {
    let server = TestServer::start().await;
    let (alice, bob, carol) =
        (server.register("alice").await, server.register("bob").await, server.register("carol").await);
    let kind = "org.example.owned";
    let room = alice
        .create_room(json!({
            "room_version": "org.matrix.msc3757.10",
            "preset": "public_chat",
            "power_level_content_override": { "events": { kind: 0 } },
        }))
        .await;
    bob.join(&room).await;
    carol.join(&room).await;
    let path = |state_key: &str| Client::room_path(&room, &format!("/state/{kind}/{}", escape(state_key)));
    let suffixed = format!("{}_phone", bob.user_id);
    bob.put(&path(&suffixed), json!({ "by": "bob" })).await.ok();
    carol.put(&path(&suffixed), json!({ "by": "carol" })).await.fails(403, "M_FORBIDDEN");
    assert_eq!(alice.get(&path(&suffixed)).await.ok()["by"], "bob");
    alice.put(&path(&suffixed), json!({ "by": "alice" })).await.ok();
    alice.put(&path("@oops"), json!({})).await.fails(400, "M_BAD_JSON");
    alice.get(&path("@oops")).await.fails(404, "M_NOT_FOUND");
}
