//! `GET`, `PUT` and `DELETE /rooms/{roomId}/thread/{threadRootId}/subscription` (MSC4306).

use serde_json::{Value, json};

use crate::harness::{Client, TestServer, escape, event_id};

const NOT_IN_THREAD: &str = "IO.ELEMENT.MSC4306.M_NOT_IN_THREAD";
const UNSUBSCRIBED: &str = "IO.ELEMENT.MSC4306.M_CONFLICTING_UNSUBSCRIPTION";

fn path(room: &str, root: &str) -> String {
    let (room, root) = (escape(room), escape(root));
    format!("/_matrix/client/unstable/io.element.msc4306/rooms/{room}/thread/{root}/subscription")
}

async fn reply(client: &Client, room: &str, root: &str) -> String {
    let relation = json!({ "rel_type": "m.thread", "event_id": root });
    let content = json!({ "msgtype": "m.text", "body": "reply", "m.relates_to": relation });
    event_id(&client.put(&Client::send_path(room, "m.room.message"), content).await.ok())
}

fn because(event: &str) -> Value {
    json!({ "automatic": event })
}

#[tokio::test]
async fn a_thread_is_followed_and_not_any_more() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    let root = alice.send_text(&room, "root").await;
    let path = path(&room, &root);
    alice.get(&path).await.fails(404, "M_NOT_FOUND");
    alice.put(&path, json!({})).await.ok();
    assert_eq!(alice.get(&path).await.ok(), json!({ "automatic": false }));
    for _ in 0..2 {
        alice.delete(&path, json!({})).await.ok();
        alice.get(&path).await.fails(404, "M_NOT_FOUND");
    }
}

#[tokio::test]
async fn the_users_word_counts_more_than_a_clients() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    let root = alice.send_text(&room, "root").await;
    let inside = reply(&alice, &room, &root).await;
    let path = path(&room, &root);
    alice.put(&path, because(&inside)).await.ok();
    assert_eq!(alice.get(&path).await.ok(), json!({ "automatic": true }));
    alice.put(&path, json!({})).await.ok();
    assert_eq!(alice.get(&path).await.ok(), json!({ "automatic": false }));
    alice.put(&path, because(&inside)).await.ok();
    assert_eq!(alice.get(&path).await.ok(), json!({ "automatic": false }));
}

#[tokio::test]
async fn an_event_from_before_the_unsubscription_changes_nothing() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    let root = alice.send_text(&room, "root").await;
    let path = path(&room, &root);
    let first = reply(&alice, &room, &root).await;
    alice.put(&path, because(&first)).await.ok();
    let second = reply(&alice, &room, &root).await;
    alice.delete(&path, json!({})).await.ok();
    let third = reply(&alice, &room, &root).await;
    for before in [&first, &second] {
        alice.put(&path, because(before)).await.fails(409, UNSUBSCRIBED);
        alice.get(&path).await.fails(404, "M_NOT_FOUND");
    }
    alice.put(&path, because(&third)).await.ok();
    assert_eq!(alice.get(&path).await.ok(), json!({ "automatic": true }));
}

#[tokio::test]
async fn the_cause_has_to_be_in_the_thread() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    let (root, other) = (alice.send_text(&room, "root").await, alice.send_text(&room, "other").await);
    let elsewhere = reply(&alice, &room, &other).await;
    for cause in [root.as_str(), &other, &elsewhere, "$unknown"] {
        alice.put(&path(&room, &root), because(cause)).await.fails(400, NOT_IN_THREAD);
    }
    alice.put(&path(&room, &root), json!({ "automatic": 1 })).await.fails(400, "M_BAD_JSON");
    alice.get(&path(&room, &root)).await.fails(404, "M_NOT_FOUND");
}

#[tokio::test]
async fn threads_that_one_cannot_see_are_not_there() {
    let server = TestServer::start().await;
    let (alice, eve) = (server.register("alice").await, server.register("eve").await);
    let room = alice.create_room(json!({})).await;
    let root = alice.send_text(&room, "root").await;
    for body in [json!({}), because(&root)] {
        alice.put(&path(&room, "$unknown"), body.clone()).await.fails(404, "M_NOT_FOUND");
        eve.put(&path(&room, &root), body).await.fails(404, "M_NOT_FOUND");
    }
    eve.get(&path(&room, &root)).await.fails(404, "M_NOT_FOUND");
    eve.delete(&path(&room, &root), json!({})).await.fails(404, "M_NOT_FOUND");
    alice.signed_out().get(&path(&room, &root)).await.fails(401, "M_MISSING_TOKEN");
    alice.get(&path("!unknown:test.hearth", &root)).await.fails(403, "M_FORBIDDEN");
}
