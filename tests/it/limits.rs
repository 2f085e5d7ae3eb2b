//! How often something may be done: by everybody in one room, from one address, and what counts only when it fails or
//! only when it succeeds. (By user, account and login: `edge.rs`.)

use hearth_server::config::Config;
use serde_json::{Value, json};

use crate::harness::{Client, PASSWORD, Response, TestServer};

#[tokio::test]
async fn a_room_takes_only_so_many_events_whoever_sends_them() {
    let server = TestServer::start_with(|config| {
        config.rate_limits.enabled = true;
        config.rate_limits.room_per_second = 0.5;
        config.rate_limits.room_burst = 3;
    })
    .await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let stranger = server.register("stranger").await;
    let room = alice.create_room_with(&[&bob]).await;
    let other = alice.create_room(json!({})).await;
    for _ in 0..5 {
        let path = Client::send_path(&room, "m.room.message");
        stranger.put(&path, json!({ "body": "x" })).await.fails(403, "M_FORBIDDEN");
    }
    let first = alice.send_text(&room, "strangers are not counted").await;
    bob.send_text(&room, "two").await;
    alice.set_state(&room, "x.y", json!({ "three": true })).await;
    let refused = bob.put(&Client::send_path(&room, "m.room.message"), json!({ "body": "four" })).await;
    assert_eq!(refused.headers["retry-after"], "2");
    assert_eq!(refused.fails(429, "M_LIMIT_EXCEEDED")["retry_after_ms"], 2000);
    alice.put(&Client::room_path(&room, "/state/x.y"), json!({})).await.fails(429, "M_LIMIT_EXCEEDED");
    alice.put(&Client::room_path(&room, &format!("/redact/{first}/t")), json!({})).await.fails(429, "M_LIMIT_EXCEEDED");
    alice.send_text(&other, "another room").await;
    server.clock.advance(2000);
    bob.send_text(&room, "again").await;
}

#[tokio::test]
async fn making_accounts_is_limited_by_address() {
    let server = TestServer::start_with(|config| {
        config.rate_limits.enabled = true;
        config.rate_limits.registration_per_second = 0.1;
        config.rate_limits.registration_burst = 2;
    })
    .await;
    let free = |last: u8| {
        let mut client = server.client();
        client.address = std::net::Ipv4Addr::new(198, 51, 100, last).into();
        async move { client.get("/register/available?username=alice").await }
    };
    free(1).await.ok();
    free(1).await.ok();
    let refused = free(1).await;
    assert_eq!(refused.headers["retry-after"], "10");
    assert_eq!(refused.fails(429, "M_LIMIT_EXCEEDED")["retry_after_ms"], 10_000);
    free(2).await.ok();
    server.clock.advance(10_000);
    free(1).await.ok();
}

/// A server where this much may be done at once, and then one in ten seconds.
async fn slow(tune: impl FnOnce(&mut Config)) -> TestServer {
    let tune = |config: &mut Config| {
        config.rate_limits.enabled = true;
        tune(config);
    };
    TestServer::start_with(tune).await
}

#[track_caller]
fn has_to_wait(refused: Response) {
    assert_eq!(refused.headers["retry-after"], "10", "{}", refused.text());
    assert_eq!(refused.fails(429, "M_LIMIT_EXCEEDED")["retry_after_ms"], 10_000);
}

fn login(password: &str) -> Value {
    let identifier = json!({ "type": "m.id.user", "user": "alice" });
    json!({ "type": "m.login.password", "identifier": identifier, "password": password })
}

#[tokio::test]
async fn wrong_passwords_are_limited_by_account_and_right_ones_are_not() {
    let server = slow(|config| {
        config.rate_limits.login_failed_per_second = 0.1;
        config.rate_limits.login_failed_burst = 2;
        config.rate_limits.login_account_burst = 100;
    })
    .await;
    server.register("alice").await;
    for _ in 0..5 {
        server.client().post("/login", login(PASSWORD)).await.ok();
    }
    for _ in 0..2 {
        server.client().post("/login", login("wrong")).await.fails(403, "M_FORBIDDEN");
    }
    has_to_wait(server.client().post("/login", login("wrong")).await);
    has_to_wait(server.client().post("/login", login(PASSWORD)).await);
    server.clock.advance(10_000);
    server.client().post("/login", login(PASSWORD)).await.ok();
}

