//! `POST /account/deactivate`.

use hearth_protocol::UserKey;
use hearth_storage::Page;
use hearth_storage::schema::users::{AccountDataIndex, AccountDataLog, Filters, UserTotals};
use ruma::UserId;
use serde_json::json;

use crate::harness::{Client, PASSWORD, TestServer};

#[tokio::test]
async fn a_deactivated_account_is_gone_for_good() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let path = "/account/deactivate";
    let question = alice.post(path, json!({})).await.asks_for_auth();
    let identifier = json!({ "type": "m.id.user", "user": alice.user_id });
    let session = &question["session"];
    let auth =
        json!({ "type": "m.login.password", "identifier": identifier, "password": PASSWORD, "session": session });
    let answer = alice.post(path, json!({ "auth": auth })).await.ok();
    assert!(["success", "no-support"].contains(&answer["id_server_unbind_result"].as_str().expect("a word")));

    alice.get("/account/whoami").await.fails(401, "M_UNKNOWN_TOKEN");
    let identifier = json!({ "type": "m.id.user", "user": alice.user_id });
    let body = json!({ "type": "m.login.password", "identifier": identifier, "password": PASSWORD });
    let answer = server.client().post("/login", body).await;
    assert_eq!(answer.status, 403);
    let body = json!({ "username": "alice", "password": PASSWORD });
    server.client().post("/register", body).await.fails(400, "M_USER_IN_USE");
}

#[tokio::test]
async fn what_the_deactivated_have_stored_for_themselves_is_deleted() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let bob = server.register("bob").await;
    for client in [&alice, &bob] {
        client.put(&client.user_path("/account_data/org.example.mine"), json!({ "x": 1 })).await.ok();
        client.post(&client.user_path("/filter"), json!({ "room": { "timeline": { "limit": 7 } } })).await.ok();
    }
    let auth = json!({ "type": "m.login.password", "user": "alice", "password": PASSWORD });
    alice.post("/account/deactivate", json!({ "auth": auth })).await.ok();
    let store = &server.homeserver.env.store;
    let user = |name: &str| UserKey::of(&UserId::parse(format!("@{name}:test.hearth")).expect("an id"));
    for (name, rows) in [("alice", 0), ("bob", 1)] {
        let key = user(name);
        assert_eq!(store.scan::<AccountDataIndex, _>(&key, Page::first(100)).await.unwrap().rows.len(), rows, "{name}");
        assert_eq!(store.scan::<AccountDataLog, _>(&key, Page::first(100)).await.unwrap().rows.len(), rows, "{name}");
        assert_eq!(store.scan::<Filters, _>(&key, Page::first(100)).await.unwrap().rows.len(), rows, "{name}");
        assert_eq!(store.get::<UserTotals>(&key).await.unwrap().is_some(), rows > 0, "{name}");
    }
}

#[tokio::test]
async fn a_token_is_needed() {
    let server = TestServer::start().await;
    server.client().post("/account/deactivate", json!({})).await.fails(401, "M_MISSING_TOKEN");
}

#[tokio::test]
async fn messages_of_the_erased_are_hidden_from_those_who_come_later() {
    let server = TestServer::start().await;
    let (alice, bob, carol) =
        (server.register("alice").await, server.register("bob").await, server.register("carol").await);
    let room = alice.create_room_with(&[&bob]).await;
    let erased = alice.send_text(&room, "from alice").await;
    let kept = bob.send_text(&room, "from bob").await;
    carol.join(&room).await;
    let path = |event: &str| Client::room_path(&room, &format!("/event/{event}"));
    carol.get(&path(&erased)).await.ok();
    let auth = json!({ "type": "m.login.password", "user": "alice", "password": PASSWORD });
    alice.post("/account/deactivate", json!({ "auth": auth, "erase": true })).await.ok();

    carol.get(&path(&erased)).await.fails(404, "M_NOT_FOUND");
    carol.get(&path(&kept)).await.ok();
    bob.get(&path(&erased)).await.ok();
    for (client, expected) in [(&carol, &["from bob"][..]), (&bob, &["from alice", "from bob"][..])] {
        let page = client.get(&Client::room_path(&room, "/messages?dir=f&limit=100")).await.ok();
        let events = page["chunk"].as_array().expect("events").iter();
        let bodies: Vec<_> = events.filter_map(|event| event["content"]["body"].as_str()).collect();
        assert_eq!(bodies, expected);
    }
    // What makes the room work stays for all.
    let create = carol.get(&Client::room_path(&room, "/state/m.room.create?format=event")).await.ok();
    assert_eq!(create["sender"], alice.user_id.as_str());
}

#[tokio::test]
async fn without_erasure_messages_stay() {
    let server = TestServer::start().await;
    let (alice, bob, carol) =
        (server.register("alice").await, server.register("bob").await, server.register("carol").await);
    let room = alice.create_room_with(&[&bob]).await;
    let sent = alice.send_text(&room, "from alice").await;
    let auth = json!({ "type": "m.login.password", "user": "alice", "password": PASSWORD });
    alice.post("/account/deactivate", json!({ "auth": auth })).await.ok();
    carol.join(&room).await;
    carol.get(&Client::room_path(&room, &format!("/event/{sent}"))).await.ok();
}

#[tokio::test]
async fn a_wrong_password_ends_nothing() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let question = alice.post("/account/deactivate", json!({})).await.asks_for_auth();
    assert_eq!(question["flows"][0]["stages"], json!(["m.login.password"]));
    let identifier = json!({ "type": "m.id.user", "user": alice.user_id });
    let auth = json!({ "type": "m.login.password", "identifier": identifier, "password": "wrong" });
    let answer = alice.post("/account/deactivate", json!({ "auth": auth })).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["errcode"]), (401, &json!("M_FORBIDDEN")));
    alice.log_in_again().await.get("/account/whoami").await.ok();
}
