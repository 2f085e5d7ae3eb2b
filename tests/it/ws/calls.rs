//! Calls: the same endpoints, the same checks, side by side.

use serde_json::json;

use crate::harness::{Client, TestServer, TestSocket, escape};

#[tokio::test]
async fn a_call_is_answered_as_over_http() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({ "name": "Calls" })).await;
    let mut socket = TestSocket::open(server.listen(), &alice).await;
    let path = Client::room_path(&room, "/state/m.room.name");
    let reply = socket.call("GET", &path, None).await;
    assert_eq!((&reply["status"], &reply["body"]), (&json!(200), &json!({ "name": "Calls" })));
    assert_eq!(reply["headers"]["content-type"], "application/json");
    let missing = socket.call("GET", "/rooms/!nowhere:test.hearth/state/m.room.name", None).await;
    assert_eq!((&missing["status"], &missing["body"]["errcode"]), (&json!(403), &json!("M_FORBIDDEN")));
    let unknown = socket.call("GET", "/nothing", None).await;
    assert_eq!((&unknown["status"], &unknown["body"]["errcode"]), (&json!(404), &json!("M_UNRECOGNIZED")));
    let made = socket.call("POST", "/createRoom", Some(&json!({ "name": "Made" }))).await;
    assert!(made["body"]["room_id"].is_string(), "{made}");
    let bad = socket.call("POST", "/createRoom", Some(&json!({ "name": 1 }))).await;
    assert_eq!((&bad["status"], &bad["body"]["errcode"]), (&json!(400), &json!("M_BAD_JSON")));
}

#[tokio::test]
async fn one_transaction_id_over_both_ways_is_one_event() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    let mut socket = TestSocket::open(server.listen(), &alice).await;
    let path = Client::room_path(&room, "/send/m.room.message/once");
    let content = json!({ "msgtype": "m.text", "body": "once" });
    let first = socket.call("PUT", &path, Some(&content)).await;
    let second = alice.put(&path, content).await.ok();
    assert_eq!(first["body"], second);
    let all = alice.get(&Client::room_path(&room, "/messages?dir=b")).await.ok();
    let once = all["chunk"].as_array().unwrap().iter().filter(|event| event["content"]["body"] == "once").count();
    assert_eq!(once, 1);
}

#[tokio::test]
async fn what_belongs_to_http_is_refused_and_says_so() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    let mut socket = TestSocket::open(server.listen(), &alice).await;
    let messages = Client::room_path(&room, "/messages?dir=b");
    for (method, path) in [
        ("POST", "/logout"),
        ("POST", "/login"),
        ("GET", "/account/whoami"),
        ("GET", "/sync"),
        ("GET", messages.as_str()),
    ] {
        let reply = socket.call(method, path, None).await;
        assert_eq!((&reply["status"], &reply["body"]["errcode"]), (&json!(400), &json!("M_INVALID_PARAM")), "{path}");
        assert!(reply["body"]["error"].as_str().unwrap().contains("HTTP"), "{reply}");
    }
    let others = socket.call("GET", "/joined_rooms?access_token=x", None).await;
    assert_eq!(others["status"], 400);
    let path = "/_matrix/client/v3/joined_rooms";
    let headers = json!({ "Authorization": "Bearer x" });
    socket.send(json!({ "op": "call", "id": "h", "method": "GET", "path": path, "headers": headers })).await;
    assert_eq!(socket.next().await["status"], 400);
    alice.get("/account/whoami").await.ok();
}

#[tokio::test]
async fn too_many_calls_get_429_and_the_socket_lives() {
    let server = TestServer::start_with(|config| config.websocket.calls_in_flight_max = 2).await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    let mut socket = TestSocket::open(server.listen(), &alice).await;
    let content = json!({ "msgtype": "m.text", "body": "x" });
    for number in 0..40 {
        let path = Client::room_path(&room, &format!("/send/m.room.message/{number}"));
        socket.start_call("PUT", &path, Some(&content)).await;
    }
    let mut statuses = Vec::new();
    for _ in 0..40 {
        let reply = socket.next().await;
        assert_eq!(reply["op"], "reply");
        statuses.push(reply["status"].as_u64().unwrap());
    }
    assert!(statuses.contains(&429) && statuses.contains(&200), "{statuses:?}");
    assert!(statuses.iter().all(|status| [200, 429].contains(status)), "{statuses:?}");
    let sent = statuses.iter().filter(|status| **status == 200).count();
    let all = alice.get(&Client::room_path(&room, "/messages?dir=b&limit=100")).await.ok();
    let messages = all["chunk"].as_array().unwrap().iter().filter(|event| event["type"] == "m.room.message").count();
    assert_eq!(messages, sent, "what was refused was not done");
    assert_eq!(socket.call("GET", "/joined_rooms", None).await["status"], 200);
}

#[tokio::test]
async fn a_cancelled_call_has_no_reply_and_its_id_is_free_again() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let mut socket = TestSocket::open(server.listen(), &alice).await;
    // Both frames are there before the server looks: nothing is answered in between.
    let id = socket.start_call("GET", "/joined_rooms", None).await;
    socket.send(json!({ "op": "cancel", "id": id })).await;
    socket.send(json!({ "op": "cancel", "id": "never" })).await;
    socket.send(json!({ "op": "ping" })).await;
    let mut next = socket.next().await;
    if next["op"] == "reply" {
        // It was faster than its cancellation.
        next = socket.next().await;
    }
    assert_eq!(next["op"], "pong");
    let again = json!({ "op": "call", "id": id, "method": "GET", "path": "/_matrix/client/v3/joined_rooms" });
    socket.send(again).await;
    assert_eq!(socket.next().await["status"], 200);
}

#[tokio::test]
async fn suspension_refuses_calls_and_leaves_the_socket_open() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    let mut socket = TestSocket::open(server.listen(), &alice).await;
    let admin = server.register("admin").await;
    let id = ruma::UserId::parse(admin.user_id.as_str()).expect("an id");
    server.homeserver.users.set_admin(&id, true).await.expect("an account");
    let path = format!("/_matrix/client/v1/admin/suspend/{}", escape(&alice.user_id));
    admin.put(&path, json!({ "suspended": true })).await.ok();
    let content = json!({ "msgtype": "m.text", "body": "x" });
    let reply = socket.call("PUT", &Client::room_path(&room, "/send/m.room.message/1"), Some(&content)).await;
    assert_eq!((&reply["status"], &reply["body"]["errcode"]), (&json!(403), &json!("M_USER_SUSPENDED")));
    assert_eq!(socket.call("GET", "/joined_rooms", None).await["status"], 200);
}
