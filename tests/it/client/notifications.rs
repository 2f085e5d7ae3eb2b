//! `GET /notifications`.

use serde_json::{Value, json};

use crate::harness::{Client, TestServer, escape};

fn bodies(page: &Value) -> Vec<String> {
    let found = page["notifications"].as_array().expect("notifications").iter();
    found.map(|found| found["event"]["content"]["body"].as_str().expect("a body").to_owned()).collect()
}

#[tokio::test]
async fn notifications_of_all_rooms_come_newest_first_in_pages() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let rooms = [alice.create_room_with(&[&bob]).await, alice.create_room_with(&[&bob]).await];
    alice.send_text(&rooms[0], "before").await;
    bob.sync(None).await;
    for n in 0..7 {
        server.clock.advance(1_000);
        alice.send_text(&rooms[n % 2], &n.to_string()).await;
        bob.send_text(&rooms[1 - n % 2], "my own").await;
    }
    let first = bob.get("/notifications?limit=3").await.ok();
    assert_eq!(bodies(&first), ["6", "5", "4"]);
    let newest = &first["notifications"][0];
    assert_eq!((&newest["room_id"], &newest["actions"][0]), (&json!(rooms[0]), &json!("notify")));
    assert_eq!(newest["ts"], newest["event"]["origin_server_ts"]);
    assert_eq!((&newest["event"]["sender"], newest["event"].get("room_id")), (&json!(alice.user_id), None));
    let mut all = bodies(&first);
    let mut next = first["next_token"].clone();
    while let Some(from) = next.as_str() {
        let page = bob.get(&format!("/notifications?limit=3&from={}", escape(from))).await.ok();
        all.extend(bodies(&page));
        next = page["next_token"].clone();
    }
    assert_eq!(all, ["6", "5", "4", "3", "2", "1", "0", "before"]);
}

#[tokio::test]
async fn what_was_read_is_marked_and_highlights_can_be_asked_for() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    let read = alice.send_text(&room, "read").await;
    let content = json!({ "msgtype": "m.text", "body": "you", "m.mentions": { "user_ids": [bob.user_id] } });
    alice.put(&Client::send_path(&room, "m.room.message"), content).await.ok();
    bob.post(&Client::room_path(&room, &format!("/receipt/m.read/{}", escape(&read))), json!({})).await.ok();
    let page = bob.get("/notifications").await.ok();
    assert_eq!(bodies(&page), ["you", "read"]);
    assert_eq!((&page["notifications"][0]["read"], &page["notifications"][1]["read"]), (&json!(false), &json!(true)));
    assert_eq!(bodies(&bob.get("/notifications?only=highlight").await.ok()), ["you"]);
    assert!(bodies(&alice.get("/notifications").await.ok()).is_empty());
    let muted = json!({ "actions": [] });
    bob.put(&format!("/pushrules/global/room/{}", escape(&room)), muted).await.ok();
    assert_eq!(bodies(&bob.get("/notifications").await.ok()), ["you"], "mentions are stronger than a muted room");
}

#[tokio::test]
async fn bad_requests_for_notifications_are_refused() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    alice.get("/notifications?from=nonsense").await.fails(400, "M_INVALID_PARAM");
    alice.get("/notifications?limit=many").await.fails(400, "M_INVALID_PARAM");
    server.client().get("/notifications").await.fails(401, "M_MISSING_TOKEN");
    assert_eq!(alice.get("/notifications").await.ok(), json!({ "notifications": [] }));
}
