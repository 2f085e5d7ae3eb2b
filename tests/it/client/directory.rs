//! `/directory/room/{roomAlias}` and `GET /rooms/{roomId}/aliases`.

use serde_json::{Value, json};

use crate::harness::{Client, TestServer, escape};

fn path(alias: &str) -> String {
    format!("/directory/room/{}", escape(alias))
}

async fn name(client: &Client, room: &str, alias: &str) {
    client.put(&path(alias), json!({ "room_id": room })).await.ok();
}

async fn aliases(client: &Client, room: &str) -> Value {
    client.get(&Client::room_path(room, "/aliases")).await.ok()["aliases"].clone()
}

#[tokio::test]
async fn an_alias_leads_to_its_room() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    assert_eq!(aliases(&alice, &room).await, json!([]));
    name(&bob, &room, "#straße:test.hearth").await;
    let answer = alice.signed_out().get(&path("#straße:test.hearth")).await.ok();
    assert_eq!(answer, json!({ "room_id": room, "servers": ["test.hearth"] }));
    assert_eq!(aliases(&alice, &room).await, json!(["#straße:test.hearth"]));
    alice.get(&path("#other:test.hearth")).await.fails(404, "M_NOT_FOUND");
    alice.get(&path("#other:elsewhere.example")).await.fails(404, "M_NOT_FOUND");
    alice.get("/directory/room/nonsense").await.fails(400, "M_INVALID_PARAM");
}

#[tokio::test]
async fn an_alias_is_given_once_and_by_members_only() {
    let server = TestServer::start().await;
    let (alice, eve) = (server.register("alice").await, server.register("eve").await);
    let (room, other) = (alice.create_room(json!({})).await, alice.create_room(json!({})).await);
    eve.put(&path("#a:test.hearth"), json!({ "room_id": room })).await.fails(403, "M_FORBIDDEN");
    eve.put(&path("#a:test.hearth"), json!({ "room_id": "!no:test.hearth" })).await.fails(403, "M_FORBIDDEN");
    name(&alice, &room, "#a:test.hearth").await;
    alice.put(&path("#a:test.hearth"), json!({ "room_id": other })).await.fails(409, "M_UNKNOWN");
    alice.put(&path("#a:test.hearth"), json!({ "room_id": room })).await.fails(409, "M_UNKNOWN");
    alice.put(&path("#a:elsewhere.example"), json!({ "room_id": room })).await.fails(400, "M_INVALID_PARAM");
    alice.put(&path("#a b:test.hearth"), json!({ "room_id": room })).await.fails(400, "M_INVALID_PARAM");
    alice.put(&path("#b:test.hearth"), json!({ "room_id": "nonsense" })).await.fails(400, "M_BAD_JSON");
    assert_eq!(aliases(&alice, &room).await, json!(["#a:test.hearth"]));
    assert_eq!(aliases(&alice, &other).await, json!([]));
}

#[tokio::test]
async fn aliases_are_listed_for_members_and_where_the_world_may_read() {
    let server = TestServer::start().await;
    let (alice, eve) = (server.register("alice").await, server.register("eve").await);
    let room = alice.create_room(json!({ "preset": "public_chat" })).await;
    name(&alice, &room, "#a:test.hearth").await;
    eve.get(&Client::room_path(&room, "/aliases")).await.fails(403, "M_FORBIDDEN");
    alice.set_state(&room, "m.room.history_visibility", json!({ "history_visibility": "world_readable" })).await;
    assert_eq!(aliases(&eve, &room).await, json!(["#a:test.hearth"]));
}

