//! Bodies: the first at once, news as they happen, and never more than the client keeps up with.

use std::time::Duration;

use hearth_server::config::Config;
use serde_json::{Value, json};

use crate::harness::{CONNECT_PATH, Client, TestServer, TestSocket, escape};

fn position(body: &Value) -> String {
    body["next_batch"].as_str().expect("a token").to_owned()
}

#[tokio::test]
async fn the_first_body_comes_at_once_and_news_follow_by_themselves() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    let mut socket = TestSocket::open(server.listen(), &bob).await;
    socket.sync("s", &position(&bob.sync(None).await)).await;
    let first = socket.next().await;
    assert_eq!((&first["op"], &first["seq"]), (&json!("sync"), &json!(1)));
    assert!(first["body"].get("rooms").is_none(), "nothing is new: {first}");
    socket.ack("s", &json!(1)).await;
    alice.send_text(&room, "pushed").await;
    let second = socket.next().await;
    assert_eq!(second["seq"], 2);
    let events = &second["body"]["rooms"]["join"][&room]["timeline"]["events"];
    assert_eq!(events[0]["content"]["body"], "pushed", "{second}");
    // The positions are those of HTTP.
    let over_http = bob.sync(Some(&position(&first["body"]))).await;
    assert_eq!(over_http, second["body"], "the same body");
    let after = bob.sync(Some(&position(&second["body"]))).await;
    assert!(after.get("rooms").is_none(), "{after}");
}

#[tokio::test]
async fn a_native_client_is_greeted_for_its_header() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let address = server.listen();
    let mut socket = TestSocket::try_connect(address, alice.token.as_deref()).await.expect("a socket");
    let hello = socket.next().await;
    assert_eq!((&hello["op"], &hello["user_id"]), (&json!("hello"), &json!(alice.user_id)));
    let limits = &alice.get("/capabilities").await.ok()["capabilities"]["chat.hearth.websocket"];
    assert_eq!(&hello["limits"], limits);
    assert_eq!(TestSocket::try_connect(address, Some("nobody")).await.err(), Some(401));
    alice.get(CONNECT_PATH).await.fails(400, "M_INVALID_PARAM");
}

#[tokio::test]
async fn the_extension_can_be_switched_off() {
    let server = TestServer::start_with(|config| config.websocket.enabled = false).await;
    let alice = server.register("alice").await;
    assert_eq!(TestSocket::try_connect(server.listen(), alice.token.as_deref()).await.err(), Some(404));
    let versions = alice.get("/_matrix/client/versions").await.ok();
    assert_eq!(versions["unstable_features"]["chat.hearth.websocket"], false);
    let capabilities = alice.get("/capabilities").await.ok();
    assert!(capabilities["capabilities"].get("chat.hearth.websocket").is_none());
}

#[tokio::test]
async fn a_sync_without_a_position_goes_over_http() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let since = escape(&position(&alice.sync(None).await));
    let mut socket = TestSocket::open(server.listen(), &alice).await;
    let whole = format!("/_matrix/client/v3/sync?full_state=true&since={since}");
    let elsewhere = format!("/_matrix/client/v3/events?since={since}");
    let filtered = format!("/_matrix/client/v3/sync?filter=99&since={since}");
    for (path, status, errcode) in [
        ("/_matrix/client/v3/sync", 400, "M_INVALID_PARAM"),
        ("/_matrix/client/v3/sync?since=", 400, "M_INVALID_PARAM"),
        ("/_matrix/client/v3/sync?since=garbage", 400, "M_INVALID_PARAM"),
        (whole.as_str(), 400, "M_INVALID_PARAM"),
        (elsewhere.as_str(), 400, "M_INVALID_PARAM"),
        (filtered.as_str(), 404, "M_NOT_FOUND"),
        ("no path", 400, "M_INVALID_PARAM"),
    ] {
        socket.send(json!({ "op": "sync", "id": "s", "conn_id": "c", "path": path })).await;
        let error = socket.next().await;
        assert_eq!((&error["op"], &error["id"]), (&json!("error"), &json!("s")), "{path}: {error}");
        assert_eq!((&error["status"], &error["body"]["errcode"]), (&json!(status), &json!(errcode)), "{path}: {error}");
    }
}

