//! `GET /login/sso/redirect`, with a provider and without.

use crate::harness::TestServer;

#[tokio::test]
async fn nobody_is_sent_to_a_provider_that_there_is_not() {
    let server = TestServer::start().await;
    let client = server.client();
    for path in ["/login/sso/redirect", "/login/sso/redirect/github"] {
        client.get(&format!("{path}?redirectUrl=https%3A%2F%2Fapp.example")).await.fails(404, "M_NOT_FOUND");
        client.get(path).await.fails(400, "M_MISSING_PARAM");
    }
}
