//! `/publicRooms` and `/directory/list/room/{roomId}`.

use serde_json::{Value, json};

use crate::harness::{Client, TestServer, escape};

fn path(room: &str) -> String {
    format!("/directory/list/room/{}", escape(room))
}

/// The ids of a page.
fn ids(page: &Value) -> Vec<String> {
    let chunk = page["chunk"].as_array().expect("a chunk");
    chunk.iter().map(|room| room["room_id"].as_str().expect("an id").to_owned()).collect()
}

async fn search(client: &Client, body: Value) -> Value {
    client.post("/publicRooms", body).await.ok()
}

#[tokio::test]
async fn a_public_room_is_listed_with_all_it_shows() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let body = json!({ "visibility": "public", "name": "Gärten", "topic": "of roses", "room_alias_name": "roses" });
    let room = alice.create_room(body).await;
    let hidden = alice.create_room(json!({ "preset": "public_chat" })).await;
    bob.join(&room).await;
    let page = server.client().get("/publicRooms").await.ok();
    let expected = json!([{
        "room_id": room, "name": "Gärten", "topic": "of roses", "canonical_alias": "#roses:test.hearth",
        "num_joined_members": 2, "world_readable": false, "guest_can_join": false, "join_rule": "public",
    }]);
    assert_eq!(page["chunk"], expected);
    assert_eq!(page["total_room_count_estimate"], 1);
    assert!(page.get("next_batch").is_none() && page.get("prev_batch").is_none());
    assert_eq!(alice.get(&path(&room)).await.ok()["visibility"], "public");
    assert_eq!(server.client().get(&path(&hidden)).await.ok()["visibility"], "private");
}

#[tokio::test]
async fn the_list_follows_its_rooms() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room(json!({ "visibility": "public", "name": "before" })).await;
    let other = alice.create_room(json!({ "visibility": "public", "name": "other" })).await;
    assert_eq!(ids(&alice.get("/publicRooms").await.ok()).len(), 2);
    alice.set_state(&room, "m.room.name", json!({ "name": "after" })).await;
    bob.join(&room).await;
    let page = alice.get("/publicRooms").await.ok();
    assert_eq!(ids(&page), [room.as_str(), other.as_str()]);
    assert_eq!(page["chunk"][0]["name"], "after");
    // What nobody can get into or look at is not shown while it is so.
    alice.set_state(&other, "m.room.join_rules", json!({ "join_rule": "invite" })).await;
    assert_eq!(ids(&alice.get("/publicRooms").await.ok()), [room.as_str()]);
    alice.set_state(&other, "m.room.join_rules", json!({ "join_rule": "knock" })).await;
    alice.put(&path(&room), json!({ "visibility": "private" })).await.ok();
    assert_eq!(ids(&alice.get("/publicRooms").await.ok()), [other.as_str()]);
    alice.leave(&other).await;
    assert_eq!(ids(&alice.get("/publicRooms").await.ok()), [] as [&str; 0]);
}

#[tokio::test]
async fn pages_lead_both_ways() {
    let server = TestServer::start().await;
    let users = [server.register("a").await, server.register("b").await, server.register("c").await];
    let mut rooms = Vec::new();
    for joining in 0..3 {
        let room = users[0].create_room(json!({ "visibility": "public" })).await;
        for user in &users[1..=joining] {
            user.join(&room).await;
        }
        rooms.insert(0, room);
    }
    let first = server.client().get("/publicRooms?limit=1").await.ok();
    assert_eq!(ids(&first), [rooms[0].as_str()]);
    assert!(first.get("prev_batch").is_none());
    let next = first["next_batch"].as_str().expect("a token");
    let second = search(&users[0], json!({ "limit": 1, "since": next })).await;
    assert_eq!(ids(&second), [rooms[1].as_str()]);
    let next = second["next_batch"].as_str().expect("a token");
    let third = server.client().get(&format!("/publicRooms?limit=5&since={next}")).await.ok();
    assert_eq!(ids(&third), [rooms[2].as_str()]);
    assert!(third.get("next_batch").is_none());
    let back = third["prev_batch"].as_str().expect("a token");
    let before = server.client().get(&format!("/publicRooms?limit=5&since={back}")).await.ok();
    assert_eq!(ids(&before), [rooms[0].as_str(), rooms[1].as_str()]);
    assert_eq!(before["total_room_count_estimate"], 3);
    for token in ["", "x", "n00", "nzzzzzzzz00000000000000000000000000000000"] {
        let answer = users[0].post("/publicRooms", json!({ "since": token })).await;
        answer.fails(400, "M_INVALID_PARAM");
    }
}

