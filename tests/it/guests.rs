//! Guests: where they may be, and for how long.

use serde_json::json;

use crate::harness::{Client, TestServer};

async fn guest(server: &TestServer) -> Client {
    server.client().signed_in(&server.client().post("/register?kind=guest", json!({})).await.ok())
}

/// A server with a public room, its owner, a member and a guest in it.
async fn start() -> (TestServer, [Client; 3], String) {
    let server = TestServer::start_with(|config| config.users.guests_allowed = true).await;
    let (alice, bob, guest) = (server.register("alice").await, server.register("bob").await, guest(&server).await);
    let room = alice.create_room_with(&[&bob]).await;
    alice.set_state(&room, "m.room.guest_access", json!({ "guest_access": "can_join" })).await;
    guest.join(&room).await;
    (server, [alice, bob, guest], room)
}

#[tokio::test]
async fn guests_leave_when_the_room_lets_no_guests_in_any_more() {
    let (_server, [alice, bob, guest], room) = start().await;
    let since = alice.sync(None).await["next_batch"].as_str().unwrap().to_owned();
    alice.set_state(&room, "m.room.guest_access", json!({ "guest_access": "forbidden" })).await;
    let path = Client::room_path(&room, &format!("/state/m.room.member/{}", crate::harness::escape(&guest.user_id)));
    for _ in 0..200 {
        if alice.get(&path).await.ok()["membership"] == "leave" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let event = alice.get(&format!("{path}?format=event")).await.ok();
    assert_eq!((&event["content"]["membership"], &event["sender"]), (&json!("leave"), &json!(guest.user_id)));
    assert_eq!(alice.membership_of(&room, &bob).await, "join", "no guest");
    let news = alice.sync(Some(&since)).await;
    assert_eq!(news["rooms"]["join"][&room]["timeline"]["events"].as_array().unwrap().len(), 2, "{news}");
    guest.post(&Client::room_path(&room, "/join"), json!({})).await.fails(403, "M_GUEST_ACCESS_FORBIDDEN");
    guest.put(&Client::send_path(&room, "m.room.message"), json!({ "body": "?" })).await.fails(403, "M_FORBIDDEN");
}

#[tokio::test]
async fn guests_stay_while_they_may() {
    let (_server, [alice, _, guest], room) = start().await;
    // Said again in other words, and other state: no reason to go.
    alice.set_state(&room, "m.room.guest_access", json!({ "guest_access": "can_join", "again": true })).await;
    alice.set_state(&room, "m.room.topic", json!({ "topic": "guests" })).await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(alice.membership_of(&room, &guest).await, "join");
    guest.send_text(&room, "still here").await;
}
