//! `POST /account/deactivate`.

use serde_json::json;

use crate::harness::{PASSWORD, TestServer};

#[tokio::test]
async fn a_deactivated_account_is_gone_for_good() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let path = "/account/deactivate";
    let question = alice.post(path, json!({})).await.asks_for_auth();
    let identifier = json!({ "type": "m.id.user", "user": alice.user_id });
    let session = &question["session"];
    let auth =
        json!({ "type": "m.login.password", "identifier": identifier, "password": PASSWORD, "session": session });
    let answer = alice.post(path, json!({ "auth": auth })).await.ok();
    assert!(["success", "no-support"].contains(&answer["id_server_unbind_result"].as_str().expect("a word")));

    alice.get("/account/whoami").await.fails(401, "M_UNKNOWN_TOKEN");
    let identifier = json!({ "type": "m.id.user", "user": alice.user_id });
    let body = json!({ "type": "m.login.password", "identifier": identifier, "password": PASSWORD });
    let answer = server.client().post("/login", body).await;
    assert_eq!(answer.status, 403);
    let body = json!({ "username": "alice", "password": PASSWORD });
    server.client().post("/register", body).await.fails(400, "M_USER_IN_USE");
}

#[tokio::test]
async fn a_token_is_needed() {
    let server = TestServer::start().await;
    server.client().post("/account/deactivate", json!({})).await.fails(401, "M_MISSING_TOKEN");
}
