//! How sockets end: by the client's fault, with the session, with a newer socket, and with the server.

use std::time::Duration;

use hearth_server::config::Config;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::harness::{Client, PASSWORD, TestServer, TestSocket};

/// How long a message that cannot be sent is tried.
const STUCK: Duration = Duration::from_secs(5);

/// A heartbeat that a test can wait for, in milliseconds.
const HEARTBEAT_MS: u32 = 400;

async fn start_with_short_heartbeat() -> TestServer {
    TestServer::start_with(|config| config.websocket.heartbeat_ms = HEARTBEAT_MS).await
}

#[tokio::test]
async fn what_is_no_frame_is_4400() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let address = server.listen();
    let call = json!({ "op": "call", "id": "c", "method": "GET", "path": "/_matrix/client/v3/joined_rooms" });
    let long_id = "x".repeat(256);
    let mut messages = vec![Message::binary(call.to_string().into_bytes()), Message::text("[".repeat(50_000))];
    for text in [
        "",
        "garbage",
        "null",
        "[]",
        "{}",
        r#"{"op":7}"#,
        r#"{"op":"dance"}"#,
        r#"{"op":"call","id":"1"}"#,
        r#"{"op":"call","id":1,"method":"GET","path":"/"}"#,
        r#"{"op":"call","id":"1","method":"GET","path":"/","headers":[]}"#,
        r#"{"op":"ack","id":"s","seq":-1}"#,
        r#"{"op":"sync","id":"","conn_id":"c","path":"/"}"#,
        r#"{"op":"stop","op":"stop","id":"s"}"#,
        &format!(r#"{{"op":"cancel","id":"{long_id}"}}"#),
        "{\"op\":\"ping\"}{\"op\":\"ping\"}",
    ] {
        messages.push(Message::text(text));
    }
    for message in messages {
        let mut socket = TestSocket::open(address, &alice).await;
        socket.send_message(message.clone()).await;
        assert_eq!(socket.code().await, Some(4400), "{message:?}");
    }
    let mut early = TestSocket::connect(address).await;
    early.send(call).await;
    assert_eq!(early.code().await, Some(4400), "the first frame is `auth`");
    let mut hasty = TestSocket::open(address, &alice).await;
    hasty.sync_from_now("s", &alice).await;
    hasty.ack("s", &json!(7)).await;
    assert_eq!(hasty.code().await, Some(4400), "what was not sent is not acknowledged");
    alice.get("/account/whoami").await.ok();
}

