//! `GET /events`, `GET /initialSync` and `GET /events/{eventId}`.

use serde_json::{Value, json};

use crate::harness::{Client, TestServer, escape};

fn bodies(events: &Value) -> Vec<&str> {
    events.as_array().expect("events").iter().filter_map(|event| event["content"]["body"].as_str()).collect()
}

#[tokio::test]
async fn the_stream_goes_on_from_the_first_answer() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    alice.send_text(&room, "before").await;
    let first = bob.get("/initialSync?limit=5").await.ok();
    let of_room = &first["rooms"][0];
    assert_eq!((&of_room["room_id"], &of_room["membership"]), (&json!(room), &json!("join")));
    assert_eq!(of_room["visibility"], "private");
    assert_eq!(bodies(&of_room["messages"]["chunk"]), ["before"]);
    assert!(of_room["messages"]["chunk"].as_array().expect("events").len() <= 5);
    let state = of_room["state"].as_array().expect("state");
    assert!(state.iter().any(|event| event["type"] == "m.room.create" && event["room_id"] == room.as_str()));
    let end = first["end"].as_str().expect("a token");
    let nothing = bob.get(&format!("/events?timeout=0&from={}", escape(end))).await.ok();
    assert_eq!(bodies(&nothing["chunk"]), Vec::<&str>::new());
    let end = nothing["end"].as_str().expect("a token");
    alice.send_text(&room, "after").await;
    let news = bob.get(&format!("/events?timeout=0&from={}", escape(end))).await.ok();
    assert_eq!(bodies(&news["chunk"]), ["after"]);
    assert_eq!(news["start"], end);
    let event = news["chunk"].as_array().expect("events").iter().find(|event| event["type"] == "m.room.message");
    assert_eq!(event.expect("the message")["room_id"], room.as_str());
    bob.get("/events?from=nonsense").await.fails(400, "M_INVALID_PARAM");
    bob.get("/events?timeout=x").await.fails(400, "M_INVALID_PARAM");
}

#[tokio::test]
async fn the_stream_waits_for_what_comes() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    let end = bob.get("/events?timeout=0").await.ok()["end"].as_str().expect("a token").to_owned();
    let path = format!("/events?timeout=20000&from={}", escape(&end));
    let (answer, _) = tokio::join!(bob.get(&path), alice.send_text(&room, "at last"));
    assert_eq!(bodies(&answer.ok()["chunk"]), ["at last"]);
}

#[tokio::test]
async fn invites_and_left_rooms_are_in_the_first_answer_where_asked_for() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let left = alice.create_room_with(&[&bob]).await;
    alice.send_text(&left, "farewell").await;
    bob.leave(&left).await;
    alice.send_text(&left, "unseen").await;
    let asked = alice.create_room(json!({ "name": "Party", "visibility": "public" })).await;
    alice.invite(&asked, &bob).await;
    let first = bob.get("/initialSync").await.ok();
    assert_eq!(first["rooms"].as_array().map(Vec::len), Some(1), "{first}");
    let invited = &first["rooms"][0];
    assert_eq!((&invited["membership"], &invited["invite"]["sender"]), (&json!("invite"), &json!(alice.user_id)));
    assert_eq!(invited["visibility"], "public");
    assert!(invited["invite"]["event_id"].is_string() && invited["invite"]["room_id"] == asked.as_str(), "{first}");
    assert!(!first.to_string().contains("Party"), "the state of a room is not for who is only invited");
    let archived = bob.get("/initialSync?archived=true").await.ok();
    let rooms = archived["rooms"].as_array().expect("rooms");
    let banned = alice.create_room_with(&[&bob]).await;
    alice.post(&Client::room_path(&banned, "/ban"), json!({ "user_id": bob.user_id })).await.ok();
    let again = bob.get("/initialSync?archived=true").await.ok();
    let again = again["rooms"].as_array().expect("rooms");
    let of_banned = again.iter().find(|room| room["room_id"] == banned.as_str()).expect("the other room");
    assert_eq!(of_banned["membership"], "ban");
    let of_left = rooms.iter().find(|room| room["room_id"] == left.as_str()).expect("the left room");
    assert_eq!(of_left["membership"], "leave");
    assert_eq!(bodies(&of_left["messages"]["chunk"]), ["farewell"]);
}

#[tokio::test]
async fn an_event_is_found_without_its_room() {
    let server = TestServer::start().await;
    let (alice, eve) = (server.register("alice").await, server.register("eve").await);
    let room = alice.create_room(json!({})).await;
    eve.create_room(json!({})).await;
    let event = alice.send_text(&room, "secret").await;
    let path = format!("/events/{}", escape(&event));
    let found = alice.get(&path).await.ok();
    assert_eq!((&found["content"]["body"], &found["room_id"]), (&json!("secret"), &json!(room)));
    eve.get(&path).await.fails(404, "M_NOT_FOUND");
    alice.get("/events/%24nothing").await.fails(404, "M_NOT_FOUND");
    alice.signed_out().get(&path).await.fails(401, "M_MISSING_TOKEN");
}

#[tokio::test]
async fn nobody_reads_without_a_token() {
    let server = TestServer::start().await;
    let nobody: Client = server.client();
    for path in ["/events", "/initialSync"] {
        nobody.get(path).await.fails(401, "M_MISSING_TOKEN");
    }
}
