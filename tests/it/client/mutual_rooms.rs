//! `GET /mutual_rooms`.

use serde_json::{Value, json};

use crate::harness::{Client, TestServer, escape};

async fn shared(client: &Client, user: &str, query: &str) -> Value {
    client.get(&format!("/_matrix/client/v1/mutual_rooms?user_id={}{query}", escape(user))).await.ok()
}

#[tokio::test]
async fn shared_rooms_are_those_that_both_are_in() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let both = alice.create_room_with(&[&bob]).await;
    let left = alice.create_room_with(&[&bob]).await;
    bob.leave(&left).await;
    let invited = alice.create_room(json!({ "invite": [bob.user_id] })).await;
    alice.create_room(json!({})).await;
    let expected = json!({ "joined": [both], "count": 1 });
    assert_eq!(shared(&alice, &bob.user_id, "").await, expected);
    assert_eq!(shared(&bob, &alice.user_id, "").await, expected);
    bob.join(&invited).await;
    assert_eq!(shared(&bob, &alice.user_id, "").await["count"], 2);
    assert_eq!(shared(&bob, "@nobody:test.hearth", "").await, json!({ "joined": [], "count": 0 }));
    let unstable =
        format!("/_matrix/client/unstable/uk.half-shot.msc2666/user/mutual_rooms?user_id={}", escape(&bob.user_id));
    assert_eq!(alice.get(&unstable).await.ok()["joined"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn many_shared_rooms_come_in_pages() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let mut rooms = Vec::new();
    for _ in 0..103 {
        server.clock.advance(1);
        rooms.push(alice.create_room_with(&[&bob]).await);
    }
    let first = shared(&alice, &bob.user_id, "").await;
    assert_eq!((first["count"].as_u64(), first["joined"].as_array().map(Vec::len)), (Some(103), Some(100)));
    let from = format!("&from={}", first["next_batch"].as_str().expect("a token"));
    let second = shared(&alice, &bob.user_id, &from).await;
    assert!(second.get("next_batch").is_none());
    let list = |page: &Value| page["joined"].as_array().expect("rooms").clone();
    let mut all: Vec<_> = list(&first).into_iter().chain(list(&second)).collect();
    all.sort_by_key(ToString::to_string);
    let mut expected: Vec<_> = rooms.into_iter().map(Value::from).collect();
    expected.sort_by_key(ToString::to_string);
    assert_eq!(all, expected);
}

#[tokio::test]
async fn nonsense_is_refused() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let path = "/_matrix/client/v1/mutual_rooms";
    alice.get(path).await.fails(400, "M_MISSING_PARAM");
    alice.get(&format!("{path}?user_id=bob")).await.fails(400, "M_INVALID_PARAM");
    alice.get(&format!("{path}?user_id={}", escape(&alice.user_id))).await.fails(400, "M_INVALID_PARAM");
    alice.get(&format!("{path}?user_id=%40bob%3Atest.hearth&from=x")).await.fails(400, "M_INVALID_PARAM");
    server.client().get(&format!("{path}?user_id=%40bob%3Atest.hearth")).await.fails(401, "M_MISSING_TOKEN");
}
