//! `POST /rooms/{roomId}/read_markers`.

use serde_json::json;

use crate::harness::{Client, TestServer, escape};

#[tokio::test]
async fn marker_and_receipts_are_set_at_once() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    let event = alice.send_text(&room, "1").await;
    let since = alice.sync(None).await["next_batch"].as_str().expect("a token").to_owned();
    let path = Client::room_path(&room, "/read_markers");
    let body = json!({ "m.fully_read": event, "m.read": event, "m.read.private": event });
    assert_eq!(bob.post(&path, body).await.ok(), json!({}));
    let data = bob.user_path(&format!("/rooms/{}/account_data/m.fully_read", escape(&room)));
    assert_eq!(bob.get(&data).await.ok(), json!({ "event_id": event }));
    let own = &bob.sync(None).await["rooms"]["join"][&room]["account_data"]["events"];
    assert_eq!(own, &json!([{ "type": "m.fully_read", "content": { "event_id": event } }]));
    let answer = alice.sync(Some(&since)).await;
    let seen = &answer["rooms"]["join"][&room]["ephemeral"]["events"][0]["content"][&event];
    assert!(seen["m.read"].get(&bob.user_id).is_some() && seen.get("m.read.private").is_none(), "{answer}");
}

#[tokio::test]
async fn nothing_needs_to_be_set_but_one_must_be_there() {
    let server = TestServer::start().await;
    let (alice, eve) = (server.register("alice").await, server.register("eve").await);
    let room = alice.create_room(json!({})).await;
    let path = Client::room_path(&room, "/read_markers");
    alice.post(&path, json!({})).await.ok();
    alice.post(&path, json!({ "m.read": 7 })).await.fails(400, "M_BAD_JSON");
    eve.post(&path, json!({ "m.read": "$x" })).await.fails(403, "M_FORBIDDEN");
}
