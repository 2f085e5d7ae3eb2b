//! `GET /openid/userinfo`.

use serde_json::json;

use crate::harness::{TestServer, escape};

const PATH: &str = "/_matrix/federation/v1/openid/userinfo";

#[tokio::test]
async fn others_learn_whose_token_it_is_while_it_is_good() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let made = alice.post(&alice.user_path("/openid/request_token"), json!({})).await.ok();
    let path = format!("{PATH}?access_token={}", escape(made["access_token"].as_str().expect("a token")));
    let anybody = server.client();
    assert_eq!(anybody.get(&path).await.ok(), json!({ "sub": alice.user_id }));
    server.clock.advance(3_601_000);
    anybody.get(&path).await.fails(401, "M_UNKNOWN_TOKEN");
}

#[tokio::test]
async fn other_tokens_tell_nothing() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let anybody = server.client();
    let path = format!("{PATH}?access_token={}", alice.token.as_deref().expect("a token"));
    anybody.get(&path).await.fails(401, "M_UNKNOWN_TOKEN");
    anybody.get(&format!("{PATH}?access_token=x")).await.fails(401, "M_UNKNOWN_TOKEN");
    anybody.get(PATH).await.fails(401, "M_MISSING_TOKEN");
}
