//! `/_synapse/admin/v1/registration_tokens`.

use hearth_homeserver::users::Registration;
use serde_json::{Value, json};

use super::administrator;
use crate::harness::{PASSWORD, TestServer};

const TOKENS: &str = "/_synapse/admin/v1/registration_tokens";
const NEW: &str = "/_synapse/admin/v1/registration_tokens/new";

async fn register(server: &TestServer, name: &str, token: &str) -> u16 {
    let client = server.client();
    let body = json!({ "username": name, "password": PASSWORD });
    let question = client.post("/register", body.clone()).await.asks_for_auth();
    let auth = json!({ "type": "m.login.registration_token", "token": token, "session": question["session"] });
    let mut body = body;
    body["auth"] = auth;
    client.post("/register", body).await.status.as_u16()
}

fn names(list: &Value) -> Vec<&str> {
    let tokens = list["registration_tokens"].as_array().expect("a list");
    tokens.iter().map(|token| token["token"].as_str().expect("a token")).collect()
}

#[tokio::test]
async fn an_administrator_makes_changes_and_deletes_tokens() {
    let server = TestServer::start().await;
    let admin = administrator(&server).await;
    let expiry = server.homeserver.env.clock.now().0 + 60_000;
    let made = admin.post(NEW, json!({ "token": "fete", "uses_allowed": 2, "expiry_time": expiry })).await.ok();
    let expected = json!({ "token": "fete", "uses_allowed": 2, "pending": 0, "completed": 0, "expiry_time": expiry });
    assert_eq!(made, expected);
    let drawn = admin.post(NEW, json!({ "length": 24 })).await.ok();
    assert_eq!(drawn["token"].as_str().map(str::len), Some(24));
    assert_eq!((&drawn["uses_allowed"], &drawn["expiry_time"]), (&Value::Null, &Value::Null));

    let path = format!("{TOKENS}/fete");
    assert_eq!(admin.get(&path).await.ok(), expected);
    assert_eq!(admin.put(&path, json!({})).await.ok(), expected, "nothing given, nothing changed");
    let lifted = admin.put(&path, json!({ "uses_allowed": null, "expiry_time": null })).await.ok();
    assert_eq!((&lifted["uses_allowed"], &lifted["expiry_time"]), (&Value::Null, &Value::Null));
    let closed = admin.put(&path, json!({ "uses_allowed": 0 })).await.ok();
    assert_eq!(closed["uses_allowed"], 0);
    assert_eq!(names(&admin.get(&format!("{TOKENS}?valid=false")).await.ok()), ["fete"]);
    assert_eq!(names(&admin.get(TOKENS).await.ok()).len(), 2);
    admin.delete(&path, json!({})).await.ok();
    admin.get(&path).await.fails(404, "M_NOT_FOUND");
    assert_eq!(names(&admin.get(&format!("{TOKENS}?valid=true")).await.ok()).len(), 1);
}

#[tokio::test]
async fn uses_are_counted_and_a_changed_limit_holds() {
    let server = TestServer::start_with(|config| config.users.registration = Registration::Token).await;
    let token = server.registration_token().await;
    assert_eq!(register(&server, "admin", &token).await, 200);
    let id = ruma::UserId::parse("@admin:test.hearth").expect("an id");
    server.homeserver.users.set_admin(&id, true).await.expect("an account");
    let login = json!({ "type": "m.login.password", "identifier": { "type": "m.id.user", "user": "admin" }, "password": PASSWORD });
    let admin = server.client().signed_in(&server.client().post("/login", login).await.ok());
    let path = format!("{TOKENS}/{token}");
    assert_eq!(admin.get(&path).await.ok()["completed"], 1);
    admin.put(&path, json!({ "uses_allowed": 2 })).await.ok();
    assert_eq!(register(&server, "bob", &token).await, 200);
    assert_eq!(register(&server, "carol", &token).await, 401);
    admin.put(&path, json!({ "uses_allowed": 3 })).await.ok();
    assert_eq!(register(&server, "carol", &token).await, 200);
}

#[tokio::test]
async fn bad_tokens_are_refused_and_nothing_is_made() {
    let server = TestServer::start().await;
    let admin = administrator(&server).await;
    let past = server.homeserver.env.clock.now().0;
    for bad in [
        json!({ "token": "a b" }),
        json!({ "token": "" }),
        json!({ "token": "a".repeat(65) }),
        json!({ "length": 0 }),
        json!({ "length": 65 }),
        json!({ "expiry_time": past }),
    ] {
        admin.post(NEW, bad).await.fails(400, "M_INVALID_PARAM");
    }
    admin.post(NEW, json!({ "uses_allowed": -1 })).await.fails(400, "M_BAD_JSON");
    assert!(names(&admin.get(TOKENS).await.ok()).is_empty());
    admin.post(NEW, json!({ "token": "fete" })).await.ok();
    admin.post(NEW, json!({ "token": "fete", "uses_allowed": 1 })).await.fails(400, "M_INVALID_PARAM");
    let path = format!("{TOKENS}/fete");
    admin.put(&path, json!({ "expiry_time": past })).await.fails(400, "M_INVALID_PARAM");
    assert_eq!(admin.get(&path).await.ok()["expiry_time"], Value::Null);
    let other = format!("{TOKENS}/other");
    admin.put(&other, json!({})).await.fails(404, "M_NOT_FOUND");
    admin.delete(&other, json!({})).await.fails(404, "M_NOT_FOUND");
}

#[tokio::test]
async fn nobody_else_sees_or_makes_tokens() {
    let server = TestServer::start().await;
    let (admin, bob) = (administrator(&server).await, server.register("bob").await);
    admin.post(NEW, json!({ "token": "fete" })).await.ok();
    let path = format!("{TOKENS}/fete");
    bob.get(TOKENS).await.fails(403, "M_FORBIDDEN");
    bob.get(&path).await.fails(403, "M_FORBIDDEN");
    bob.post(NEW, json!({})).await.fails(403, "M_FORBIDDEN");
    bob.put(&path, json!({ "uses_allowed": 9 })).await.fails(403, "M_FORBIDDEN");
    bob.delete(&path, json!({})).await.fails(403, "M_FORBIDDEN");
    server.client().get(TOKENS).await.fails(401, "M_MISSING_TOKEN");
    assert_eq!(names(&admin.get(TOKENS).await.ok()), ["fete"]);
}
