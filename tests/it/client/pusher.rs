//! `GET /pushers`.

use serde_json::json;

use crate::harness::TestServer;

#[tokio::test]
async fn nobody_has_a_pusher() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    assert_eq!(alice.get("/pushers").await.ok(), json!({ "pushers": [] }));
    server.client().get("/pushers").await.fails(401, "M_MISSING_TOKEN");
}
