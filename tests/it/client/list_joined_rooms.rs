//! `GET /joined_rooms`.

use std::collections::BTreeSet;

use serde_json::json;

use crate::harness::{Client, TestServer};

async fn joined(client: &Client) -> BTreeSet<String> {
    let answer = client.get("/joined_rooms").await.ok();
    answer["joined_rooms"].as_array().expect("a list").iter().map(|id| id.as_str().expect("an id").to_owned()).collect()
}

#[tokio::test]
async fn only_joined_rooms_are_listed() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    assert_eq!(joined(&bob).await, BTreeSet::new());
    let (stays, left) = (alice.create_room_with(&[&bob]).await, alice.create_room_with(&[&bob]).await);
    let invited = alice.create_room(json!({ "invite": [bob.user_id] })).await;
    bob.leave(&left).await;
    assert_eq!(joined(&bob).await, BTreeSet::from([stays.clone()]));
    bob.join(&invited).await;
    assert_eq!(joined(&bob).await, BTreeSet::from([stays, invited]));
}
