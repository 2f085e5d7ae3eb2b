//! `POST /rooms/{roomId}/upgrade`.

use serde_json::{Value, json};

use crate::harness::{Client, TestServer, escape};

async fn state(client: &Client, room: &str, rest: &str) -> Value {
    client.get(&Client::room_path(room, &format!("/state/{rest}"))).await.ok()
}

async fn upgrade(client: &Client, room: &str, body: Value) -> String {
    let answer = client.post(&Client::room_path(room, "/upgrade"), body).await.ok();
    answer["replacement_room"].as_str().expect("a room").to_owned()
}

#[tokio::test]
async fn state_moves_along_and_the_old_room_is_closed() {
    let server = TestServer::start().await;
    let (alice, bob, eve) =
        (server.register("alice").await, server.register("bob").await, server.register("eve").await);
    let body = json!({
        "preset": "public_chat", "name": "N", "topic": "T", "room_version": "10", "visibility": "public",
        "room_alias_name": "old", "creation_content": { "m.federate": false },
        "initial_state": [
            { "type": "m.room.avatar", "content": { "url": "mxc://test.hearth/a" } },
            { "type": "m.room.encryption", "content": { "algorithm": "m.megolm.v1.aes-sha2" } },
            { "type": "m.room.server_acl", "content": { "allow": ["*"] } },
            { "type": "m.room.history_visibility", "content": { "history_visibility": "joined" } },
            { "type": "org.example.own", "content": { "stays": true } },
        ],
        "power_level_content_override": { "ban": 40 },
    });
    let old = alice.create_room(body).await;
    bob.join(&old).await;
    alice.post(&Client::room_path(&old, "/ban"), json!({ "user_id": eve.user_id, "reason": "spam" })).await.ok();
    let newest = alice.send_text(&old, "the last word").await;
    let new = upgrade(&alice, &old, json!({ "new_version": "11" })).await;

    let create = state(&alice, &new, "m.room.create").await;
    assert_eq!(create["predecessor"], json!({ "room_id": old, "event_id": newest }));
    assert_eq!((&create["room_version"], &create["m.federate"]), (&json!("11"), &json!(false)));
    for kind in [
        "m.room.name",
        "m.room.topic",
        "m.room.avatar",
        "m.room.encryption",
        "m.room.server_acl",
        "m.room.history_visibility",
        "m.room.join_rules",
    ] {
        assert_eq!(state(&alice, &new, kind).await, state(&alice, &old, kind).await, "{kind}");
    }
    alice.get(&Client::room_path(&new, "/state/org.example.own")).await.fails(404, "M_NOT_FOUND");
    let ban = state(&alice, &new, &format!("m.room.member/{}", escape(&eve.user_id))).await;
    assert_eq!(ban, json!({ "membership": "ban", "reason": "spam" }));
    let levels = state(&alice, &new, "m.room.power_levels").await;
    assert_eq!((&levels["ban"], &levels["users"]), (&json!(40), &json!({ (alice.user_id.as_str()): 100 })));
    assert_eq!((&levels["events_default"], &levels["invite"]), (&json!(0), &json!(50)));

    assert_eq!(state(&alice, &old, "m.room.tombstone").await["replacement_room"], new.as_str());
    let levels = state(&alice, &old, "m.room.power_levels").await;
    assert_eq!((&levels["events_default"], &levels["invite"]), (&json!(50), &json!(50)));
    let text = json!({ "msgtype": "m.text", "body": "too late" });
    bob.put(&Client::send_path(&old, "m.room.message"), text).await.fails(403, "M_FORBIDDEN");

    let alias = alice.get("/directory/room/%23old%3Atest.hearth").await.ok();
    assert_eq!(alias["room_id"], new.as_str());
    assert_eq!(state(&alice, &new, "m.room.canonical_alias").await, json!({ "alias": "#old:test.hearth" }));
    assert_eq!(state(&alice, &old, "m.room.canonical_alias").await, json!({}));
    let listed = alice.get("/publicRooms").await.ok();
    assert_eq!(listed["chunk"].as_array().map(Vec::len), Some(1));
    assert_eq!(listed["chunk"][0]["room_id"], new.as_str());
    bob.join(&new).await;
}

