//! `GET /_matrix/client/v1/register/m.login.registration_token/validity`, and registering with one.

use hearth_homeserver::users::Registration;
use serde_json::json;

use crate::harness::{PASSWORD, TestServer};

const VALIDITY: &str = "/_matrix/client/v1/register/m.login.registration_token/validity";

#[tokio::test]
async fn a_token_opens_the_server_to_who_has_it() {
    let server = TestServer::start_with(|config| config.users.registration = Registration::Token).await;
    let token = server.registration_token().await;
    let client = server.client();
    assert_eq!(client.get(&format!("{VALIDITY}?token={token}")).await.ok()["valid"], true);
    assert_eq!(client.get(&format!("{VALIDITY}?token=wrong")).await.ok()["valid"], false);

    let body = |auth: serde_json::Value| json!({ "username": "alice", "password": PASSWORD, "auth": auth });
    let question = client.post("/register", json!({ "username": "alice", "password": PASSWORD })).await.asks_for_auth();
    let session = question["session"].clone();
    let wrong = json!({ "type": "m.login.registration_token", "token": "wrong", "session": session });
    let answer = client.post("/register", body(wrong)).await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.json()["completed"].as_array().map_or(0, Vec::len), 0);
    let right = json!({ "type": "m.login.registration_token", "token": token, "session": session });
    client.post("/register", body(right)).await.ok();
}

#[tokio::test]
async fn a_closed_server_tells_nothing_of_its_tokens() {
    let server = TestServer::start_with(|config| config.users.registration = Registration::Closed).await;
    let token = server.registration_token().await;
    server.client().get(&format!("{VALIDITY}?token={token}")).await.fails(403, "M_FORBIDDEN");
}

#[tokio::test]
async fn the_token_to_ask_about_must_be_given() {
    let server = TestServer::start_with(|config| config.users.registration = Registration::Token).await;
    server.client().get(VALIDITY).await.fails(400, "M_MISSING_PARAM");
}
