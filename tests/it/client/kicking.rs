//! `POST /rooms/{roomId}/kick`.

use serde_json::json;

use crate::harness::{Client, TestServer};

#[tokio::test]
async fn the_kicked_are_out_and_see_why() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    let since = bob.sync(None).await["next_batch"].as_str().expect("a token").to_owned();
    let body = json!({ "user_id": bob.user_id, "reason": "rude" });
    alice.post(&Client::room_path(&room, "/kick"), body).await.ok();
    assert_eq!(alice.membership_of(&room, &bob).await, "leave");
    let answer = bob.sync(Some(&since)).await;
    let events = answer["rooms"]["leave"][&room]["timeline"]["events"].as_array().expect("the kick");
    assert_eq!((&events[0]["sender"], &events[0]["content"]["reason"]), (&json!(alice.user_id), &json!("rude")));
    bob.join(&room).await;
}

#[tokio::test]
async fn only_the_mighty_kick_and_only_who_is_there() {
    let server = TestServer::start().await;
    let (alice, bob, eve) =
        (server.register("alice").await, server.register("bob").await, server.register("eve").await);
    let room = alice.create_room_with(&[&bob]).await;
    let path = Client::room_path(&room, "/kick");
    bob.post(&path, json!({ "user_id": alice.user_id })).await.fails(403, "M_FORBIDDEN");
    eve.post(&path, json!({ "user_id": bob.user_id })).await.fails(403, "M_FORBIDDEN");
    alice.post(&path, json!({ "user_id": eve.user_id })).await.fails(403, "M_FORBIDDEN");
    alice.post(&path, json!({})).await.fails(400, "M_BAD_JSON");
    assert_eq!(alice.membership_of(&room, &bob).await, "join");
    bob.leave(&room).await;
    alice.post(&path, json!({ "user_id": bob.user_id })).await.fails(403, "M_FORBIDDEN");
}
