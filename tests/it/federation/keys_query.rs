//! `GET /_matrix/key/v2/query/{serverName}` and `POST /_matrix/key/v2/query`.

use http::Method;
use serde_json::json;

use super::keys_server::check_signed;
use crate::harness::TestServer;

#[tokio::test]
async fn our_own_keys_are_told_and_signed() {
    let server = TestServer::start().await;
    let name = server.homeserver.env.server_name.to_string();
    let now_ms = hearth_protocol::Clock::now(&*server.clock).0;
    let one = server.client().get(&format!("/_matrix/key/v2/query/{name}")).await.ok();
    let asked = json!({ "server_keys": { name: {}, "other.example": {} } });
    let several = server.client().post("/_matrix/key/v2/query", asked).await.ok();
    for answer in [one, several] {
        let documents = answer["server_keys"].as_array().expect("documents");
        assert_eq!(documents.len(), 1);
        check_signed(&documents[0], now_ms);
    }
}

#[tokio::test]
async fn servers_that_are_not_known_are_left_out() {
    let server = TestServer::start().await;
    let none = json!({ "server_keys": [] });
    assert_eq!(server.client().get("/_matrix/key/v2/query/other.example").await.ok(), none);
    let asked = json!({ "server_keys": {} });
    assert_eq!(server.client().post("/_matrix/key/v2/query", asked).await.ok(), none);
}

#[tokio::test]
async fn bad_questions_are_refused() {
    let server = TestServer::start().await;
    server.client().get("/_matrix/key/v2/query/no%20name").await.fails(400, "M_INVALID_PARAM");
    server.client().post("/_matrix/key/v2/query", json!({})).await.fails(400, "M_BAD_JSON");
    server.client().request(Method::PUT, "/_matrix/key/v2/query", "{}").await.fails(405, "M_UNRECOGNIZED");
}