#[tokio::test]
async fn filters_and_parameters_are_those_of_http() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    let since = position(&bob.sync(None).await);
    let filter = escape(&json!({ "room": { "timeline": { "types": ["m.room.topic"] } } }).to_string());
    let mut socket = TestSocket::open(server.listen(), &bob).await;
    let path = format!("/_matrix/client/v3/sync?filter={filter}&since={}", escape(&since));
    socket.send(json!({ "op": "sync", "id": "s", "conn_id": "c", "path": path })).await;
    socket.body("s").await;
    alice.send_text(&room, "not wanted").await;
    alice.set_state(&room, "m.room.topic", json!({ "topic": "wanted" })).await;
    let body = socket.body_with("s", "wanted\"").await;
    assert!(!body.to_string().contains("not wanted"), "{body}");
}

#[tokio::test]
async fn past_the_window_nothing_is_produced_until_there_is_an_acknowledgement() {
    let server = TestServer::start_with(|config| config.websocket.ack_window_frames = 2).await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    let mut socket = TestSocket::open(server.listen(), &bob).await;
    socket.sync("s", &position(&bob.sync(None).await)).await;
    assert_eq!(socket.next().await["seq"], 1);
    alice.send_text(&room, "one").await;
    assert_eq!(socket.next().await["seq"], 2);
    alice.send_text(&room, "two").await;
    alice.send_text(&room, "three").await;
    socket.expect_nothing().await;
    socket.ack("s", &json!(2)).await;
    let third = socket.next().await;
    assert_eq!(third["seq"], 3);
    let events = &third["body"]["rooms"]["join"][&room]["timeline"]["events"];
    let texts: Vec<&Value> = events.as_array().unwrap().iter().map(|event| &event["content"]["body"]).collect();
    assert_eq!(texts, ["two", "three"], "computed when there was room, so nothing is lost or doubled");
}

#[tokio::test]
async fn bodies_beyond_the_window_in_bytes_wait_too_but_one_always_goes() {
    let server = TestServer::start_with(|config| config.websocket.ack_window_bytes = 1_000).await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    let mut socket = TestSocket::open(server.listen(), &bob).await;
    socket.sync_from_now("s", &bob).await;
    alice.send_text(&room, &"x".repeat(2_000)).await;
    let large = socket.next().await;
    assert_eq!(large["seq"], 2, "with nothing unacknowledged any body goes");
    alice.send_text(&room, "later").await;
    socket.expect_nothing().await;
    socket.ack("s", &json!(2)).await;
    assert!(socket.next().await["body"].to_string().contains("later"));
}

#[tokio::test]
async fn an_ended_sync_says_nothing_more_and_a_newer_one_of_the_page_takes_over() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    let since = position(&bob.sync(None).await);
    let path = format!("/_matrix/client/v3/sync?since={}", escape(&since));
    let mut socket = TestSocket::open(server.listen(), &bob).await;
    for id in ["old", "new"] {
        socket.send(json!({ "op": "sync", "id": id, "conn_id": "page", "path": path })).await;
        socket.body(id).await;
    }
    // An acknowledgement that was under way is passed over.
    socket.ack("old", &json!(1)).await;
    alice.send_text(&room, "news").await;
    socket.body_with("new", "news").await;
    socket.send(json!({ "op": "stop", "id": "new" })).await;
    assert_eq!(socket.call("GET", "/joined_rooms", None).await["status"], 200, "the stop has been read");
    alice.send_text(&room, "unseen").await;
    socket.expect_nothing().await;
}

