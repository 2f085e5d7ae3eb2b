//! `/user/{userId}/account_data/{type}`, global and by room.

use futures_util::future::join_all;
use serde_json::json;

use crate::harness::{Client, TestServer, escape};

#[tokio::test]
async fn data_is_stored_whole_and_for_oneself() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let bob = server.register("bob").await;
    let path = alice.user_path("/account_data/org.example.test");
    alice.get(&path).await.fails(404, "M_NOT_FOUND");
    let content = json!({ "a": [1, 2.5, { "b": null }], "ü": "\u{1f600}" });
    assert_eq!(alice.put(&path, content.clone()).await.ok(), json!({}));
    assert_eq!(alice.get(&path).await.ok(), content);
    let content = json!({ "value": "second" });
    alice.put(&path, content.clone()).await.ok();
    assert_eq!(alice.get(&path).await.ok(), content, "the last word");
    bob.get(&path).await.fails(403, "M_FORBIDDEN");
    bob.put(&path, json!({})).await.fails(403, "M_FORBIDDEN");
    assert_eq!(alice.get(&path).await.ok(), content);
}

#[tokio::test]
async fn data_of_a_room_is_apart_from_global_data() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let bob = server.register("bob").await;
    let room = escape(&alice.create_room(json!({})).await);
    let path = alice.user_path(&format!("/rooms/{room}/account_data/org.example.test"));
    alice.put(&path, json!({ "in": "room" })).await.ok();
    assert_eq!(alice.get(&path).await.ok(), json!({ "in": "room" }));
    alice.put(&path, json!({ "in": "the same room" })).await.ok();
    assert_eq!(alice.get(&path).await.ok(), json!({ "in": "the same room" }));
    alice.get(&alice.user_path("/account_data/org.example.test")).await.fails(404, "M_NOT_FOUND");
    bob.get(&path).await.fails(403, "M_FORBIDDEN");
    alice.get(&alice.user_path("/rooms/nonsense/account_data/x")).await.fails(400, "M_INVALID_PARAM");
}

#[tokio::test]
async fn what_the_server_keeps_cannot_be_set() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = escape(&alice.create_room(json!({})).await);
    let fully_read = alice.user_path(&format!("/rooms/{room}/account_data/m.fully_read"));
    let push_rules = alice.user_path("/account_data/m.push_rules");
    for path in [fully_read, push_rules] {
        let answer = alice.put(&path, json!({})).await;
        assert_eq!(answer.status, 405, "{}", answer.text());
        assert_eq!(answer.json()["errcode"], "M_BAD_JSON");
    }
}

#[tokio::test]
async fn too_much_is_refused() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let path = alice.user_path("/account_data/org.example.test");
    let answer = alice.put(&path, json!({ "x": "y".repeat(600_000) })).await;
    assert_eq!(answer.json()["errcode"], "M_TOO_LARGE");
    alice.get(&path).await.fails(404, "M_NOT_FOUND");
}

#[tokio::test]
async fn changes_come_by_sync() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    let since = alice.sync(None).await["next_batch"].as_str().expect("a token").to_owned();
    alice.put(&alice.user_path("/account_data/org.example.test"), json!({ "n": 1 })).await.ok();
    let in_room = format!("/rooms/{}/account_data/org.example.test", escape(&room));
    alice.put(&alice.user_path(&in_room), json!({ "n": 2 })).await.ok();
    let answer = alice.sync(Some(&since)).await;
    let event = json!({ "type": "org.example.test", "content": { "n": 1 } });
    assert_eq!(answer["account_data"]["events"], json!([event]));
    let event = json!({ "type": "org.example.test", "content": { "n": 2 } });
    assert_eq!(answer["rooms"]["join"][&room]["account_data"]["events"], json!([event]));
}

#[tokio::test]
async fn deleted_data_is_gone_and_an_empty_object_for_who_syncs() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room(json!({})).await;
    let unstable = |path: String| format!("/_matrix/client/unstable/org.matrix.msc3391{path}");
    for rest in ["/account_data/org.example".to_owned(), format!("/rooms/{}/account_data/org.example", escape(&room))] {
        let path = alice.user_path(&rest);
        alice.put(&path, json!({ "n": 1 })).await.ok();
        let since = alice.sync(None).await["next_batch"].as_str().expect("a token").to_owned();
        bob.delete(&unstable(path.clone()), json!({})).await.fails(403, "M_FORBIDDEN");
        assert_eq!(alice.delete(&unstable(path.clone()), json!({})).await.ok(), json!({}));
        alice.get(&path).await.fails(404, "M_NOT_FOUND");
        let answer = alice.sync(Some(&since)).await;
        let gone = json!([{ "type": "org.example", "content": {} }]);
        let found = if rest.starts_with("/rooms") { &answer["rooms"]["join"][&room] } else { &answer };
        assert_eq!(found["account_data"]["events"], gone, "{answer}");
        assert!(!alice.sync(None).await.to_string().contains("org.example"), "nothing is left for a first sync");
    }
    let managed = alice.delete(&unstable(alice.user_path("/account_data/m.push_rules")), json!({})).await;
    assert_eq!((managed.status.as_u16(), &managed.json()["errcode"]), (405, &json!("M_BAD_JSON")));
}

