//! `GET /voip/turnServer`.

use serde_json::json;

use crate::harness::TestServer;

const PATH: &str = "/voip/turnServer";

#[tokio::test]
async fn without_a_turn_server_the_answer_is_empty() {
    let server = TestServer::start().await;
    assert_eq!(server.register("alice").await.get(PATH).await.ok(), json!({}));
    server.client().get(PATH).await.fails(401, "M_MISSING_TOKEN");
}

#[tokio::test]
async fn a_shared_secret_gives_each_user_a_name_and_a_password_that_end() {
    let server = TestServer::start_with(|config| {
        config.turn.uris = vec!["turn:turn.test.hearth?transport=udp".to_owned()];
        config.turn.shared_secret = Some("north".to_owned());
        config.turn.lifetime_s = 3_600;
        config.users.guests_allowed = true;
    })
    .await;
    let answer = server.register("alice").await.get(PATH).await.ok();
    // base64(HMAC-SHA1("north", "1767229200:@alice:test.hearth")), by OpenSSL.
    let expected = json!({
        "username": "1767229200:@alice:test.hearth",
        "password": "Jn1MYAnGebMxpxwr5D36aA4MSW0=",
        "uris": ["turn:turn.test.hearth?transport=udp"],
        "ttl": 3_600,
    });
    assert_eq!(answer, expected);
    let guest = server.client().post("/register?kind=guest", json!({})).await.ok();
    server.client().signed_in(&guest).get(PATH).await.fails(403, "M_GUEST_ACCESS_FORBIDDEN");
}

#[tokio::test]
async fn one_name_may_serve_everybody() {
    let server = TestServer::start_with(|config| {
        config.turn.uris = vec!["turn:turn.test.hearth".to_owned()];
        config.turn.username = Some("all".to_owned());
        config.turn.password = Some("secret".to_owned());
    })
    .await;
    let answer = server.register("alice").await.get(PATH).await.ok();
    assert_eq!((&answer["username"], &answer["password"]), (&json!("all"), &json!("secret")));
}
