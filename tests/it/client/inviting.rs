//! `POST /rooms/{roomId}/invite`.

use serde_json::json;

use crate::harness::{Client, TestServer, escape};

#[tokio::test]
async fn the_invited_see_the_invite_and_what_the_room_is() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room(json!({ "name": "A room" })).await;
    let path = Client::room_path(&room, "/invite");
    alice.post(&path, json!({ "user_id": bob.user_id, "reason": "come" })).await.ok();
    let answer = bob.sync(None).await;
    let events = answer["rooms"]["invite"][&room]["invite_state"]["events"].as_array().expect("state");
    let find = |kind: &str| events.iter().find(|event| event["type"] == kind).expect("the event");
    assert_eq!(find("m.room.name")["content"]["name"], "A room");
    assert_eq!(find("m.room.join_rules")["content"]["join_rule"], "invite");
    assert!(events.iter().any(|event| event["type"] == "m.room.create"));
    let own = events.iter().find(|event| event["state_key"] == bob.user_id.as_str()).expect("the invite");
    assert_eq!((&own["content"]["membership"], &own["content"]["reason"]), (&json!("invite"), &json!("come")));
}

#[tokio::test]
async fn an_invite_can_be_declined() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room(json!({})).await;
    alice.invite(&room, &bob).await;
    let since = bob.sync(None).await["next_batch"].as_str().expect("a token").to_owned();
    bob.leave(&room).await;
    assert_eq!(alice.membership_of(&room, &bob).await, "leave");
    let answer = bob.sync(Some(&since)).await;
    assert!(answer["rooms"]["leave"].get(&room).is_some(), "{answer}");
}

#[tokio::test]
async fn members_are_not_invited_again_and_strangers_invite_nobody() {
    let server = TestServer::start().await;
    let (alice, bob, eve) =
        (server.register("alice").await, server.register("bob").await, server.register("eve").await);
    let room = alice.create_room_with(&[&bob]).await;
    let path = Client::room_path(&room, "/invite");
    alice.post(&path, json!({ "user_id": bob.user_id })).await.fails(403, "M_FORBIDDEN");
    eve.post(&path, json!({ "user_id": eve.user_id })).await.fails(403, "M_FORBIDDEN");
    alice.post(&path, json!({ "user_id": "nonsense" })).await.fails(400, "M_BAD_JSON");
    alice.post(&path, json!({})).await.fails(400, "M_BAD_JSON");
}

#[tokio::test]
async fn who_is_banned_is_not_invited() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    alice.post(&Client::room_path(&room, "/ban"), json!({ "user_id": bob.user_id })).await.ok();
    alice.post(&Client::room_path(&room, "/invite"), json!({ "user_id": bob.user_id })).await.fails(403, "M_FORBIDDEN");
}

#[tokio::test]
async fn an_invite_outlives_who_sent_it_and_can_be_declined() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room(json!({ "preset": "private_chat" })).await;
    alice.invite(&room, &bob).await;
    let since = bob.sync(None).await["next_batch"].as_str().expect("a token").to_owned();
    alice.leave(&room).await;
    bob.leave(&room).await;
    let answer = bob.sync(Some(&since)).await;
    assert!(answer["rooms"]["leave"].get(&room).is_some(), "{answer}");
    assert!(answer["rooms"].get("invite").is_none(), "{answer}");
    assert!(bob.sync(None).await["rooms"].get("invite").is_none());
}

#[tokio::test]
async fn nobody_invites_themselves_but_a_creator_who_left_comes_back_by_invite() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room(json!({ "preset": "private_chat", "room_version": "11" })).await;
    let path = Client::room_path(&room, "/invite");
    alice.post(&path, json!({ "user_id": alice.user_id })).await.fails(403, "M_FORBIDDEN");
    alice.invite(&room, &bob).await;
    bob.join(&room).await;
    let levels = json!({ "invite": 100, "users": { (&alice.user_id): 100, (&bob.user_id): 100 } });
    alice.set_state(&room, "m.room.power_levels", levels).await;
    alice.leave(&room).await;
    alice.post(&Client::room_path(&room, "/join"), json!({})).await.fails(403, "M_FORBIDDEN");
    bob.invite(&room, &alice).await;
    assert!(alice.sync(None).await["rooms"]["invite"].get(&room).is_some());
    alice.join(&room).await;
    assert_eq!(bob.membership_of(&room, &alice).await, "join");
}

#[tokio::test]
async fn who_lets_nobody_invite_them_is_not_invited() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let (room, earlier) = (alice.create_room(json!({})).await, alice.create_room(json!({})).await);
    alice.invite(&earlier, &bob).await;
    let config = bob.user_path("/account_data/m.invite_permission_config");
    bob.put(&config, json!({ "default_action": "block" })).await.ok();
    let since = bob.sync(None).await;
    assert!(since["rooms"]["invite"].get(&earlier).is_none(), "{since}");
    let invite = json!({ "user_id": bob.user_id });
    alice.post(&Client::room_path(&room, "/invite"), invite.clone()).await.fails(403, "M_INVITE_BLOCKED");
    let member = Client::room_path(&room, &format!("/state/m.room.member/{}", escape(&bob.user_id)));
    alice.put(&member, json!({ "membership": "invite" })).await.fails(403, "M_INVITE_BLOCKED");
    alice.post("/createRoom", json!({ "invite": [bob.user_id] })).await.fails(403, "M_INVITE_BLOCKED");
    alice.get(&member).await.fails(404, "M_NOT_FOUND");
    alice.put(&member, json!({ "membership": "ban" })).await.ok();
    alice.put(&member, json!({ "membership": "leave" })).await.ok();
    for open in [json!({}), json!({ "default_action": "allow" }), json!({ "default_action": 1 })] {
        bob.put(&config, open).await.ok();
        alice.post(&Client::room_path(&room, "/invite"), invite.clone()).await.ok();
    }
    assert!(bob.sync(None).await["rooms"]["invite"].get(&earlier).is_some(), "told when it is not blocked any more");
}