#[tokio::test]
async fn only_so_many_syncs_run_on_a_socket() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let since = position(&alice.sync(None).await);
    let mut socket = TestSocket::open(server.listen(), &alice).await;
    for id in ["1", "2", "3", "4"] {
        socket.sync(id, &since).await;
        socket.body(id).await;
    }
    socket.sync("5", &since).await;
    let error = socket.next().await;
    assert_eq!((&error["op"], &error["status"]), (&json!("error"), &json!(429)));
}

#[tokio::test]
async fn who_left_was_kicked_or_banned_is_told_nothing_later() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let address = server.listen();
    for way in ["/kick", "/ban", "/leave"] {
        let bob = server.register(&format!("bob{}", &way[1..])).await;
        let room = alice.create_room_with(&[&bob]).await;
        let mut socket = TestSocket::open(address, &bob).await;
        socket.sync_from_now("s", &bob).await;
        if way == "/leave" {
            bob.leave(&room).await;
        } else {
            alice.post(&Client::room_path(&room, way), json!({ "user_id": bob.user_id })).await.ok();
        }
        alice.send_text(&room, "after the end").await;
        let gone = socket.body_with("s", "leave").await;
        assert!(gone["rooms"]["leave"][&room].is_object(), "{way}: {gone}");
        assert!(!gone.to_string().contains("after the end"), "{way}: {gone}");
        socket.expect_nothing().await;
    }
}

#[tokio::test]
async fn a_reader_that_does_not_read_holds_up_nobody_and_loses_nothing() {
    let server = TestServer::start_with(|config| config.websocket.ack_window_bytes = u32::MAX).await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    let mut socket = TestSocket::open(server.listen(), &bob).await;
    socket.sync_from_now("s", &bob).await;
    // Far more than the kernel's buffers hold, read by nobody.
    alice.send_long_texts(&room, 80).await;
    let mut seen = Vec::new();
    while seen.len() < 80 {
        let body = socket.body("s").await;
        let joined = &body["rooms"]["join"][&room]["timeline"];
        if joined["limited"] == true {
            // What a client does then: it reads the gap. Here it is enough to know that it is told of one.
            seen.clear();
        }
        let texts = joined["events"].as_array().into_iter().flatten();
        seen.extend(
            texts.map(|event| event["content"]["body"].as_str().unwrap().split(':').next().unwrap().to_owned()),
        );
        if seen.last().is_some_and(|last| last == "79") {
            break;
        }
    }
    assert_eq!(seen.last().unwrap(), "79");
    let in_order = seen.windows(2).all(|pair| pair[0].parse::<u32>().unwrap() + 1 == pair[1].parse::<u32>().unwrap());
    assert!(in_order, "{seen:?}");
}

#[tokio::test]
async fn a_storm_of_reconnections_is_served_and_leaves_nothing_behind() {
    const SOCKETS: usize = 2_000;
    // A machine that is busy may take its time over so many.
    let patient = |config: &mut Config| {
        config.websocket.auth_timeout_ms = 120_000;
        config.websocket.heartbeat_ms = 120_000;
    };
    let server = TestServer::start_with(patient).await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    let since = position(&alice.sync(None).await);
    let address = server.listen();
    for round in 0..2 {
        let opening = (0..SOCKETS).map(|number| {
            let (alice, since) = (alice.clone(), since.clone());
            async move {
                let mut socket = TestSocket::open(address, &alice).await;
                socket.sync(&number.to_string(), &since).await;
                (socket, number.to_string())
            }
        });
        let mut sockets = futures_util::future::join_all(opening).await;
        for (socket, id) in &mut sockets {
            socket.body(id).await;
        }
        settle_at(&server, SOCKETS).await;
        let text = format!("to all of round {round}");
        alice.send_text(&room, &text).await;
        for (socket, id) in &mut sockets {
            socket.body_with(id, &text).await;
        }
        drop(sockets);
    }
    settle_at(&server, 0).await;
}

/// Waits until there are so many sockets: the ends of old ones take a moment to arrive.
async fn settle_at(server: &TestServer, sockets: usize) {
    let settled = async {
        while server.homeserver.sockets.count() != sockets as u64 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), settled).await.expect("neither more nor fewer sockets");
}
