//! `GET /rooms/{roomId}/messages`.

use serde_json::{Value, json};

use crate::harness::{Client, TestServer, escape};

fn bodies(answer: &Value) -> Vec<String> {
    let events = answer["chunk"].as_array().expect("events").iter();
    events.filter_map(|event| event["content"]["body"].as_str()).map(str::to_owned).collect()
}

async fn page(client: &Client, room: &str, query: &str) -> Value {
    client.get(&Client::room_path(room, &format!("/messages?{query}"))).await.ok()
}

async fn room_with_messages(alice: &Client, count: usize) -> String {
    let room = alice.create_room(json!({ "preset": "public_chat" })).await;
    for n in 0..count {
        alice.send_text(&room, &n.to_string()).await;
    }
    room
}

#[tokio::test]
async fn history_is_walked_back_to_its_beginning() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = room_with_messages(&alice, 25).await;
    let (mut seen, mut from, mut last) = (Vec::new(), String::new(), Value::Null);
    for _ in 0..20 {
        last = page(&alice, &room, &format!("dir=b&limit=4{from}")).await;
        assert!(last["chunk"].as_array().expect("events").len() <= 4);
        seen.extend(bodies(&last));
        match last["end"].as_str() {
            Some(end) => from = format!("&from={}", escape(end)),
            None => break,
        }
    }
    assert!(last.get("end").is_none(), "there is an end");
    assert_eq!(seen, (0..25).rev().map(|n| n.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn history_is_walked_forward_as_well() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = room_with_messages(&alice, 10).await;
    let (mut seen, mut from) = (Vec::new(), String::new());
    for _ in 0..20 {
        let answer = page(&alice, &room, &format!("dir=f&limit=3{from}")).await;
        seen.extend(bodies(&answer));
        match answer["end"].as_str() {
            Some(end) if !answer["chunk"].as_array().expect("events").is_empty() => {
                from = format!("&from={}", escape(end));
            }
            _ => break,
        }
    }
    assert_eq!(seen, (0..10).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_gap_of_sync_is_filled_from_its_token() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = room_with_messages(&alice, 0).await;
    bob.join(&room).await;
    let since = bob.sync(None).await["next_batch"].as_str().expect("a token").to_owned();
    for n in 0..15 {
        alice.send_text(&room, &n.to_string()).await;
    }
    let filter = escape(&json!({ "room": { "timeline": { "limit": 4 } } }).to_string());
    let answer = bob.sync_with(Some(&since), &format!("timeout=0&filter={filter}")).await;
    let timeline = &answer["rooms"]["join"][&room]["timeline"];
    assert_eq!(timeline["limited"], true);
    let shown: Vec<_> =
        timeline["events"].as_array().expect("events").iter().map(|event| event["content"]["body"].clone()).collect();
    assert_eq!(shown, ["11", "12", "13", "14"]);
    let from = escape(timeline["prev_batch"].as_str().expect("a token"));
    let answer = page(&bob, &room, &format!("dir=b&limit=11&from={from}")).await;
    assert_eq!(bodies(&answer), (0..11).rev().map(|n| n.to_string()).collect::<Vec<_>>());
    let answer = page(&bob, &room, &format!("dir=b&limit=50&from={from}&to={}", escape(&since))).await;
    assert_eq!(bodies(&answer).len(), 11, "not beyond the token");
}

#[tokio::test]
async fn filters_apply() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = room_with_messages(&alice, 3).await;
    bob.join(&room).await;
    bob.send_text(&room, "from bob").await;
    let filtered = |filter: Value| {
        let alice = alice.clone();
        let query = format!("dir=b&limit=50&filter={}", escape(&filter.to_string()));
        let room = room.clone();
        async move { page(&alice, &room, &query).await }
    };
    assert_eq!(bodies(&filtered(json!({ "senders": [bob.user_id] })).await), ["from bob"]);
    assert_eq!(bodies(&filtered(json!({ "not_senders": [alice.user_id] })).await), ["from bob"]);
    let names = filtered(json!({ "types": ["m.room.create"] })).await;
    assert_eq!(names["chunk"].as_array().map(Vec::len), Some(1));
    let lazy = filtered(json!({ "lazy_load_members": true, "types": ["m.room.message"] })).await;
    let mut members: Vec<_> =
        lazy["state"].as_array().expect("members").iter().map(|event| event["state_key"].clone()).collect();
    members.sort_by_key(Value::to_string);
    assert_eq!(members, [json!(alice.user_id), json!(bob.user_id)]);
    let of_bob = filtered(json!({ "lazy_load_members": true, "senders": [bob.user_id] })).await;
    let state = of_bob["state"].as_array().expect("members");
    assert_eq!((state.len(), &state[0]["state_key"]), (1, &json!(bob.user_id)));
    assert_eq!((&state[0]["type"], &state[0]["content"]["membership"]), (&json!("m.room.member"), &json!("join")));
}

#[tokio::test]
async fn strangers_and_bad_tokens_are_refused() {
    let server = TestServer::start().await;
    let (alice, eve) = (server.register("alice").await, server.register("eve").await);
    let room = alice.create_room(json!({})).await;
    eve.get(&Client::room_path(&room, "/messages?dir=b")).await.fails(403, "M_FORBIDDEN");
    alice.get(&Client::room_path(&room, "/messages?dir=b&from=nonsense")).await.fails(400, "M_INVALID_PARAM");
}

#[tokio::test]
async fn what_came_after_one_left_is_not_shown() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    alice.send_text(&room, "before").await;
    bob.leave(&room).await;
    alice.send_text(&room, "after").await;
    assert_eq!(bodies(&page(&bob, &room, "dir=b&limit=50").await), ["before"]);
}

#[tokio::test]
async fn what_a_filter_held_back_leaves_the_page_an_end() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = room_with_messages(&alice, 2).await;
    let content = json!({ "msgtype": "m.file", "body": "a.png", "url": "mxc://test.hearth/a" });
    alice.put(&Client::send_path(&room, "m.room.message"), content).await.ok();
    let filter = format!("dir=b&limit=50&filter={}", escape(r#"{"contains_url":true}"#));
    let first = page(&alice, &room, &filter).await;
    assert_eq!(bodies(&first), ["a.png"]);
    let end = escape(first["end"].as_str().expect("an end"));
    let rest = page(&alice, &room, &format!("{filter}&from={end}")).await;
    assert!(bodies(&rest).is_empty() && rest.get("end").is_none(), "{rest}");
    let lazy = format!("dir=b&limit=50&filter={}", escape(r#"{"lazy_load_members":true}"#));
    assert!(page(&alice, &room, &lazy).await.get("end").is_none(), "nothing was held back");
}
