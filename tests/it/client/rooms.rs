//! `GET /rooms/{roomId}/event/{eventId}`, `/state`, `/state/{type}/{key}`, `/members`, `/joined_members`.

use serde_json::{Value, json};

use crate::harness::{Client, TestServer, escape};

fn keys_of(members: &Value) -> Vec<&str> {
    let mut keys: Vec<_> = members["chunk"]
        .as_array()
        .expect("members")
        .iter()
        .map(|event| event["state_key"].as_str().expect("a user"))
        .collect();
    keys.sort_unstable();
    keys
}

#[tokio::test]
async fn an_event_is_given_in_the_clients_form() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    let id = alice.send_text(&room, "hello").await;
    let path = Client::room_path(&room, &format!("/event/{}", escape(&id)));
    let event = bob.get(&path).await.ok();
    assert_eq!((&event["event_id"], &event["room_id"]), (&json!(id), &json!(room)));
    assert_eq!(event["content"]["body"], "hello");
    for absent in ["auth_events", "prev_events", "hashes", "signatures", "depth", "state_key"] {
        assert!(event.get(absent).is_none(), "{absent}");
    }
}

#[tokio::test]
async fn events_are_not_found_outside_their_room_or_sight() {
    let server = TestServer::start().await;
    let (alice, eve) = (server.register("alice").await, server.register("eve").await);
    let (room, other) = (alice.create_room(json!({})).await, alice.create_room(json!({})).await);
    let id = escape(&alice.send_text(&room, "secret").await);
    alice.get(&Client::room_path(&other, &format!("/event/{id}"))).await.fails(404, "M_NOT_FOUND");
    alice.get(&Client::room_path(&room, "/event/%24nothing")).await.fails(404, "M_NOT_FOUND");
    eve.get(&Client::room_path(&room, &format!("/event/{id}"))).await.fails(404, "M_NOT_FOUND");
}

#[tokio::test]
async fn members_see_history_from_when_they_may() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    for (visibility, sees) in [("shared", true), ("world_readable", true), ("invited", false), ("joined", false)] {
        let content = json!({ "history_visibility": visibility });
        let history = json!({ "type": "m.room.history_visibility", "state_key": "", "content": content });
        let room = alice.create_room(json!({ "preset": "public_chat", "initial_state": [history] })).await;
        let before = alice.send_text(&room, "before").await;
        bob.join(&room).await;
        let answer = bob.get(&Client::room_path(&room, &format!("/event/{}", escape(&before)))).await;
        assert_eq!(answer.status == 200, sees, "{visibility}: {}", answer.text());
    }
}

#[tokio::test]
async fn state_is_listed_and_given_by_key() {
    let server = TestServer::start().await;
    let (alice, eve) = (server.register("alice").await, server.register("eve").await);
    let room = alice.create_room(json!({ "name": "A room" })).await;
    let state = alice.get(&Client::room_path(&room, "/state")).await.ok();
    let name = state.as_array().expect("a list").iter().find(|event| event["type"] == "m.room.name").expect("the name");
    assert_eq!(
        (&name["content"]["name"], &name["state_key"], &name["room_id"]),
        (&json!("A room"), &json!(""), &json!(room))
    );
    for rest in ["/state/m.room.name", "/state/m.room.name/"] {
        assert_eq!(alice.get(&Client::room_path(&room, rest)).await.ok(), json!({ "name": "A room" }));
    }
    let event = alice.get(&Client::room_path(&room, "/state/m.room.name?format=event")).await.ok();
    assert_eq!((&event["type"], &event["content"]["name"]), (&json!("m.room.name"), &json!("A room")));
    alice.get(&Client::room_path(&room, "/state/m.room.topic")).await.fails(404, "M_NOT_FOUND");
    eve.get(&Client::room_path(&room, "/state")).await.fails(403, "M_FORBIDDEN");
    eve.get(&Client::room_path(&room, "/state/m.room.name")).await.fails(403, "M_FORBIDDEN");
    let answer = alice.get("/rooms/%21nothing%3Atest.hearth/state").await;
    assert!(answer.status == 403 || answer.status == 404);
}

