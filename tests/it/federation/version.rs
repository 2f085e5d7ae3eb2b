//! `GET /_matrix/federation/v1/version`.

use http::Method;

use crate::harness::TestServer;

#[tokio::test]
async fn it_tells_the_program() {
    let server = TestServer::start().await;
    let answer = server.client().get("/_matrix/federation/v1/version").await.ok();
    assert_eq!(answer["server"]["name"], "Hearth");
    assert!(answer["server"]["version"].is_string());
}

#[tokio::test]
async fn another_method_or_path_is_unrecognized() {
    let server = TestServer::start().await;
    server.client().request(Method::PUT, "/_matrix/federation/v1/version", "{}").await.fails(405, "M_UNRECOGNIZED");
    for path in ["/_matrix/federation/unknown", "/_matrix/federation/v1/unknown", "/_matrix/key/v2/unknown"] {
        server.client().get(path).await.fails(404, "M_UNRECOGNIZED");
    }
}