#[tokio::test]
async fn a_repeated_upgrade_gives_the_same_room() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let old = alice.create_room(json!({ "preset": "public_chat" })).await;
    let new = upgrade(&alice, &old, json!({ "new_version": "12" })).await;
    assert_eq!(upgrade(&alice, &old, json!({ "new_version": "12" })).await, new);
    assert_eq!(alice.get("/joined_rooms").await.ok()["joined_rooms"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn version_12_names_creators_and_no_event() {
    let server = TestServer::start().await;
    let (alice, bob, carol) =
        (server.register("alice").await, server.register("bob").await, server.register("carol").await);
    let levels = json!({ "users": { (alice.user_id.as_str()): 100, (bob.user_id.as_str()): 100, (carol.user_id.as_str()): 50 } });
    let body = json!({ "preset": "public_chat", "room_version": "11", "power_level_content_override": levels });
    let old = alice.create_room(body).await;
    for user in [&bob, &carol] {
        user.join(&old).await;
    }
    let body = json!({ "new_version": "12", "additional_creators": [alice.user_id] });
    let new = upgrade(&bob, &old, body).await;
    let create = state(&bob, &new, "m.room.create").await;
    assert_eq!(create["predecessor"], json!({ "room_id": old }));
    assert_eq!(create["additional_creators"], json!([alice.user_id]));
    let users = state(&bob, &new, "m.room.power_levels").await["users"].clone();
    assert_eq!(users, json!({ (carol.user_id.as_str()): 50 }));
    let event = bob.get(&Client::room_path(&new, "/state/m.room.create?format=event")).await.ok();
    assert_eq!(event["event_id"], format!("${}", &new[1..]));

    // Creators are not handed on, and an older version knows them by their level alone.
    alice.join(&new).await;
    let older = upgrade(&alice, &new, json!({ "new_version": "11", "additional_creators": [carol.user_id] })).await;
    let users = state(&alice, &older, "m.room.power_levels").await["users"].clone();
    let expected = json!({
        (alice.user_id.as_str()): 100, (bob.user_id.as_str()): 100, (carol.user_id.as_str()): 50,
    });
    assert_eq!(users, expected);
    assert!(state(&alice, &older, "m.room.create").await.get("additional_creators").is_none());
    let bare = upgrade(&bob, &new, json!({ "new_version": "12" })).await;
    assert!(state(&bob, &bare, "m.room.create").await.get("additional_creators").is_none());
}

#[tokio::test]
async fn texts_as_levels_become_numbers() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let levels = json!({ "ban": "60", "users": { (alice.user_id.as_str()): "100" } });
    let body = json!({ "room_version": "9", "power_level_content_override": levels });
    let old = alice.create_room(body).await;
    let new = upgrade(&alice, &old, json!({ "new_version": "11" })).await;
    let levels = state(&alice, &new, "m.room.power_levels").await;
    assert_eq!((&levels["ban"], &levels["users"]), (&json!(60), &json!({ (alice.user_id.as_str()): 100 })));
}

#[tokio::test]
async fn a_space_keeps_its_type_and_its_rooms() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let body = json!({ "preset": "public_chat", "room_version": "10", "creation_content": { "type": "m.space" } });
    let old = alice.create_room(body).await;
    let via = json!({ "via": ["test.hearth"], "order": "a" });
    let mut rooms = Vec::new();
    // More than one commit holds.
    for n in 0..60 {
        let room = format!("!room{n}:test.hearth");
        let path = Client::room_path(&old, &format!("/state/m.space.child/{}", escape(&room)));
        alice.put(&path, via.clone()).await.ok();
        rooms.push(room);
    }
    let gone = Client::room_path(&old, &format!("/state/m.space.child/{}", escape(&rooms[0])));
    alice.put(&gone, json!({})).await.ok();
    let new = upgrade(&alice, &old, json!({ "new_version": "12" })).await;
    assert_eq!(state(&alice, &new, "m.room.create").await["type"], "m.space");
    for room in &rooms[1..] {
        assert_eq!(state(&alice, &new, &format!("m.space.child/{}", escape(room))).await, via);
    }
    let gone = Client::room_path(&new, &format!("/state/m.space.child/{}", escape(&rooms[0])));
    alice.get(&gone).await.fails(404, "M_NOT_FOUND");
    assert_eq!(state(&alice, &new, "m.room.join_rules").await["join_rule"], "public");
}

