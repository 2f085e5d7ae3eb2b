//! `GET .../delayed_events` and `POST .../delayed_events/{delayId}/{action}` (MSC4140), and putting events off.

use http::Method;
use serde_json::{Value, json};

use crate::harness::{Client, TestServer, escape};

const PATH: &str = "/_matrix/client/unstable/org.matrix.msc4140/delayed_events";
const DELAY: &str = "org.matrix.msc4140.delay";

async fn put_off(client: &Client, path: &str, content: Value, delay_ms: u64) -> String {
    let answer = client.put(&format!("{path}?{DELAY}={delay_ms}"), content).await.ok();
    answer["delay_id"].as_str().unwrap_or_else(|| panic!("no delay_id: {answer}")).to_owned()
}

async fn list(client: &Client) -> Vec<Value> {
    client.get(PATH).await.ok()["delayed_events"].as_array().expect("a list").clone()
}

/// Lets time pass, and sends what is due then.
async fn wait(server: &TestServer, ms: u64) {
    server.clock.advance(ms);
    server.homeserver.delayed_events.send_due().await.expect("sent");
}

fn state_path(room: &str, state_key: &str) -> String {
    Client::room_path(room, &format!("/state/x.y/{}", escape(state_key)))
}

#[tokio::test]
async fn a_message_is_sent_when_its_time_has_come() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    let since = alice.sync(None).await["next_batch"].as_str().expect("a token").to_owned();
    let path = Client::send_path(&room, "x.y");
    let id = put_off(&alice, &path, json!({ "n": 1 }), 1_000).await;
    assert_eq!(put_off(&alice, &path, json!({}), 1_000).await, id, "the same transaction");
    let waiting = list(&alice).await;
    assert_eq!(waiting.len(), 1);
    assert_eq!(waiting[0]["delay_id"], id.as_str());
    assert_eq!((&waiting[0]["type"], &waiting[0]["delay"]), (&json!("x.y"), &json!(1_000)));
    assert_eq!((&waiting[0]["room_id"], &waiting[0]["content"]), (&json!(room), &json!({ "n": 1 })));
    assert!(list(&bob).await.is_empty(), "another user's");
    wait(&server, 999).await;
    assert_eq!(list(&alice).await.len(), 1);
    wait(&server, 1).await;
    assert!(list(&alice).await.is_empty());
    wait(&server, 5_000).await;
    let news = alice.sync(Some(&since)).await;
    let timeline = news["rooms"]["join"][&room]["timeline"]["events"].as_array().expect("events").clone();
    assert_eq!(timeline.len(), 1, "once");
    assert_eq!((&timeline[0]["type"], &timeline[0]["content"]), (&json!("x.y"), &json!({ "n": 1 })));
    assert_eq!(put_off(&alice, &path, json!({}), 1_000).await, id, "remembered when it was sent");
}

#[tokio::test]
async fn state_is_cancelled_restarted_and_sent() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let nobody = alice.signed_out();
    let room = alice.create_room(json!({})).await;
    let mut ids = Vec::new();
    for key in ["cancel", "restart", "send"] {
        ids.push(put_off(&alice, &state_path(&room, key), json!({ "by": key }), 1_500).await);
    }
    wait(&server, 1_000).await;
    for (id, action) in ids.iter().zip(["cancel", "restart", "send"]) {
        nobody.post(&format!("{PATH}/{id}/{action}"), json!({})).await.ok();
    }
    assert_eq!(alice.get(&state_path(&room, "send")).await.ok(), json!({ "by": "send" }));
    let waiting = list(&alice).await;
    assert_eq!(waiting.len(), 1);
    assert_eq!(waiting[0]["state_key"], "restart");
    wait(&server, 1_000).await;
    alice.get(&state_path(&room, "restart")).await.fails(404, "M_NOT_FOUND");
    wait(&server, 500).await;
    assert_eq!(alice.get(&state_path(&room, "restart")).await.ok(), json!({ "by": "restart" }));
    alice.get(&state_path(&room, "cancel")).await.fails(404, "M_NOT_FOUND");
    for (id, action) in ids.iter().zip(["send", "cancel", "restart"]) {
        nobody.post(&format!("{PATH}/{id}/{action}"), json!({})).await.fails(404, "M_NOT_FOUND");
    }
}

