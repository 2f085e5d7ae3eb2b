//! `POST /login/get_token`, and the login with what it gives.

use serde_json::{Value, json};

use crate::harness::{Client, PASSWORD, TestServer};

const PATH: &str = "/_matrix/client/v1/login/get_token";

/// Answers the question for the password.
async fn get_token(alice: &Client) -> Value {
    let question = alice.post(PATH, json!({})).await.asks_for_auth();
    let identifier = json!({ "type": "m.id.user", "user": alice.user_id });
    let session = question["session"].clone();
    let auth =
        json!({ "type": "m.login.password", "identifier": identifier, "password": PASSWORD, "session": session });
    alice.post(PATH, json!({ "auth": auth })).await.ok()
}

fn login(token: &Value) -> Value {
    json!({ "type": "m.login.token", "token": token, "initial_device_display_name": "second" })
}

#[tokio::test]
async fn another_device_is_let_in_once() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let made = get_token(&alice).await;
    assert_eq!(made["expires_in_ms"], 120_000);
    let second = server.client().signed_in(&server.client().post("/login", login(&made["login_token"])).await.ok());
    assert_eq!((second.user_id.as_str(), second.device_id != alice.device_id), (alice.user_id.as_str(), true));
    second.get("/account/whoami").await.ok();
    server.client().post("/login", login(&made["login_token"])).await.fails(403, "M_FORBIDDEN");
}

#[tokio::test]
async fn a_token_ends_after_its_time_and_with_the_account() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let made = get_token(&alice).await;
    server.clock.advance(121_000);
    server.client().post("/login", login(&made["login_token"])).await.fails(403, "M_FORBIDDEN");
    let made = get_token(&alice).await;
    let id = ruma::UserId::parse(alice.user_id.as_str()).expect("an id");
    server.homeserver.users.set_locked(&id, true).await.expect("locked");
    server.client().post("/login", login(&made["login_token"])).await.fails(401, "M_USER_LOCKED");
    server.homeserver.users.set_locked(&id, false).await.expect("unlocked");
    server.homeserver.users.deactivate(&id, false).await.expect("deactivated");
    server.client().post("/login", login(&made["login_token"])).await.fails(403, "M_FORBIDDEN");
}

#[tokio::test]
async fn the_password_is_asked_for_each_time() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    get_token(&alice).await;
    alice.post(PATH, json!({})).await.asks_for_auth();
    let identifier = json!({ "type": "m.id.user", "user": alice.user_id });
    let auth = json!({ "type": "m.login.password", "identifier": identifier, "password": "wrong horse" });
    assert_eq!(alice.post(PATH, json!({ "auth": auth })).await.asks_for_auth()["errcode"], "M_FORBIDDEN");
    alice.signed_out().post(PATH, json!({})).await.fails(401, "M_MISSING_TOKEN");
}

#[tokio::test]
async fn the_settings_may_forbid_it() {
    let server = TestServer::start_with(|config| config.users.login_tokens = false).await;
    let alice = server.register("alice").await;
    alice.post(PATH, json!({})).await.fails(404, "M_UNRECOGNIZED");
    server.client().post("/login", login(&"x".into())).await.fails(400, "M_UNKNOWN");
    let flows = server.client().get("/login").await.ok()["flows"].clone();
    assert_eq!(flows, json!([{ "type": "m.login.password" }]));
    let capabilities = alice.get("/capabilities").await.ok();
    assert_eq!(capabilities["capabilities"]["m.get_login_token"]["enabled"], false);
}

#[tokio::test]
async fn asking_often_is_limited() {
    let server = TestServer::start_with(|config| {
        config.rate_limits.enabled = true;
        config.rate_limits.login_token_burst = 1;
    })
    .await;
    let alice = server.register("alice").await;
    get_token(&alice).await;
    let identifier = json!({ "type": "m.id.user", "user": "alice" });
    let auth = json!({ "type": "m.login.password", "identifier": identifier, "password": PASSWORD });
    let body = json!({ "auth": auth });
    let refused = alice.post(PATH, body).await;
    assert!(refused.headers.contains_key("retry-after"));
    assert!(refused.fails(429, "M_LIMIT_EXCEEDED")["retry_after_ms"].as_u64() > Some(0));
}
