//! `GET` and `POST /_synapse/admin/v1/register`.

use std::fmt::Write as _;

use hearth_homeserver::hmac::hmac_sha1;
use hearth_homeserver::users::Registration;
use serde_json::{Value, json};

use crate::harness::{Client, PASSWORD, TestServer};

const PATH: &str = "/_synapse/admin/v1/register";
const SECRET: &str = "a secret of the operator";

async fn server() -> TestServer {
    TestServer::start_with(|config| {
        config.users.registration = Registration::Closed;
        config.users.registration_shared_secret = Some(SECRET.to_owned());
    })
    .await
}

async fn nonce(client: &Client) -> String {
    client.get(PATH).await.ok()["nonce"].as_str().expect("a nonce").to_owned()
}

fn mac(secret: &str, fields: &[&str]) -> String {
    hmac_sha1(secret.as_bytes(), &[fields.join("\0").as_bytes()]).iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("text");
        hex
    })
}

fn wish(nonce: &str, name: &str, admin: bool) -> Value {
    let standing = if admin { "admin" } else { "notadmin" };
    let mac = mac(SECRET, &[nonce, name, PASSWORD, standing]);
    json!({ "nonce": nonce, "username": name, "password": PASSWORD, "admin": admin, "mac": mac })
}

#[tokio::test]
async fn who_knows_the_secret_makes_users_and_administrators() {
    let server = server().await;
    let client = server.client();
    for (name, admin) in [("alice", true), ("bob", false)] {
        let mut body = wish(&nonce(&client).await, name, admin);
        body["displayname"] = json!("Somebody");
        let answer = client.post(PATH, body).await.ok();
        assert_eq!(answer["home_server"], "test.hearth");
        let made = client.signed_in(&answer);
        let id = ruma::UserId::parse(made.user_id.as_str()).expect("an id");
        let account = server.homeserver.users.load_account(&id).await.expect("a read").expect("an account");
        assert_eq!(account.is_admin, admin);
        assert_eq!(
            made.get(&format!("/profile/@{name}:test.hearth/displayname")).await.ok()["displayname"],
            "Somebody"
        );
        made.log_in_again().await;
    }
}

#[tokio::test]
async fn a_kind_of_user_is_part_of_the_mac() {
    let server = server().await;
    let client = server.client();
    let nonce = nonce(&client).await;
    let mut body = wish(&nonce, "bot", false);
    body["user_type"] = json!("bot");
    client.post(PATH, body.clone()).await.fails(403, "M_FORBIDDEN");
    body["mac"] = json!(mac(SECRET, &[&nonce, "bot", PASSWORD, "notadmin", "bot"]).to_uppercase());
    client.post(PATH, body).await.ok();
}

#[tokio::test]
async fn what_was_heard_is_of_no_use() {
    let server = server().await;
    let client = server.client();
    let nonce = nonce(&client).await;
    let body = wish(&nonce, "alice", false);
    client.post(PATH, body.clone()).await.ok();
    client.post(PATH, body.clone()).await.fails(400, "M_USER_IN_USE");
    for (field, value) in [("username", json!("mallory")), ("password", json!("another one")), ("admin", json!(true))] {
        let mut body = body.clone();
        body["username"] = json!("alice2");
        body[field] = value;
        client.post(PATH, body).await.fails(403, "M_FORBIDDEN");
    }
    server.clock.advance(60_000);
    client.post(PATH, wish(&nonce, "carol", false)).await.fails(400, "M_UNKNOWN");
    client.post(PATH, wish("made up", "carol", false)).await.fails(400, "M_UNKNOWN");
}

#[tokio::test]
async fn a_wrong_secret_and_bad_names_make_nothing() {
    let server = server().await;
    let client = server.client();
    let nonce = nonce(&client).await;
    let mut body = wish(&nonce, "alice", true);
    body["mac"] = json!(mac("another secret", &[&nonce, "alice", PASSWORD, "admin"]));
    client.post(PATH, body.clone()).await.fails(403, "M_FORBIDDEN");
    body["mac"] = json!("");
    client.post(PATH, body).await.fails(403, "M_FORBIDDEN");
    client.post(PATH, wish(&nonce, "a b", false)).await.fails(400, "M_INVALID_USERNAME");
    // The same MAC stands for another split of the fields.
    let mut shifted = wish(&nonce, "alice", true);
    shifted["username"] = json!(format!("alice\0{PASSWORD}"));
    shifted["password"] = json!("admin");
    client.post(PATH, shifted).await.fails(400, "M_UNKNOWN");
    client.post(PATH, json!({ "nonce": nonce })).await.fails(400, "M_BAD_JSON");
    let id = ruma::UserId::parse("@alice:test.hearth").expect("an id");
    assert!(server.homeserver.users.load_account(&id).await.expect("a read").is_none());
}

#[tokio::test]
async fn without_a_secret_there_is_no_such_endpoint() {
    let server = TestServer::start().await;
    server.client().get(PATH).await.fails(404, "M_UNRECOGNIZED");
    server.client().post(PATH, wish("x", "alice", true)).await.fails(404, "M_UNRECOGNIZED");
    let server = TestServer::start_with(|config| config.users.registration_shared_secret = Some(String::new())).await;
    server.client().get(PATH).await.fails(404, "M_UNRECOGNIZED");
}

#[tokio::test]
async fn names_are_kept_in_small_letters_and_have_no_other_signs() {
    let server = server().await;
    let client = server.client();
    let answer = client.post(PATH, wish(&nonce(&client).await, "Alice-UPPER", false)).await.ok();
    assert_eq!(answer["user_id"], "@alice-upper:test.hearth");
    client.post(PATH, wish(&nonce(&client).await, "ali,ce", false)).await.fails(400, "M_INVALID_USERNAME");
}
