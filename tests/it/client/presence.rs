//! `/presence/{userId}/status`.

use serde_json::json;

use crate::harness::{Client, TestServer, escape};

fn path(client: &Client) -> String {
    format!("/presence/{}/status", escape(&client.user_id))
}

#[tokio::test]
async fn presence_is_seen_by_those_who_share_a_room() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    alice.create_room_with(&[&bob]).await;
    alice.put(&path(&alice), json!({ "presence": "unavailable", "status_msg": "lunch" })).await.ok();
    let seen = bob.get(&path(&alice)).await.ok();
    assert_eq!((&seen["presence"], &seen["status_msg"]), (&json!("unavailable"), &json!("lunch")));
}

#[tokio::test]
async fn who_never_said_anything_is_offline() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    assert_eq!(alice.get(&path(&alice)).await.ok()["presence"], "offline");
}

#[tokio::test]
async fn one_speaks_for_oneself_only() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    bob.put(&path(&alice), json!({ "presence": "online" })).await.fails(403, "M_FORBIDDEN");
    bob.put(&path(&bob), json!({})).await.fails(400, "M_BAD_JSON");
}

#[tokio::test]
async fn strangers_do_not_see_it() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    alice.put(&path(&alice), json!({ "presence": "online" })).await.ok();
    bob.get(&path(&alice)).await.fails(403, "M_FORBIDDEN");
}