#[tokio::test]
async fn state_that_another_has_set_meanwhile_stays() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice
        .create_room(json!({ "preset": "public_chat", "power_level_content_override": { "events": { "x.y": 0 } } }))
        .await;
    bob.join(&room).await;
    put_off(&alice, &state_path(&room, "k"), json!({ "by": "alice" }), 1_000).await;
    wait(&server, 10).await;
    bob.put(&state_path(&room, "k"), json!({ "by": "bob" })).await.ok();
    wait(&server, 1_000).await;
    assert_eq!(alice.get(&state_path(&room, "k")).await.ok(), json!({ "by": "bob" }));
    assert!(list(&alice).await.is_empty());
}

#[tokio::test]
async fn what_the_room_refuses_is_not_tried_for_ever() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    let id = put_off(&bob, &state_path(&room, "k"), json!({}), 1_000).await;
    bob.post(&format!("{PATH}/{id}/send"), json!({})).await.fails(403, "M_FORBIDDEN");
    assert_eq!(list(&bob).await.len(), 1, "who was told may mend it");
    wait(&server, 1_000).await;
    assert!(list(&bob).await.is_empty());
}

#[tokio::test]
async fn bad_requests_put_nothing_off() {
    let server = TestServer::start().await;
    let (alice, eve) = (server.register("alice").await, server.register("eve").await);
    let room = alice.create_room(json!({})).await;
    let path = |delay: &str| format!("{}?{DELAY}={delay}", Client::send_path(&room, "x.y"));
    let too_long = alice.put(&path("86400001"), json!({})).await.fails(400, "M_UNKNOWN");
    assert_eq!(too_long["org.matrix.msc4140.errcode"], "M_MAX_DELAY_EXCEEDED");
    for delay in ["soon", "-1", "1.5"] {
        alice.put(&path(delay), json!({})).await.fails(400, "M_INVALID_PARAM");
    }
    let long = json!({ "text": "x".repeat(41_000) });
    alice.put(&path("1000"), long).await.fails(413, "M_TOO_LARGE");
    eve.put(&path("1000"), json!({})).await.fails(403, "M_FORBIDDEN");
    let create = format!("{}?{DELAY}=1000", Client::room_path(&room, "/state/m.room.create"));
    alice.put(&create, json!({})).await.fails(400, "M_INVALID_PARAM");
    assert!(list(&alice).await.is_empty() && list(&eve).await.is_empty());
    for n in 0..100 {
        put_off(&alice, &state_path(&room, &n.to_string()), json!({}), 1_000).await;
    }
    let too_many = alice.put(&path("1000"), json!({})).await.fails(400, "M_UNKNOWN");
    assert_eq!(too_many["org.matrix.msc4140.errcode"], "M_MAX_DELAYED_EVENTS_EXCEEDED");
}

#[tokio::test]
async fn unknown_ids_and_actions_are_not_found() {
    let server = TestServer::start().await;
    let nobody = server.client();
    nobody.get(PATH).await.fails(401, "M_MISSING_TOKEN");
    let made_up = "A".repeat(43);
    for id in ["abc", "a%2Fb", made_up.as_str()] {
        for action in ["cancel", "restart", "send", "oops"] {
            nobody.post(&format!("{PATH}/{id}/{action}"), json!({})).await.fails(404, "M_NOT_FOUND");
        }
        nobody.request(Method::POST, &format!("{PATH}/{id}"), "{}").await.fails(404, "M_UNRECOGNIZED");
    }
}

#[tokio::test]
async fn what_was_put_off_outlives_the_server() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    put_off(&alice, &state_path(&room, "soon"), json!({ "n": 1 }), 1_000).await;
    put_off(&alice, &state_path(&room, "late"), json!({ "n": 2 }), 60_000).await;
    server.clock.advance(1_000);
    let server = server.start_again().await;
    let alice = alice.at(&server);
    wait(&server, 0).await;
    assert_eq!(alice.get(&state_path(&room, "soon")).await.ok(), json!({ "n": 1 }));
    let waiting = list(&alice).await;
    assert_eq!((waiting.len(), &waiting[0]["state_key"]), (1, &json!("late")));
    wait(&server, 59_000).await;
    assert_eq!(alice.get(&state_path(&room, "late")).await.ok(), json!({ "n": 2 }));
    assert!(list(&alice).await.is_empty());
}
