//! `POST /logout` and `POST /logout/all`.

use serde_json::json;

use crate::harness::TestServer;

#[tokio::test]
async fn logging_out_ends_the_token_and_the_device() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let phone = alice.log_in_again().await;
    assert_eq!(phone.post("/logout", json!({})).await.ok(), json!({}));
    phone.get("/account/whoami").await.fails(401, "M_UNKNOWN_TOKEN");
    alice.get(&format!("/devices/{}", phone.device_id)).await.fails(404, "M_NOT_FOUND");
    alice.get("/account/whoami").await.ok();
}

#[tokio::test]
async fn logging_out_everywhere_ends_all_of_them() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let phone = alice.log_in_again().await;
    assert_eq!(alice.post("/logout/all", json!({})).await.ok(), json!({}));
    alice.get("/account/whoami").await.fails(401, "M_UNKNOWN_TOKEN");
    phone.get("/account/whoami").await.fails(401, "M_UNKNOWN_TOKEN");
    let again = alice.log_in_again().await;
    assert_eq!(again.get("/devices").await.ok()["devices"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn who_is_not_logged_in_cannot_log_out() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    for path in ["/logout", "/logout/all"] {
        alice.signed_out().post(path, json!({})).await.fails(401, "M_MISSING_TOKEN");
        alice.with_token("made up").post(path, json!({})).await.fails(401, "M_UNKNOWN_TOKEN");
    }
    alice.get("/account/whoami").await.ok();
}
