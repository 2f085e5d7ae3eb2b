//! `POST /rooms/{roomId}/receipt/{receiptType}/{eventId}`.

use serde_json::{Value, json};

use crate::harness::{Client, TestServer, escape};

fn path(room: &str, kind: &str, event: &str) -> String {
    Client::room_path(room, &format!("/receipt/{kind}/{}", escape(event)))
}

fn receipts(answer: &Value, room: &str) -> Value {
    let events = answer["rooms"]["join"][room]["ephemeral"]["events"].as_array();
    let receipt = events.and_then(|events| events.iter().find(|event| event["type"] == "m.receipt"));
    receipt.map_or(Value::Null, |event| event["content"].clone())
}

#[tokio::test]
async fn everyone_sees_a_public_receipt_and_nobody_a_private_one() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    let (first, second) = (alice.send_text(&room, "1").await, alice.send_text(&room, "2").await);
    let since = alice.sync(None).await["next_batch"].as_str().expect("a token").to_owned();
    let own = bob.sync(None).await["next_batch"].as_str().expect("a token").to_owned();
    assert_eq!(bob.post(&path(&room, "m.read", &first), json!({})).await.ok(), json!({}));
    bob.request(http::Method::POST, &path(&room, "m.read.private", &second), "").await.ok();
    let answer = alice.sync(Some(&since)).await;
    let told = &answer["rooms"]["join"][&room]["ephemeral"]["events"][0];
    assert!(told.get("room_id").is_none(), "it stands in the room: {told}");
    let seen = receipts(&answer, &room);
    assert!(seen[&first]["m.read"][&bob.user_id]["ts"].is_u64(), "{seen}");
    assert!(seen.get(&second).is_none(), "{seen}");
    let seen = receipts(&bob.sync(Some(&own)).await, &room);
    assert!(seen[&second]["m.read.private"][&bob.user_id]["ts"].is_u64(), "{seen}");
}

#[tokio::test]
async fn a_receipt_may_be_for_a_thread() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    let event = alice.send_text(&room, "1").await;
    let since = alice.sync(None).await["next_batch"].as_str().expect("a token").to_owned();
    bob.post(&path(&room, "m.read", &event), json!({ "thread_id": "main" })).await.ok();
    let seen = receipts(&alice.sync(Some(&since)).await, &room);
    assert_eq!(seen[&event]["m.read"][&bob.user_id]["thread_id"], "main");
}

#[tokio::test]
async fn fully_read_is_the_users_own_account_data() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    let event = alice.send_text(&room, "1").await;
    alice.post(&path(&room, "m.fully_read", &event), json!({})).await.ok();
    let data = alice.user_path(&format!("/rooms/{}/account_data/m.fully_read", escape(&room)));
    assert_eq!(alice.get(&data).await.ok(), json!({ "event_id": event }));
}

#[tokio::test]
async fn bad_receipts_are_refused() {
    let server = TestServer::start().await;
    let (alice, eve) = (server.register("alice").await, server.register("eve").await);
    let room = alice.create_room(json!({})).await;
    let event = alice.send_text(&room, "1").await;
    let answer = alice.post(&path(&room, "m.nonsense", &event), json!({})).await;
    assert_eq!(answer.status, 400, "{}", answer.text());
    alice.post(&path(&room, "m.read", "nonsense"), json!({})).await.fails(400, "M_INVALID_PARAM");
    eve.post(&path(&room, "m.read", &event), json!({})).await.fails(403, "M_FORBIDDEN");
}

