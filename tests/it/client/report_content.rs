//! `POST /rooms/{roomId}/report`, `/rooms/{roomId}/report/{eventId}` and `/users/{userId}/report`.

use serde_json::json;

use crate::harness::{Client, TestServer, escape};

#[tokio::test]
async fn reports_are_kept_for_the_operator() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    let event = bob.send_text(&room, "rude").await;
    let report_event = Client::room_path(&room, &format!("/report/{}", escape(&event)));
    let report_room = Client::room_path(&room, "/report");
    let report_user = format!("/users/{}/report", escape(&bob.user_id));
    for (path, reason) in [(&report_event, "one"), (&report_room, "two"), (&report_user, "three")] {
        assert_eq!(alice.post(path, json!({ "reason": reason })).await.ok(), json!({}));
        server.clock.advance(1);
    }
    let reports = server.homeserver.reporting.list_reports(10).await.expect("reports");
    let found: Vec<_> = reports
        .iter()
        .map(|info| {
            let report = &info.report;
            (report.reason.as_str(), report.room_id.as_deref(), report.event_id.as_deref(), report.user_id.as_deref())
        })
        .collect();
    let (room, event, user) = (Some(room.as_str()), Some(event.as_str()), Some(bob.user_id.as_str()));
    let expected = [("three", None, None, user), ("two", room, None, None), ("one", room, event, user)];
    assert_eq!(found, expected);
    assert!(reports.iter().all(|info| info.report.reporter == alice.user_id));
}

#[tokio::test]
async fn what_one_cannot_see_cannot_be_reported() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room(json!({ "preset": "public_chat" })).await;
    let event = alice.send_text(&room, "hello").await;
    let reason = json!({ "reason": "x" });
    let path = |event: &str| Client::room_path(&room, &format!("/report/{}", escape(event)));
    bob.post(&path(&event), reason.clone()).await.fails(404, "M_NOT_FOUND");
    alice.post(&path("$unknown"), reason.clone()).await.fails(404, "M_NOT_FOUND");
    alice.post(&Client::room_path("!no:test.hearth", "/report"), reason.clone()).await.fails(404, "M_NOT_FOUND");
    alice.post("/users/%40nobody%3Atest.hearth/report", reason.clone()).await.fails(404, "M_NOT_FOUND");
    let long = json!({ "reason": "x".repeat(5_000) });
    alice.post(&path(&event), long).await.fails(400, "M_INVALID_PARAM");
    alice.signed_out().post(&path(&event), reason.clone()).await.fails(401, "M_MISSING_TOKEN");
    assert!(server.homeserver.reporting.list_reports(10).await.expect("reports").is_empty());
    // One need not be in a room to report it.
    bob.post(&Client::room_path(&room, "/report"), reason).await.ok();
}
