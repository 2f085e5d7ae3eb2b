//! `/user/{userId}/filter`.

use serde_json::json;

use crate::harness::TestServer;

#[tokio::test]
async fn a_filter_is_stored_and_given_back() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let filter = json!({ "room": { "timeline": { "limit": 5, "types": ["m.room.*"] } }, "event_format": "client" });
    let answer = alice.post(&alice.user_path("/filter"), filter.clone()).await.ok();
    let id = answer["filter_id"].as_str().expect("an id").to_owned();
    assert!(!id.starts_with('{'));
    let stored = alice.get(&alice.user_path(&format!("/filter/{id}"))).await.ok();
    assert_eq!(stored["room"]["timeline"], filter["room"]["timeline"]);
    alice.sync_with(None, &format!("timeout=0&filter={id}")).await;
}

#[tokio::test]
async fn unknown_and_others_filters_are_not_given() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let bob = server.register("bob").await;
    let answer = alice.post(&alice.user_path("/filter"), json!({})).await.ok();
    let id = answer["filter_id"].as_str().expect("an id").to_owned();
    alice.get(&alice.user_path("/filter/99999")).await.fails(404, "M_NOT_FOUND");
    alice.get(&alice.user_path("/filter/nonsense")).await.fails(404, "M_NOT_FOUND");
    bob.get(&alice.user_path(&format!("/filter/{id}"))).await.fails(403, "M_FORBIDDEN");
    bob.post(&alice.user_path("/filter"), json!({})).await.fails(403, "M_FORBIDDEN");
    alice.get("/sync?timeout=0&filter=99999").await.fails(404, "M_NOT_FOUND");
}

#[tokio::test]
async fn a_filter_of_the_wrong_shape_is_refused() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let mut bad = vec![json!({ "room": 7 }), json!({ "presence": [] }), json!({ "presence": "x" })];
    for part in ["timeline", "state", "ephemeral", "account_data"] {
        bad.push(json!({ "room": { part: "not an object" } }));
    }
    for (field, value) in [
        ("limit", json!("many")),
        ("rooms", json!("not a list")),
        ("not_rooms", json!("not a list")),
        ("senders", json!("not a list")),
        ("not_senders", json!("not a list")),
        ("types", json!("not a list")),
        ("not_types", json!("not a list")),
        ("types", json!([1])),
        ("rooms", json!(["not a room id"])),
        ("senders", json!(["not a user id"])),
    ] {
        bad.push(json!({ "room": { "timeline": { field: value } } }));
    }
    for filter in bad {
        alice.post(&alice.user_path("/filter"), filter).await.fails(400, "M_BAD_JSON");
    }
}
