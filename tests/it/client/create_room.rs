//! `POST /createRoom`.

use serde_json::{Value, json};

use crate::harness::{Client, TestServer};

async fn state(client: &Client, room: &str, rest: &str) -> Value {
    client.get(&Client::room_path(room, &format!("/state/{rest}"))).await.ok()
}

#[tokio::test]
async fn every_preset_makes_the_room_it_describes() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    for (preset, join_rule, guests) in [
        ("private_chat", "invite", "can_join"),
        ("trusted_private_chat", "invite", "can_join"),
        ("public_chat", "public", "forbidden"),
    ] {
        let room = alice.create_room(json!({ "preset": preset })).await;
        assert_eq!(state(&alice, &room, "m.room.join_rules").await["join_rule"], join_rule, "{preset}");
        assert_eq!(state(&alice, &room, "m.room.history_visibility").await["history_visibility"], "shared");
        let access = alice.get(&Client::room_path(&room, "/state/m.room.guest_access")).await;
        let access = if access.status == 404 {
            "forbidden".to_owned()
        } else {
            access.ok()["guest_access"].as_str().expect("a word").to_owned()
        };
        assert_eq!(access, guests, "{preset}");
        assert_eq!(alice.membership_of(&room, &alice).await, "join");
    }
    alice.post("/createRoom", json!({ "preset": "nonsense" })).await.fails(400, "M_INVALID_PARAM");
}

#[tokio::test]
async fn without_a_preset_the_visibility_decides() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({ "visibility": "public" })).await;
    assert_eq!(state(&alice, &room, "m.room.join_rules").await["join_rule"], "public");
    let room = alice.create_room(json!({})).await;
    assert_eq!(state(&alice, &room, "m.room.join_rules").await["join_rule"], "invite");
}

#[tokio::test]
async fn every_version_can_be_made() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let bob = server.register("bob").await;
    for version in 1..=12 {
        let version = version.to_string();
        let room = alice.create_room(json!({ "room_version": version, "preset": "public_chat" })).await;
        let create = state(&alice, &room, "m.room.create").await;
        assert_eq!(create.get("room_version").cloned().unwrap_or("1".into()), version.as_str());
        bob.join(&room).await;
        let event = bob.send_text(&room, &format!("hello from version {version}")).await;
        alice.get(&Client::room_path(&room, &format!("/event/{}", crate::harness::escape(&event)))).await.ok();
    }
    assert_eq!(state(&alice, &alice.create_room(json!({})).await, "m.room.create").await["room_version"], "12");
    let answer = alice.post("/createRoom", json!({ "room_version": "99" })).await;
    answer.fails(400, "M_UNSUPPORTED_ROOM_VERSION");
}

#[tokio::test]
async fn name_topic_state_and_invites_are_there_from_the_start() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice
        .create_room(json!({
            "name": "The name", "topic": "The topic", "invite": [bob.user_id], "is_direct": true,
            "creation_content": { "m.federate": false, "org.example.own": 7 },
            "initial_state": [
                { "type": "org.example.a", "state_key": "k", "content": { "n": 1 } },
                { "type": "m.room.guest_access", "content": { "guest_access": "forbidden" } },
            ],
            "power_level_content_override": { "events_default": 10 },
        }))
        .await;
    assert_eq!(state(&alice, &room, "m.room.name").await["name"], "The name");
    assert_eq!(state(&alice, &room, "m.room.topic").await["topic"], "The topic");
    assert_eq!(state(&alice, &room, "org.example.a/k").await["n"], 1);
    assert_eq!(state(&alice, &room, "m.room.guest_access").await["guest_access"], "forbidden");
    assert_eq!(state(&alice, &room, "m.room.power_levels").await["events_default"], 10);
    let create = state(&alice, &room, "m.room.create").await;
    assert_eq!((&create["m.federate"], &create["org.example.own"]), (&json!(false), &json!(7)));
    assert_eq!(alice.membership_of(&room, &bob).await, "invite");
    let invited = bob.sync(None).await;
    let events = invited["rooms"]["invite"][&room]["invite_state"]["events"].as_array().expect("state").clone();
    let own =
        events.iter().find(|event| event["type"] == "m.room.member" && event["state_key"] == bob.user_id.as_str());
    assert_eq!(own.expect("the invite")["content"]["is_direct"], true);
}