#[tokio::test]
async fn members_are_listed_by_membership() {
    let server = TestServer::start().await;
    let (alice, bob, carol) =
        (server.register("alice").await, server.register("bob").await, server.register("carol").await);
    let room = alice.create_room_with(&[&bob, &carol]).await;
    carol.leave(&room).await;
    let path = |query: &str| Client::room_path(&room, &format!("/members{query}"));
    let all = alice.get(&path("")).await.ok();
    assert_eq!(keys_of(&all), [&alice.user_id, &bob.user_id, &carol.user_id]);
    assert!(all["chunk"].as_array().expect("members").iter().all(|event| event["room_id"] == room.as_str()), "{all}");
    let own = path(&format!("/{}?format=event", escape(&alice.user_id))).replace("/members/", "/state/m.room.member/");
    let own = alice.get(&own).await.ok();
    assert_eq!((&own["sender"], &own["content"]["membership"]), (&json!(alice.user_id), &json!("join")));
    assert_eq!(keys_of(&alice.get(&path("?membership=join")).await.ok()), [&alice.user_id, &bob.user_id]);
    assert_eq!(keys_of(&alice.get(&path("?membership=leave")).await.ok()), [&carol.user_id]);
    assert_eq!(keys_of(&alice.get(&path("?not_membership=join")).await.ok()), [&carol.user_id]);
    let joined = alice.get(&Client::room_path(&room, "/joined_members")).await.ok();
    assert_eq!(joined["joined"].as_object().map(serde_json::Map::len), Some(2));
    assert_eq!(joined["joined"][&bob.user_id], json!({ "display_name": "bob", "avatar_url": null }));
}

#[tokio::test]
async fn members_can_be_asked_for_as_of_then() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room(json!({ "preset": "public_chat" })).await;
    let then = alice.sync(None).await["next_batch"].as_str().expect("a token").to_owned();
    bob.join(&room).await;
    let path = Client::room_path(&room, &format!("/members?at={}", escape(&then)));
    assert_eq!(keys_of(&alice.get(&path).await.ok()), [&alice.user_id]);
    // The room from its beginning: as it was made.
    let whole = alice.sync_with(None, "timeout=0").await["rooms"]["join"][&room]["timeline"]["prev_batch"].clone();
    let whole = Client::room_path(&room, &format!("/members?at={}", escape(whole.as_str().expect("a token"))));
    assert_eq!(keys_of(&alice.get(&whole).await.ok()), [&alice.user_id]);
    alice.get(&Client::room_path(&room, "/members?at=nonsense")).await.fails(400, "M_INVALID_PARAM");
}

#[tokio::test]
async fn strangers_see_no_members() {
    let server = TestServer::start().await;
    let (alice, eve) = (server.register("alice").await, server.register("eve").await);
    let room = alice.create_room(json!({})).await;
    eve.get(&Client::room_path(&room, "/members")).await.fails(403, "M_FORBIDDEN");
    eve.get(&Client::room_path(&room, "/joined_members")).await.fails(403, "M_FORBIDDEN");
}

/// In version 12 the event itself has no room id, for the id is made of it; clients are told it all the same.
#[tokio::test]
async fn the_first_event_of_a_room_comes_with_its_id_everywhere() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({ "room_version": "12" })).await;
    assert!(!room.contains(':'), "{room}");
    let id = escape(&format!("${}", &room[1..]));
    let last = escape(&alice.send_text(&room, "x").await);
    for (rest, list) in [
        ("/state".to_owned(), ""),
        ("/messages?dir=f".to_owned(), "/chunk"),
        (format!("/context/{id}"), "/state"),
        (format!("/context/{last}?limit=100"), "/events_before"),
        (format!("/context/{last}"), "/state"),
    ] {
        let answer = alice.get(&Client::room_path(&room, &rest)).await.ok();
        let events = answer.pointer(list).and_then(Value::as_array).expect("events");
        let create = events.iter().find(|event| event["type"] == "m.room.create").expect("the event");
        assert_eq!(create["room_id"], room.as_str(), "{rest}{list}");
    }
    for (rest, place) in [
        (format!("/event/{id}"), ""),
        (format!("/context/{id}"), "/event"),
        ("/state/m.room.create/?format=event".to_owned(), ""),
    ] {
        let answer = alice.get(&Client::room_path(&room, &rest)).await.ok();
        assert_eq!(answer.pointer(place).expect("the event")["room_id"], room.as_str(), "{rest}");
    }
}
