//! `PUT /rooms/{roomId}/send/{eventType}/{txnId}`.

use serde_json::json;

use crate::harness::{Client, PASSWORD, TestServer, escape};

#[tokio::test]
async fn a_message_arrives_as_it_was_sent() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    let since = bob.sync(None).await["next_batch"].as_str().expect("a token").to_owned();
    let content = json!({ "msgtype": "m.text", "body": "ünï \u{1f600} \"quoted\"\n", "n": -9_007_199_254_740_991_i64 });
    let path = Client::send_path(&room, "m.room.message");
    let sent = alice.put(&path, content.clone()).await.ok()["event_id"].clone();
    let answer = bob.sync(Some(&since)).await;
    let events = answer["rooms"]["join"][&room]["timeline"]["events"].as_array().expect("events");
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["event_id"], sent);
    assert_eq!(events[0]["content"], content);
    assert_eq!(events[0]["sender"], alice.user_id);
    assert_eq!(events[0]["type"], "m.room.message");
    assert!(events[0]["origin_server_ts"].is_u64() && events[0].get("room_id").is_none());
}

#[tokio::test]
async fn a_repeated_transaction_is_the_same_event() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    let other_room = alice.create_room(json!({})).await;
    let path = |room: &str| Client::room_path(room, "/send/m.room.message/same");
    let send = |client: &Client, room: &str| {
        let (client, path) = (client.clone(), path(room));
        async move { client.put(&path, json!({ "body": "x" })).await.ok()["event_id"].clone() }
    };
    let first = send(&alice, &room).await;
    assert_eq!(send(&alice, &room).await, first);
    let other_words = alice.put(&path(&room), json!({ "body": "other words" })).await.ok();
    assert_eq!(other_words["event_id"], first, "whatever it says");
    assert_ne!(send(&alice, &other_room).await, first, "another room");
    assert_ne!(send(&alice.log_in_again().await, &room).await, first, "another device");
}

#[tokio::test]
async fn a_transaction_is_remembered_by_device_also_after_a_new_login() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    let path = Client::room_path(&room, "/send/m.room.message/same");
    let since = alice.sync(None).await["next_batch"].as_str().expect("a token").to_owned();
    let first = alice.put(&path, json!({ "body": "x" })).await.ok();
    let identifier = json!({ "type": "m.id.user", "user": alice.user_id });
    let body = json!({ "type": "m.login.password", "identifier": identifier, "password": PASSWORD, "device_id": alice.device_id });
    let again = server.client().signed_in(&server.client().post("/login", body).await.ok());
    assert_eq!(again.put(&path, json!({ "body": "x" })).await.ok(), first);
    let news = &again.sync(Some(&since)).await["rooms"]["join"][&room]["timeline"]["events"];
    assert_eq!((&news[0]["event_id"], &news[0]["unsigned"]["transaction_id"]), (&first["event_id"], &json!("same")));
}

#[tokio::test]
async fn the_sending_device_finds_its_transaction_in_sync() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let other = alice.log_in_again().await;
    let room = alice.create_room(json!({})).await;
    let since = alice.sync(None).await["next_batch"].as_str().expect("a token").to_owned();
    let sent = alice.put(&Client::room_path(&room, "/send/m.room.message/mine"), json!({ "body": "x" })).await.ok();
    let path = Client::room_path(&room, &format!("/event/{}", escape(sent["event_id"].as_str().expect("an id"))));
    assert_eq!(alice.get(&path).await.ok()["unsigned"]["transaction_id"], "mine");
    assert!(other.get(&path).await.ok()["unsigned"].get("transaction_id").is_none());
    let unsigned =
        |answer: serde_json::Value| answer["rooms"]["join"][&room]["timeline"]["events"][0]["unsigned"].clone();
    assert_eq!(unsigned(alice.sync(Some(&since)).await)["transaction_id"], "mine");
    assert!(unsigned(other.sync(Some(&since)).await).get("transaction_id").is_none());
}

#[tokio::test]
async fn floats_and_integers_out_of_range_are_bad() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    let since = alice.sync(None).await["next_batch"].as_str().expect("a token").to_owned();
    for number in ["1.5", "1e3", "-0.0", "9007199254740992", "-9007199254740992", "99999999999999999999", "1e400"] {
        let body = format!("{{\"body\":\"x\",\"deep\":[{{\"n\":{number}}}]}}");
        let answer = alice.request(http::Method::PUT, &Client::send_path(&room, "m.room.message"), body).await;
        assert_eq!(answer.status, 400, "{number}: {}", answer.text());
        let code = answer.json()["errcode"].clone();
        assert!(code == "M_BAD_JSON" || (number == "1e400" && code == "M_NOT_JSON"), "{number}: {code}");
    }
    for number in ["Infinity", "-Infinity", "NaN"] {
        let path = Client::send_path(&room, "m.room.message");
        alice.request(http::Method::PUT, &path, format!("{{\"body\":{number}}}")).await.fails(400, "M_NOT_JSON");
    }
    assert!(alice.sync(Some(&since)).await.get("rooms").is_none(), "nothing was stored");
}

#[tokio::test]
async fn old_versions_take_floats() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({ "room_version": "5" })).await;
    let answer = alice.put(&Client::send_path(&room, "m.room.message"), json!({ "n": 1.5 })).await.ok();
    let path = Client::room_path(&room, &format!("/event/{}", escape(answer["event_id"].as_str().expect("an id"))));
    assert_eq!(alice.get(&path).await.ok()["content"]["n"], 1.5);
}

#[tokio::test]
async fn events_over_64_kib_are_too_large() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    let path = Client::send_path(&room, "m.room.message");
    alice.put(&path, json!({ "body": "x".repeat(65_536) })).await.fails(413, "M_TOO_LARGE");
    let state = Client::room_path(&room, "/state/org.example.large");
    alice.put(&state, json!({ "body": "x".repeat(65_536) })).await.fails(413, "M_TOO_LARGE");
    alice.get(&state).await.fails(404, "M_NOT_FOUND");
    alice.put(&Client::send_path(&room, &"t".repeat(256)), json!({})).await.fails(413, "M_TOO_LARGE");
    alice.put(&path, json!({ "body": "x".repeat(60_000) })).await.ok();
}

#[tokio::test]
async fn only_members_with_enough_power_send() {
    let server = TestServer::start().await;
    let (alice, bob, eve) =
        (server.register("alice").await, server.register("bob").await, server.register("eve").await);
    let room = alice
        .create_room(json!({ "preset": "public_chat", "power_level_content_override": { "events_default": 50 } }))
        .await;
    bob.join(&room).await;
    bob.put(&Client::send_path(&room, "m.room.message"), json!({})).await.fails(403, "M_FORBIDDEN");
    eve.put(&Client::send_path(&room, "m.room.message"), json!({})).await.fails(403, "M_FORBIDDEN");
    alice.send_text(&room, "may").await;
    let unknown = Client::send_path("!nothing:test.hearth", "m.room.message");
    let answer = alice.put(&unknown, json!({})).await;
    assert!(answer.status == 403 || answer.status == 404, "{}", answer.text());
}
