//! `/presence/{userId}/status`.

use serde_json::json;

use crate::harness::{Client, TestServer, escape};

fn path(client: &Client) -> String {
    format!("/presence/{}/status", escape(&client.user_id))
}

#[tokio::test]
async fn presence_is_seen_by_those_who_share_a_room() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    alice.create_room_with(&[&bob]).await;
    alice.put(&path(&alice), json!({ "presence": "unavailable", "status_msg": "lunch" })).await.ok();
    let seen = bob.get(&path(&alice)).await.ok();
    assert_eq!((&seen["presence"], &seen["status_msg"]), (&json!("unavailable"), &json!("lunch")));
}

#[tokio::test]
async fn who_never_said_anything_is_offline() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    assert_eq!(alice.get(&path(&alice)).await.ok()["presence"], "offline");
}

#[tokio::test]
async fn one_speaks_for_oneself_only() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    bob.put(&path(&alice), json!({ "presence": "online" })).await.fails(403, "M_FORBIDDEN");
    bob.put(&path(&bob), json!({})).await.fails(400, "M_BAD_JSON");
}

#[tokio::test]
async fn strangers_do_not_see_it() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    alice.put(&path(&alice), json!({ "presence": "online" })).await.ok();
    bob.get(&path(&alice)).await.fails(403, "M_FORBIDDEN");
}

/// Whether the other one has been seen in a sync of theirs makes no difference, nor who is in more rooms.
#[tokio::test]
async fn a_sync_tells_it_to_those_who_share_a_room() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let (carol, dave) = (server.register("carol").await, server.register("dave").await);
    let room = alice.create_room_with(&[&bob, &carol]).await;
    for n in 0..3 {
        carol.create_room(json!({ "name": n.to_string() })).await;
    }
    carol.sync(None).await;
    dave.sync(None).await;
    let since = alice.sync(None).await["next_batch"].as_str().unwrap().to_owned();
    for user in [&bob, &carol, &dave] {
        user.put(&path(user), json!({ "presence": "unavailable", "status_msg": "away" })).await.ok();
    }
    let told = |answer: serde_json::Value| answer["presence"]["events"].to_string();
    let answer = alice.sync(Some(&since)).await;
    let since = answer["next_batch"].as_str().unwrap().to_owned();
    let told_first = told(answer);
    assert!(told_first.contains(&bob.user_id) && told_first.contains(&carol.user_id), "{told_first}");
    assert!(!told_first.contains(&dave.user_id), "{told_first}");

    for user in [&bob, &carol] {
        user.post(&format!("/rooms/{}/leave", escape(&room)), json!({})).await.ok();
        user.put(&path(user), json!({ "presence": "unavailable", "status_msg": "gone" })).await.ok();
    }
    let told_then = told(alice.sync(Some(&since)).await);
    assert!(!told_then.contains("gone"), "{told_then}");
}

fn since(answer: &serde_json::Value) -> String {
    answer["next_batch"].as_str().expect("a token").to_owned()
}

#[tokio::test]
async fn a_sync_sets_ones_own() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    alice.create_room_with(&[&bob]).await;
    let before = since(&bob.sync(None).await);
    alice.sync_with(None, "timeout=0&set_presence=unavailable").await;
    assert_eq!(bob.get(&path(&alice)).await.ok()["presence"], "unavailable");
    let answer = bob.sync(Some(&before)).await;
    let events = answer["presence"]["events"].as_array().expect("presence");
    let told = events.iter().find(|event| event["sender"] == alice.user_id.as_str()).expect("that of alice");
    assert_eq!(told["content"]["presence"], "unavailable");
}

#[tokio::test]
async fn who_joins_tells_and_is_told_whoever_was_there_before() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[]).await;
    for (user, said) in [(&alice, "here first"), (&bob, "comes later")] {
        user.put(&path(user), json!({ "presence": "online", "status_msg": said })).await.ok();
    }
    let (before, of_bob) = (since(&alice.sync(None).await), since(&bob.sync(None).await));
    bob.join(&room).await;
    for (reader, from, said) in [
        (&alice, Some(before.as_str()), "comes later"),
        (&alice, None, "comes later"),
        (&bob, Some(of_bob.as_str()), "here first"),
    ] {
        let answer = reader.sync(from).await;
        assert!(answer["presence"]["events"].to_string().contains(said), "{from:?}: {answer}");
    }
    let then = since(&alice.sync(Some(&before)).await);
    assert!(!alice.sync(Some(&then)).await.to_string().contains("comes later"), "once");
}

#[tokio::test]
async fn sending_reading_and_typing_are_activity_and_syncing_is_not() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    let since = alice.sync(None).await["next_batch"].as_str().unwrap().to_owned();
    let event = alice.send_text(&room, "first").await;
    let idle_ms = async || bob.get(&path(&alice)).await.ok()["last_active_ago"].as_u64();
    let receipt = Client::room_path(&room, &format!("/receipt/m.read/{}", escape(&event)));
    let private = Client::room_path(&room, &format!("/receipt/m.read.private/{}", escape(&event)));
    let markers = Client::room_path(&room, "/read_markers");
    let typing = Client::room_path(&room, &format!("/typing/{}", escape(&alice.user_id)));
    for (act, is_activity) in
        [("send", true), ("read", true), ("marker", true), ("type", true), ("private", false), ("sync", false)]
    {
        server.clock.advance(1_000);
        assert!(idle_ms().await >= Some(1_000), "{act}");
        match act {
            "send" => drop(alice.send_text(&room, "again").await),
            "read" => drop(alice.post(&receipt, json!({})).await.ok()),
            "marker" => drop(alice.post(&markers, json!({ "m.read": event })).await.ok()),
            "type" => drop(alice.put(&typing, json!({ "typing": true })).await.ok()),
            "private" => drop(alice.post(&private, json!({})).await.ok()),
            _ => drop(alice.sync(Some(&since)).await),
        }
        assert_eq!(idle_ms().await == Some(0), is_activity, "{act}");
    }
}
