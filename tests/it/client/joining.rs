//! `POST /rooms/{roomId}/join` and `POST /join/{roomIdOrAlias}`.

use serde_json::json;

use crate::harness::{Client, TestServer, escape};

#[tokio::test]
async fn a_public_room_is_joined_by_both_paths() {
    let server = TestServer::start().await;
    let (alice, bob, carol) =
        (server.register("alice").await, server.register("bob").await, server.register("carol").await);
    let room = alice.create_room(json!({ "preset": "public_chat" })).await;
    let answer = bob.post(&Client::room_path(&room, "/join"), json!({ "reason": "curious" })).await.ok();
    assert_eq!(answer["room_id"], room.as_str());
    let answer = carol.request(http::Method::POST, &format!("/join/{}", escape(&room)), "").await.ok();
    assert_eq!(answer["room_id"], room.as_str());
    for user in [&bob, &carol] {
        assert_eq!(alice.membership_of(&room, user).await, "join");
    }
    let path = Client::room_path(&room, &format!("/state/m.room.member/{}", escape(&bob.user_id)));
    assert_eq!(alice.get(&path).await.ok()["reason"], "curious");
}

#[tokio::test]
async fn joining_twice_changes_nothing() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    let since = alice.sync(None).await["next_batch"].as_str().expect("a token").to_owned();
    let member = Client::room_path(&room, &format!("/state/m.room.member/{}?format=event", escape(&bob.user_id)));
    let first = alice.get(&member).await.ok()["event_id"].clone();
    bob.join(&room).await;
    assert!(alice.sync(Some(&since)).await["rooms"]["join"].get(&room).is_none());
    assert_eq!(alice.get(&member).await.ok()["event_id"], first);
}

#[tokio::test]
async fn an_invited_user_joins_and_a_stranger_does_not() {
    let server = TestServer::start().await;
    let (alice, bob, eve) =
        (server.register("alice").await, server.register("bob").await, server.register("eve").await);
    let room = alice.create_room(json!({ "preset": "private_chat" })).await;
    alice.invite(&room, &bob).await;
    bob.join(&room).await;
    eve.post(&Client::room_path(&room, "/join"), json!({})).await.fails(403, "M_FORBIDDEN");
    eve.get(&Client::room_path(&room, "/state")).await.fails(403, "M_FORBIDDEN");
}

#[tokio::test]
async fn unknown_rooms_and_aliases_are_not_found() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    alice.post("/join/%23nothing%3Atest.hearth", json!({})).await.fails(404, "M_NOT_FOUND");
    let answer = alice.post("/rooms/%21nothing%3Atest.hearth/join", json!({})).await;
    assert!(answer.status == 404 || answer.status == 403, "{}", answer.text());
    alice.post("/join/nonsense", json!({})).await.fails(400, "M_INVALID_PARAM");
}

#[tokio::test]
async fn members_of_an_allowed_room_join_a_restricted_one() {
    let server = TestServer::start().await;
    let (alice, bob, eve) =
        (server.register("alice").await, server.register("bob").await, server.register("eve").await);
    let club = alice.create_room_with(&[&bob]).await;
    let rules = json!({ "join_rule": "restricted", "allow": [{ "type": "m.room_membership", "room_id": club }] });
    let inner = alice
        .create_room(json!({ "initial_state": [{ "type": "m.room.join_rules", "state_key": "", "content": rules }] }))
        .await;
    bob.join(&inner).await;
    eve.post(&Client::room_path(&inner, "/join"), json!({})).await.fails(403, "M_FORBIDDEN");
}

#[tokio::test]
async fn a_join_takes_fields_of_the_clients_own_into_the_member_event() {
    let server = TestServer::start().await;
    let (alice, bob, carol) =
        (server.register("alice").await, server.register("bob").await, server.register("carol").await);
    let room = alice.create_room(json!({ "preset": "public_chat" })).await;
    let body = json!({
        "foo": "bar",
        "membership": "ban",
        "displayname": "mallory",
        "join_authorised_via_users_server": alice.user_id,
    });
    bob.post(&Client::room_path(&room, "/join"), body.clone()).await.ok();
    alice.put("/directory/room/%23lobby%3Atest.hearth", json!({ "room_id": room })).await.ok();
    carol.post("/join/%23lobby%3Atest.hearth", body).await.ok();
    for (user, name) in [(&bob, "bob"), (&carol, "carol")] {
        let path = Client::room_path(&room, &format!("/state/m.room.member/{}", escape(&user.user_id)));
        let expected = json!({ "foo": "bar", "membership": "join", "displayname": name });
        assert_eq!(alice.get(&path).await.ok(), expected);
    }
}

#[tokio::test]
async fn who_is_in_a_restricted_room_may_keep_any_text_as_who_vouched() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let space = alice.create_room_with(&[&bob]).await;
    let rule = json!({ "join_rule": "restricted", "allow": [{ "type": "m.room_membership", "room_id": space }] });
    let initial = json!([{ "type": "m.room.join_rules", "state_key": "", "content": rule }]);
    let room = alice.create_room(json!({ "preset": "private_chat", "initial_state": initial })).await;
    bob.join(&room).await;
    let path = Client::room_path(&room, &format!("/state/m.room.member/{}", escape(&bob.user_id)));
    let content = json!({ "membership": "join", "join_authorised_via_users_server": "unused", "displayname": "bo" });
    bob.put(&path, content.clone()).await.ok();
    assert_eq!(alice.get(&path).await.ok(), content);
    bob.put(&path, json!({ "membership": "join", "join_authorised_via_users_server": 1 }))
        .await
        .fails(403, "M_FORBIDDEN");
}

#[tokio::test]
async fn a_restricted_room_is_joined_while_the_rules_let_one_in() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    for (n, (version, rule)) in
        [("8", "restricted"), ("10", "knock_restricted"), ("12", "restricted")].into_iter().enumerate()
    {
        let bob = server.register(&format!("bob{n}")).await;
        let club = alice.create_room_with(&[]).await;
        let allow = |allow: serde_json::Value| json!({ "join_rule": rule, "allow": allow });
        let members = json!([{ "type": "m.room_membership", "room_id": club, "via": ["test.hearth"] }]);
        let rules = json!({ "type": "m.room.join_rules", "state_key": "", "content": allow(members) });
        let body = json!({ "preset": "public_chat", "room_version": version, "initial_state": [rules] });
        let room = alice.create_room(body).await;
        let refused = async || bob.post(&Client::room_path(&room, "/join"), json!({})).await.fails(403, "M_FORBIDDEN");
        refused().await;
        bob.join(&club).await;
        bob.join(&room).await;
        bob.leave(&room).await;
        bob.leave(&club).await;
        refused().await;
        alice.invite(&room, &bob).await;
        bob.join(&room).await;
        bob.leave(&room).await;
        bob.join(&club).await;
        for nonsense in [json!(["invalid"]), json!("invalid")] {
            alice.set_state(&room, "m.room.join_rules", allow(nonsense)).await;
            refused().await;
        }
    }
}
