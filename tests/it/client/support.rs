//! `GET /.well-known/matrix/support`.

use serde_json::json;

use crate::harness::TestServer;

const PATH: &str = "/.well-known/matrix/support";

#[tokio::test]
async fn contacts_and_page_are_told() {
    let server = TestServer::start_with(|config| {
        config.api.support_page = Some("https://test.hearth/help".to_owned());
        config.api.admin_email = Some("admin@test.hearth".to_owned());
        config.api.admin_matrix_id = Some("@admin:test.hearth".to_owned());
        config.api.security_matrix_id = Some("@security:test.hearth".to_owned());
    })
    .await;
    let expected = json!({
        "support_page": "https://test.hearth/help",
        "contacts": [
            { "role": "m.role.admin", "email_address": "admin@test.hearth", "matrix_id": "@admin:test.hearth" },
            { "role": "m.role.security", "matrix_id": "@security:test.hearth" },
        ],
    });
    assert_eq!(server.client().get(PATH).await.ok(), expected);
}

#[tokio::test]
async fn a_server_that_says_nothing_is_not_found() {
    let server = TestServer::start().await;
    server.client().get(PATH).await.fails(404, "M_NOT_FOUND");
}
