//! How often something may be done: by everybody in one room, and from one address. (By user, account and login:
//! `edge.rs`.)

use serde_json::json;

use crate::harness::{Client, TestServer};

#[tokio::test]
async fn a_room_takes_only_so_many_events_whoever_sends_them() {
    let server = TestServer::start_with(|config| {
        config.rate_limits.enabled = true;
        config.rate_limits.room_per_second = 0.5;
        config.rate_limits.room_burst = 3;
    })
    .await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let stranger = server.register("stranger").await;
    let room = alice.create_room_with(&[&bob]).await;
    let other = alice.create_room(json!({})).await;
    for _ in 0..5 {
        let path = Client::send_path(&room, "m.room.message");
        stranger.put(&path, json!({ "body": "x" })).await.fails(403, "M_FORBIDDEN");
    }
    let first = alice.send_text(&room, "strangers are not counted").await;
    bob.send_text(&room, "two").await;
    alice.set_state(&room, "x.y", json!({ "three": true })).await;
    let refused = bob.put(&Client::send_path(&room, "m.room.message"), json!({ "body": "four" })).await;
    assert_eq!(refused.headers["retry-after"], "2");
    assert_eq!(refused.fails(429, "M_LIMIT_EXCEEDED")["retry_after_ms"], 2000);
    alice.put(&Client::room_path(&room, "/state/x.y"), json!({})).await.fails(429, "M_LIMIT_EXCEEDED");
    alice.put(&Client::room_path(&room, &format!("/redact/{first}/t")), json!({})).await.fails(429, "M_LIMIT_EXCEEDED");
    alice.send_text(&other, "another room").await;
    server.clock.advance(2000);
    bob.send_text(&room, "again").await;
}

#[tokio::test]
async fn making_accounts_is_limited_by_address() {
    let server = TestServer::start_with(|config| {
        config.rate_limits.enabled = true;
        config.rate_limits.registration_per_second = 0.1;
        config.rate_limits.registration_burst = 2;
    })
    .await;
    let free = |last: u8| {
        let mut client = server.client();
        client.address = std::net::Ipv4Addr::new(198, 51, 100, last).into();
        async move { client.get("/register/available?username=alice").await }
    };
    free(1).await.ok();
    free(1).await.ok();
    let refused = free(1).await;
    assert_eq!(refused.headers["retry-after"], "10");
    assert_eq!(refused.fails(429, "M_LIMIT_EXCEEDED")["retry_after_ms"], 10_000);
    free(2).await.ok();
    server.clock.advance(10_000);
    free(1).await.ok();
}
