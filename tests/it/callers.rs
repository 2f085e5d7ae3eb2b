//! What a token is worth: users who are locked, suspended or guests, and tokens that ran out.

use http::{Method, StatusCode};
use serde_json::json;

use crate::harness::{Client, TestServer, escape};

#[tokio::test]
async fn the_locked_can_only_log_out() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let id = ruma::UserId::parse(alice.user_id.as_str()).expect("an id");
    let users = &server.homeserver.users;
    users.set_locked(&id, true).await.expect("locked");
    for path in ["/sync?timeout=0", "/account/whoami", "/devices"] {
        assert_eq!(alice.get(path).await.fails(401, "M_USER_LOCKED")["soft_logout"], true);
    }
    let identifier = json!({ "type": "m.id.user", "user": "alice" });
    let body = json!({ "type": "m.login.password", "identifier": identifier, "password": crate::harness::PASSWORD });
    server.client().post("/login", body).await.fails(401, "M_USER_LOCKED");
    users.set_locked(&id, false).await.expect("unlocked");
    alice.get("/account/whoami").await.ok();
    users.set_locked(&id, true).await.expect("locked");
    alice.post("/logout", json!({})).await.ok();
    users.set_locked(&id, false).await.expect("unlocked");
    alice.get("/account/whoami").await.fails(401, "M_UNKNOWN_TOKEN");
}

#[tokio::test]
async fn the_suspended_read_and_leave_but_do_nothing_that_others_see() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    let own = bob.send_text(&room, "mine").await;
    let id = ruma::UserId::parse(bob.user_id.as_str()).expect("an id");
    server.homeserver.users.set_suspended(&id, true).await.expect("suspended");
    bob.put(&Client::send_path(&room, "m.room.message"), json!({})).await.fails(403, "M_USER_SUSPENDED");
    bob.put(&Client::room_path(&room, "/state/x.y"), json!({})).await.fails(403, "M_USER_SUSPENDED");
    bob.post("/createRoom", json!({})).await.fails(403, "M_USER_SUSPENDED");
    bob.post(&Client::room_path(&room, "/join"), json!({})).await.fails(403, "M_USER_SUSPENDED");
    bob.post(&Client::room_path(&room, "/invite"), json!({ "user_id": "@x:test.hearth" }))
        .await
        .fails(403, "M_USER_SUSPENDED");
    let name = format!("/profile/{}/displayname", escape(&bob.user_id));
    bob.put(&name, json!({ "displayname": "x" })).await.fails(403, "M_USER_SUSPENDED");
    bob.sync(None).await;
    bob.get(&Client::room_path(&room, "/messages?dir=b")).await.ok();
    bob.put(&Client::room_path(&room, &format!("/redact/{}/t", escape(&own))), json!({})).await.ok();
    bob.leave(&room).await;
    bob.post("/logout", json!({})).await.ok();
}

#[tokio::test]
async fn guests_read_join_and_speak_where_they_may_and_no_more() {
    let server = TestServer::start_with(|config| config.users.guests_allowed = true).await;
    let alice = server.register("alice").await;
    let answer = server.client().post("/register?kind=guest", json!({})).await.ok();
    let guest = server.client().signed_in(&answer);
    guest.sync(None).await;
    guest.post("/createRoom", json!({})).await.fails(403, "M_GUEST_ACCESS_FORBIDDEN");
    guest.get("/pushrules/").await.fails(403, "M_GUEST_ACCESS_FORBIDDEN");
    let closed = alice.create_room(json!({ "preset": "public_chat" })).await;
    guest.post(&Client::room_path(&closed, "/join"), json!({})).await.fails(403, "M_GUEST_ACCESS_FORBIDDEN");
    let access = json!({ "type": "m.room.guest_access", "state_key": "", "content": { "guest_access": "can_join" } });
    let open = alice.create_room(json!({ "preset": "public_chat", "initial_state": [access] })).await;
    guest.join(&open).await;
    guest.send_text(&open, "hello").await;
}

#[tokio::test]
async fn a_token_that_ran_out_keeps_the_device() {
    let server = TestServer::start_with(|config| config.users.token_lifetime_s = Some(60)).await;
    let alice = server.register("alice").await;
    server.clock.advance(59_000);
    alice.get("/account/whoami").await.ok();
    server.clock.advance(2_000);
    assert_eq!(alice.get("/account/whoami").await.fails(401, "M_UNKNOWN_TOKEN")["soft_logout"], true);
    let again = alice.log_in_again().await;
    let devices = again.get("/devices").await.ok();
    let ids: Vec<_> =
        devices["devices"].as_array().expect("a list").iter().map(|device| &device["device_id"]).collect();
    assert!(ids.contains(&&json!(alice.device_id)), "{devices}");
}