#[tokio::test]
async fn joins_of_a_room_are_limited_whoever_joins() {
    let server = slow(|config| {
        config.rate_limits.room_join_per_second = 0.1;
        config.rate_limits.room_join_burst = 1;
    })
    .await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let carol = server.register("carol").await;
    let (closed, open) =
        (alice.create_room(json!({})).await, alice.create_room(json!({ "preset": "public_chat" })).await);
    for _ in 0..5 {
        bob.post(&Client::room_path(&closed, "/join"), json!({})).await.fails(403, "M_FORBIDDEN");
    }
    alice.invite(&closed, &carol).await;
    // Who fails closes the room for nobody.
    carol.join(&closed).await;
    bob.join(&open).await;
    has_to_wait(carol.post(&Client::room_path(&open, "/join"), json!({})).await);
    has_to_wait(carol.post(&format!("/join/{}", crate::harness::escape(&open)), json!({})).await);
    server.clock.advance(10_000);
    carol.join(&open).await;
}

#[tokio::test]
async fn invites_are_limited_by_room_and_by_who_is_invited() {
    let server = slow(|config| {
        config.rate_limits.room_invite_per_second = 0.1;
        config.rate_limits.room_invite_burst = 2;
        config.rate_limits.user_invited_per_second = 0.1;
        config.rate_limits.user_invited_burst = 2;
    })
    .await;
    let (alice, bob, carol) =
        (server.register("alice").await, server.register("bob").await, server.register("carol").await);
    let rooms =
        [alice.create_room(json!({})).await, alice.create_room(json!({})).await, alice.create_room(json!({})).await];
    let invite = async |room: &str, user: &Client| {
        alice.post(&Client::room_path(room, "/invite"), json!({ "user_id": user.user_id })).await
    };
    let refused = bob.post(&Client::room_path(&rooms[0], "/invite"), json!({ "user_id": carol.user_id })).await;
    refused.fails(403, "M_FORBIDDEN");
    invite(&rooms[0], &bob).await.ok();
    invite(&rooms[0], &carol).await.ok();
    has_to_wait(invite(&rooms[0], &carol).await);
    invite(&rooms[1], &bob).await.ok();
    has_to_wait(invite(&rooms[2], &bob).await);
    invite(&rooms[2], &carol).await.ok();
}

#[tokio::test]
async fn downloads_searches_and_shown_passwords_are_limited_by_user() {
    let server = slow(|config| {
        let limits = &mut config.rate_limits;
        (limits.download_per_second, limits.download_burst) = (0.1, 1);
        (limits.search_per_second, limits.search_burst) = (0.1, 1);
        (limits.people_search_per_second, limits.people_search_burst) = (0.1, 1);
        (limits.reauthentication_per_second, limits.reauthentication_burst) = (0.1, 1);
    })
    .await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let file = "/_matrix/client/v1/media/download/test.hearth/none";
    alice.get(file).await.fails(404, "M_NOT_FOUND");
    has_to_wait(alice.get(file).await);
    has_to_wait(alice.get("/_matrix/client/v1/media/thumbnail/test.hearth/none?width=1&height=1").await);
    bob.get(file).await.fails(404, "M_NOT_FOUND");
    let search = json!({ "search_categories": { "room_events": { "search_term": "x" } } });
    alice.post("/search", search.clone()).await.ok();
    has_to_wait(alice.post("/search", search).await);
    alice.post("/user_directory/search", json!({ "search_term": "bob" })).await.ok();
    has_to_wait(alice.post("/user_directory/search", json!({ "search_term": "bob" })).await);
    let change = async |password: Option<&str>| {
        let mut body = json!({ "new_password": "an entirely new one" });
        if let Some(password) = password {
            let identifier = json!({ "type": "m.id.user", "user": alice.user_id });
            body["auth"] = json!({ "type": "m.login.password", "identifier": identifier, "password": password });
        }
        alice.post("/account/password", body).await
    };
    for _ in 0..3 {
        change(None).await.asks_for_auth();
    }
    assert_eq!(change(Some("wrong")).await.status, 401);
    has_to_wait(change(Some(PASSWORD)).await);
    server.clock.advance(10_000);
    change(Some(PASSWORD)).await.ok();
}
