//! `/_synapse/admin/v1/send_server_notice`.

use serde_json::{Value, json};

use super::administrator;
use crate::harness::{Client, TestServer};

const PATH: &str = "/_synapse/admin/v1/send_server_notice";

async fn server() -> TestServer {
    TestServer::start_with(|config| config.users.notices_name = Some("notices".to_owned())).await
}

fn notice(to: &str, text: &str) -> Value {
    json!({ "user_id": to, "content": { "msgtype": "m.text", "body": text } })
}

/// The only room that a user is invited to.
async fn invite(client: &Client) -> String {
    let sync = client.sync(None).await;
    let rooms = sync["rooms"]["invite"].as_object().expect("invites");
    assert_eq!(rooms.len(), 1, "{sync}");
    rooms.keys().next().expect("a room").clone()
}

fn bodies(messages: &Value) -> Vec<&str> {
    let events = messages["chunk"].as_array().expect("events").iter();
    events.filter_map(|event| event["content"]["body"].as_str()).collect()
}

#[tokio::test]
async fn a_user_gets_one_room_with_a_tag_and_all_notices_in_it() {
    let server = server().await;
    let (admin, bob) = (administrator(&server).await, server.register("bob").await);
    admin.post(PATH, notice(&bob.user_id, "first")).await.ok();
    let room = invite(&bob).await;
    let tags = bob.get(&bob.user_path(&format!("/rooms/{room}/tags"))).await.ok();
    assert_eq!(tags, json!({ "tags": { "m.server_notice": {} } }));
    admin.post(PATH, notice(&bob.user_id, "second")).await.ok();
    bob.join(&room).await;
    admin.post(PATH, notice(&bob.user_id, "third")).await.ok();
    let messages = bob.get(&Client::room_path(&room, "/messages?dir=f&limit=100")).await.ok();
    assert_eq!(bodies(&messages), ["first", "second", "third"]);
    let events = messages["chunk"].as_array().expect("events");
    assert!(events.iter().any(|event| event["sender"] == "@notices:test.hearth"));
    let own = json!({ "msgtype": "m.text", "body": "hello" });
    bob.put(&Client::send_path(&room, "m.room.message"), own).await.fails(403, "M_FORBIDDEN");
}

#[tokio::test]
async fn the_invite_is_not_declined_but_the_room_can_be_left() {
    let server = server().await;
    let (admin, bob) = (administrator(&server).await, server.register("bob").await);
    admin.post(PATH, notice(&bob.user_id, "first")).await.ok();
    let room = invite(&bob).await;
    let leave = Client::room_path(&room, "/leave");
    bob.post(&leave, json!({})).await.fails(403, "M_CANNOT_LEAVE_SERVER_NOTICE_ROOM");
    assert_eq!(invite(&bob).await, room);
    bob.join(&room).await;
    bob.post(&leave, json!({})).await.ok();
    admin.post(PATH, notice(&bob.user_id, "again")).await.ok();
    assert_eq!(invite(&bob).await, room, "there is one room a user");
    let other = admin.create_room(json!({ "invite": [bob.user_id] })).await;
    bob.leave(&other).await;
}

#[tokio::test]
async fn who_gives_the_account_up_leaves_the_room_too() {
    let server = server().await;
    let (admin, bob) = (administrator(&server).await, server.register("bob").await);
    admin.post(PATH, notice(&bob.user_id, "first")).await.ok();
    let room = invite(&bob).await;
    let id = ruma::UserId::parse(bob.user_id.as_str()).expect("an id");
    let users = &server.homeserver.users;
    let account = users.act_for(&id).await.expect("a read").expect("an account");
    server.homeserver.flows.deactivate(&account, false).await.expect("an end");
    let room_id = ruma::RoomId::parse(room.as_str()).expect("an id");
    let view = server.homeserver.rooms.load_view(&room_id).await.expect("a read").expect("a room");
    assert_eq!(view.membership(&id).map(hearth_storage::schema::membership::Membership::as_str), Some("leave"));
    admin.post(PATH, notice(&bob.user_id, "second")).await.fails(404, "M_NOT_FOUND");
}

#[tokio::test]
async fn a_repeated_transaction_id_sends_once() {
    let server = server().await;
    let (admin, bob) = (administrator(&server).await, server.register("bob").await);
    let path = format!("{PATH}/t1");
    let first = admin.put(&path, notice(&bob.user_id, "once")).await.ok();
    let again = admin.put(&path, notice(&bob.user_id, "once")).await.ok();
    assert_eq!(first["event_id"], again["event_id"]);
    let other = admin.put(&path, notice(&admin.user_id, "once")).await.ok();
    assert_ne!(first["event_id"], other["event_id"], "another user's room");
}

#[tokio::test]
async fn only_administrators_send_and_only_to_users_of_this_server() {
    let server = server().await;
    let (admin, bob) = (administrator(&server).await, server.register("bob").await);
    bob.post(PATH, notice(&admin.user_id, "x")).await.fails(403, "M_FORBIDDEN");
    bob.put(&format!("{PATH}/t"), notice(&admin.user_id, "x")).await.fails(403, "M_FORBIDDEN");
    // Who may not is told so before anything else.
    bob.request(http::Method::POST, PATH, "").await.fails(403, "M_FORBIDDEN");
    admin.post(PATH, notice("@x:elsewhere.test", "x")).await.fails(400, "M_INVALID_PARAM");
    admin.post(PATH, notice("@nobody:test.hearth", "x")).await.fails(404, "M_NOT_FOUND");
    admin.post(PATH, json!({ "user_id": bob.user_id })).await.fails(400, "M_BAD_JSON");
    assert!(bob.sync(None).await["rooms"]["invite"].as_object().is_none_or(serde_json::Map::is_empty));
    let body = json!({ "username": "notices", "auth": { "type": "m.login.dummy" } });
    server.client().post("/register", body).await.fails(400, "M_EXCLUSIVE");
}

#[tokio::test]
async fn without_a_name_there_are_no_notices() {
    let server = TestServer::start().await;
    let admin = administrator(&server).await;
    admin.post(PATH, notice(&admin.user_id, "x")).await.fails(400, "M_UNKNOWN");
}