/// Every endpoint that guests may call by the specification ("Guest Access", "Client behaviour"), as far as it is
/// served, and some of those that they may not.
#[tokio::test]
async fn guests_may_call_what_the_specification_lists() {
    let server = TestServer::start_with(|config| config.users.guests_allowed = true).await;
    let alice = server.register("alice").await;
    let guest = server.client().signed_in(&server.client().post("/register?kind=guest", json!({})).await.ok());
    let access = json!({ "type": "m.room.guest_access", "state_key": "", "content": { "guest_access": "can_join" } });
    let levels = json!({ "state_default": 0 });
    let body = json!({ "preset": "public_chat", "initial_state": [access], "power_level_content_override": levels });
    let room = alice.create_room(body).await;
    let event = alice.send_text(&room, "hello").await;
    let file = alice.upload("text/plain", "a file").await;
    let (own, room_of) = (escape(&guest.user_id), |rest: &str| Client::room_path(&room, rest));
    let device = guest.device_id.clone();
    let allowed = [
        (Method::POST, room_of("/join"), json!({})),
        (Method::GET, room_of("/state"), json!({})),
        (Method::GET, room_of(&format!("/context/{event}")), json!({})),
        (Method::GET, room_of(&format!("/event/{event}")), json!({})),
        (Method::GET, room_of("/state/m.room.create/"), json!({})),
        (Method::GET, room_of("/messages?dir=b"), json!({})),
        (Method::GET, room_of("/members"), json!({})),
        (Method::GET, room_of("/initialSync"), json!({})),
        (Method::GET, "/sync?timeout=0".to_owned(), json!({})),
        (Method::GET, format!("/events?timeout=0&room_id={}", escape(&room)), json!({})),
        (Method::GET, format!("/_matrix/client/v1/media/download/{file}"), json!({})),
        (Method::GET, format!("/_matrix/client/v1/media/download/{file}/a.txt"), json!({})),
        (Method::PUT, Client::send_path(&room, "x.y"), json!({})),
        (Method::PUT, room_of("/state/x.y"), json!({})),
        (Method::PUT, format!("/profile/{own}/displayname"), json!({ "displayname": "Guest" })),
        (Method::DELETE, format!("/profile/{own}/displayname"), json!({})),
        (Method::GET, "/devices".to_owned(), json!({})),
        (Method::GET, format!("/devices/{device}"), json!({})),
        (Method::PUT, format!("/devices/{device}"), json!({ "display_name": "phone" })),
        (Method::GET, "/account/whoami".to_owned(), json!({})),
        (Method::POST, room_of("/leave"), json!({})),
    ];
    for (method, path, body) in allowed {
        let answer = guest.request(method, &path, body.to_string()).await;
        assert!(answer.status.is_success(), "{}: {} {}", answer.request, answer.status, answer.text());
    }
    let forbidden = [
        (Method::PUT, format!("/profile/{own}/avatar_url"), json!({ "avatar_url": "mxc://a/b" })),
        (Method::PUT, format!("/profile/{own}/m.tz"), json!({ "m.tz": "UTC" })),
        (Method::DELETE, format!("/profile/{own}/avatar_url"), json!({})),
        (Method::POST, "/createRoom".to_owned(), json!({})),
        (Method::POST, room_of("/invite"), json!({ "user_id": alice.user_id })),
        (Method::POST, room_of("/kick"), json!({ "user_id": alice.user_id })),
        (Method::POST, room_of("/ban"), json!({ "user_id": alice.user_id })),
        (Method::POST, format!("/knock/{}", escape(&room)), json!({})),
        (Method::PUT, room_of(&format!("/redact/{event}/t")), json!({})),
        (Method::POST, "/_matrix/media/v3/upload".to_owned(), json!({})),
        (Method::GET, "/pushrules/".to_owned(), json!({})),
        (Method::PUT, guest.user_path("/account_data/x.y"), json!({})),
        (Method::POST, "/user_directory/search".to_owned(), json!({ "search_term": "a" })),
        (Method::POST, "/search".to_owned(), json!({ "search_categories": {} })),
        (Method::DELETE, format!("/devices/{device}"), json!({})),
        (Method::POST, "/account/password".to_owned(), json!({ "new_password": "a new password" })),
        (Method::POST, "/account/deactivate".to_owned(), json!({})),
        (Method::GET, "/_synapse/admin/v1/registration_tokens".to_owned(), json!({})),
    ];
    for (method, path, body) in forbidden {
        let answer = guest.request(method, &path, body.to_string()).await;
        let errcode = answer.json()["errcode"].as_str().unwrap_or_default().to_owned();
        let is_refused = errcode == "M_GUEST_ACCESS_FORBIDDEN" || errcode == "M_FORBIDDEN";
        assert!(answer.status == StatusCode::FORBIDDEN && is_refused, "{}: {}", answer.request, answer.text());
    }
}
