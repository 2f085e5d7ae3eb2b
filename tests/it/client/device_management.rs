//! `/devices` and `/delete_devices`.

use serde_json::{Value, json};

use crate::harness::{Client, PASSWORD, TestServer};

fn password_auth(client: &Client, session: &Value, password: &str) -> Value {
    let identifier = json!({ "type": "m.id.user", "user": client.user_id });
    json!({ "type": "m.login.password", "identifier": identifier, "password": password, "session": session })
}

#[tokio::test]
async fn devices_are_listed_and_renamed() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let path = format!("/devices/{}", alice.device_id);
    let nameless = alice.get("/devices").await.ok();
    assert_eq!(nameless["devices"][0]["display_name"], "", "every field is there");
    assert!(nameless["devices"][0]["last_seen_ip"].is_string() && nameless["devices"][0]["last_seen_ts"].is_u64());
    alice.put(&path, json!({ "display_name": "kitchen" })).await.ok();
    let device = alice.get(&path).await.ok();
    assert_eq!(device["device_id"], alice.device_id);
    assert_eq!(device["display_name"], "kitchen");
    assert_eq!(alice.get("/devices").await.ok()["devices"][0]["display_name"], "kitchen");
    alice.put(&path, json!({})).await.ok();
    assert_eq!(alice.get(&path).await.ok()["display_name"], "kitchen", "nothing given, nothing changed");
    let phone = alice.log_in_again().await;
    let listed = alice.get("/devices").await.ok();
    let mut ids: Vec<_> =
        listed["devices"].as_array().expect("devices").iter().map(|device| &device["device_id"]).collect();
    ids.sort_by_key(|id| **id != json!(alice.device_id));
    assert_eq!(ids, [&json!(alice.device_id), &json!(phone.device_id)]);
}

#[tokio::test]
async fn unknown_devices_and_those_of_others_are_not_found() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let bob = server.register("bob").await;
    let path = format!("/devices/{}", alice.device_id);
    alice.get("/devices/NONE").await.fails(404, "M_NOT_FOUND");
    alice.put("/devices/NONE", json!({ "display_name": "x" })).await.fails(404, "M_NOT_FOUND");
    bob.get(&path).await.fails(404, "M_NOT_FOUND");
    bob.put(&path, json!({ "display_name": "x" })).await.fails(404, "M_NOT_FOUND");
}

#[tokio::test]
async fn deleting_a_device_needs_the_password() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let phone = alice.log_in_again().await;
    let path = format!("/devices/{}", phone.device_id);
    let question = alice.delete(&path, json!({})).await.asks_for_auth();
    assert_eq!(question["flows"][0]["stages"], json!(["m.login.password"]));

    let wrong = json!({ "auth": password_auth(&alice, &question["session"], "wrong") });
    let answer = alice.delete(&path, wrong).await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.json()["errcode"], "M_FORBIDDEN");
    phone.get("/account/whoami").await.ok();

    let right = json!({ "auth": password_auth(&alice, &question["session"], PASSWORD) });
    alice.delete(&path, right).await.ok();
    phone.get("/account/whoami").await.fails(401, "M_UNKNOWN_TOKEN");
    alice.get(&path).await.fails(404, "M_NOT_FOUND");
}

#[tokio::test]
async fn one_cannot_prove_to_be_someone_else() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let bob = server.register("bob").await;
    let phone = alice.log_in_again().await;
    let path = format!("/devices/{}", phone.device_id);
    let question = alice.delete(&path, json!({})).await.asks_for_auth();
    let as_bob = json!({ "auth": password_auth(&bob, &question["session"], PASSWORD) });
    alice.delete(&path, as_bob).await.fails(403, "M_FORBIDDEN");
    phone.get("/account/whoami").await.ok();
    let as_alice = json!({ "auth": password_auth(&alice, &question["session"], PASSWORD) });
    alice.delete(&path, as_alice).await.ok();
    alice.get(&path).await.fails(404, "M_NOT_FOUND");
}