#[tokio::test]
async fn an_alias_is_deleted_by_its_creator_or_who_has_power() {
    let server = TestServer::start().await;
    let (alice, bob, carol) =
        (server.register("alice").await, server.register("bob").await, server.register("carol").await);
    let room = alice.create_room_with(&[&bob, &carol]).await;
    // That state is no longer what an alias is.
    let mut levels = alice.get(&Client::room_path(&room, "/state/m.room.power_levels")).await.ok();
    levels["events"]["m.room.aliases"] = json!(50);
    alice.set_state(&room, "m.room.power_levels", levels).await;
    name(&bob, &room, "#one:test.hearth").await;
    name(&bob, &room, "#two:test.hearth").await;
    carol.delete(&path("#one:test.hearth"), json!({})).await.fails(403, "M_FORBIDDEN");
    bob.delete(&path("#one:test.hearth"), json!({})).await.ok();
    alice.delete(&path("#two:test.hearth"), json!({})).await.ok();
    alice.delete(&path("#two:test.hearth"), json!({})).await.fails(404, "M_NOT_FOUND");
    alice.get(&path("#one:test.hearth")).await.fails(404, "M_NOT_FOUND");
    assert_eq!(aliases(&alice, &room).await, json!([]));
    // The name is free again, also for another room.
    let other = carol.create_room(json!({})).await;
    name(&carol, &other, "#one:test.hearth").await;
}

#[tokio::test]
async fn a_deleted_alias_leaves_the_canonical_one() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    for alias in ["#one:test.hearth", "#two:test.hearth"] {
        name(&alice, &room, alias).await;
    }
    let content = json!({ "alias": "#one:test.hearth", "alt_aliases": ["#two:test.hearth"] });
    alice.set_state(&room, "m.room.canonical_alias", content).await;
    let state = Client::room_path(&room, "/state/m.room.canonical_alias");
    alice.delete(&path("#two:test.hearth"), json!({})).await.ok();
    assert_eq!(alice.get(&state).await.ok(), json!({ "alias": "#one:test.hearth" }));
    let since = alice.sync(None).await["next_batch"].as_str().expect("a token").to_owned();
    alice.delete(&path("#one:test.hearth"), json!({})).await.ok();
    assert_eq!(alice.get(&state).await.ok(), json!({}));
    let news = &alice.sync(Some(&since)).await["rooms"]["join"][&room]["timeline"]["events"];
    assert_eq!((&news[0]["type"], &news[0]["content"]), (&json!("m.room.canonical_alias"), &json!({})));
}

#[tokio::test]
async fn who_lacks_the_power_deletes_their_alias_all_the_same() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    name(&bob, &room, "#bobs:test.hearth").await;
    alice.set_state(&room, "m.room.canonical_alias", json!({ "alias": "#bobs:test.hearth" })).await;
    bob.delete(&path("#bobs:test.hearth"), json!({})).await.ok();
    alice.get(&path("#bobs:test.hearth")).await.fails(404, "M_NOT_FOUND");
    let state = Client::room_path(&room, "/state/m.room.canonical_alias");
    assert_eq!(alice.get(&state).await.ok()["alias"], "#bobs:test.hearth");
}

#[tokio::test]
async fn a_canonical_alias_leads_to_its_room() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let (room, other) = (alice.create_room(json!({})).await, alice.create_room(json!({})).await);
    name(&alice, &room, "#here:test.hearth").await;
    name(&alice, &other, "#there:test.hearth").await;
    let state = Client::room_path(&room, "/state/m.room.canonical_alias");
    for content in [
        json!({ "alias": "#missing:test.hearth" }),
        json!({ "alias": "#there:test.hearth" }),
        json!({ "alias": "#here:test.hearth", "alt_aliases": ["#there:test.hearth"] }),
    ] {
        alice.put(&state, content).await.fails(400, "M_BAD_ALIAS");
    }
    for content in [json!({ "alias": "nonsense" }), json!({ "alias": 7 }), json!({ "alt_aliases": ["#x"] })] {
        alice.put(&state, content).await.fails(400, "M_INVALID_PARAM");
    }
    alice.get(&state).await.fails(404, "M_NOT_FOUND");
    let content = json!({ "alias": "#here:test.hearth", "alt_aliases": ["#here:test.hearth"] });
    alice.put(&state, content).await.ok();
    alice.put(&state, json!({ "alias": "#here:test.hearth" })).await.ok();
    name(&alice, &room, "#gone:test.hearth").await;
    alice.delete(&path("#gone:test.hearth"), json!({})).await.ok();
    alice.put(&state, json!({ "alias": "#gone:test.hearth" })).await.fails(400, "M_BAD_ALIAS");
    assert_eq!(alice.get(&state).await.ok(), json!({ "alias": "#here:test.hearth" }));
}

