//! `POST /rooms/{roomId}/ban` and `/unban`.

use serde_json::json;

use crate::harness::{Client, TestServer};

#[tokio::test]
async fn the_banned_stay_out_until_unbanned() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    alice.post(&Client::room_path(&room, "/ban"), json!({ "user_id": bob.user_id, "reason": "spam" })).await.ok();
    assert_eq!(alice.membership_of(&room, &bob).await, "ban");
    bob.post(&Client::room_path(&room, "/join"), json!({})).await.fails(403, "M_FORBIDDEN");
    alice.post(&Client::room_path(&room, "/unban"), json!({ "user_id": bob.user_id })).await.ok();
    assert_eq!(alice.membership_of(&room, &bob).await, "leave");
    bob.join(&room).await;
}

#[tokio::test]
async fn who_was_never_there_can_be_banned() {
    let server = TestServer::start().await;
    let (alice, eve) = (server.register("alice").await, server.register("eve").await);
    let room = alice.create_room(json!({ "preset": "public_chat" })).await;
    alice.post(&Client::room_path(&room, "/ban"), json!({ "user_id": eve.user_id })).await.ok();
    eve.post(&Client::room_path(&room, "/join"), json!({})).await.fails(403, "M_FORBIDDEN");
}

#[tokio::test]
async fn only_the_mighty_ban_and_only_the_banned_are_unbanned() {
    let server = TestServer::start().await;
    let (alice, bob, carol) =
        (server.register("alice").await, server.register("bob").await, server.register("carol").await);
    let eve = server.register("eve").await;
    let room = alice.create_room_with(&[&bob, &carol]).await;
    let ban = Client::room_path(&room, "/ban");
    eve.post(&ban, json!({ "user_id": carol.user_id })).await.fails(403, "M_FORBIDDEN");
    bob.post(&ban, json!({ "user_id": carol.user_id })).await.fails(403, "M_FORBIDDEN");
    alice.post(&Client::room_path(&room, "/unban"), json!({ "user_id": bob.user_id })).await.fails(403, "M_FORBIDDEN");
    assert_eq!(alice.membership_of(&room, &bob).await, "join");
    assert_eq!(alice.membership_of(&room, &carol).await, "join");
}
