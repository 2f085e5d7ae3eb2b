//! `GET /admin/whois`, and `GET` and `PUT` of `/admin/suspend` and `/admin/lock`.

use http::{Method, header};
use serde_json::json;

use crate::harness::{Client, TestServer, escape};

async fn administrator(server: &TestServer, name: &str) -> Client {
    let client = server.register(name).await;
    let id = ruma::UserId::parse(client.user_id.as_str()).expect("an id");
    server.homeserver.users.set_admin(&id, true).await.expect("an account");
    client
}

fn path(action: &str, user: &str) -> String {
    format!("/_matrix/client/v1/admin/{action}/{}", escape(user))
}

#[tokio::test]
async fn an_administrator_suspends_and_locks_and_ends_it_again() {
    let server = TestServer::start().await;
    let (admin, bob) = (administrator(&server, "admin").await, server.register("bob").await);
    for (action, field) in [("suspend", "suspended"), ("lock", "locked")] {
        let path = path(action, &bob.user_id);
        assert_eq!(admin.get(&path).await.ok(), json!({ field: false }));
        assert_eq!(admin.put(&path, json!({ field: true })).await.ok(), json!({ field: true }));
        assert_eq!(admin.get(&path).await.ok(), json!({ field: true }));
        match action {
            "suspend" => drop(bob.post("/createRoom", json!({})).await.fails(403, "M_USER_SUSPENDED")),
            _ => drop(bob.get("/account/whoami").await.fails(401, "M_USER_LOCKED")),
        }
        assert_eq!(admin.put(&path, json!({ field: false })).await.ok(), json!({ field: false }));
        bob.post("/createRoom", json!({})).await.ok();
    }
}

#[tokio::test]
async fn nobody_else_does_and_administrators_are_safe() {
    let server = TestServer::start().await;
    let (admin, other) = (administrator(&server, "admin").await, administrator(&server, "other").await);
    let bob = server.register("bob").await;
    for (action, field) in [("suspend", "suspended"), ("lock", "locked")] {
        let on = json!({ field: true });
        for user in [&bob.user_id, &admin.user_id, "@nobody:test.hearth", "@x:elsewhere.test"] {
            bob.get(&path(action, user)).await.fails(403, "M_FORBIDDEN");
            bob.put(&path(action, user), on.clone()).await.fails(403, "M_FORBIDDEN");
        }
        for user in [&admin.user_id, &other.user_id] {
            admin.put(&path(action, user), on.clone()).await.fails(403, "M_FORBIDDEN");
        }
        admin.put(&path(action, "@nobody:test.hearth"), on.clone()).await.fails(404, "M_NOT_FOUND");
        admin.get(&path(action, "@nobody:test.hearth")).await.fails(404, "M_NOT_FOUND");
        admin.put(&path(action, "@x:elsewhere.test"), on.clone()).await.fails(400, "M_INVALID_PARAM");
        admin.put(&path(action, &bob.user_id), json!({})).await.fails(400, "M_BAD_JSON");
    }
    bob.post("/createRoom", json!({})).await.ok();
}

#[tokio::test]
async fn the_capability_shows_who_is_an_administrator() {
    let server = TestServer::start().await;
    let (admin, bob) = (administrator(&server, "admin").await, server.register("bob").await);
    for (client, is_able) in [(admin, true), (bob, false)] {
        let capabilities = client.get("/capabilities").await.ok();
        let moderation = &capabilities["capabilities"]["m.account_moderation"];
        assert_eq!(*moderation, json!({ "suspend": is_able, "lock": is_able }));
    }
}

#[tokio::test]
async fn one_learns_where_one_is_logged_in_and_an_administrator_of_anybody() {
    let server = TestServer::start().await;
    let (admin, bob) = (administrator(&server, "admin").await, server.register("bob").await);
    let whois = format!("/admin/whois/{}", escape(&bob.user_id));
    for client in [&admin, &bob] {
        let answer = client.get(&whois).await.ok();
        assert_eq!(answer["user_id"], bob.user_id.as_str());
        let connection = &answer["devices"][&bob.device_id]["sessions"][0]["connections"][0];
        assert!(connection["last_seen"].is_number(), "{answer}");
    }
    let phone = bob.log_in_again().await;
    let agent = [(header::USER_AGENT, "Phone/1.0 (a test)")];
    phone.request_with(Method::GET, "/_matrix/client/v3/account/whoami", &agent, Vec::new()).await.ok();
    let answer = bob.get(&whois).await.ok();
    let connection = &answer["devices"][&phone.device_id]["sessions"][0]["connections"][0];
    assert_eq!(connection["user_agent"], "Phone/1.0 (a test)", "{answer}");
    bob.get(&format!("/admin/whois/{}", escape(&admin.user_id))).await.fails(403, "M_FORBIDDEN");
    admin.get("/admin/whois/%40nobody%3Atest.hearth").await.fails(404, "M_NOT_FOUND");
}

#[tokio::test]
async fn who_is_suspended_takes_back_what_they_said_and_leaves() {
    let server = TestServer::start().await;
    let (admin, bob) = (administrator(&server, "admin").await, server.register("bob").await);
    let room = bob.create_room_with(&[&admin]).await;
    let (own, others) = (bob.send_text(&room, "mine").await, admin.send_text(&room, "not mine").await);
    admin.put(&path("suspend", &bob.user_id), json!({ "suspended": true })).await.ok();
    let redact = async |event: &str| {
        let path = Client::room_path(&room, &format!("/redact/{}/t{}", escape(event), event.len()));
        bob.put(&path, json!({})).await
    };
    redact(&others).await.fails(403, "M_USER_SUSPENDED");
    redact("$unknown").await.fails(403, "M_USER_SUSPENDED");
    let event = admin.get(&Client::room_path(&room, &format!("/event/{}", escape(&others)))).await.ok();
    assert_eq!(event["content"]["body"], "not mine");
    let path = Client::room_path(&room, &format!("/redact/{}/own", escape(&own)));
    bob.put(&path, json!({})).await.ok();
    bob.put(&Client::send_path(&room, "m.room.message"), json!({ "body": "x" })).await.fails(403, "M_USER_SUSPENDED");
    for path in [format!("/knock/{}", escape(&room)), Client::room_path(&room, "/join")] {
        bob.post(&path, json!({})).await.fails(403, "M_USER_SUSPENDED");
    }
    bob.put(&format!("/profile/{}/displayname", escape(&bob.user_id)), json!({ "displayname": "B" }))
        .await
        .fails(403, "M_USER_SUSPENDED");
    bob.leave(&room).await;
    bob.sync(None).await;
    let again = bob.log_in_again().await;
    again.post("/createRoom", json!({})).await.fails(403, "M_USER_SUSPENDED");
    again.post("/logout", json!({})).await.ok();
}
