//! `GET /rooms/{roomId}/threads`.

use serde_json::{Value, json};

use crate::harness::{Client, TestServer, escape};

fn threads(room: &str, query: &str) -> String {
    format!("/_matrix/client/v1/rooms/{}/threads{query}", escape(room))
}

async fn reply(client: &Client, room: &str, root: &str, body: &str) -> String {
    let relates = json!({ "rel_type": "m.thread", "event_id": root });
    let content = json!({ "msgtype": "m.text", "body": body, "m.relates_to": relates });
    let answer = client.put(&Client::send_path(room, "m.room.message"), content).await.ok();
    answer["event_id"].as_str().expect("an id").to_owned()
}

fn bodies(page: &Value) -> Vec<&str> {
    let chunk = page["chunk"].as_array().expect("threads").iter();
    chunk.map(|event| event["content"]["body"].as_str().unwrap_or("redacted")).collect()
}

#[tokio::test]
async fn threads_are_listed_by_their_latest_reply() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    let mut roots = Vec::new();
    for body in ["one", "two", "three"] {
        roots.push(alice.send_text(&room, body).await);
    }
    assert_eq!(alice.get(&threads(&room, "")).await.ok()["chunk"], json!([]));
    for root in &roots {
        reply(&alice, &room, root, "reply").await;
    }
    assert_eq!(bodies(&alice.get(&threads(&room, "")).await.ok()), ["three", "two", "one"]);
    let late = reply(&bob, &room, &roots[0], "late").await;
    let page = alice.get(&threads(&room, "")).await.ok();
    assert_eq!(bodies(&page), ["one", "three", "two"]);
    let thread = &page["chunk"][0]["unsigned"]["m.relations"]["m.thread"];
    assert_eq!((&thread["count"], &thread["latest_event"]["event_id"]), (&json!(2), &json!(late)));
    let participated = bob.get(&threads(&room, "?include=participated")).await.ok();
    assert_eq!(bodies(&participated), ["one"]);
    let path = Client::room_path(&room, &format!("/redact/{}/t", escape(&late)));
    bob.put(&path, json!({})).await.ok();
    assert_eq!(bodies(&alice.get(&threads(&room, "")).await.ok()), ["three", "two", "one"]);
    assert_eq!(bob.get(&threads(&room, "?include=participated")).await.ok()["chunk"], json!([]));
}

#[tokio::test]
async fn a_thread_without_replies_left_is_none() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    let root = alice.send_text(&room, "root").await;
    let only = reply(&alice, &room, &root, "only").await;
    let path = Client::room_path(&room, &format!("/redact/{}/t", escape(&only)));
    alice.put(&path, json!({})).await.ok();
    assert_eq!(alice.get(&threads(&room, "")).await.ok()["chunk"], json!([]));
}

#[tokio::test]
async fn pages_of_threads_join_up() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    for n in 0..5 {
        let root = alice.send_text(&room, &n.to_string()).await;
        reply(&alice, &room, &root, "reply").await;
    }
    let (mut seen, mut from, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = alice.get(&threads(&room, &format!("?limit=2{from}"))).await.ok();
        seen.extend(bodies(&page).into_iter().map(str::to_owned));
        pages += 1;
        match page["next_batch"].as_str() {
            Some(next) => from = format!("&from={}", escape(next)),
            None => break,
        }
    }
    assert_eq!((seen, pages), (["4", "3", "2", "1", "0"].map(str::to_owned).to_vec(), 3));
    alice.get(&threads(&room, "?from=nonsense")).await.fails(400, "M_INVALID_PARAM");
}

#[tokio::test]
async fn strangers_see_no_threads() {
    let server = TestServer::start().await;
    let (alice, eve) = (server.register("alice").await, server.register("eve").await);
    let room = alice.create_room(json!({})).await;
    let root = alice.send_text(&room, "root").await;
    reply(&alice, &room, &root, "secret").await;
    eve.get(&threads(&room, "")).await.fails(403, "M_FORBIDDEN");
}
