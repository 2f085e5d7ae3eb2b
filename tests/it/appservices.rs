//! Application services: their token, their users, and what they may not touch.

use ruma::api::appservice::Registration;
use serde_json::{Value, json};

use crate::harness::{Client, PASSWORD, TestServer, escape};

const TOKEN: &str = "token of the irc bridge";

fn bridge(id: &str, token: &str) -> Registration {
    serde_json::from_value(json!({
        "id": id,
        "url": "http://localhost:9000",
        "as_token": token,
        "hs_token": "another",
        "sender_localpart": format!("{id}bot"),
        "rate_limited": false,
        "namespaces": {
            "users": [{ "exclusive": true, "regex": format!("@{id}_.*") }],
            "aliases": [
                { "exclusive": true, "regex": format!("#{id}_.*") },
                { "exclusive": false, "regex": "#shared_.*" },
            ],
        },
    }))
    .expect("a registration")
}

async fn start() -> (TestServer, Client) {
    let services = [bridge("irc", TOKEN), bridge("xmpp", "token of the xmpp bridge")];
    let server = TestServer::start_with_services(|_| {}, &services).await;
    let bridge = server.client().with_token(TOKEN);
    (server, bridge)
}

fn registration(name: &str) -> Value {
    json!({ "type": "m.login.application_service", "username": name, "inhibit_login": true })
}

#[tokio::test]
async fn a_bridge_makes_its_users_and_acts_as_them() {
    let (server, bridge) = start().await;
    let alice = server.register("alice").await;
    let answer = bridge.post("/register", registration("irc_anna")).await.ok();
    assert_eq!(answer, json!({ "user_id": "@irc_anna:test.hearth" }));
    let query = format!("user_id={}", escape("@irc_anna:test.hearth"));
    let me = bridge.get(&format!("/account/whoami?{query}")).await.ok();
    assert_eq!(me, json!({ "user_id": "@irc_anna:test.hearth" }));
    let room = alice.create_room(json!({ "preset": "public_chat" })).await;
    bridge.post(&format!("{}?{query}", Client::room_path(&room, "/join")), json!({})).await.ok();
    let send = format!("{}?{query}", Client::room_path(&room, "/send/m.room.message/t1"));
    let first = bridge.put(&send, json!({ "msgtype": "m.text", "body": "hi" })).await.ok();
    assert_eq!(bridge.put(&send, json!({ "msgtype": "m.text", "body": "hi" })).await.ok(), first);
    let event = alice.get(&Client::room_path(&room, &format!("/event/{}", first["event_id"].as_str().unwrap()))).await;
    assert_eq!(event.ok()["sender"], "@irc_anna:test.hearth");
}

#[tokio::test]
async fn a_bridge_that_names_nobody_is_its_own_user() {
    let (_server, bridge) = start().await;
    let me = bridge.get("/account/whoami").await.ok();
    assert_eq!(me["user_id"], "@ircbot:test.hearth");
    bridge.create_room(json!({})).await;
    bridge.post("/register", registration("ircbot")).await.fails(400, "M_USER_IN_USE");
}

#[tokio::test]
async fn a_bridge_acts_as_nobody_else() {
    let (server, bridge) = start().await;
    server.register("alice").await;
    for user in ["@alice:test.hearth", "@xmpp_bea:test.hearth", "@irc_never:test.hearth", "@irc_x:elsewhere.test"] {
        bridge.get(&format!("/account/whoami?user_id={}", escape(user))).await.fails(403, "M_FORBIDDEN");
    }
    bridge.get("/account/whoami?user_id=nonsense").await.fails(400, "M_INVALID_PARAM");
    bridge.get("/account/whoami?device_id=NONE").await.fails(400, "M_UNKNOWN_DEVICE");
    for name in ["alice", "carl", "xmpp_bea"] {
        bridge.post("/register", registration(name)).await.fails(400, "M_EXCLUSIVE");
    }
    bridge.post("/register", json!({ "type": "m.login.application_service" })).await.fails(400, "M_MISSING_PARAM");
}

#[tokio::test]
async fn nobody_else_takes_a_name_of_a_bridge() {
    let (server, _) = start().await;
    let client = server.client();
    for name in ["irc_carl", "ircbot"] {
        let body = json!({ "username": name, "password": PASSWORD, "auth": { "type": "m.login.dummy" } });
        client.post("/register", body).await.fails(400, "M_EXCLUSIVE");
        client.get(&format!("/register/available?username={name}")).await.fails(400, "M_EXCLUSIVE");
        client.post("/register", registration(name)).await.fails(401, "M_MISSING_TOKEN");
        client.with_token("wrong").post("/register", registration(name)).await.fails(401, "M_UNKNOWN_TOKEN");
    }
}

#[tokio::test]
async fn a_bridge_logs_its_users_in_and_deletes_their_devices() {
    let (server, bridge) = start().await;
    server.register("alice").await;
    bridge.post("/register", registration("irc_anna")).await.ok();
    let login = |user: &str| {
        let identifier = json!({ "type": "m.id.user", "user": user });
        json!({ "type": "m.login.application_service", "identifier": identifier, "device_id": "BRIDGE" })
    };
    let anna = server.client().signed_in(&bridge.post("/login", login("irc_anna")).await.ok());
    assert_eq!(anna.get("/account/whoami").await.ok()["device_id"], "BRIDGE");
    let query = format!("user_id={}&device_id=BRIDGE", escape("@irc_anna:test.hearth"));
    assert_eq!(bridge.get(&format!("/account/whoami?{query}")).await.ok()["device_id"], "BRIDGE");
    for user in ["alice", "irc_never"] {
        bridge.post("/login", login(user)).await.fails(403, "M_FORBIDDEN");
    }
    server.client().post("/login", login("irc_anna")).await.fails(401, "M_MISSING_TOKEN");
    let flows = server.client().get("/login").await.ok()["flows"].clone();
    assert!(flows.as_array().unwrap().contains(&json!({ "type": "m.login.application_service" })), "{flows}");
    bridge.delete(&format!("/devices/BRIDGE?{query}"), json!({})).await.ok();
    anna.get("/account/whoami").await.fails(401, "M_UNKNOWN_TOKEN");
}