#[tokio::test]
async fn a_question_answered_for_one_thing_does_not_do_another() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let (phone, tablet) = (alice.log_in_again().await, alice.log_in_again().await);
    let path = |client: &Client| format!("/devices/{}", client.device_id);
    let question = alice.delete(&path(&phone), json!({})).await.asks_for_auth();
    let auth = json!({ "auth": password_auth(&alice, &question["session"], PASSWORD) });
    alice.delete(&path(&phone), auth).await.ok();
    let with_password = json!({ "auth": password_auth(&alice, &question["session"], PASSWORD) });
    let refused = alice.delete(&path(&tablet), with_password).await.asks_for_auth();
    assert_eq!((&refused["errcode"], &refused["completed"]), (&json!("M_UNAUTHORIZED"), &json!([])));
    assert_ne!(refused["session"], question["session"]);
    let done = json!({ "auth": { "session": question["session"] } });
    alice.delete(&path(&tablet), done.clone()).await.asks_for_auth();
    alice.delete(&path(&phone), done).await.asks_for_auth();
    tablet.get("/account/whoami").await.ok();
}

#[tokio::test]
async fn several_devices_are_deleted_at_once() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let (phone, tablet) = (alice.log_in_again().await, alice.log_in_again().await);
    let body = |auth: Value| json!({ "devices": [phone.device_id, tablet.device_id, "NONE"], "auth": auth });
    let devices = json!({ "devices": [phone.device_id, tablet.device_id, "NONE"] });
    let question = alice.post("/delete_devices", devices).await.asks_for_auth();
    let auth = password_auth(&alice, &question["session"], PASSWORD);
    alice.post("/delete_devices", body(auth)).await.ok();
    phone.get("/account/whoami").await.fails(401, "M_UNKNOWN_TOKEN");
    tablet.get("/account/whoami").await.fails(401, "M_UNKNOWN_TOKEN");
    assert_eq!(alice.get("/devices").await.ok()["devices"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn settings_of_a_device_in_the_account_data_go_with_it() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let (phone, laptop) = (alice.log_in_again().await, alice.log_in_again().await);
    let path = |device: &Client| {
        let kind = format!("org.matrix.msc3890.local_notification_settings.{}", device.device_id);
        alice.user_path(&format!("/account_data/{kind}"))
    };
    for device in [&phone, &laptop] {
        alice.put(&path(device), json!({ "is_silenced": true })).await.ok();
    }
    phone.post("/logout", json!({})).await.ok();
    alice.get(&path(&phone)).await.fails(404, "M_NOT_FOUND");
    assert_eq!(alice.get(&path(&laptop)).await.ok()["is_silenced"], true);
    laptop.post("/logout/all", json!({})).await.ok();
    let again = alice.log_in_again().await;
    again.get(&path(&laptop)).await.fails(404, "M_NOT_FOUND");
}

#[tokio::test]
async fn the_old_form_of_a_password_is_taken_too() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    for (user, is_right) in [("alice", true), ("@alice:test.hearth", true), ("bob", false)] {
        let phone = alice.log_in_again().await;
        let path = format!("/devices/{}", phone.device_id);
        let question = alice.delete(&path, json!({})).await.asks_for_auth();
        let auth = |user: Value| {
            let session = &question["session"];
            json!({ "auth": { "type": "m.login.password", "user": user, "password": PASSWORD, "session": session } })
        };
        alice.delete(&path, auth(json!(7))).await.fails(400, "M_BAD_JSON");
        let answer = alice.delete(&path, auth(json!(user))).await;
        assert_eq!(answer.status.as_u16(), if is_right { 200 } else { 403 }, "{}", answer.text());
    }
    let phone = alice.log_in_again().await;
    let auth = json!({ "type": "m.login.password", "user": "alice", "password": PASSWORD });
    alice.post("/delete_devices", json!({ "devices": [phone.device_id], "auth": auth })).await.ok();
    phone.get("/account/whoami").await.fails(401, "M_UNKNOWN_TOKEN");
    alice.post("/account/deactivate", json!({ "auth": auth })).await.ok();
    alice.get("/account/whoami").await.fails(401, "M_UNKNOWN_TOKEN");
}

#[tokio::test]
async fn a_device_is_seen_when_it_logs_in() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let phone = alice.log_in_again().await;
    for device in [&alice, &phone] {
        let seen = phone.get(&format!("/devices/{}", device.device_id)).await.ok();
        assert_eq!(seen["last_seen_ip"], alice.address.to_string(), "{seen}");
        assert!(seen["last_seen_ts"].as_u64().is_some_and(|seen_ms| seen_ms > 0), "{seen}");
    }
}
