//! After the commit that ends a session or a membership no further body holds the data, whichever way the client is
//! told, and however slow it is.

use std::time::Duration;

use axum::body::Body;
use futures_util::StreamExt as _;
use futures_util::future::{join, join_all, join3};
use http::{Request, header};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::harness::{Client, PASSWORD, TestServer, TestSocket, escape};

/// The ways in which a session ends.
const WAYS: [&str; 6] = ["logout", "logout all", "device", "password", "deactivate", "lock"];

/// How long a poll would wait if nothing ended it, in milliseconds.
const POLL_MS: u32 = 60_000;

/// Far less than that, and enough for a machine that is busy.
const AT_ONCE: Duration = Duration::from_secs(20);

/// Long enough for a request to have begun to wait.
const A_MOMENT: Duration = Duration::from_millis(100);

/// Does what has to be confirmed with the password.
async fn confirm(client: &Client, path: &str, mut body: Value) {
    let question = client.post(path, body.clone()).await.asks_for_auth();
    body["auth"] = json!({
        "type": "m.login.password", "password": PASSWORD, "session": question["session"],
        "identifier": { "type": "m.id.user", "user": client.user_id },
    });
    client.post(path, body).await.ok();
}

async fn make_admin(server: &TestServer) -> Client {
    let admin = server.register("admin").await;
    let id = ruma::UserId::parse(admin.user_id.as_str()).expect("an id");
    server.homeserver.users.set_admin(&id, true).await.expect("an account");
    admin
}

/// Ends the session of a phone, which another device of the same user helps to do.
async fn end_session(way: &str, admin: &Client, alice: &Client, phone: &Client) {
    match way {
        "logout" => drop(phone.post("/logout", json!({})).await.ok()),
        "logout all" => drop(alice.post("/logout/all", json!({})).await.ok()),
        "device" => confirm(alice, "/delete_devices", json!({ "devices": [phone.device_id] })).await,
        "password" => confirm(alice, "/account/password", json!({ "new_password": "another long password" })).await,
        "deactivate" => confirm(alice, "/account/deactivate", json!({})).await,
        _ => {
            let path = format!("/_matrix/client/v1/admin/lock/{}", escape(&alice.user_id));
            admin.put(&path, json!({ "locked": true })).await.ok();
        }
    }
}

/// A user with two devices for a way.
async fn make_user(server: &TestServer, way: &str) -> (Client, Client) {
    let alice = server.register(&format!("alice-{}", way.replace(' ', "-"))).await;
    let phone = alice.log_in_again().await;
    (alice, phone)
}

fn position(body: &Value) -> String {
    escape(body["next_batch"].as_str().expect("a token"))
}

#[tokio::test]
async fn the_end_of_a_session_ends_its_sockets_at_once() {
    let server = TestServer::start_with(|config| config.websocket.ack_window_frames = 1).await;
    let (admin, bob) = (make_admin(&server).await, server.register("bob").await);
    let address = server.listen();
    for way in WAYS {
        let (alice, phone) = make_user(&server, way).await;
        let room = bob.create_room_with(&[&alice]).await;
        let mut idle = TestSocket::open(address, &phone).await;
        let mut streaming = TestSocket::open(address, &phone).await;
        streaming.sync_from_now("s", &phone).await;
        let mut owing = TestSocket::open(address, &phone).await;
        owing.sync("o", phone.sync(None).await["next_batch"].as_str().unwrap()).await;
        assert_eq!(owing.next().await["seq"], 1, "and it is never acknowledged");
        end_session(way, &admin, &alice, &phone).await;
        bob.send_text(&room, "after the end").await;
        assert_eq!(idle.code().await, Some(4401), "{way}");
        // A body that was sent while the session was there may have arrived only now.
        for socket in [&mut streaming, &mut owing] {
            let code = loop {
                match socket.next_or_code().await {
                    Ok(frame) => assert!(!frame.to_string().contains("after the end"), "{way}: {frame}"),
                    Err(code) => break code,
                }
            };
            assert_eq!(code, Some(4401), "{way}");
        }
    }
    assert_eq!(server.homeserver.sockets.count(), 0);
}

#[tokio::test]
async fn the_end_of_a_session_ends_a_long_poll_under_way() {
    let server = TestServer::start().await;
    let admin = make_admin(&server).await;
    for way in WAYS {
        let (alice, phone) = make_user(&server, way).await;
        let room = alice.create_room(json!({})).await;
        let since = position(&phone.sync(None).await);
        let paths = [
            format!("/sync?since={since}&timeout={POLL_MS}"),
            format!("/events?from={since}&timeout={POLL_MS}"),
            format!("/events?from={since}&timeout={POLL_MS}&room_id={}", escape(&room)),
        ];
        let polls = join_all(paths.iter().map(|path| phone.get(path)));
        let ending = async {
            tokio::time::sleep(A_MOMENT).await;
            end_session(way, &admin, &alice, &phone).await;
        };
        let (answers, ()) = tokio::time::timeout(AT_ONCE, join(polls, ending)).await.expect("at once");
        for answer in answers {
            answer.fails(401, if way == "lock" { "M_USER_LOCKED" } else { "M_UNKNOWN_TOKEN" });
        }
    }
}

#[tokio::test]
async fn the_end_of_another_session_leaves_a_long_poll_waiting() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let phone = alice.log_in_again().await;
    let path = format!("/sync?since={}&timeout={POLL_MS}", position(&alice.sync(None).await));
    let others = async {
        tokio::time::sleep(A_MOMENT).await;
        phone.post("/logout", json!({})).await.ok();
        tokio::time::sleep(A_MOMENT).await;
        alice.create_room(json!({ "name": "news" })).await
    };
    let (answer, room) = join(alice.get(&path), others).await;
    assert!(answer.ok()["rooms"]["join"][&room].is_object());
}

