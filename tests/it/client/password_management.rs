//! `POST /account/password`.

use serde_json::{Value, json};

use crate::harness::{Client, PASSWORD, Response, TestServer};

const NEW_PASSWORD: &str = "another long password";

async fn try_change(client: &Client, mut body: Value) -> Response {
    let question = client.post("/account/password", body.clone()).await.asks_for_auth();
    let identifier = json!({ "type": "m.id.user", "user": client.user_id });
    let session = &question["session"];
    body["auth"] =
        json!({ "type": "m.login.password", "identifier": identifier, "password": PASSWORD, "session": session });
    client.post("/account/password", body).await
}

async fn change(client: &Client, body: Value) {
    try_change(client, body).await.ok();
}

fn login(client: &Client, password: &str) -> Value {
    let identifier = json!({ "type": "m.id.user", "user": client.user_id });
    json!({ "type": "m.login.password", "identifier": identifier, "password": password })
}

#[tokio::test]
async fn the_new_password_works_and_other_devices_are_logged_out() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let phone = alice.log_in_again().await;
    change(&alice, json!({ "new_password": NEW_PASSWORD })).await;
    alice.get("/account/whoami").await.ok();
    phone.get("/account/whoami").await.fails(401, "M_UNKNOWN_TOKEN");
    server.client().post("/login", login(&alice, PASSWORD)).await.fails(403, "M_FORBIDDEN");
    server.client().post("/login", login(&alice, NEW_PASSWORD)).await.ok();
}

#[tokio::test]
async fn other_devices_stay_when_asked_for() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let phone = alice.log_in_again().await;
    change(&alice, json!({ "new_password": NEW_PASSWORD, "logout_devices": false })).await;
    phone.get("/account/whoami").await.ok();
}

#[tokio::test]
async fn a_token_is_needed_and_a_good_password() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let path = "/account/password";
    server.client().post(path, json!({ "new_password": NEW_PASSWORD })).await.fails(401, "M_MISSING_TOKEN");
    alice.post(path, json!({})).await.fails(400, "M_BAD_JSON");
    alice.post(path, json!({ "new_password": "x" })).await.fails(400, "M_WEAK_PASSWORD");
}