#[tokio::test]
async fn who_may_not_upgrade_changes_nothing() {
    let server = TestServer::start().await;
    let (alice, bob, eve) =
        (server.register("alice").await, server.register("bob").await, server.register("eve").await);
    let room = alice.create_room_with(&[&bob]).await;
    let path = Client::room_path(&room, "/upgrade");
    for user in [&bob, &eve] {
        user.post(&path, json!({ "new_version": "11" })).await.fails(403, "M_FORBIDDEN");
    }
    alice.post(&path, json!({ "new_version": "hearth-99" })).await.fails(400, "M_UNSUPPORTED_ROOM_VERSION");
    alice.post(&path, json!({})).await.fails(400, "M_BAD_JSON");
    alice.post(&path, json!({ "new_version": "12", "additional_creators": ["bob"] })).await.fails(400, "M_BAD_JSON");
    alice.post("/rooms/%21no%3Atest.hearth/upgrade", json!({ "new_version": "12" })).await.fails(403, "M_FORBIDDEN");
    alice.get(&Client::room_path(&room, "/state/m.room.tombstone")).await.fails(404, "M_NOT_FOUND");
    for user in [&alice, &bob] {
        assert_eq!(user.get("/joined_rooms").await.ok()["joined_rooms"], json!([room]));
    }
}

/// Sets a tag, a direct chat and a push rule for a room.
async fn settle_in(user: &Client, room: &str) {
    let tags = json!({ "tags": { "m.favourite": { "order": 0.5 } } });
    user.put(&user.user_path(&format!("/rooms/{}/account_data/m.tag", escape(room))), tags).await.ok();
    user.put(&user.user_path("/account_data/m.direct"), json!({ "@friend:test.hearth": [room] })).await.ok();
    user.put(&format!("/pushrules/global/room/{}", escape(room)), json!({ "actions": [] })).await.ok();
}

#[tokio::test]
async fn settings_go_along_as_users_join() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let old = alice.create_room_with(&[&bob]).await;
    for user in [&alice, &bob] {
        settle_in(user, &old).await;
    }
    let new = upgrade(&alice, &old, json!({ "new_version": "12" })).await;
    bob.join(&new).await;
    for user in [&alice, &bob] {
        let tags = user.get(&user.user_path(&format!("/rooms/{}/account_data/m.tag", escape(&new)))).await.ok();
        assert_eq!(tags["tags"]["m.favourite"]["order"], 0.5);
        let direct = user.get(&user.user_path("/account_data/m.direct")).await.ok();
        assert_eq!(direct["@friend:test.hearth"], json!([old, new]));
        let rule = user.get(&format!("/pushrules/global/room/{}", escape(&new))).await.ok();
        assert_eq!((&rule["rule_id"], &rule["actions"]), (&json!(new), &json!([])));
    }
}

#[tokio::test]
async fn who_replaces_a_room_by_hand_keeps_their_settings() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let old = alice.create_room_with(&[&bob]).await;
    for user in [&alice, &bob] {
        settle_in(user, &old).await;
    }
    let body = json!({ "preset": "public_chat", "creation_content": { "predecessor": { "room_id": old } } });
    let new = alice.create_room(body).await;
    alice.set_state(&old, "m.room.tombstone", json!({ "body": "moved", "replacement_room": new })).await;
    bob.join(&new).await;
    for user in [&alice, &bob] {
        user.get(&format!("/pushrules/global/room/{}", escape(&new))).await.ok();
    }
}

#[tokio::test]
async fn a_room_cannot_take_settings_by_its_own_word() {
    let server = TestServer::start().await;
    let (alice, eve) = (server.register("alice").await, server.register("eve").await);
    let private = alice.create_room(json!({})).await;
    settle_in(&alice, &private).await;
    let trap = json!({ "preset": "public_chat", "creation_content": { "predecessor": { "room_id": private } } });
    let trap = eve.create_room(trap).await;
    alice.join(&trap).await;
    let direct = alice.get(&alice.user_path("/account_data/m.direct")).await.ok();
    assert_eq!(direct["@friend:test.hearth"], json!([private]));
}