#[tokio::test]
async fn searches_look_at_texts_and_types() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let topic =
        alice.create_room(json!({ "visibility": "public", "name": "A", "topic": "Wombles of Ürdenburg" })).await;
    let alias = alice.create_room(json!({ "visibility": "public", "name": "B", "room_alias_name": "womble" })).await;
    let space = json!({ "visibility": "public", "name": "C", "creation_content": { "type": "m.space" } });
    let space = alice.create_room(space).await;
    let found = |term: &str| search(&alice, json!({ "filter": { "generic_search_term": term } }));
    assert_eq!(ids(&found("WOMBLES").await), [topic.as_str()]);
    assert_eq!(ids(&found("ürden").await), [topic.as_str()]);
    assert_eq!(ids(&found("#womble:").await), [alias.as_str()]);
    assert_eq!(ids(&found(&space).await), [space.as_str()]);
    assert_eq!(ids(&found("nothing like it").await), [] as [&str; 0]);
    assert_eq!(ids(&found(" ").await).len(), 3);
    let spaces = search(&alice, json!({ "filter": { "room_types": ["m.space"] } })).await;
    assert_eq!(ids(&spaces), [space.as_str()]);
    assert_eq!(spaces["chunk"][0]["room_type"], "m.space");
    assert_eq!(ids(&search(&alice, json!({ "filter": { "room_types": [null] } })).await).len(), 2);
    assert_eq!(ids(&search(&alice, json!({ "third_party_instance_id": "irc" })).await), [] as [&str; 0]);
    let body = json!({ "filter": { "generic_search_term": "x".repeat(2_000) } });
    alice.post("/publicRooms", body).await.fails(400, "M_INVALID_PARAM");
    alice.signed_out().post("/publicRooms", json!({})).await.fails(401, "M_MISSING_TOKEN");
    alice.get("/publicRooms?server=elsewhere.example").await.fails(404, "M_NOT_FOUND");
    assert_eq!(ids(&alice.get("/publicRooms?server=test.hearth").await.ok()).len(), 3);
}

#[tokio::test]
async fn listing_needs_power_over_the_names_of_the_room() {
    let server = TestServer::start().await;
    let (alice, bob, eve) =
        (server.register("alice").await, server.register("bob").await, server.register("eve").await);
    let room = alice.create_room_with(&[&bob]).await;
    for user in [&bob, &eve] {
        user.put(&path(&room), json!({ "visibility": "public" })).await.fails(403, "M_FORBIDDEN");
    }
    alice.put(&path(&room), json!({ "visibility": "secret" })).await.fails(400, "M_INVALID_PARAM");
    alice.put(&path("!no:test.hearth"), json!({ "visibility": "public" })).await.fails(404, "M_NOT_FOUND");
    alice.get(&path("!no:test.hearth")).await.fails(404, "M_NOT_FOUND");
    assert_eq!(alice.get(&path(&room)).await.ok()["visibility"], "private");
    for _ in 0..2 {
        alice.put(&path(&room), json!({ "visibility": "public" })).await.ok();
    }
    assert_eq!(ids(&alice.get("/publicRooms").await.ok()), [room.as_str()]);
}

#[tokio::test]
async fn the_operator_says_who_lists_what_and_who_looks() {
    let server = TestServer::start_with(|config| {
        config.rooms.listing_rules = vec!["allow user=@alice:*".to_owned()];
        config.api.public_rooms_need_login = true;
    })
    .await;
    let (alice, eve) = (server.register("alice").await, server.register("eve").await);
    eve.post("/createRoom", json!({ "visibility": "public" })).await.fails(403, "M_FORBIDDEN");
    let own = eve.create_room(json!({ "preset": "public_chat" })).await;
    eve.put(&path(&own), json!({ "visibility": "public" })).await.fails(403, "M_FORBIDDEN");
    assert_eq!(eve.get("/joined_rooms").await.ok()["joined_rooms"], json!([own]));
    let room = alice.create_room(json!({ "visibility": "public" })).await;
    server.client().get("/publicRooms").await.fails(401, "M_MISSING_TOKEN");
    assert_eq!(ids(&eve.get("/publicRooms").await.ok()), [room.as_str()]);
}

#[tokio::test]
async fn the_list_says_how_a_room_is_entered() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    for (version, rule) in [("7", "knock"), ("10", "knock_restricted"), ("12", "public")] {
        let room = alice.create_room(json!({ "preset": "private_chat", "room_version": version })).await;
        alice.set_state(&room, "m.room.join_rules", json!({ "join_rule": rule })).await;
        alice.put(&path(&room), json!({ "visibility": "public" })).await.ok();
        let page = server.client().get("/publicRooms").await.ok();
        let listed = page["chunk"].as_array().expect("rooms").iter().find(|listed| listed["room_id"] == room.as_str());
        assert_eq!(listed.expect("the room")["join_rule"], rule);
    }
}
