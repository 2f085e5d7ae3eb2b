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
async fn new_levels_are_kept_as_they_were_given() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({ "room_version": "11" })).await;
    let path = Client::room_path(&room, "/state/m.room.power_levels");
    let first = alice.get(&path).await.ok();
    for level in ["ban", "kick", "redact", "state_default", "events_default", "users_default"] {
        assert!(first[level].is_i64(), "{level}: {first}");
    }
    assert!(first["users"][&alice.user_id].as_i64() > first["users_default"].as_i64(), "{first}");
    let given = json!({ "invite": 100, "users": { (&alice.user_id): 100, "@other:their.home": 20 } });
    let event = alice.set_state(&room, "m.room.power_levels", given.clone()).await;
    let event = alice.get(&Client::room_path(&room, &format!("/event/{}", escape(&event)))).await.ok();
    assert_eq!(event["content"], given);
    // Whoever gives all power away is left with what the rules say of nobody.
    alice.set_state(&room, "m.room.power_levels", json!({ "users": { (&alice.user_id): 100 } })).await;
    alice.set_state(&room, "m.room.power_levels", json!({})).await;
    alice.put(&path, json!({ "users": {} })).await.fails(403, "M_FORBIDDEN");
    assert_eq!(alice.get(&path).await.ok(), json!({}));
}

#[tokio::test]
async fn the_level_of_everybody_is_lowered_by_who_has_as_much() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let levels = |default: i64| json!({ "users_default": default, "users": { (&alice.user_id): 100 }, "events": {} });
    let body = json!({ "preset": "public_chat", "room_version": "11", "power_level_content_override": levels(100) });
    let room = alice.create_room(body).await;
    alice.set_state(&room, "m.room.power_levels", levels(40)).await;
    let path = Client::room_path(&room, "/state/m.room.power_levels");
    assert_eq!(alice.get(&path).await.ok()["users_default"], 40);
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
    for key in [carol.user_id.clone(), format!("{}phone", bob.user_id), format!("@x_{suffixed}")] {
        bob.put(&path(&key), json!({})).await.fails(403, "M_FORBIDDEN");
    }
    for key in [bob.user_id.as_str(), "@notinroom:elsewhere.test"] {
        alice.put(&path(key), json!({ "by": "alice" })).await.ok();
    }
    for key in ["@oops", &format!("{}@phone", alice.user_id)] {
        alice.put(&path(key), json!({})).await.fails(400, "M_BAD_JSON");
        alice.get(&path(key)).await.fails(404, "M_NOT_FOUND");
    }
}

#[tokio::test]
async fn elsewhere_a_key_that_looks_like_a_user_is_that_users_alone() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let levels = json!({ "events": { "org.example.owned": 0 } });
    let body = json!({ "room_version": "10", "preset": "public_chat", "power_level_content_override": levels });
    let room = alice.create_room(body).await;
    bob.join(&room).await;
    let path = |key: &str| Client::room_path(&room, &format!("/state/org.example.owned/{}", escape(key)));
    bob.put(&path(&bob.user_id), json!({})).await.ok();
    let (own, others) = (format!("{}_phone", alice.user_id), format!("{}_phone", bob.user_id));
    for key in [own.as_str(), &bob.user_id, &others, "@notinroom:elsewhere.test", "@oops"] {
        alice.put(&path(key), json!({})).await.fails(403, "M_FORBIDDEN");
    }
}
