//! `/user/{userId}/account_data/{type}`, global and by room.

use serde_json::json;

use crate::harness::{TestServer, escape};

#[tokio::test]
async fn data_is_stored_whole_and_for_oneself() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let bob = server.register("bob").await;
    let path = alice.user_path("/account_data/org.example.test");
    alice.get(&path).await.fails(404, "M_NOT_FOUND");
    let content = json!({ "a": [1, 2.5, { "b": null }], "ü": "\u{1f600}" });
    assert_eq!(alice.put(&path, content.clone()).await.ok(), json!({}));
    assert_eq!(alice.get(&path).await.ok(), content);
    bob.get(&path).await.fails(403, "M_FORBIDDEN");
    bob.put(&path, json!({})).await.fails(403, "M_FORBIDDEN");
    assert_eq!(alice.get(&path).await.ok(), content);
}

#[tokio::test]
async fn data_of_a_room_is_apart_from_global_data() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let bob = server.register("bob").await;
    let room = escape(&alice.create_room(json!({})).await);
    let path = alice.user_path(&format!("/rooms/{room}/account_data/org.example.test"));
    alice.put(&path, json!({ "in": "room" })).await.ok();
    assert_eq!(alice.get(&path).await.ok(), json!({ "in": "room" }));
    alice.get(&alice.user_path("/account_data/org.example.test")).await.fails(404, "M_NOT_FOUND");
    bob.get(&path).await.fails(403, "M_FORBIDDEN");
    alice.get(&alice.user_path("/rooms/nonsense/account_data/x")).await.fails(400, "M_INVALID_PARAM");
}

#[tokio::test]
async fn what_the_server_keeps_cannot_be_set() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = escape(&alice.create_room(json!({})).await);
    let fully_read = alice.user_path(&format!("/rooms/{room}/account_data/m.fully_read"));
    let push_rules = alice.user_path("/account_data/m.push_rules");
    for path in [fully_read, push_rules] {
        let answer = alice.put(&path, json!({})).await;
        assert_eq!(answer.status, 405, "{}", answer.text());
        assert_eq!(answer.json()["errcode"], "M_BAD_JSON");
    }
}

#[tokio::test]
async fn too_much_is_refused() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let path = alice.user_path("/account_data/org.example.test");
    let answer = alice.put(&path, json!({ "x": "y".repeat(600_000) })).await;
    assert_eq!(answer.json()["errcode"], "M_TOO_LARGE");
    alice.get(&path).await.fails(404, "M_NOT_FOUND");
}

#[tokio::test]
async fn changes_come_by_sync() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    let since = alice.sync(None).await["next_batch"].as_str().expect("a token").to_owned();
    alice.put(&alice.user_path("/account_data/org.example.test"), json!({ "n": 1 })).await.ok();
    let in_room = format!("/rooms/{}/account_data/org.example.test", escape(&room));
    alice.put(&alice.user_path(&in_room), json!({ "n": 2 })).await.ok();
    let answer = alice.sync(Some(&since)).await;
    let event = json!({ "type": "org.example.test", "content": { "n": 1 } });
    assert_eq!(answer["account_data"]["events"], json!([event]));
    let event = json!({ "type": "org.example.test", "content": { "n": 2 } });
    assert_eq!(answer["rooms"]["join"][&room]["account_data"]["events"], json!([event]));
}
