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
        "namespaces": { "users": [{ "exclusive": true, "regex": format!("@{id}_.*") }] },
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
