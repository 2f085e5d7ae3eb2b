//! `GET /events?room_id=..`.

use serde_json::{Value, json};

use crate::harness::{Client, TestServer, escape};

fn bodies(answer: &Value) -> Vec<&str> {
    let events = answer["chunk"].as_array().expect("events").iter();
    events.filter_map(|event| event["content"]["body"].as_str()).collect()
}

fn path(room: &str, parameters: &str) -> String {
    format!("/events?room_id={}&{parameters}", escape(room))
}

async fn open_room(alice: &Client, visibility: &str) -> String {
    let content = json!({ "history_visibility": visibility });
    let history = json!({ "type": "m.room.history_visibility", "content": content });
    alice.create_room(json!({ "preset": "public_chat", "initial_state": [history] })).await
}

#[tokio::test]
async fn whoever_may_read_a_room_hears_what_comes() {
    let server = TestServer::start().await;
    let (alice, eve) = (server.register("alice").await, server.register("eve").await);
    let room = open_room(&alice, "world_readable").await;
    let other = alice.create_room_with(&[]).await;
    let end = eve.get(&path(&room, "timeout=0")).await.ok()["end"].as_str().expect("a token").to_owned();
    let waiting = path(&room, &format!("timeout=20000&from={}", escape(&end)));
    let talk = async {
        alice.send_text(&other, "elsewhere").await;
        alice.send_text(&room, "here").await;
    };
    let (answer, ()) = tokio::join!(eve.get(&waiting), talk);
    let answer = answer.ok();
    assert_eq!(bodies(&answer), ["here"]);
    assert_eq!(answer["chunk"][0]["room_id"], room.as_str());
    let again = path(&room, &format!("timeout=0&from={}", escape(answer["end"].as_str().expect("a token"))));
    assert_eq!(eve.get(&again).await.ok()["chunk"], json!([]));
    eve.get(&path(&room, "from=nonsense")).await.fails(400, "M_INVALID_PARAM");
}

#[tokio::test]
async fn rooms_that_are_not_open_are_closed() {
    let server = TestServer::start().await;
    let (alice, eve) = (server.register("alice").await, server.register("eve").await);
    for visibility in ["shared", "invited", "joined"] {
        let room = open_room(&alice, visibility).await;
        eve.get(&path(&room, "timeout=0")).await.fails(403, "M_FORBIDDEN");
    }
    eve.get(&path("!nothing:test.hearth", "timeout=0")).await.fails(403, "M_FORBIDDEN");
}
