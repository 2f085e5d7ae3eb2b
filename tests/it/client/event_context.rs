//! `GET /rooms/{roomId}/context/{eventId}`.

use serde_json::{Value, json};

use crate::harness::{Client, TestServer, escape};

fn bodies(events: &Value) -> Vec<&str> {
    events.as_array().expect("events").iter().filter_map(|event| event["content"]["body"].as_str()).collect()
}

#[tokio::test]
async fn an_event_comes_with_what_is_around_it() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    let mut ids = Vec::new();
    for n in 0..7 {
        ids.push(alice.send_text(&room, &n.to_string()).await);
    }
    let path = Client::room_path(&room, &format!("/context/{}?limit=4", escape(&ids[3])));
    let answer = alice.get(&path).await.ok();
    assert_eq!(answer["event"]["event_id"], ids[3].as_str());
    assert_eq!(bodies(&answer["events_before"]), ["2", "1"]);
    assert_eq!(bodies(&answer["events_after"]), ["4", "5"]);
    assert!(answer["state"].as_array().expect("state").iter().any(|event| event["type"] == "m.room.create"));
    let older = format!("/messages?dir=b&limit=2&from={}", escape(answer["start"].as_str().expect("a token")));
    assert_eq!(bodies(&alice.get(&Client::room_path(&room, &older)).await.ok()["chunk"]), ["0"]);
    let newer = format!("/messages?dir=f&limit=2&from={}", escape(answer["end"].as_str().expect("a token")));
    assert_eq!(bodies(&alice.get(&Client::room_path(&room, &newer)).await.ok()["chunk"]), ["6"]);
}

#[tokio::test]
async fn the_filter_is_for_all_but_the_event_itself() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({ "name": "A room" })).await;
    alice.send_text(&room, "before").await;
    let id = escape(&alice.set_state(&room, "m.room.topic", json!({ "topic": "x" })).await);
    alice.send_text(&room, "after").await;
    let context = async |filter: Value, limit: u32| {
        let filter = escape(&filter.to_string());
        alice.get(&Client::room_path(&room, &format!("/context/{id}?limit={limit}&filter={filter}"))).await.ok()
    };
    let answer = context(json!({ "types": ["m.room.message", "m.room.name"] }), 4).await;
    assert_eq!(answer["event"]["type"], "m.room.topic");
    assert_eq!(bodies(&answer["events_before"])[0], "before");
    assert_eq!(bodies(&answer["events_after"]), ["after"]);
    let state: Vec<_> = answer["state"].as_array().expect("state").iter().map(|event| &event["type"]).collect();
    assert_eq!(state, ["m.room.name"]);
    let answer = context(json!({ "lazy_load_members": true }), 0).await;
    assert_eq!(answer["event"]["type"], "m.room.topic", "always there");
    assert_eq!((&answer["events_before"], &answer["events_after"]), (&json!([]), &json!([])));
    assert_eq!(answer["state"][0]["state_key"], alice.user_id);
    assert_eq!(answer["state"].as_array().map(Vec::len), Some(1), "{answer}");
}

#[tokio::test]
async fn unknown_events_and_strangers_get_nothing() {
    let server = TestServer::start().await;
    let (alice, eve) = (server.register("alice").await, server.register("eve").await);
    let room = alice.create_room(json!({})).await;
    let id = escape(&alice.send_text(&room, "x").await);
    alice.get(&Client::room_path(&room, "/context/%24nothing")).await.fails(404, "M_NOT_FOUND");
    let answer = eve.get(&Client::room_path(&room, &format!("/context/{id}"))).await;
    assert!(answer.status == 403 || answer.status == 404, "{}", answer.text());
}
