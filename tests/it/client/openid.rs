//! `POST /user/{userId}/openid/request_token`; what is done with the token is in `federation/openid.rs`.

use serde_json::json;

use crate::harness::{TestServer, escape};

#[tokio::test]
async fn a_user_gets_a_token_of_their_own() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let made = alice.post(&alice.user_path("/openid/request_token"), json!({})).await.ok();
    assert_eq!((&made["token_type"], &made["matrix_server_name"]), (&json!("Bearer"), &json!("test.hearth")));
    assert_eq!(made["expires_in"], 3_600);
    let other = format!("/user/{}/openid/request_token", escape(&alice.user_id));
    bob.post(&other, json!({})).await.fails(403, "M_FORBIDDEN");
    bob.signed_out().post(&other, json!({})).await.fails(401, "M_MISSING_TOKEN");
    // It opens nothing here.
    let token = made["access_token"].as_str().expect("a token");
    alice.with_token(token).get("/account/whoami").await.fails(401, "M_UNKNOWN_TOKEN");
}
