//! Who may read what: every way to read an event, for every kind of reader and every history visibility.

use http::Method;
use serde_json::{Value, json};

use crate::harness::{Client, TestServer, escape};

/// The messages of the room under test, in the order in which they are sent.
const MESSAGES: [&str; 3] = ["before", "present", "after"];

/// What the reader does between "before" and "present", and between "present" and "after".
#[derive(Clone, Copy, Debug, PartialEq)]
enum Reader {
    Stranger,
    Invited,
    Joined,
    Left,
    Kicked,
    Banned,
}

/// The messages that the reader may see (C-S API, "Room history visibility", "Server behaviour").
fn may_see(visibility: &str, reader: Reader) -> Vec<&'static str> {
    let was_in = !matches!(reader, Reader::Stranger | Reader::Invited);
    let is_in = reader == Reader::Joined;
    let sees = |message: &str| match (visibility, message) {
        ("world_readable", _) => true,
        (_, "after") => is_in || (visibility == "invited" && reader == Reader::Invited),
        ("shared", _) => was_in,
        (_, "present") => was_in || (visibility == "invited" && reader == Reader::Invited),
        (_, _) => false,
    };
    MESSAGES.into_iter().filter(|message| sees(message)).collect()
}

async fn act(alice: &Client, bob: &Client, room: &str, reader: Reader) {
    match reader {
        Reader::Stranger => {}
        Reader::Invited => alice.invite(room, bob).await,
        _ => bob.join(room).await,
    }
}

async fn act_again(alice: &Client, bob: &Client, room: &str, reader: Reader) {
    let what = match reader {
        Reader::Stranger | Reader::Invited | Reader::Joined => return,
        Reader::Left => return bob.leave(room).await,
        Reader::Kicked => "/kick",
        Reader::Banned => "/ban",
    };
    alice.post(&Client::room_path(room, what), json!({ "user_id": bob.user_id })).await.ok();
}

/// The room, and the ids of its messages.
async fn room_read_by(alice: &Client, bob: &Client, visibility: &str, reader: Reader) -> (String, Vec<String>) {
    let content = json!({ "history_visibility": visibility });
    let history = json!({ "type": "m.room.history_visibility", "state_key": "", "content": content });
    let room = alice.create_room(json!({ "preset": "public_chat", "initial_state": [history] })).await;
    let mut ids = vec![alice.send_text(&room, MESSAGES[0]).await];
    act(alice, bob, &room, reader).await;
    ids.push(alice.send_text(&room, MESSAGES[1]).await);
    act_again(alice, bob, &room, reader).await;
    ids.push(alice.send_text(&room, MESSAGES[2]).await);
    (room, ids)
}

fn bodies(events: &Value) -> Vec<String> {
    let events = events.as_array().map(Vec::as_slice).unwrap_or_default();
    events.iter().filter_map(|event| event["content"]["body"].as_str()).map(str::to_owned).collect()
}

#[tokio::test]
async fn every_way_to_read_passes_the_same_gate() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let readers = [Reader::Stranger, Reader::Invited, Reader::Joined, Reader::Left, Reader::Kicked, Reader::Banned];
    for visibility in ["world_readable", "shared", "invited", "joined"] {
        for reader in readers {
            let (room, ids) = room_read_by(&alice, &bob, visibility, reader).await;
            let expected = may_see(visibility, reader);
            let what = format!("{visibility}, {reader:?}");
            for (message, id) in MESSAGES.iter().zip(&ids) {
                let sees = expected.contains(message);
                let event = bob.get(&Client::room_path(&room, &format!("/event/{}", escape(id)))).await;
                assert_eq!(event.status == 200, sees, "/event, {what}, {message}: {}", event.text());
                let context = bob.get(&Client::room_path(&room, &format!("/context/{}?limit=0", escape(id)))).await;
                assert!(sees || context.status != 200, "/context, {what}, {message}: {}", context.text());
            }
            let page = bob.get(&Client::room_path(&room, "/messages?dir=f&limit=100")).await;
            let readable = visibility == "world_readable" || !matches!(reader, Reader::Stranger | Reader::Invited);
            assert_eq!(page.status == 200, readable, "/messages, {what}: {}", page.text());
            if readable {
                assert_eq!(bodies(&page.ok()["chunk"]), expected, "/messages, {what}");
            }
            let state = bob.get(&Client::room_path(&room, "/state/m.room.create")).await;
            assert_eq!(state.status == 200, readable, "/state, {what}: {}", state.text());
            let synced = bob.sync_with(None, "timeout=0").await;
            let timeline = bodies(&synced["rooms"]["join"][&room]["timeline"]["events"]);
            let in_sync: &[&str] = if reader == Reader::Joined { &expected } else { &[] };
            assert_eq!(timeline, in_sync, "/sync, {what}");
        }
    }
}

/// Every endpoint under a room, with a body that it takes.
fn endpoints_of(room: &str, event: &str, user: &str) -> Vec<(Method, String, Value)> {
    let path = |rest: &str| Client::room_path(room, rest);
    let (event, escaped) = (escape(event), escape(user));
    vec![
        (Method::GET, path("/state"), json!(null)),
        (Method::GET, path("/state/m.room.create"), json!(null)),
        (Method::GET, path("/members"), json!(null)),
        (Method::GET, path("/joined_members"), json!(null)),
        (Method::GET, path("/messages?dir=b"), json!(null)),
        (Method::GET, path(&format!("/event/{event}")), json!(null)),
        (Method::GET, path(&format!("/context/{event}")), json!(null)),
        (Method::PUT, path("/send/m.room.message/t"), json!({ "body": "x" })),
        (Method::PUT, path("/state/m.room.topic"), json!({ "topic": "x" })),
        (Method::PUT, path(&format!("/redact/{event}/t")), json!({})),
        (Method::PUT, path(&format!("/typing/{escaped}")), json!({ "typing": true })),
        (Method::POST, path(&format!("/receipt/m.read/{event}")), json!({})),
        (Method::POST, path("/read_markers"), json!({ "m.fully_read": "$x" })),
        (Method::POST, path("/invite"), json!({ "user_id": user })),
        (Method::POST, path("/kick"), json!({ "user_id": user })),
        (Method::POST, path("/ban"), json!({ "user_id": user })),
        (Method::POST, path("/unban"), json!({ "user_id": user })),
        (Method::POST, path("/leave"), json!({})),
        (Method::POST, path("/forget"), json!({})),
        (Method::POST, path("/join"), json!({})),
        (Method::POST, format!("/knock/{}", escape(room)), json!({})),
    ]
}

#[tokio::test]
async fn unknown_rooms_and_those_of_others_are_closed_everywhere() {
    let server = TestServer::start().await;
    let (alice, eve) = (server.register("alice").await, server.register("eve").await);
    let room = alice.create_room(json!({})).await;
    let event = alice.send_text(&room, "secret").await;
    for room in [room.as_str(), "!nothing:test.hearth", "!nothing:elsewhere.test", "!nothing"] {
        for (method, path, body) in endpoints_of(room, &event, &eve.user_id) {
            let body = if body.is_null() { String::new() } else { body.to_string() };
            let answer = eve.request(method.clone(), &path, body).await;
            let refused = answer.status == 403 || answer.status == 404;
            assert!(refused, "{method} {path}: {} {}", answer.status, answer.text());
            assert!(!answer.text().contains("secret"), "{method} {path}");
        }
    }
    assert_eq!(alice.get(&Client::room_path(&room, "/members")).await.ok()["chunk"].as_array().map(Vec::len), Some(1));
}