#[tokio::test]
async fn rooms_are_joined_knocked_on_and_made_by_alias() {
    let server = TestServer::start().await;
    let (alice, bob, carol) =
        (server.register("alice").await, server.register("bob").await, server.register("carol").await);
    let room = alice.create_room(json!({ "preset": "public_chat", "room_alias_name": "lobby" })).await;
    assert_eq!(alice.get(&path("#lobby:test.hearth")).await.ok()["room_id"], room.as_str());
    let state = alice.get(&Client::room_path(&room, "/state/m.room.canonical_alias")).await.ok();
    assert_eq!(state, json!({ "alias": "#lobby:test.hearth" }));
    let join = format!("/join/{}?server_name=test.hearth&via=test.hearth", escape("#lobby:test.hearth"));
    assert_eq!(bob.post(&join, json!({})).await.ok()["room_id"], room.as_str());
    alice.set_state(&room, "m.room.join_rules", json!({ "join_rule": "knock" })).await;
    let knock = format!("/knock/{}", escape("#lobby:test.hearth"));
    assert_eq!(carol.post(&knock, json!({ "reason": "please" })).await.ok()["room_id"], room.as_str());
    assert_eq!(alice.membership_of(&room, &carol).await, "knock");
    carol.post(&format!("/knock/{}", escape("#no:test.hearth")), json!({})).await.fails(404, "M_NOT_FOUND");
}

#[tokio::test]
async fn a_new_room_gets_only_a_free_and_good_alias() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    alice.create_room(json!({ "room_alias_name": "taken" })).await;
    for (body, errcode) in [
        (json!({ "room_alias_name": "taken" }), "M_ROOM_IN_USE"),
        (json!({ "room_alias_name": "two words" }), "M_INVALID_PARAM"),
        (json!({ "room_alias_name": "#a:test.hearth" }), "M_INVALID_PARAM"),
        (json!({ "room_alias_name": "" }), "M_INVALID_PARAM"),
    ] {
        alice.post("/createRoom", body).await.fails(400, errcode);
    }
    // A room that cannot be made gives its alias back.
    let body = json!({ "room_alias_name": "later", "power_level_content_override": { "events_default": "many" } });
    alice.post("/createRoom", body).await.fails(400, "M_INVALID_ROOM_STATE");
    alice.get(&path("#later:test.hearth")).await.fails(404, "M_NOT_FOUND");
    alice.create_room(json!({ "room_alias_name": "later" })).await;
    assert_eq!(alice.get("/joined_rooms").await.ok()["joined_rooms"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn the_operator_says_who_may_have_which_alias() {
    let rules = ["deny user=@eve:*", "allow alias=#pub_*:test.hearth"].map(str::to_owned).to_vec();
    let server = TestServer::start_with(|config| config.rooms.alias_rules = rules).await;
    let (alice, eve) = (server.register("alice").await, server.register("eve").await);
    let room = alice.create_room_with(&[&eve]).await;
    eve.put(&path("#pub_a:test.hearth"), json!({ "room_id": room })).await.fails(403, "M_FORBIDDEN");
    alice.put(&path("#other:test.hearth"), json!({ "room_id": room })).await.fails(403, "M_FORBIDDEN");
    alice.post("/createRoom", json!({ "room_alias_name": "other" })).await.fails(403, "M_FORBIDDEN");
    name(&alice, &room, "#pub_a:test.hearth").await;
}
