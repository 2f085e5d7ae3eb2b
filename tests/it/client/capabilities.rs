//! `GET /capabilities`.

use crate::harness::TestServer;

#[tokio::test]
async fn it_tells_room_versions_and_what_may_be_changed() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let answer = alice.get("/capabilities").await.ok();
    let capabilities = &answer["capabilities"];
    assert_eq!(capabilities["m.room_versions"]["default"], "12");
    let available = capabilities["m.room_versions"]["available"].as_object().expect("versions");
    for version in 1..=12 {
        assert_eq!(available[&version.to_string()], "stable", "{version}");
    }
    assert_eq!(available["org.matrix.msc3757.10"], "unstable");
    assert_eq!(capabilities["m.change_password"]["enabled"], true);
    assert_eq!(capabilities["m.profile_fields"]["enabled"], true);
    assert_eq!(capabilities["m.3pid_changes"]["enabled"], false);
}