#[tokio::test]
async fn what_ignored_users_say_is_not_told() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    let said = bob.send_text(&room, "unwanted").await;
    let topic = alice.set_state(&room, "m.room.topic", json!({ "topic": "x" })).await;
    let list = alice.user_path("/account_data/m.ignored_user_list");
    let since = alice.sync(None).await["next_batch"].as_str().expect("a token").to_owned();
    alice.put(&list, json!({ "ignored_users": { (&bob.user_id): {} } })).await.ok();
    bob.send_text(&room, "unwanted too").await;
    let room_path = |rest: &str| crate::harness::Client::room_path(&room, rest);
    bob.put(&room_path(&format!("/typing/{}", escape(&bob.user_id))), json!({ "typing": true, "timeout": 9000 }))
        .await
        .ok();
    bob.post(&room_path(&format!("/receipt/m.read/{}", escape(&topic))), json!({})).await.ok();
    let invited = bob.create_room(json!({})).await;
    bob.invite(&invited, &alice).await;
    let carol = server.register("carol").await;
    let by_carol = carol.create_room(json!({ "invite": [alice.user_id] })).await;
    let answer = alice.sync(Some(&since)).await;
    let text = json!([answer["rooms"], answer["presence"]]).to_string();
    assert!(!text.contains("unwanted") && !text.contains(&bob.user_id), "{answer}");
    let invites = answer["rooms"]["invite"].as_object().expect("invites");
    assert_eq!(invites.keys().collect::<Vec<_>>(), [&by_carol], "of others they come");
    alice.get(&room_path(&format!("/event/{}", escape(&said)))).await.fails(404, "M_NOT_FOUND");
    alice.get(&room_path(&format!("/context/{}", escape(&said)))).await.fails(404, "M_NOT_FOUND");
    let around = alice.get(&room_path(&format!("/context/{}", escape(&topic)))).await.ok();
    assert!(!json!([around["events_before"], around["events_after"]]).to_string().contains("unwanted"), "{around}");
    let page = alice.get(&room_path("/messages?dir=b&limit=100")).await.ok();
    assert!(!page.to_string().contains("unwanted"), "{page}");
    assert!(page.to_string().contains(&bob.user_id), "the membership stays: {page}");
    alice.put(&list, json!({ "ignored_users": {} })).await.ok();
    let again = alice.sync(None).await;
    assert!(again["rooms"]["join"].to_string().contains("unwanted too"), "{again}");
    assert!(again["rooms"]["invite"].get(&invited).is_some(), "{again}");
}

#[tokio::test]
async fn an_empty_object_deletes_too() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    for rest in ["/account_data/org.example".to_owned(), format!("/rooms/{}/account_data/org.example", escape(&room))] {
        let path = alice.user_path(&rest);
        alice.put(&path, json!({ "n": 1 })).await.ok();
        let since = alice.sync(None).await["next_batch"].as_str().expect("a token").to_owned();
        alice.put(&path, json!({})).await.ok();
        alice.get(&path).await.fails(404, "M_NOT_FOUND");
        let answer = alice.sync(Some(&since)).await;
        let found = if rest.starts_with("/rooms") { &answer["rooms"]["join"][&room] } else { &answer };
        let gone = json!([{ "type": "org.example", "content": {} }]);
        assert_eq!(found["account_data"]["events"], gone, "{answer}");
        assert!(!alice.sync(None).await.to_string().contains("org.example"), "nothing is left for a first sync");
    }
}

/// More at once than any number of attempts would get through: what one user writes is written in turn.
#[tokio::test]
async fn a_user_may_write_much_at_once() {
    const WRITES: usize = 96;
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    let (alice, room) = (&alice, &room);
    let write = |n: usize| async move {
        let data = alice.user_path(&format!("/account_data/org.example.{n}"));
        alice.put(&data, json!({ "n": n })).await.ok();
        let tag = alice.user_path(&Client::room_path(room, &format!("/tags/u.{n}")));
        alice.put(&tag, json!({ "order": 0.5 })).await.ok();
        let name = format!("/profile/{}/org.example.f{n}", escape(&alice.user_id));
        alice.put(&name, json!({ (format!("org.example.f{n}")): n })).await.ok();
        alice.post(&alice.user_path("/filter"), json!({ "room": { "timeline": { "limit": n } } })).await.ok();
    };
    join_all((0..WRITES).map(write)).await;
    let tags = alice.get(&alice.user_path(&Client::room_path(room, "/tags"))).await.ok();
    assert_eq!(tags["tags"].as_object().expect("tags").len(), WRITES);
    let profile = alice.get(&format!("/profile/{}", escape(&alice.user_id))).await.ok();
    assert_eq!(profile.as_object().expect("a profile").len(), WRITES + 1);
    let last = alice.user_path(&format!("/account_data/org.example.{}", WRITES - 1));
    assert_eq!(alice.get(&last).await.ok()["n"], WRITES - 1);
}
