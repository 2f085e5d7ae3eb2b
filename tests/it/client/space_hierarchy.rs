//! `GET /rooms/{roomId}/hierarchy`.

use serde_json::{Value, json};

use crate::harness::{Client, TestServer, escape};

fn path(room: &str, query: &str) -> String {
    format!("/_matrix/client/v1/rooms/{}/hierarchy{query}", escape(room))
}

async fn space(client: &Client) -> String {
    client.create_room(json!({ "preset": "public_chat", "creation_content": { "type": "m.space" } })).await
}

async fn link(client: &Client, space: &str, child: &str, content: Value) {
    let path = Client::room_path(space, &format!("/state/m.space.child/{}", escape(child)));
    client.put(&path, content).await.ok();
}

fn via() -> Value {
    json!({ "via": ["test.hearth"] })
}

fn ids(page: &Value) -> Vec<String> {
    let rooms = page["rooms"].as_array().expect("rooms");
    rooms.iter().map(|room| room["room_id"].as_str().expect("an id").to_owned()).collect()
}

/// A space with a room and a space, which holds a room and a space with a room.
struct Tree {
    server: TestServer,
    alice: Client,
    root: String,
    room: String,
    inner: String,
    inner_room: String,
    deep: String,
    deep_room: String,
}

async fn plant() -> Tree {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let (root, inner, deep) = (space(&alice).await, space(&alice).await, space(&alice).await);
    let room = alice.create_room_with(&[]).await;
    let (inner_room, deep_room) = (alice.create_room_with(&[]).await, alice.create_room_with(&[]).await);
    for (space, child) in [(&root, &room), (&root, &inner), (&inner, &deep), (&inner, &inner_room), (&deep, &deep_room)]
    {
        server.clock.advance(1);
        link(&alice, space, child, via()).await;
    }
    Tree { server, alice, root, room, inner, inner_room, deep, deep_room }
}

#[tokio::test]
async fn a_space_is_walked_depth_first() {
    let tree = plant().await;
    let page = tree.alice.get(&path(&tree.root, "")).await.ok();
    let expected = [&tree.root, &tree.room, &tree.inner, &tree.deep, &tree.deep_room, &tree.inner_room];
    assert_eq!(ids(&page), expected.map(String::as_str));
    assert!(page.get("next_batch").is_none());
    let root = &page["rooms"][0];
    assert_eq!((&root["room_type"], &root["num_joined_members"]), (&json!("m.space"), &json!(1)));
    let children = root["children_state"].as_array().expect("children");
    assert_eq!(children[0]["state_key"], tree.room.as_str());
    assert_eq!(children[0]["content"], via());
    assert_eq!((&children[0]["type"], &children[0]["sender"]), (&json!("m.space.child"), &json!(tree.alice.user_id)));
    assert!(children[0]["origin_server_ts"].is_u64() && children[0].get("event_id").is_none());
    assert_eq!(page["rooms"][1]["children_state"], json!([]));
    let page = tree.alice.get(&path(&tree.root, "?max_depth=1")).await.ok();
    assert_eq!(ids(&page), [&tree.root, &tree.room, &tree.inner].map(String::as_str));
}

#[tokio::test]
async fn pages_go_on_where_the_last_one_ended() {
    let tree = plant().await;
    let mut all = Vec::new();
    let mut query = "?limit=4".to_owned();
    loop {
        let page = tree.alice.get(&path(&tree.root, &query)).await.ok();
        all.extend(ids(&page));
        let Some(next) = page["next_batch"].as_str() else { break };
        query = format!("?limit=4&from={next}");
        tree.alice.get(&path(&tree.root, &format!("{query}&max_depth=1"))).await.fails(400, "M_INVALID_PARAM");
        tree.alice.get(&path(&tree.root, &format!("{query}&suggested_only=true"))).await.fails(400, "M_INVALID_PARAM");
    }
    assert_eq!(all, ids(&tree.alice.get(&path(&tree.root, "")).await.ok()));
    assert_eq!(all.len(), 6);
    for query in ["?from=nonsense", "?limit=0", "?limit=-1", "?max_depth=x"] {
        tree.alice.get(&path(&tree.root, query)).await.fails(400, "M_INVALID_PARAM");
    }
}