#[tokio::test]
async fn the_end_of_a_session_ends_its_event_stream() {
    let server = TestServer::start().await;
    let (admin, bob) = (make_admin(&server).await, server.register("bob").await);
    for way in WAYS {
        let (alice, phone) = make_user(&server, way).await;
        let room = bob.create_room_with(&[&alice]).await;
        let since = position(&phone.sync(None).await);
        let request = Request::get(format!("/_matrix/client/v3/sync?since={since}"))
            .header(header::ACCEPT, "text/event-stream")
            .header(header::AUTHORIZATION, format!("Bearer {}", phone.token.as_deref().expect("a token")));
        let answer = server.app().oneshot(request.body(Body::empty()).expect("a request")).await.expect("an answer");
        let mut events = answer.into_body().into_data_stream();
        events.next().await.expect("the first at once").expect("bytes");
        let ending = async {
            tokio::time::sleep(A_MOMENT).await;
            end_session(way, &admin, &alice, &phone).await;
            bob.send_text(&room, "after the end").await;
        };
        let rest = async {
            let mut rest = String::new();
            while let Some(event) = events.next().await {
                rest += &String::from_utf8_lossy(&event.expect("bytes"));
            }
            rest
        };
        let (rest, ()) = tokio::time::timeout(AT_ONCE, join(rest, ending)).await.expect("the stream ends");
        assert!(!rest.contains("after the end"), "{way}: {rest}");
    }
}

#[tokio::test]
async fn a_connection_that_reads_nothing_ends_with_its_session() {
    let server = TestServer::start_with(|config| config.websocket.ack_window_bytes = u32::MAX).await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    let mut socket = TestSocket::open(server.listen(), &bob).await;
    socket.sync_from_now("s", &bob).await;
    // More than the kernel's buffers hold, so the server has something to send that nobody takes.
    alice.send_long_texts(&room, 200).await;
    bob.post("/logout", json!({})).await.ok();
    alice.send_text(&room, "after the end").await;
    let gone = async {
        while server.homeserver.sockets.count() > 0 || server.homeserver.tasks.connection_count() > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(AT_ONCE, gone).await.expect("the connection is dropped, close frame or not");
    while let Ok(frame) = socket.next_or_code().await {
        assert!(!frame.to_string().contains("after the end"));
    }
}

#[tokio::test]
async fn who_owes_acknowledgements_gets_nothing_later_of_a_room_that_they_left() {
    let server = TestServer::start_with(|config| config.websocket.ack_window_frames = 1).await;
    let alice = server.register("alice").await;
    let address = server.listen();
    for way in ["/kick", "/ban", "/leave"] {
        let bob = server.register(&format!("bob{}", &way[1..])).await;
        let room = alice.create_room_with(&[&bob]).await;
        let mut socket = TestSocket::open(address, &bob).await;
        socket.sync("s", bob.sync(None).await["next_batch"].as_str().unwrap()).await;
        assert_eq!(socket.next().await["seq"], 1);
        alice.send_text(&room, "before the end").await;
        end_membership(way, &alice, &bob, &room).await;
        alice.send_text(&room, "after the end").await;
        socket.expect_nothing().await;
        socket.ack("s", &json!(1)).await;
        let body = socket.body("s").await;
        let left = &body["rooms"]["leave"][&room];
        assert!(left.to_string().contains("before the end"), "{way}: {body}");
        assert!(!body.to_string().contains("after the end"), "{way}: {body}");
        socket.expect_nothing().await;
    }
}

async fn end_membership(way: &str, alice: &Client, bob: &Client, room: &str) {
    if way == "/leave" {
        bob.leave(room).await;
    } else {
        alice.post(&Client::room_path(room, way), json!({ "user_id": bob.user_id })).await.ok();
    }
}

#[tokio::test]
async fn what_is_said_while_a_membership_ends_is_told_up_to_that_event_and_no_further() {
    const MESSAGES: usize = 40;
    let server = TestServer::start().await;
    let (alice, carol) = (server.register("alice").await, server.register("carol").await);
    let address = server.listen();
    for way in ["/kick", "/ban", "/leave"] {
        let bob = server.register(&format!("bob{}", &way[1..])).await;
        let room = alice.create_room_with(&[&bob, &carol]).await;
        let mut socket = TestSocket::open(address, &bob).await;
        socket.sync_from_now("s", &bob).await;
        let talk = async {
            for number in 0..MESSAGES {
                carol.send_text(&room, &format!("<{number}>")).await;
            }
        };
        let ending = async {
            tokio::time::sleep(Duration::from_millis(15)).await;
            end_membership(way, &alice, &bob, &room).await;
        };
        let listening = async {
            let mut bodies = String::new();
            loop {
                let body = socket.body("s").await;
                bodies += &body.to_string();
                if body["rooms"]["leave"][&room].is_object() {
                    return bodies;
                }
            }
        };
        let (bodies, (), ()) = join3(listening, talk, ending).await;
        socket.expect_nothing().await;
        let all = alice.get(&Client::room_path(&room, "/messages?dir=f&limit=100")).await.ok();
        let all = all["chunk"].as_array().expect("events");
        let end = all.iter().rposition(|event| event["state_key"] == bob.user_id.as_str()).expect("the end");
        for event in &all[end + 1..] {
            let text = event["content"]["body"].as_str().expect("a message");
            assert!(!bodies.contains(text), "{way}: {text} was said after it");
        }
    }
}
