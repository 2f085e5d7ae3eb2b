//! `POST /refresh`, and the soft logout that asks for it.

use serde_json::{Value, json};

use crate::harness::{Client, PASSWORD, TestServer};

async fn log_in(server: &TestServer) -> (Client, Value) {
    let body = json!({
        "type": "m.login.password",
        "identifier": { "type": "m.id.user", "user": "alice" },
        "password": PASSWORD,
        "refresh_token": true,
    });
    let answer = server.client().post("/login", body).await.ok();
    (server.client().signed_in(&answer), answer)
}

async fn refresh(server: &TestServer, token: &Value) -> Value {
    server.client().post("/refresh", json!({ "refresh_token": token })).await.ok()
}

#[tokio::test]
async fn a_token_that_ran_out_is_refreshed() {
    let server = TestServer::start().await;
    server.register("alice").await;
    let (alice, answer) = log_in(&server).await;
    assert_eq!(answer["expires_in_ms"], 300_000);
    server.clock.advance(301_000);
    assert_eq!(alice.get("/account/whoami").await.fails(401, "M_UNKNOWN_TOKEN")["soft_logout"], true);
    let answer = refresh(&server, &answer["refresh_token"]).await;
    assert_eq!(answer["expires_in_ms"], 300_000);
    let alice = alice.with_token(answer["access_token"].as_str().expect("a token"));
    assert_eq!(alice.get("/account/whoami").await.ok()["device_id"], alice.device_id.as_str());
}

#[tokio::test]
async fn the_old_tokens_are_good_until_a_new_one_is_used() {
    let server = TestServer::start().await;
    server.register("alice").await;
    let (alice, first) = log_in(&server).await;
    let second = refresh(&server, &first["refresh_token"]).await;
    alice.get("/account/whoami").await.ok();
    let again = refresh(&server, &first["refresh_token"]).await;
    alice.with_token(second["access_token"].as_str().unwrap()).get("/devices").await.fails(401, "M_UNKNOWN_TOKEN");
    alice.with_token(again["access_token"].as_str().unwrap()).get("/devices").await.ok();
    alice.get("/account/whoami").await.fails(401, "M_UNKNOWN_TOKEN");
    let old = json!({ "refresh_token": first["refresh_token"] });
    server.client().post("/refresh", old).await.fails(401, "M_UNKNOWN_TOKEN");
}

#[tokio::test]
async fn a_transaction_id_outlives_a_refresh() {
    let server = TestServer::start().await;
    server.register("alice").await;
    let (alice, answer) = log_in(&server).await;
    let room = alice.create_room(json!({})).await;
    let path = Client::room_path(&room, "/send/m.room.message/t");
    let content = json!({ "msgtype": "m.text", "body": "once" });
    let since = alice.sync(None).await["next_batch"].as_str().expect("a token").to_owned();
    let first = alice.put(&path, content.clone()).await.ok();
    let answer = refresh(&server, &answer["refresh_token"]).await;
    let alice = alice.with_token(answer["access_token"].as_str().unwrap());
    assert_eq!(alice.put(&path, content).await.ok(), first);
    let news = &alice.sync(Some(&since)).await["rooms"]["join"][&room]["timeline"]["events"];
    assert_eq!((&news[0]["event_id"], &news[0]["unsigned"]["transaction_id"]), (&first["event_id"], &json!("t")));
}

#[tokio::test]
async fn registrations_get_refresh_tokens_too_and_only_who_asks_does() {
    let server = TestServer::start().await;
    let auth = json!({ "type": "m.login.dummy" });
    let body = json!({ "username": "bob", "password": PASSWORD, "refresh_token": true, "auth": auth });
    let answer = server.client().post("/register", body).await.ok();
    refresh(&server, &answer["refresh_token"]).await;
    let body = json!({ "username": "carl", "password": PASSWORD, "auth": auth });
    let answer = server.client().post("/register", body).await.ok();
    assert!(answer.get("refresh_token").is_none() && answer.get("expires_in_ms").is_none());
}

#[tokio::test]
async fn what_is_no_refresh_token_is_refused() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let client = server.client();
    client.post("/refresh", json!({ "refresh_token": alice.token })).await.fails(401, "M_UNKNOWN_TOKEN");
    client.post("/refresh", json!({})).await.fails(400, "M_BAD_JSON");
    client.request(http::Method::POST, "/refresh", "{").await.fails(400, "M_NOT_JSON");
}