#[tokio::test]
async fn the_order_of_the_first_events_is_the_specifications() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({ "preset": "public_chat", "name": "n", "topic": "t" })).await;
    let messages = alice.get(&Client::room_path(&room, "/messages?dir=f&limit=50")).await.ok();
    let kinds: Vec<_> = messages["chunk"]
        .as_array()
        .expect("events")
        .iter()
        .map(|event| event["type"].as_str().expect("a type"))
        .collect();
    let expected = [
        "m.room.create",
        "m.room.member",
        "m.room.power_levels",
        "m.room.join_rules",
        "m.room.history_visibility",
        "m.room.name",
        "m.room.topic",
    ];
    assert_eq!(kinds, expected);
}

#[tokio::test]
async fn a_trusted_chat_makes_equals() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let body = json!({ "preset": "trusted_private_chat", "invite": [bob.user_id], "room_version": "11" });
    let room = alice.create_room(body).await;
    let levels = state(&alice, &room, "m.room.power_levels").await;
    assert_eq!(levels["users"][&alice.user_id], levels["users"][&bob.user_id]);
    let room = alice.create_room(json!({ "preset": "trusted_private_chat", "invite": [bob.user_id] })).await;
    assert_eq!(state(&alice, &room, "m.room.create").await["additional_creators"], json!([bob.user_id]));
}

#[tokio::test]
async fn rooms_of_every_version_are_made_and_joined() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    for version in (1..=12).map(|version: u8| version.to_string()) {
        let body =
            json!({ "preset": "public_chat", "room_version": version, "room_alias_name": format!("v{version}") });
        let room = alice.create_room(body).await;
        bob.join(&room).await;
        bob.send_text(&room, "here").await;
        let create = state(&bob, &room, "m.room.create").await;
        assert_eq!(create["room_version"], version.as_str());
        let has_creator = !["11", "12"].contains(&version.as_str());
        assert_eq!(create["creator"] == alice.user_id.as_str(), has_creator, "{version}");
    }
    alice.post("/createRoom", json!({ "room_version": "13" })).await.fails(400, "M_UNSUPPORTED_ROOM_VERSION");
}

#[tokio::test]
async fn version_12_takes_only_users_as_creators() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    for creators in [json!("@bob:test.hearth"), json!([7]), json!(["bob"]), json!(["@bob:not a server"])] {
        let body = json!({ "room_version": "12", "creation_content": { "additional_creators": creators } });
        alice.post("/createRoom", body).await.fails(400, "M_INVALID_ROOM_STATE");
    }
    let levels = json!({ "users": { (alice.user_id.as_str()): 100 } });
    let body = json!({ "room_version": "12", "power_level_content_override": levels });
    alice.post("/createRoom", body).await.fails(400, "M_INVALID_ROOM_STATE");
    let body = json!({ "room_version": "12", "creation_content": { "additional_creators": [bob.user_id] } });
    let room = alice.create_room(body).await;
    assert_eq!(state(&alice, &room, "m.room.create").await["additional_creators"], json!([bob.user_id]));
}

#[tokio::test]
async fn a_canonical_alias_of_the_initial_state_is_the_rooms_own() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let body = |named: &str| {
        let content = json!({ "alias": named });
        json!({
            "room_alias_name": "mine",
            "initial_state": [{ "type": "m.room.canonical_alias", "state_key": "", "content": content }],
        })
    };
    alice.post("/createRoom", body("#other:test.hearth")).await.fails(400, "M_BAD_ALIAS");
    alice.get("/directory/room/%23mine%3Atest.hearth").await.fails(404, "M_NOT_FOUND");
    alice.create_room(body("#mine:test.hearth")).await;
}

#[tokio::test]
async fn bad_rooms_are_refused_and_leave_nothing() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    for body in [
        json!({ "invite": ["not-a-user"] }),
        json!({ "visibility": 7 }),
        json!({ "initial_state": [{ "type": 7, "content": {} }] }),
        json!({ "initial_state": [{ "type": "x.y", "content": { "n": 1.5 } }] }),
        json!({ "creation_content": { "n": 9_007_199_254_740_993_u64 } }),
        json!({ "power_level_content_override": { "events_default": "many" } }),
    ] {
        let answer = alice.post("/createRoom", body.clone()).await;
        assert_eq!(answer.status, 400, "{body}: {}", answer.text());
    }
    assert_eq!(alice.get("/joined_rooms").await.ok()["joined_rooms"], json!([]));
}