#[tokio::test]
async fn an_alias_of_a_bridge_is_made_by_nobody_else() {
    let (server, bridge) = start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({ "preset": "public_chat" })).await;
    bridge.join(&room).await;
    let path = |alias: &str| format!("/directory/room/{}", escape(&format!("#{alias}:test.hearth")));
    let body = json!({ "room_id": room });
    alice.put(&path("irc_rust"), body.clone()).await.fails(400, "M_EXCLUSIVE");
    alice.post("/createRoom", json!({ "room_alias_name": "irc_rust" })).await.fails(400, "M_EXCLUSIVE");
    bridge.put(&path("xmpp_rust"), body.clone()).await.fails(400, "M_EXCLUSIVE");
    bridge.put(&path("rust"), body.clone()).await.fails(400, "M_EXCLUSIVE");
    for free in ["irc_rust", "xmpp_rust", "rust"] {
        alice.get(&path(free)).await.fails(404, "M_NOT_FOUND");
    }
    bridge.put(&path("irc_rust"), body.clone()).await.ok();
    alice.put(&path("shared_rust"), body.clone()).await.ok();
    bridge.post("/createRoom", json!({ "room_alias_name": "irc_go" })).await.ok();
    // What it owns it may take away, whoever made it; and nothing else.
    bridge.delete(&path("shared_rust"), json!({})).await.ok();
    alice.put(&path("rust"), body).await.ok();
    bridge.delete(&path("rust"), json!({})).await.fails(403, "M_FORBIDDEN");
}

#[tokio::test]
async fn a_bridge_says_when_something_was_sent() {
    let (server, bridge) = start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({ "preset": "public_chat" })).await;
    bridge.join(&room).await;
    let (send, state) = (
        Client::room_path(&room, "/send/m.room.message/t1?ts=1234567"),
        Client::room_path(&room, "/state/org.example.note?ts=1234568"),
    );
    let text = json!({ "msgtype": "m.text", "body": "from long ago" });
    alice.set_state(&room, "m.room.power_levels", json!({ "users": {}, "state_default": 0 })).await;
    for (by, times) in [(&bridge, [1_234_567, 1_234_568]), (&alice, [1_767_225_600_000_u64, 1_767_225_600_000])] {
        let sent = [by.put(&send, text.clone()).await.ok(), by.put(&state, json!({ "by": by.user_id })).await.ok()];
        for (sent, time) in sent.iter().zip(times) {
            let path = Client::room_path(&room, &format!("/event/{}", sent["event_id"].as_str().unwrap()));
            assert_eq!(alice.get(&path).await.ok()["origin_server_ts"], time, "{}", by.user_id);
        }
    }
    for bad in ["-1", "soon", "9007199254740992"] {
        let path = Client::room_path(&room, &format!("/send/m.room.message/bad{bad}?ts={bad}"));
        assert_eq!(bridge.put(&path, text.clone()).await.status, 400, "{bad}");
    }
}

#[tokio::test]
async fn a_bridge_makes_devices_of_its_users() {
    let (server, bridge) = start().await;
    let alice = server.register("alice").await;
    bridge.post("/register", registration("irc_anna")).await.ok();
    let query = format!("user_id={}", escape("@irc_anna:test.hearth"));
    let path = format!("/devices/PUPPET?{query}");
    let made = bridge.put(&path, json!({ "display_name": "puppet" })).await;
    assert_eq!((made.status.as_u16(), made.json()), (201, json!({})));
    assert_eq!(bridge.get(&path).await.ok()["display_name"], "puppet");
    bridge.put(&path, json!({ "display_name": "marionette" })).await.ok();
    let devices = bridge.get(&format!("/devices?{query}")).await.ok()["devices"].clone();
    assert_eq!(devices.as_array().map(Vec::len), Some(1), "{devices}");
    assert_eq!(devices[0]["display_name"], "marionette");
    bridge.get(&format!("/account/whoami?{query}&device_id=PUPPET")).await.ok();
    let long = "x".repeat(300);
    bridge.put(&format!("/devices/{long}?{query}"), json!({})).await.fails(400, "M_INVALID_PARAM");
    bridge
        .put(&format!("/devices/NEW?{query}"), json!({ "display_name": "y".repeat(600) }))
        .await
        .fails(400, "M_INVALID_PARAM");
    bridge.get(&format!("/devices/NEW?{query}")).await.fails(404, "M_NOT_FOUND");
    alice.put("/devices/PUPPET", json!({})).await.fails(404, "M_NOT_FOUND");
    bridge.delete(&path, json!({})).await.ok();
    bridge.get(&path).await.fails(404, "M_NOT_FOUND");
}

#[tokio::test]
async fn a_bridge_names_its_users_where_others_may_not() {
    let tune = |config: &mut hearth_server::config::Config| config.users.display_name_changes = false;
    let server = TestServer::start_with_services(tune, &[bridge("irc", TOKEN)]).await;
    let bridge = server.client().with_token(TOKEN);
    bridge.post("/register", registration("irc_anna")).await.ok();
    let anna = escape("@irc_anna:test.hearth");
    let path = format!("/profile/{anna}/displayname?user_id={anna}");
    bridge.put(&path, json!({ "displayname": "Anna" })).await.ok();
    assert_eq!(bridge.get(&path).await.ok()["displayname"], "Anna");
}
