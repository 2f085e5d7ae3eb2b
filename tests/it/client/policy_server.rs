//! `GET /.well-known/matrix/policy_server`.

use serde_json::json;

use crate::harness::TestServer;

const PATH: &str = "/.well-known/matrix/policy_server";

#[tokio::test]
async fn the_key_is_told_where_there_is_one() {
    let key = "6yhHGKhCiXTSEN2ksjV7kX_N6ShOqvKE8PLRQIPr6Js".replace('_', "/");
    let server = TestServer::start_with(|config| config.api.policy_server_key = Some(key.clone())).await;
    assert_eq!(server.client().get(PATH).await.ok(), json!({ "public_keys": { "ed25519": key } }));
    TestServer::start().await.client().get(PATH).await.fails(404, "M_NOT_FOUND");
}