#[tokio::test]
async fn frames_beyond_the_limit_are_4413() {
    let server = TestServer::start_with(|config| config.websocket.frame_bytes_max = 4_000).await;
    let alice = server.register("alice").await;
    let address = server.listen();
    for bytes in [4_001, 7_000, 100_000] {
        let mut socket = TestSocket::open(address, &alice).await;
        socket.send_text(&format!(r#"{{"op":"ping","x":"{}"}}"#, "x".repeat(bytes))).await;
        assert_eq!(socket.code().await, Some(4413), "{bytes}");
    }
}

#[tokio::test]
async fn a_message_in_pieces_beyond_the_limit_ends_the_socket() {
    let server = TestServer::start_with(|config| config.websocket.frame_bytes_max = 4_000).await;
    let alice = server.register("alice").await;
    let mut socket = TestSocket::open(server.listen(), &alice).await;
    let piece = |opcode| Message::Frame(Frame::message("[".repeat(1_000), OpCode::Data(opcode), false));
    socket.send_message(piece(Data::Text)).await;
    for _ in 0..20 {
        socket.send_message(piece(Data::Continue)).await;
    }
    let code = socket.code().await;
    assert_eq!(code, Some(4413));
}

#[tokio::test]
async fn what_is_no_websocket_ends_the_connection_and_nothing_else() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let address = server.listen();
    // An opcode that there is not, a frame without its mask, text that is no UTF-8, and a length beyond all limits.
    for bytes in [&[0x83, 0x80, 0, 0, 0, 0][..], &[0x81, 1, b'x'], &[0x81, 0x81, 0, 0, 0, 0, 0xff], &[0x81, 0xff, 0x7f]]
    {
        let mut socket = TestSocket::open(address, &alice).await;
        socket.send_bytes(bytes).await;
        socket.send_bytes(&[0xff; 12]).await;
        let code = socket.code().await;
        assert!([Some(4400), Some(4413)].contains(&code), "{bytes:?}: {code:?}");
    }
    let mut socket = TestSocket::open(address, &alice).await;
    assert_eq!(socket.call("GET", "/joined_rooms", None).await["status"], 200);
}

#[tokio::test]
async fn who_asks_and_never_reads_is_stopped_and_dropped() {
    let short = |config: &mut Config| {
        config.websocket.heartbeat_ms = 2_000;
        config.websocket.calls_in_flight_max = 500;
    };
    let server = TestServer::start_with(short).await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    alice.set_state(&room, "test.large", json!({ "text": "y".repeat(50_000) })).await;
    let path = Client::room_path(&room, "/state/test.large/");
    let mut socket = TestSocket::open(server.listen(), &alice).await;
    let mut sent = 0;
    let is_taken = async |socket: &mut TestSocket, id: usize| {
        let call = json!({ "op": "call", "id": id.to_string(), "method": "GET", "x": "x".repeat(2_000),
            "path": format!("/_matrix/client/v3{path}") });
        let call = call.to_string();
        tokio::time::timeout(STUCK, socket.send_text(&call)).await.is_ok() && server.homeserver.sockets.count() > 0
    };
    while is_taken(&mut socket, sent).await {
        sent += 1;
        assert!(sent < 50_000, "all of it was taken");
    }
    let gone = async {
        while server.homeserver.sockets.count() > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), gone).await.expect("it is dropped after two heartbeats");
}

#[tokio::test]
async fn who_says_nothing_or_something_wrong_is_let_go() {
    let server = TestServer::start_with(|config| config.websocket.auth_timeout_ms = 600).await;
    let alice = server.register("alice").await;
    let address = server.listen();
    assert_eq!(TestSocket::connect(address).await.code().await, Some(4408));
    let mut stranger = TestSocket::connect(address).await;
    stranger.send(json!({ "op": "auth", "token": "nobody" })).await;
    assert_eq!(stranger.code().await, Some(4401));
    let mut known = TestSocket::open(address, &alice).await;
    tokio::time::sleep(Duration::from_millis(800)).await;
    assert_eq!(known.call("GET", "/joined_rooms", None).await["status"], 200, "who is known may take their time");
}

#[tokio::test]
async fn a_token_of_another_user_or_device_is_4403() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let address = server.listen();
    for other in [bob, alice.log_in_again().await] {
        let mut socket = TestSocket::open(address, &alice).await;
        socket.send(json!({ "op": "auth", "token": other.token })).await;
        assert_eq!(socket.code().await, Some(4403));
    }
    let mut socket = TestSocket::open(address, &alice).await;
    socket.authenticate(&alice).await;
    assert_eq!(socket.call("GET", "/joined_rooms", None).await["status"], 200);
}

#[tokio::test]
async fn the_end_of_another_session_ends_nothing() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let phone = alice.log_in_again().await;
    let mut socket = TestSocket::open(server.listen(), &alice).await;
    phone.post("/logout", json!({})).await.ok();
    assert_eq!(socket.call("GET", "/joined_rooms", None).await["status"], 200);
}

async fn log_in_with_refresh(server: &TestServer) -> (Client, Value) {
    let body = json!({
        "type": "m.login.password", "password": PASSWORD, "refresh_token": true,
        "identifier": { "type": "m.id.user", "user": "alice" },
    });
    let answer = server.client().post("/login", body).await.ok();
    (server.client().signed_in(&answer), answer)
}

