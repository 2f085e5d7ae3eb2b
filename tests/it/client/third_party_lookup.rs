//! `/thirdparty/..`: no application service, no network.

use serde_json::json;

use crate::harness::TestServer;

#[tokio::test]
async fn there_are_no_networks() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    assert_eq!(alice.get("/thirdparty/protocols").await.ok(), json!({}));
    for path in [
        "/thirdparty/protocol/irc",
        "/thirdparty/location/irc?channel=%23matrix",
        "/thirdparty/user/irc?nick=alice",
        "/thirdparty/location?alias=%23a%3Atest.hearth",
        "/thirdparty/user?userid=%40irc_a%3Atest.hearth",
    ] {
        alice.get(path).await.fails(404, "M_NOT_FOUND");
        server.client().get(path).await.fails(401, "M_MISSING_TOKEN");
    }
    alice.get("/thirdparty/location").await.fails(400, "M_MISSING_PARAM");
    alice.get("/thirdparty/user?userid=nonsense").await.fails(400, "M_INVALID_PARAM");
    server.client().get("/thirdparty/protocols").await.fails(401, "M_MISSING_TOKEN");
}
