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

#[tokio::test]
async fn versions_have_the_form_of_versions_and_features_are_on_or_off() {
    let server = TestServer::start().await;
    let answer = server.client().get("/_matrix/client/versions").await.ok();
    for version in answer["versions"].as_array().expect("a list") {
        let version = version.as_str().expect("a text");
        let numbers: Vec<_> = version[1..].split('.').map(|number| number.parse::<u16>().expect("a number")).collect();
        let is_good = match numbers.as_slice() {
            [0, _, _] => version.starts_with('r'),
            [major, _] => version.starts_with('v') && *major > 0,
            _ => false,
        };
        assert!(is_good, "{version}");
    }
    let features = answer["unstable_features"].as_object().expect("features");
    assert!(features.values().all(serde_json::Value::is_boolean), "{answer}");
}