#[tokio::test]
async fn a_refreshed_token_comes_in_band_and_an_old_one_runs_out() {
    let server = start_with_short_heartbeat().await;
    server.register("alice").await;
    let (alice, answer) = log_in_with_refresh(&server).await;
    let address = server.listen();
    let mut renewed = TestSocket::open(address, &alice).await;
    renewed.sync_from_now("s", &alice).await;
    let fresh = server.client().post("/refresh", json!({ "refresh_token": answer["refresh_token"] })).await.ok();
    let fresh = alice.with_token(fresh["access_token"].as_str().expect("a token"));
    server.clock.advance(200_000);
    renewed.authenticate(&fresh).await;
    // The old token has ended with the first use of the new one, and the socket goes on.
    alice.get("/joined_rooms").await.fails(401, "M_UNKNOWN_TOKEN");
    assert_eq!(renewed.call("GET", "/joined_rooms", None).await["status"], 200);
    server.clock.advance(200_000);
    assert_eq!(renewed.code().await, Some(4401), "nobody refreshed it again");
}

#[tokio::test]
async fn no_body_goes_out_for_a_token_that_ran_out() {
    let server = TestServer::start().await;
    let bob = server.register("bob").await;
    server.register("alice").await;
    let (alice, _) = log_in_with_refresh(&server).await;
    let room = bob.create_room_with(&[&alice]).await;
    let mut socket = TestSocket::open(server.listen(), &alice).await;
    socket.sync_from_now("s", &alice).await;
    server.clock.advance(301_000);
    bob.send_text(&room, "too late").await;
    assert_eq!(socket.next_or_code().await, Err(Some(4401)));
}

#[tokio::test]
async fn a_newer_socket_of_the_same_page_takes_over() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let address = server.listen();
    let mut older = TestSocket::open(address, &alice).await;
    older.sync_from_now("s", &alice).await;
    let mut other_page = TestSocket::open(address, &alice).await;
    other_page.sync_from_now("other", &alice).await;
    let mut newer = TestSocket::open(address, &alice).await;
    newer.sync_from_now("s", &alice).await;
    assert_eq!(older.code().await, Some(4409));
    let room = alice.create_room(json!({})).await;
    newer.body_with("s", &room).await;
    other_page.body_with("other", &room).await;
}

#[tokio::test]
async fn who_never_acknowledges_is_4429() {
    let server = start_with_short_heartbeat().await;
    let alice = server.register("alice").await;
    let since = alice.sync(None).await;
    let mut socket = TestSocket::open(server.listen(), &alice).await;
    socket.sync("s", since["next_batch"].as_str().unwrap()).await;
    assert_eq!(socket.next().await["seq"], 1);
    server.clock.advance(599_000);
    assert_eq!(socket.call("GET", "/joined_rooms", None).await["status"], 200);
    server.clock.advance(2_000);
    assert_eq!(socket.code().await, Some(4429));
}

#[tokio::test]
async fn who_is_silent_for_two_heartbeats_is_dropped_and_who_answers_pings_is_not() {
    let server = start_with_short_heartbeat().await;
    let alice = server.register("alice").await;
    let address = server.listen();
    let mut silent = TestSocket::open(address, &alice).await;
    let mut living = TestSocket::open(address, &alice).await;
    let wait = Duration::from_millis(u64::from(HEARTBEAT_MS) * 5);
    // Reading answers the server's pings.
    let read = tokio::time::timeout(wait, living.next_or_code()).await;
    assert!(read.is_err(), "{read:?}");
    assert_eq!(living.call("GET", "/joined_rooms", None).await["status"], 200);
    assert_eq!(silent.code().await, None);
}

#[tokio::test]
async fn a_stop_says_good_bye_and_waits_for_the_sockets() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let address = server.listen();
    let mut idle = TestSocket::connect(address).await;
    let mut socket = TestSocket::open(address, &alice).await;
    socket.sync_from_now("s", &alice).await;
    server.homeserver.stop.cancel();
    let bye = socket.next().await;
    assert_eq!(bye["op"], "bye");
    assert!(bye["after_ms"].as_u64().unwrap() < 60_000, "{bye}");
    assert_eq!(socket.code().await, Some(1012));
    assert_eq!(idle.code().await, Some(1012));
    drop((idle, socket));
    assert!(server.homeserver.tasks.finish_connections(Duration::from_secs(30)).await);
}
