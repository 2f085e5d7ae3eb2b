//! `POST /user_directory/search`.

use serde_json::{Value, json};

use crate::harness::{Client, TestServer, escape};

async fn ask(who: &Client, body: Value) -> Value {
    who.post("/user_directory/search", body).await.ok()
}

/// The localparts of those who are found, in order.
async fn find(who: &Client, term: &str) -> Vec<String> {
    let found = ask(who, json!({ "search_term": term })).await;
    let ids = found["results"].as_array().expect("results").iter().map(|user| user["user_id"].as_str().expect("an id"));
    ids.map(|id| id.trim_start_matches('@').split(':').next().expect("a localpart").to_owned()).collect()
}

async fn set_name(who: &Client, name: &str) {
    let path = format!("/profile/{}/displayname", escape(&who.user_id));
    who.put(&path, json!({ "displayname": name })).await.ok();
}

#[tokio::test]
async fn people_in_open_rooms_are_found_by_everybody() {
    let server = TestServer::start().await;
    let (alice, eve) = (server.register("alice-1").await, server.register("eve").await);
    set_name(&alice, "Élodie Cooper").await;
    assert!(find(&eve, "alice").await.is_empty(), "they share nothing");
    let room = alice.create_room(json!({ "visibility": "public" })).await;
    for term in ["alice", "ALI", "alice-1", "@alice", &alice.user_id, "elodie", "coop elod", " Élodie  "] {
        assert_eq!(find(&eve, term).await, ["alice-1"], "{term}");
    }
    for term in ["lice", "elodie x", "@alice-1:elsewhere", "@", "", "..."] {
        assert!(find(&eve, term).await.is_empty(), "{term}");
    }
    let found = ask(&eve, json!({ "search_term": "elodie" })).await;
    let expected =
        json!({ "results": [{ "user_id": alice.user_id, "display_name": "Élodie Cooper" }], "limited": false });
    assert_eq!(found, expected);
    assert!(find(&alice, "elodie").await.is_empty(), "nobody finds themselves");
    set_name(&alice, "Zoe").await;
    assert!(find(&eve, "elodie").await.is_empty());
    assert_eq!(find(&eve, "zoe").await, ["alice-1"]);
    alice.set_state(&room, "m.room.join_rules", json!({ "join_rule": "invite" })).await;
    assert!(find(&eve, "zoe").await.is_empty(), "the room was closed");
    alice.set_state(&room, "m.room.history_visibility", json!({ "history_visibility": "world_readable" })).await;
    assert_eq!(find(&eve, "zoe").await, ["alice-1"]);
    alice.leave(&room).await;
    assert!(find(&eve, "zoe").await.is_empty(), "she left");
}

#[tokio::test]
async fn who_shares_a_room_is_found_by_the_profile_alone() {
    let server = TestServer::start().await;
    let (alice, bob, eve) =
        (server.register("alice").await, server.register("bob").await, server.register("eve").await);
    let room = bob.create_room(json!({ "preset": "private_chat", "invite": [alice.user_id] })).await;
    assert!(find(&bob, "alice").await.is_empty(), "an invite is not yet a room in common");
    alice.join(&room).await;
    let member = format!("/state/m.room.member/{}", escape(&alice.user_id));
    let content = json!({ "membership": "join", "displayname": "Freddy" });
    alice.put(&Client::room_path(&room, &member), content).await.ok();
    assert_eq!(find(&bob, "alice").await, ["alice"]);
    assert!(find(&bob, "freddy").await.is_empty(), "a name for one room");
    assert!(find(&eve, "alice").await.is_empty());
    alice.leave(&room).await;
    assert!(find(&bob, "alice").await.is_empty());
}

#[tokio::test]
async fn the_best_come_first_and_some_never() {
    let server = TestServer::start().await;
    let bob = server.register("bob").await;
    let open = bob.create_room(json!({ "preset": "public_chat" })).await;
    let mut others = Vec::new();
    for name in ["anna", "ann", "annabel", "anne", "annika"] {
        let other = server.register(name).await;
        other.join(&open).await;
        others.push(other);
    }
    let eve = server.register("eve").await;
    let shared = others[3].create_room(json!({ "invite": [eve.user_id] })).await;
    eve.join(&shared).await;
    assert_eq!(find(&eve, "ann").await, ["ann", "anne", "anna", "annabel", "annika"]);
    let found = ask(&eve, json!({ "search_term": "ann", "limit": 2 })).await;
    assert_eq!((found["results"].as_array().map(Vec::len), &found["limited"]), (Some(2), &json!(true)));
    let ignored = json!({ "ignored_users": { others[0].user_id.as_str(): {} } });
    eve.put(&eve.user_path("/account_data/m.ignored_user_list"), ignored).await.ok();
    let locked = ruma::UserId::parse(&others[1].user_id).expect("an id");
    server.homeserver.users.set_locked(&locked, true).await.expect("locked");
    let gone = ruma::UserId::parse(&others[2].user_id).expect("an id");
    server.homeserver.users.deactivate(&gone, false).await.expect("deactivated");
    assert_eq!(find(&eve, "ann").await, ["anne", "annika"]);
}

#[tokio::test]
async fn all_users_are_found_where_the_server_says_so() {
    let server = TestServer::start_with(|config| config.user_directory.search_all_users = true).await;
    let (alice, eve) = (server.register("alice").await, server.register("eve").await);
    assert_eq!(find(&eve, "ali").await, ["alice"]);
    set_name(&alice, "小明").await;
    assert_eq!(find(&eve, "小").await, ["alice"]);
    assert_eq!(find(&eve, "小明").await, ["alice"]);
    set_name(&alice, "Zoe").await;
    assert!(find(&eve, "小明").await.is_empty());
    assert_eq!(find(&eve, "zo").await, ["alice"]);
}

#[tokio::test]
async fn bad_questions_are_refused() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    alice.post("/user_directory/search", json!({})).await.fails(400, "M_BAD_JSON");
    alice.post("/user_directory/search", json!({ "search_term": 5 })).await.fails(400, "M_BAD_JSON");
    alice.request(http::Method::POST, "/user_directory/search", "{").await.fails(400, "M_NOT_JSON");
    let body = json!({ "search_term": "a" });
    alice.signed_out().post("/user_directory/search", body).await.fails(401, "M_MISSING_TOKEN");
    let long = ask(&alice, json!({ "search_term": "x".repeat(60_000) })).await;
    assert_eq!(long["results"], json!([]));
}
