//! `POST /register` and `GET /register/available`.

use hearth_homeserver::users::Registration;
use serde_json::json;

use crate::harness::{PASSWORD, TestServer};

#[tokio::test]
async fn an_open_server_asks_for_the_dummy_stage_and_makes_the_account() {
    let server = TestServer::start().await;
    let client = server.client();
    let body = json!({ "username": "alice", "password": PASSWORD, "initial_device_display_name": "phone" });
    let question = client.post("/register", body.clone()).await.asks_for_auth();
    assert_eq!(question["flows"][0]["stages"], json!(["m.login.dummy"]));
    assert!(question["params"].is_object());

    let mut body = body;
    body["auth"] = json!({ "type": "m.login.dummy", "session": question["session"] });
    let answer = client.post("/register", body).await.ok();
    assert_eq!(answer["user_id"], "@alice:test.hearth");
    let alice = client.signed_in(&answer);
    assert_eq!(alice.get("/devices").await.ok()["devices"][0]["display_name"], "phone");
}

/// Element's development build sends the last request of a session twice; others repeat it when the answer was lost.
#[tokio::test]
async fn a_registration_that_is_sent_twice_is_answered_twice() {
    let server = TestServer::start().await;
    let client = server.client();
    let mut body = json!({ "username": "alice", "password": PASSWORD });
    let question = client.post("/register", body.clone()).await.asks_for_auth();
    body["auth"] = json!({ "type": "m.login.dummy", "session": question["session"] });
    let send = || client.post("/register", body.clone());
    let (one, other) = tokio::join!(send(), send());
    for answer in [one.ok(), other.ok(), send().await.ok()] {
        let alice = client.signed_in(&answer);
        assert_eq!(alice.get("/account/whoami").await.ok()["user_id"], "@alice:test.hearth");
    }
    let mut other = body.clone();
    other["password"] = json!("another password");
    client.post("/register", other).await.fails(400, "M_USER_IN_USE");
    server.clock.advance(5 * 60 * 1_000);
    send().await.fails(400, "M_USER_IN_USE");
}

#[tokio::test]
async fn without_login_there_is_no_token() {
    let server = TestServer::start().await;
    let auth = json!({ "type": "m.login.dummy" });
    let body = json!({ "username": "alice", "password": PASSWORD, "inhibit_login": true, "auth": auth });
    let answer = server.client().post("/register", body).await.ok();
    assert_eq!(answer["user_id"], "@alice:test.hearth");
    assert!(answer.get("access_token").is_none() && answer.get("device_id").is_none());
}

#[tokio::test]
async fn a_name_is_made_up_when_none_is_given() {
    let server = TestServer::start().await;
    let body = json!({ "password": PASSWORD, "auth": { "type": "m.login.dummy" } });
    let answer = server.client().post("/register", body).await.ok();
    let user = answer["user_id"].as_str().expect("an id");
    assert!(user.starts_with('@') && user.ends_with(":test.hearth") && user.len() > "@:test.hearth".len());
}

#[tokio::test]
async fn bad_and_taken_names_are_refused_before_any_question() {
    let server = TestServer::start().await;
    server.register("alice").await;
    let client = server.client();
    let register = |name: &'static str| {
        let client = client.clone();
        async move { client.post("/register", json!({ "username": name, "password": PASSWORD })).await }
    };
    register("alice").await.fails(400, "M_USER_IN_USE");
    register("ALICE").await.fails(400, "M_USER_IN_USE");
    for name in ["", "a b", "a:b", "a@b", "ä", "a\u{0}"] {
        register(name).await.fails(400, "M_INVALID_USERNAME");
    }
    let long: &'static str = Box::leak("x".repeat(256).into_boxed_str());
    register(long).await.fails(400, "M_INVALID_USERNAME");
}

#[tokio::test]
async fn a_short_password_is_weak() {
    let server = TestServer::start().await;
    let mut body = json!({ "username": "alice", "password": "short" });
    server.client().post("/register", body.clone()).await.fails(400, "M_WEAK_PASSWORD");
    body["auth"] = json!({ "type": "m.login.dummy" });
    server.client().post("/register", body).await.fails(400, "M_WEAK_PASSWORD");
}

#[tokio::test]
async fn every_stage_has_to_be_passed() {
    let server = TestServer::start_with(|config| {
        config.users.terms_required = true;
        config.users.terms_url = Some("https://test.hearth/terms".to_owned());
        config.users.registration = Registration::Token;
    })
    .await;
    let token = server.registration_token().await;
    let client = server.client();
    let body = json!({ "username": "alice", "password": PASSWORD });
    let with = |auth: serde_json::Value| {
        let mut body = body.clone();
        body["auth"] = auth;
        client.post("/register", body)
    };
    let question = client.post("/register", body.clone()).await.asks_for_auth();
    assert_eq!(question["flows"][0]["stages"], json!(["m.login.registration_token", "m.login.terms"]));
    let policies = &question["params"]["m.login.terms"]["policies"];
    assert_eq!(policies["terms_of_service"]["en"]["url"], "https://test.hearth/terms");
    let session = &question["session"];
    let terms = with(json!({ "type": "m.login.terms", "session": session })).await.asks_for_auth();
    assert_eq!(terms["completed"], json!(["m.login.terms"]));
    with(json!({ "session": "another" })).await.asks_for_auth();
    with(json!({ "type": "m.login.dummy", "session": session })).await.asks_for_auth();
    with(json!({ "type": "m.login.registration_token", "token": token, "session": session })).await.ok();
}

#[tokio::test]
async fn a_closed_server_makes_no_accounts() {
    let server = TestServer::start_with(|config| config.users.registration = Registration::Closed).await;
    let body = json!({ "username": "alice", "password": PASSWORD, "auth": { "type": "m.login.dummy" } });
    server.client().post("/register", body).await.fails(403, "M_FORBIDDEN");
    server.client().get("/register/available?username=alice").await.fails(403, "M_FORBIDDEN");
}

