//! `GET /login` and `POST /login`.

use serde_json::{Value, json};

use crate::harness::{PASSWORD, TestServer};

fn with_identifier(identifier: &Value, password: &str) -> Value {
    json!({ "type": "m.login.password", "identifier": identifier, "password": password })
}

#[tokio::test]
async fn passwords_are_offered() {
    let server = TestServer::start().await;
    let flows = server.client().get("/login").await.ok()["flows"].clone();
    assert!(flows.as_array().expect("a list").contains(&json!({ "type": "m.login.password" })), "{flows}");
}

#[tokio::test]
async fn a_user_is_named_by_localpart_or_id() {
    let server = TestServer::start().await;
    server.register("alice").await;
    let client = server.client();
    for user in ["alice", "@alice:test.hearth"] {
        let body = with_identifier(&json!({ "type": "m.id.user", "user": user }), PASSWORD);
        assert_eq!(client.post("/login", body).await.ok()["user_id"], "@alice:test.hearth");
        let old = json!({ "type": "m.login.password", "user": user, "password": PASSWORD });
        assert_eq!(client.post("/login", old).await.ok()["user_id"], "@alice:test.hearth");
    }
}

#[tokio::test]
async fn the_device_may_be_chosen_and_is_taken_over() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let mut body = with_identifier(&json!({ "type": "m.id.user", "user": "alice" }), PASSWORD);
    body["device_id"] = "PHONE".into();
    body["initial_device_display_name"] = "my phone".into();
    let first = server.client().signed_in(&server.client().post("/login", body.clone()).await.ok());
    assert_eq!(first.device_id, "PHONE");
    assert_eq!(first.get("/devices/PHONE").await.ok()["display_name"], "my phone");

    body["initial_device_display_name"] = "another name".into();
    let second = server.client().signed_in(&server.client().post("/login", body).await.ok());
    first.get("/account/whoami").await.fails(401, "M_UNKNOWN_TOKEN");
    assert_eq!(second.get("/devices/PHONE").await.ok()["display_name"], "my phone");
    assert_eq!(alice.get("/devices").await.ok()["devices"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn wrong_passwords_and_unknown_users_look_the_same() {
    let server = TestServer::start().await;
    server.register("alice").await;
    let client = server.client();
    let login = |user: &'static str, password: &'static str| {
        let body = with_identifier(&json!({ "type": "m.id.user", "user": user }), password);
        let client = client.clone();
        async move { client.post("/login", body).await.fails(403, "M_FORBIDDEN") }
    };
    let wrong = login("alice", "wrong").await;
    assert_eq!(wrong, login("nobody", "wrong").await);
    assert_eq!(wrong, login("@alice:elsewhere.test", PASSWORD).await);
}

#[tokio::test]
async fn unknown_ways_to_log_in_are_refused() {
    let server = TestServer::start().await;
    server.register("alice").await;
    let client = server.client();
    client.post("/login", json!({ "type": "m.login.unknown" })).await.fails(400, "M_UNKNOWN");
    client.post("/login", json!({ "type": "m.login.token", "token": "x" })).await.fails(403, "M_FORBIDDEN");
    client.post("/login", json!({ "type": "m.login.token" })).await.fails(400, "M_BAD_JSON");
    client.post("/login", json!({})).await.fails(400, "M_BAD_JSON");
    let phone = json!({ "type": "m.id.phone", "country": "GB", "phone": "1" });
    client.post("/login", with_identifier(&phone, PASSWORD)).await.fails(403, "M_FORBIDDEN");
    client.post("/login", json!({ "type": "m.login.password", "password": PASSWORD })).await.fails(400, "M_BAD_JSON");
}

#[tokio::test]
async fn the_public_address_is_told_at_login() {
    let url = "https://matrix.test.hearth";
    let server = TestServer::start_with(|config| config.api.public_base_url = Some(url.to_owned())).await;
    server.register("alice").await;
    let body = with_identifier(&json!({ "type": "m.id.user", "user": "alice" }), PASSWORD);
    let answer = server.client().post("/login", body).await.ok();
    assert_eq!(answer["well_known"]["m.homeserver"]["base_url"], url);
}

#[tokio::test]
async fn a_name_in_capitals_is_the_same_name() {
    let server = TestServer::start().await;
    server.register("alice").await;
    for user in ["ALICE", "@Alice:test.hearth"] {
        let body = with_identifier(&json!({ "type": "m.id.user", "user": user }), PASSWORD);
        let alice = server.client().signed_in(&server.client().post("/login", body).await.ok());
        assert_eq!(alice.get("/account/whoami").await.ok()["user_id"], "@alice:test.hearth", "{user}");
    }
}
