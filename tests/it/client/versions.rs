//! `GET /_matrix/client/versions`.

use crate::harness::TestServer;

#[tokio::test]
async fn everyone_is_told_what_is_spoken() {
    let server = TestServer::start().await;
    let answer = server.client().get("/_matrix/client/versions").await.ok();
    let versions = answer["versions"].as_array().expect("a list");
    assert!(versions.contains(&"r0.6.1".into()) && versions.contains(&"v1.1".into()), "{answer}");
    assert_eq!(answer["unstable_features"]["org.matrix.msc4222"], true);
    // By this some clients decide that media is to be had by the endpoints for users.
    assert!(versions.contains(&"v1.11".into()), "{answer}");
    assert_eq!(answer["unstable_features"]["chat.hearth.websocket"], true);
}

#[tokio::test]
async fn a_token_is_not_needed_and_does_no_harm() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    alice.get("/_matrix/client/versions").await.ok();
}
