//! `/profile/{userId}` and its fields.

use serde_json::{Value, json};

use crate::harness::{Client, TestServer, escape};

fn field_path(client: &Client, field: &str) -> String {
    format!("/profile/{}/{field}", escape(&client.user_id))
}

#[tokio::test]
async fn fields_are_set_read_and_deleted() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let values = [
        ("displayname", json!("Alice")),
        ("avatar_url", json!("mxc://test.hearth/abc")),
        ("m.tz", json!("Europe/London")),
        ("org.example.pets", json!([{ "kind": "cat", "lives": 9 }])),
    ];
    for (field, value) in &values {
        alice.put(&field_path(&alice, field), json!({ (*field): value })).await.ok();
        assert_eq!(server.client().get(&field_path(&alice, field)).await.ok(), json!({ (*field): value }));
    }
    let profile = server.client().get(&format!("/profile/{}", escape(&alice.user_id))).await.ok();
    for (field, value) in &values {
        assert_eq!(&profile[field], value);
        alice.delete(&field_path(&alice, field), json!({})).await.ok();
        server.client().get(&field_path(&alice, field)).await.fails(404, "M_NOT_FOUND");
    }
    alice.delete(&field_path(&alice, "m.tz"), json!({})).await.ok();
}

#[tokio::test]
async fn a_new_account_has_a_display_name() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    assert_eq!(server.client().get(&field_path(&alice, "displayname")).await.ok()["displayname"], "alice");
}

#[tokio::test]
async fn another_users_profile_cannot_be_changed() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let bob = server.register("bob").await;
    let path = field_path(&alice, "displayname");
    bob.put(&path, json!({ "displayname": "x" })).await.fails(403, "M_FORBIDDEN");
    bob.delete(&path, json!({})).await.fails(403, "M_FORBIDDEN");
    server.client().put(&path, json!({ "displayname": "x" })).await.fails(401, "M_MISSING_TOKEN");
}

#[tokio::test]
async fn unknown_users_have_no_profile() {
    let server = TestServer::start().await;
    server.client().get("/profile/%40nobody%3Atest.hearth").await.fails(404, "M_NOT_FOUND");
    server.client().get("/profile/%40nobody%3Atest.hearth/displayname").await.fails(404, "M_NOT_FOUND");
}

#[tokio::test]
async fn bad_fields_are_refused() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let path = field_path(&alice, "displayname");
    alice.put(&path, json!({})).await.fails(400, "M_BAD_JSON");
    alice.put(&path, json!({ "other": "x" })).await.fails(400, "M_BAD_JSON");
    alice.put(&path, json!({ "displayname": 7 })).await.fails(400, "M_BAD_JSON");
    let long = "x".repeat(256);
    alice.put(&field_path(&alice, &long), json!({ (long.as_str()): "x" })).await.fails(400, "M_KEY_TOO_LARGE");
    let large = json!({ "org.example.big": "x".repeat(70_000) });
    let answer = alice.put(&field_path(&alice, "org.example.big"), large).await;
    assert_eq!(answer.json()["errcode"], "M_PROFILE_TOO_LARGE");
}

#[tokio::test]
async fn a_new_name_shows_in_the_rooms_of_the_user() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let bob = server.register("bob").await;
    let room = alice.create_room_with(&[&bob]).await;
    for (field, value) in [("displayname", "Bobby"), ("avatar_url", "mxc://test.hearth/bobby")] {
        let since = alice.sync(None).await["next_batch"].as_str().expect("a token").to_owned();
        bob.put(&field_path(&bob, field), json!({ field: value })).await.ok();
        let path = Client::room_path(&room, &format!("/state/m.room.member/{}", escape(&bob.user_id)));
        let member: Value = alice.get(&path).await.ok();
        assert_eq!((&member[field], &member["membership"]), (&json!(value), &json!("join")));
        let news = &alice.sync(Some(&since)).await["rooms"]["join"][&room]["timeline"]["events"];
        assert_eq!((&news[0]["state_key"], &news[0]["content"]), (&json!(bob.user_id), &member), "{field}");
    }
}
