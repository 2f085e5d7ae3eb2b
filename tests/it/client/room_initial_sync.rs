//! `GET /rooms/{roomId}/initialSync`.

use serde_json::{Value, json};

use crate::harness::{Client, TestServer, escape};

fn bodies(answer: &Value) -> Vec<&str> {
    let events = answer["messages"]["chunk"].as_array().expect("events").iter();
    events.filter_map(|event| event["content"]["body"].as_str()).collect()
}

#[tokio::test]
async fn a_member_gets_state_messages_and_their_own_data() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({ "name": "A room" })).await;
    for n in 0..25 {
        alice.send_text(&room, &n.to_string()).await;
    }
    let data = Client::room_path(&room, "/account_data/org.example.mine");
    alice.put(&alice.user_path(&data), json!({ "x": 1 })).await.ok();
    let now = alice.get(&Client::room_path(&room, "/initialSync")).await.ok();
    assert_eq!((&now["room_id"], &now["membership"]), (&json!(room), &json!("join")));
    assert_eq!(now["visibility"], "private");
    assert_eq!(bodies(&now), (5..25).map(|n| n.to_string()).collect::<Vec<_>>());
    let state = now["state"].as_array().expect("state");
    assert!(state.iter().any(|event| event["content"]["name"] == "A room"));
    assert_eq!(now["account_data"], json!([{ "type": "org.example.mine", "content": { "x": 1 } }]));
    let start = escape(now["messages"]["start"].as_str().expect("there is more before"));
    let older = alice.get(&Client::room_path(&room, &format!("/messages?dir=b&limit=1&from={start}"))).await.ok();
    assert_eq!(older["chunk"][0]["content"]["body"], "4");
    let few = alice.get(&Client::room_path(&room, "/initialSync?limit=2")).await.ok();
    assert_eq!(bodies(&few), ["23", "24"]);
    let none = alice.get(&Client::room_path(&room, "/initialSync?limit=0")).await.ok();
    assert!(bodies(&none).is_empty());
    alice.get(&Client::room_path(&room, "/initialSync?limit=few")).await.fails(400, "M_INVALID_PARAM");
    let end = escape(now["messages"]["end"].as_str().expect("an end"));
    alice.send_text(&room, "new").await;
    let newer = alice.get(&Client::room_path(&room, &format!("/messages?dir=f&from={end}"))).await.ok();
    assert_eq!(newer["chunk"][0]["content"]["body"], "new");
}

#[tokio::test]
async fn who_has_left_gets_the_room_as_it_was_and_strangers_nothing() {
    let server = TestServer::start().await;
    let (alice, bob, eve) =
        (server.register("alice").await, server.register("bob").await, server.register("eve").await);
    let room = alice.create_room_with(&[&bob]).await;
    alice.send_text(&room, "before").await;
    bob.leave(&room).await;
    alice.send_text(&room, "after").await;
    alice.set_state(&room, "m.room.topic", json!({ "topic": "new" })).await;
    let then = bob.get(&Client::room_path(&room, "/initialSync")).await.ok();
    assert_eq!((bodies(&then), &then["membership"]), (vec!["before"], &json!("leave")));
    assert!(!then["state"].to_string().contains("m.room.topic"));
    eve.get(&Client::room_path(&room, "/initialSync")).await.fails(403, "M_FORBIDDEN");
    alice.get("/rooms/%21nothing%3Atest.hearth/initialSync").await.fails(403, "M_FORBIDDEN");
}
