//! `GET` and `POST /auth/{authType}/fallback/web`.

use hearth_homeserver::users::Registration;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{Client, PASSWORD, Response, TestServer};

fn path(stage: &str, session: &Value) -> String {
    format!("/auth/{stage}/fallback/web?session={}", session.as_str().expect("a session"))
}

async fn submit(client: &Client, path: &str, form: &'static str) -> Response {
    let kind = [(http::header::CONTENT_TYPE, "application/x-www-form-urlencoded")];
    client.request_with(Method::POST, path, &kind, form).await
}

async fn ask(client: &Client) -> Value {
    client.post("/register", json!({ "username": "alice", "password": PASSWORD })).await.asks_for_auth()
}

/// Goes on with the session alone, as the specification says for after a page.
async fn go_on(client: &Client, session: &Value) -> Response {
    let body = json!({ "username": "alice", "password": PASSWORD, "auth": { "session": session } });
    client.post("/register", body).await
}

#[tokio::test]
async fn every_stage_can_be_passed_on_its_page() {
    let server = TestServer::start_with(|config| {
        config.users.registration = Registration::Token;
        config.users.terms_required = true;
        let policy = "privacy_policy 1.2 en https://x.test/?a=1&b=\"2\" Privacy & <b>Policy</b>";
        config.users.policies = vec![policy.to_owned()];
    })
    .await;
    let token = server.registration_token().await;
    let client = server.client();
    let question = ask(&client).await;
    let document = &question["params"]["m.login.terms"]["policies"]["privacy_policy"];
    assert_eq!((&document["version"], &document["en"]["name"]), (&json!("1.2"), &json!("Privacy & <b>Policy</b>")));
    let session = &question["session"];

    let terms = path("m.login.terms", session);
    let page = client.get(&terms).await;
    assert_eq!(page.status, StatusCode::OK);
    let text = page.text();
    assert!(text.contains("https://x.test/?a=1&amp;b=&quot;2&quot;") && !text.contains("<b>"), "{text}");
    assert!(!text.contains("onAuthDone"), "nothing is done yet");
    assert_eq!(go_on(&client, session).await.asks_for_auth().get("completed"), None, "looking is not accepting");
    let done = submit(&client, &terms, "").await;
    assert!(done.status == StatusCode::OK && done.text().contains("window.onAuthDone"), "{}", done.text());

    let entry = path("m.login.registration_token", session);
    assert!(client.get(&entry).await.text().contains("name=\"token\""));
    let wrong = submit(&client, &entry, "token=wrong").await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    assert!(wrong.text().contains("not valid") && !wrong.text().contains("onAuthDone"));
    assert_eq!(go_on(&client, session).await.asks_for_auth()["completed"], json!(["m.login.terms"]));
    let form: &'static str = Box::leak(format!("token={token}").into_boxed_str());
    assert_eq!(submit(&client, &entry, form).await.status, StatusCode::OK);
    let made = go_on(&client, session).await.ok();
    assert_eq!(made["user_id"], "@alice:test.hearth");
}

#[tokio::test]
async fn an_open_server_lets_the_dummy_be_passed_on_a_page() {
    let server = TestServer::start().await;
    let client = server.client();
    let question = ask(&client).await;
    let session = &question["session"];
    let page = path("m.login.dummy", session);
    assert_eq!(client.get(&page).await.status, StatusCode::OK);
    go_on(&client, session).await.asks_for_auth();
    assert_eq!(submit(&client, &page, "").await.status, StatusCode::OK);
    go_on(&client, session).await.ok();
}

#[tokio::test]
async fn sessions_and_stages_that_there_are_not_have_no_page() {
    let server = TestServer::start().await;
    let client = server.client();
    let alice = server.register("alice").await;
    let session = client.post("/register", json!({ "username": "bob" })).await.asks_for_auth()["session"].clone();
    client.get(&path("m.login.dummy", &json!("made_up"))).await.fails(400, "M_UNKNOWN");
    client.get("/auth/m.login.dummy/fallback/web").await.fails(400, "M_MISSING_PARAM");
    client.get(&path("m.login.terms", &session)).await.fails(400, "M_UNKNOWN");
    client.get(&path("m.login.password", &session)).await.fails(404, "M_NOT_FOUND");
    let dummy = path("m.login.dummy", &session);
    let long: &'static str = Box::leak(format!("token={}", "x".repeat(5_000)).into_boxed_str());
    submit(&client, &dummy, long).await.fails(413, "M_TOO_LARGE");
    submit(&client, &path("m.login.terms", &session), "").await.fails(400, "M_UNKNOWN");
    // A session of anything but registration is no good.
    let other = alice.post("/account/deactivate", json!({})).await.asks_for_auth()["session"].clone();
    submit(&client, &path("m.login.dummy", &other), "").await.fails(400, "M_UNKNOWN");
    server.clock.advance(31 * 60 * 1_000);
    submit(&client, &dummy, "").await.fails(400, "M_UNKNOWN");
}
