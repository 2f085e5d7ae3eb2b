//! `GET /account/3pid`.

use serde_json::json;

use crate::harness::TestServer;

#[tokio::test]
async fn an_account_has_no_third_party_identifiers() {
    let server = TestServer::start_with(|config| config.users.guests_allowed = true).await;
    let alice = server.register("alice").await;
    assert_eq!(alice.get("/account/3pid").await.ok(), json!({ "threepids": [] }));
    assert_eq!(alice.get("/_matrix/client/r0/account/3pid").await.ok(), json!({ "threepids": [] }));
    let capabilities = alice.get("/capabilities").await.ok()["capabilities"].clone();
    assert_eq!(capabilities["m.3pid_changes"], json!({ "enabled": false }));
    server.client().get("/account/3pid").await.fails(401, "M_MISSING_TOKEN");
    let guest = server.client().signed_in(&server.client().post("/register?kind=guest", json!({})).await.ok());
    guest.get("/account/3pid").await.fails(403, "M_GUEST_ACCESS_FORBIDDEN");
}