/// The timeline of Complement's `TestThreadedReceipts`: A, in its thread B, C and E; D beside it; F refers to A, G to F.
#[tokio::test]
async fn threads_are_counted_and_read_apart() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    bob.sync(None).await;
    let send = async |kind: &str, body: &str, relation: Value| {
        let mut content = json!({ "msgtype": "m.text", "body": body });
        if !relation.is_null() {
            content["m.relates_to"] = relation;
        }
        let sent = alice.put(&Client::send_path(&room, kind), content).await.ok();
        sent["event_id"].as_str().expect("an id").to_owned()
    };
    let root = send("m.room.message", "Hello world!", Value::Null).await;
    let thread = json!({ "event_id": root, "rel_type": "m.thread" });
    let first = send("m.room.message", "Start thread!", thread.clone()).await;
    send("m.room.message", "Thread response @bob:test.hearth!", thread.clone()).await;
    let mention = send("m.room.message", "Hello @bob:test.hearth!", Value::Null).await;
    send("m.room.message", "End thread", thread).await;
    let reference = send("m.room.message", "Reference!", json!({ "event_id": root, "rel_type": "m.reference" })).await;
    let annotation = json!({ "event_id": reference, "rel_type": "m.annotation", "key": "test" });
    let reaction = send("m.room.reaction", "", annotation).await;
    let filter = escape(&json!({ "room": { "timeline": { "unread_thread_notifications": true } } }).to_string());
    let check = async |all: (u64, u64), main: (u64, u64), in_thread: Option<(u64, u64)>| {
        let count = |counts: &Value| (counts["highlight_count"].as_u64(), counts["notification_count"].as_u64());
        let some = |(highlights, others): (u64, u64)| (Some(highlights), Some(others));
        let answer = bob.sync(None).await["rooms"]["join"][&room].clone();
        assert_eq!(count(&answer["unread_notifications"]), some(all), "{answer}");
        assert!(answer.get("unread_thread_notifications").is_none(), "{answer}");
        let answer = bob.sync_with(None, &format!("timeout=0&filter={filter}")).await["rooms"]["join"][&room].clone();
        assert_eq!(count(&answer["unread_notifications"]), some(main), "{answer}");
        let found = answer.get("unread_thread_notifications").map(|threads| count(&threads[&root]));
        assert_eq!(found, in_thread.map(some), "{answer}");
    };
    check((2, 6), (1, 3), Some((1, 3))).await;
    bob.post(&path(&room, "m.read", &root), json!({ "thread_id": "main" })).await.ok();
    check((2, 5), (1, 2), Some((1, 3))).await;
    bob.post(&path(&room, "m.read", &first), json!({ "thread_id": root })).await.ok();
    check((2, 4), (1, 2), Some((1, 2))).await;
    bob.post(&path(&room, "m.read", &mention), json!({})).await.ok();
    check((0, 2), (0, 1), Some((0, 1))).await;
    bob.post(&path(&room, "m.read", &reaction), json!({ "thread_id": root })).await.ok();
    check((0, 1), (0, 1), None).await;
    bob.post(&path(&room, "m.read", &mention), json!({ "thread_id": root })).await.fails(400, "M_INVALID_PARAM");
    bob.post(&path(&room, "m.read", &first), json!({ "thread_id": "main" })).await.fails(400, "M_INVALID_PARAM");
    bob.post(&path(&room, "m.read", &first), json!({ "thread_id": "" })).await.fails(400, "M_INVALID_PARAM");
    bob.post(&path(&room, "m.fully_read", &first), json!({ "thread_id": root })).await.fails(400, "M_INVALID_PARAM");
}

#[tokio::test]
async fn private_receipts_and_ones_own_messages_mark_as_read() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    let unread = async || {
        let answer = bob.sync(None).await;
        answer["rooms"]["join"][&room]["unread_notifications"]["notification_count"].as_u64()
    };
    let first = alice.send_text(&room, "1").await;
    alice.send_text(&room, "2").await;
    assert_eq!(unread().await, Some(2));
    bob.post(&path(&room, "m.read.private", &first), json!({})).await.ok();
    assert_eq!(unread().await, Some(1));
    bob.send_text(&room, "an answer").await;
    assert_eq!(unread().await, Some(0));
    alice.send_text(&room, "3").await;
    assert_eq!(unread().await, Some(1));
}
