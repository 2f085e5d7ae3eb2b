//! `GET /.well-known/matrix/client`.

use crate::harness::TestServer;

#[tokio::test]
async fn it_tells_the_public_address_if_there_is_one() {
    let server = TestServer::start().await;
    server.client().get("/.well-known/matrix/client").await.fails(404, "M_NOT_FOUND");

    let url = "https://matrix.test.hearth";
    let server = TestServer::start_with(|config| config.api.public_base_url = Some(url.to_owned())).await;
    let answer = server.client().get("/.well-known/matrix/client").await.ok();
    assert_eq!(answer["m.homeserver"]["base_url"], url);
}
