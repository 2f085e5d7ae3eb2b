//! `PUT /rooms/{roomId}/typing/{userId}`.

use serde_json::{Value, json};

use crate::harness::{Client, TestServer, escape};

fn path(room: &str, client: &Client) -> String {
    Client::room_path(room, &format!("/typing/{}", escape(&client.user_id)))
}

fn typists(answer: &Value, room: &str) -> Option<Value> {
    let events = answer["rooms"]["join"][room]["ephemeral"]["events"].as_array()?;
    Some(events.iter().find(|event| event["type"] == "m.typing")?["content"]["user_ids"].clone())
}

#[tokio::test]
async fn others_see_who_types_until_it_ends() {
    let server = TestServer::start().await;
    let (alice, bob, eve) =
        (server.register("alice").await, server.register("bob").await, server.register("eve").await);
    let room = alice.create_room_with(&[&bob]).await;
    let of_eve = eve.sync(None).await["next_batch"].as_str().expect("a token").to_owned();
    let since = alice.sync(None).await["next_batch"].as_str().expect("a token").to_owned();
    bob.put(&path(&room, &bob), json!({ "typing": true, "timeout": 30_000 })).await.ok();
    let answer = alice.sync(Some(&since)).await;
    assert_eq!(typists(&answer, &room), Some(json!([bob.user_id])));
    let told = &answer["rooms"]["join"][&room]["ephemeral"]["events"][0];
    assert!(told.get("room_id").is_none(), "it stands in the room: {told}");
    assert!(eve.sync(Some(&of_eve)).await.get("rooms").is_none(), "strangers hear nothing");
    let since = answer["next_batch"].as_str().expect("a token").to_owned();
    assert_eq!(typists(&alice.sync(Some(&since)).await, &room), None, "told once");
    bob.send_text(&room, "a message does not end it").await;
    let answer = alice.sync(Some(&since)).await;
    assert_eq!(typists(&answer, &room), None);
    assert_eq!(typists(&alice.sync(None).await, &room), Some(json!([bob.user_id])));
    bob.put(&path(&room, &bob), json!({ "typing": false })).await.ok();
    assert_eq!(typists(&alice.sync(Some(&since)).await, &room), Some(json!([])));
}

#[tokio::test]
async fn the_time_may_be_left_out() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    alice.put(&path(&room, &alice), json!({ "typing": true })).await.ok();
}

#[tokio::test]
async fn only_members_type_and_only_for_themselves() {
    let server = TestServer::start().await;
    let (alice, bob, eve) =
        (server.register("alice").await, server.register("bob").await, server.register("eve").await);
    let room = alice.create_room_with(&[&bob]).await;
    alice.put(&path(&room, &bob), json!({ "typing": true })).await.fails(403, "M_FORBIDDEN");
    eve.put(&path(&room, &eve), json!({ "typing": true })).await.fails(403, "M_FORBIDDEN");
    alice.put(&path(&room, &alice), json!({})).await.fails(400, "M_BAD_JSON");
}
