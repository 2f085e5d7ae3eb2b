//! `/user/{userId}/rooms/{roomId}/tags`.

use serde_json::json;

use crate::harness::{TestServer, escape};

#[tokio::test]
async fn tags_are_added_changed_listed_and_removed() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    let since = alice.sync(None).await["next_batch"].as_str().expect("a token").to_owned();
    let tags = alice.user_path(&format!("/rooms/{}/tags", escape(&room)));
    assert_eq!(alice.get(&tags).await.ok(), json!({ "tags": {} }));
    alice.put(&format!("{tags}/m.favourite"), json!({ "order": 0.25, "org.example": "kept" })).await.ok();
    alice.put(&format!("{tags}/u.work"), json!({})).await.ok();
    let expected = json!({ "m.favourite": { "order": 0.25, "org.example": "kept" }, "u.work": {} });
    assert_eq!(alice.get(&tags).await.ok(), json!({ "tags": expected }));
    let answer = alice.sync(Some(&since)).await;
    let event = json!({ "type": "m.tag", "content": { "tags": expected } });
    assert_eq!(answer["rooms"]["join"][&room]["account_data"]["events"], json!([event]));
    alice.delete(&format!("{tags}/u.work"), json!({})).await.ok();
    alice.delete(&format!("{tags}/u.unknown"), json!({})).await.ok();
    assert_eq!(alice.get(&tags).await.ok()["tags"].as_object().map(serde_json::Map::len), Some(1));
}

#[tokio::test]
async fn bad_tags_and_those_of_others_are_refused() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = escape(&alice.create_room(json!({})).await);
    let tags = alice.user_path(&format!("/rooms/{room}/tags"));
    alice.put(&format!("{tags}/{}", "x".repeat(256)), json!({})).await.fails(400, "M_INVALID_PARAM");
    alice.put(&format!("{tags}/u.x"), json!({ "order": [] })).await.fails(400, "M_BAD_JSON");
    alice.put(&format!("{tags}/u.x"), json!([])).await.fails(400, "M_BAD_JSON");
    alice.request(http::Method::PUT, &format!("{tags}/u.x"), "nonsense").await.fails(400, "M_NOT_JSON");
    bob.get(&tags).await.fails(403, "M_FORBIDDEN");
    bob.put(&format!("{tags}/u.x"), json!({})).await.fails(403, "M_FORBIDDEN");
    bob.delete(&format!("{tags}/u.x"), json!({})).await.fails(403, "M_FORBIDDEN");
    alice.signed_out().get(&tags).await.fails(401, "M_MISSING_TOKEN");
    assert_eq!(alice.get(&tags).await.ok(), json!({ "tags": {} }));
}
