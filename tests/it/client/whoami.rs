//! `GET /account/whoami`.

use crate::harness::TestServer;

#[tokio::test]
async fn it_names_user_and_device() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let answer = alice.get("/account/whoami").await.ok();
    assert_eq!(answer["user_id"], "@alice:test.hearth");
    assert_eq!(answer["device_id"], alice.device_id);
    assert_ne!(answer["is_guest"], true);
}
