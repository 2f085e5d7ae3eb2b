//! `GET /room_summary/{roomIdOrAlias}`.

use serde_json::json;

use crate::harness::{TestServer, escape};

fn path(room: &str) -> String {
    format!("/_matrix/client/v1/room_summary/{}", escape(room))
}

#[tokio::test]
async fn a_public_room_is_summarised_for_everybody() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice
        .create_room(json!({
            "preset": "public_chat", "name": "N", "topic": "T", "room_alias_name": "r", "room_version": "10",
            "creation_content": { "type": "m.space" },
            "initial_state": [
                { "type": "m.room.avatar", "content": { "url": "mxc://test.hearth/a" } },
                { "type": "m.room.encryption", "content": { "algorithm": "m.megolm.v1.aes-sha2" } },
            ],
        }))
        .await;
    let expected = json!({
        "room_id": room, "name": "N", "topic": "T", "canonical_alias": "#r:test.hearth", "room_type": "m.space",
        "avatar_url": "mxc://test.hearth/a", "encryption": "m.megolm.v1.aes-sha2", "room_version": "10",
        "num_joined_members": 1, "join_rule": "public", "world_readable": false, "guest_can_join": false,
    });
    assert_eq!(server.client().get(&path(&room)).await.ok(), expected);
    assert_eq!(bob.get(&path("#r:test.hearth")).await.ok(), expected);
    assert_eq!(alice.get(&path(&room)).await.ok()["membership"], "join");
    for prefix in ["rooms/ROOM/summary", "summary/ROOM"] {
        let path = format!("/_matrix/client/unstable/im.nheko.summary/{}", prefix.replace("ROOM", &escape(&room)));
        assert_eq!(bob.get(&path).await.ok()["room_id"], room.as_str());
    }
}

#[tokio::test]
async fn closed_rooms_are_summarised_for_who_belongs_there() {
    let server = TestServer::start().await;
    let (alice, bob, eve) =
        (server.register("alice").await, server.register("bob").await, server.register("eve").await);
    let room = alice.create_room(json!({ "invite": [bob.user_id] })).await;
    let answer = bob.get(&path(&room)).await.ok();
    assert_eq!((&answer["membership"], &answer["join_rule"]), (&json!("invite"), &json!("invite")));
    assert!(answer.get("allowed_room_ids").is_none());
    eve.get(&path(&room)).await.fails(404, "M_NOT_FOUND");
    server.client().get(&path(&room)).await.fails(404, "M_NOT_FOUND");
    eve.get(&path("!no:test.hearth")).await.fails(404, "M_NOT_FOUND");
    eve.get(&path("#no:test.hearth")).await.fails(404, "M_NOT_FOUND");
    eve.get(&path("nonsense")).await.fails(400, "M_INVALID_PARAM");
    alice.set_state(&room, "m.room.history_visibility", json!({ "history_visibility": "world_readable" })).await;
    assert_eq!(server.client().get(&path(&room)).await.ok()["world_readable"], true);
}

#[tokio::test]
async fn restricted_rooms_are_summarised_for_who_may_join() {
    let server = TestServer::start().await;
    let (alice, bob, eve) =
        (server.register("alice").await, server.register("bob").await, server.register("eve").await);
    let club = alice.create_room_with(&[&bob]).await;
    let rules = json!({ "join_rule": "restricted", "allow": [7, { "type": "m.room_membership", "room_id": club }] });
    let room = alice
        .create_room(json!({ "initial_state": [{ "type": "m.room.join_rules", "state_key": "", "content": rules }] }))
        .await;
    let answer = bob.get(&path(&room)).await.ok();
    assert_eq!((&answer["join_rule"], &answer["allowed_room_ids"]), (&json!("restricted"), &json!([club])));
    eve.get(&path(&room)).await.fails(404, "M_NOT_FOUND");
    alice.set_state(&room, "m.room.join_rules", json!({ "join_rule": "knock_restricted", "allow": [] })).await;
    assert_eq!(server.client().get(&path(&room)).await.ok()["join_rule"], "knock_restricted");
}