#[tokio::test]
async fn a_topic_is_written_in_both_forms() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let initial = json!([{ "type": "m.room.topic", "state_key": "", "content": { "topic": "as it was given" } }]);
    let room = alice.create_room(json!({ "initial_state": initial })).await;
    assert_eq!(state(&alice, &room, "m.room.topic").await, json!({ "topic": "as it was given" }));
    for body in [json!({ "topic": "Roses" }), json!({ "topic": "Roses", "initial_state": initial })] {
        let topic = state(&alice, &alice.create_room(body).await, "m.room.topic").await;
        assert_eq!(topic["topic"], "Roses");
        let texts = topic["m.topic"]["m.text"].as_array().expect("texts");
        assert_eq!((texts.len(), &texts[0]["body"]), (1, &json!("Roses")));
        assert!(texts[0].get("mimetype").is_none_or(|kind| kind == "text/plain"));
    }
}

#[tokio::test]
async fn the_version_is_a_text_and_stands_in_its_own_field() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    alice.post("/createRoom", json!({ "room_version": 1 })).await.fails(400, "M_BAD_JSON");
    alice
        .post("/createRoom", json!({ "room_version": "ahfgwjyerhgiuveisbruvybseyrugvi" }))
        .await
        .fails(400, "M_UNSUPPORTED_ROOM_VERSION");
    let body = json!({ "creation_content": { "room_version": "nonsense", "test": "azerty" } });
    let create = state(&alice, &alice.create_room(body).await, "m.room.create").await;
    assert_eq!((&create["room_version"], &create["test"]), (&json!("12"), &json!("azerty")));
    assert_eq!(alice.get("/joined_rooms").await.ok()["joined_rooms"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn the_creator_sees_the_room_come_into_being() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let since = alice.sync(None).await["next_batch"].as_str().expect("a token").to_owned();
    let room = alice.create_room(json!({ "topic": "Roses", "room_version": "10" })).await;
    let answer = alice.sync(Some(&since)).await;
    let events = answer["rooms"]["join"][&room]["timeline"]["events"].as_array().expect("a timeline");
    let find = |kind: &str| events.iter().find(|event| event["type"] == kind).expect("the event");
    for kind in ["m.room.create", "m.room.member", "m.room.topic"] {
        assert_eq!(find(kind)["sender"], alice.user_id.as_str(), "{kind}");
    }
    assert_eq!(find("m.room.create")["content"]["creator"], alice.user_id.as_str());
    let member = find("m.room.member");
    assert_eq!((&member["state_key"], &member["content"]["membership"]), (&json!(alice.user_id), &json!("join")));
    assert_eq!(find("m.room.topic")["content"]["topic"], "Roses");
}

#[tokio::test]
async fn additional_creators_have_power_without_end() {
    let server = TestServer::start().await;
    let (alice, bob, carol) =
        (server.register("alice").await, server.register("bob").await, server.register("carol").await);
    let content = json!({ "additional_creators": [bob.user_id] });
    let room = alice.create_room(json!({ "preset": "public_chat", "creation_content": content })).await;
    bob.join(&room).await;
    alice.post(&Client::room_path(&room, "/kick"), json!({ "user_id": bob.user_id })).await.fails(403, "M_FORBIDDEN");
    bob.set_state(&room, "m.room.name", json!({ "name": "bob's" })).await;
    let body = json!({
        "preset": "trusted_private_chat", "invite": [bob.user_id], "creation_content": { "additional_creators": [carol.user_id] },
    });
    let room = alice.create_room(body).await;
    let mut creators: Vec<_> = state(&alice, &room, "m.room.create").await["additional_creators"]
        .as_array()
        .expect("creators")
        .iter()
        .map(|id| id.as_str().expect("an id").to_owned())
        .collect();
    creators.sort();
    assert_eq!(creators, [bob.user_id.as_str(), carol.user_id.as_str()]);
}