#[tokio::test]
async fn children_stand_in_their_order_and_once() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let root = space(&alice).await;
    let mut rooms = Vec::new();
    for _ in 0..5 {
        rooms.push(alice.create_room_with(&[]).await);
    }
    let orders = [json!(null), json!("b"), json!("a"), json!("\u{e4}"), json!(7)];
    for (room, order) in rooms.iter().zip(orders) {
        server.clock.advance(1);
        let suggested = room == &rooms[1];
        link(&alice, &root, room, json!({ "via": ["test.hearth"], "order": order, "suggested": suggested })).await;
    }
    link(&alice, &root, &rooms[4], json!({})).await;
    link(&alice, &root, "!unknown:elsewhere.example", via()).await;
    link(&alice, &root, "nonsense", via()).await;
    link(&alice, &root, &root, via()).await;
    let page = alice.get(&path(&root, "")).await.ok();
    assert_eq!(ids(&page), [&root, &rooms[2], &rooms[1], &rooms[0], &rooms[3]].map(String::as_str));
    let page = alice.get(&path(&root, "?suggested_only=true")).await.ok();
    assert_eq!(ids(&page), [&root, &rooms[1]].map(String::as_str));
    assert_eq!(page["rooms"][0]["children_state"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn only_what_may_be_seen_is_shown() {
    let tree = plant().await;
    let (bob, eve) = (tree.server.register("bob").await, tree.server.register("eve").await);
    let private = tree.alice.create_room(json!({})).await;
    link(&tree.alice, &tree.root, &private, via()).await;
    let rules = json!({ "join_rule": "restricted", "allow": [{ "type": "m.room_membership", "room_id": tree.root }] });
    tree.alice.set_state(&tree.inner_room, "m.room.join_rules", rules).await;
    bob.join(&tree.root).await;
    assert_eq!(ids(&tree.alice.get(&path(&tree.root, "")).await.ok()).len(), 7);
    let seen_by_bob = ids(&bob.get(&path(&tree.root, "")).await.ok());
    assert!(seen_by_bob.contains(&tree.inner_room) && !seen_by_bob.contains(&private));
    let seen_by_eve = ids(&eve.get(&path(&tree.root, "")).await.ok());
    assert!(!seen_by_eve.contains(&tree.inner_room) && !seen_by_eve.contains(&private));
    // What is below a space that is not seen is not seen there either.
    tree.alice.set_state(&tree.inner, "m.room.join_rules", json!({ "join_rule": "invite" })).await;
    assert_eq!(ids(&eve.get(&path(&tree.root, "")).await.ok()), [&tree.root, &tree.room].map(String::as_str));
    eve.get(&path(&private, "")).await.fails(403, "M_FORBIDDEN");
    eve.get(&path("!no:test.hearth", "")).await.fails(403, "M_FORBIDDEN");
    let ban = Client::room_path(&tree.root, "/ban");
    tree.alice.post(&ban, json!({ "user_id": eve.user_id })).await.ok();
    eve.get(&path(&tree.root, "")).await.fails(403, "M_FORBIDDEN");
    tree.server.client().get(&path(&tree.root, "")).await.fails(401, "M_MISSING_TOKEN");
}

#[tokio::test]
async fn a_link_that_is_taken_back_or_stands_in_no_space_leads_nowhere() {
    let tree = plant().await;
    // A room that is no space has no children.
    link(&tree.alice, &tree.room, &tree.deep, via()).await;
    let page = tree.alice.get(&path(&tree.root, "?max_depth=2&suggested_only=false")).await.ok();
    assert_eq!(ids(&page), [&tree.root, &tree.room, &tree.inner, &tree.deep, &tree.inner_room].map(String::as_str));
    assert_eq!(page["rooms"][1]["children_state"], json!([]));
    link(&tree.alice, &tree.root, &tree.inner, json!({})).await;
    let page = tree.alice.get(&path(&tree.root, "")).await.ok();
    assert_eq!(ids(&page), [&tree.root, &tree.room].map(String::as_str));
    let children = page["rooms"][0]["children_state"].as_array().expect("children");
    assert_eq!((children.len(), &children[0]["state_key"]), (1, &json!(tree.room)));
}

#[tokio::test]
async fn who_is_invited_sees_the_room_and_what_is_below_it() {
    let tree = plant().await;
    let bob = tree.server.register("bob").await;
    bob.join(&tree.root).await;
    for room in [&tree.room, &tree.inner, &tree.deep_room] {
        tree.alice.set_state(room, "m.room.join_rules", json!({ "join_rule": "invite" })).await;
    }
    let seen = async || ids(&bob.get(&path(&tree.root, "")).await.ok());
    assert_eq!(seen().await, [tree.root.as_str()]);
    tree.alice.invite(&tree.room, &bob).await;
    tree.alice.invite(&tree.deep_room, &bob).await;
    assert_eq!(seen().await, [&tree.root, &tree.room].map(String::as_str), "what leads to the other is not seen");
    tree.alice.invite(&tree.inner, &bob).await;
    let expected = [&tree.root, &tree.room, &tree.inner, &tree.deep, &tree.deep_room, &tree.inner_room];
    assert_eq!(seen().await, expected.map(String::as_str));
}