#[tokio::test]
async fn guests_only_where_they_are_allowed() {
    let server = TestServer::start().await;
    server.client().post("/register?kind=guest", json!({})).await.fails(403, "M_GUEST_ACCESS_FORBIDDEN");

    let server = TestServer::start_with(|config| config.users.guests_allowed = true).await;
    let answer = server.client().post("/register?kind=guest", json!({})).await.ok();
    let guest = server.client().signed_in(&answer);
    assert_eq!(guest.get("/account/whoami").await.ok()["is_guest"], true);
}

#[tokio::test]
async fn unknown_kinds_of_account_are_refused() {
    let server = TestServer::start().await;
    server.client().post("/register?kind=robot", json!({})).await.fails(400, "M_INVALID_PARAM");
}

#[tokio::test]
async fn one_can_ask_whether_a_name_is_free() {
    let server = TestServer::start().await;
    server.register("alice").await;
    let client = server.client();
    assert_eq!(client.get("/register/available?username=bob").await.ok()["available"], true);
    client.get("/register/available?username=alice").await.fails(400, "M_USER_IN_USE");
    client.get("/register/available?username=a%20b").await.fails(400, "M_INVALID_USERNAME");
    client.get("/register/available").await.fails(400, "M_MISSING_PARAM");
}

#[tokio::test]
async fn a_guest_becomes_a_user_and_keeps_everything() {
    let server = TestServer::start_with(|config| config.users.guests_allowed = true).await;
    let alice = server.register("alice").await;
    let answer = server.client().post("/register?kind=guest", json!({})).await.ok();
    let guest = server.client().signed_in(&answer);
    let access = json!({ "type": "m.room.guest_access", "state_key": "", "content": { "guest_access": "can_join" } });
    let room = alice.create_room(json!({ "preset": "public_chat", "initial_state": [access] })).await;
    guest.join(&room).await;
    let name = guest.user_id.trim_start_matches('@').split(':').next().expect("a name").to_owned();

    let body = json!({ "username": name, "password": PASSWORD, "guest_access_token": guest.token });
    let question = guest.post("/register", body.clone()).await.asks_for_auth();
    let mut body = body;
    body["auth"] = json!({ "type": "m.login.dummy", "session": question["session"] });
    let answer = server.client().post("/register", body.clone()).await.ok();
    assert_eq!(answer["user_id"], guest.user_id.as_str());
    let user = server.client().signed_in(&answer);
    for client in [&user, &guest, &user.log_in_again().await] {
        assert_ne!(client.get("/account/whoami").await.ok()["is_guest"], true);
        assert_eq!(client.get("/joined_rooms").await.ok()["joined_rooms"], json!([room]));
    }
    user.create_room(json!({})).await;
    server.client().post("/register", body).await.fails(403, "M_FORBIDDEN");
}

#[tokio::test]
async fn only_guests_are_upgraded_and_only_under_their_own_name() {
    let server = TestServer::start_with(|config| config.users.guests_allowed = true).await;
    let alice = server.register("alice").await;
    let guest = server.client().signed_in(&server.client().post("/register?kind=guest", json!({})).await.ok());
    let name = guest.user_id.trim_start_matches('@').split(':').next().expect("a name").to_owned();
    let upgrade = |name: Option<&str>, token: &str| {
        let mut body =
            json!({ "password": PASSWORD, "guest_access_token": token, "auth": { "type": "m.login.dummy" } });
        if let Some(name) = name {
            body["username"] = json!(name);
        }
        let client = server.client();
        async move { client.post("/register", body).await }
    };
    let (alices, guests) = (alice.token.clone().expect("a token"), guest.token.clone().expect("a token"));
    upgrade(Some("alice"), &alices).await.fails(403, "M_FORBIDDEN");
    upgrade(Some(&name), "made up").await.fails(403, "M_FORBIDDEN");
    upgrade(Some("alice"), &guests).await.fails(400, "M_INVALID_USERNAME");
    upgrade(None, &guests).await.fails(400, "M_INVALID_USERNAME");
    assert_eq!(guest.get("/account/whoami").await.ok()["is_guest"], true);
    server
        .client()
        .post("/register", json!({ "username": name, "password": PASSWORD }))
        .await
        .fails(400, "M_USER_IN_USE");
}

#[tokio::test]
async fn names_may_have_these_signs_and_are_kept_in_small_letters() {
    let server = TestServer::start().await;
    let client = server.client();
    let register = async |name: &str| {
        let auth = json!({ "type": "m.login.dummy" });
        let body = json!({ "username": name, "password": PASSWORD, "device_id": "PHONE", "auth": auth });
        client.post("/register", body).await.ok()
    };
    for sign in "q3._=-/".chars() {
        let name = format!("name{sign}");
        assert_eq!(register(&name).await["user_id"], format!("@{name}:test.hearth"));
    }
    let answer = register("User-UPPER").await;
    assert_eq!((&answer["user_id"], &answer["device_id"]), (&json!("@user-upper:test.hearth"), &json!("PHONE")));
}

#[tokio::test]
async fn a_password_may_be_in_any_script() {
    let server = TestServer::start().await;
    let password = "übers garstige Meer \u{1f600}";
    let body = json!({ "username": "alice", "password": password, "auth": { "type": "m.login.dummy" } });
    server.client().post("/register", body).await.ok();
    let identifier = json!({ "type": "m.id.user", "user": "alice" });
    let body = json!({ "type": "m.login.password", "identifier": identifier, "password": password });
    server.client().post("/login", body).await.ok();
}
