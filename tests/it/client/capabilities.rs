//! `GET /capabilities`.

use hearth_server::config::Config;
use serde_json::{Value, json};

use crate::harness::{Client, PASSWORD, TestServer, escape};

#[tokio::test]
async fn it_tells_room_versions_and_what_may_be_changed() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let answer = alice.get("/capabilities").await.ok();
    let capabilities = &answer["capabilities"];
    assert_eq!(capabilities["m.room_versions"]["default"], "12");
    let available = capabilities["m.room_versions"]["available"].as_object().expect("versions");
    for version in 1..=12 {
        assert_eq!(available[&version.to_string()], "stable", "{version}");
    }
    assert_eq!(available["org.matrix.msc3757.10"], "unstable");
    assert_eq!(capabilities["m.change_password"]["enabled"], true);
    assert_eq!(capabilities["m.profile_fields"]["enabled"], true);
    assert_eq!(capabilities["m.3pid_changes"]["enabled"], false);
    assert_eq!(capabilities["m.forget_forced_upon_leave"]["enabled"], false);
}

async fn told(client: &Client) -> Value {
    client.get("/capabilities").await.ok()["capabilities"].clone()
}

#[tokio::test]
async fn it_tells_what_the_settings_forbid_and_they_do() {
    type Tune = fn(&mut Config);
    let cases: [(Tune, Value, &[&str]); 4] = [
        (
            |config| config.users.display_name_changes = false,
            json!({ "enabled": true, "disallowed": ["displayname"] }),
            &["displayname"],
        ),
        (
            |config| config.users.profile_field_changes = false,
            json!({ "enabled": true, "allowed": ["displayname", "avatar_url"] }),
            &["m.tz"],
        ),
        (
            |config| (config.users.avatar_changes, config.users.profile_field_changes) = (false, false),
            json!({ "enabled": true, "allowed": ["displayname"] }),
            &["avatar_url", "m.tz"],
        ),
        (
            |config| {
                config.users.display_name_changes = false;
                config.users.avatar_changes = false;
                config.users.profile_field_changes = false;
            },
            json!({ "enabled": false }),
            &["displayname", "avatar_url", "m.tz"],
        ),
    ];
    for (tune, profile_fields, forbidden) in cases {
        let server = TestServer::start_with(tune).await;
        let alice = server.register("alice").await;
        let capabilities = told(&alice).await;
        assert_eq!(capabilities["m.profile_fields"], profile_fields);
        for field in ["displayname", "avatar_url", "m.tz"] {
            let path = format!("/profile/{}/{field}", escape(&alice.user_id));
            let before = alice.get(&path).await.json();
            let is_forbidden = forbidden.contains(&field);
            let changed = alice.put(&path, json!({ (field): "mxc://test.hearth/x" })).await;
            if is_forbidden {
                changed.fails(403, "M_FORBIDDEN");
                alice.delete(&path, json!({})).await.fails(403, "M_FORBIDDEN");
                assert_eq!(alice.get(&path).await.json(), before, "{field}");
            } else {
                changed.ok();
            }
            let old = match field {
                "displayname" => &capabilities["m.set_displayname"],
                "avatar_url" => &capabilities["m.set_avatar_url"],
                _ => continue,
            };
            assert_eq!(old["enabled"], !is_forbidden, "{field}");
        }
    }
}

#[tokio::test]
async fn it_tells_that_passwords_and_login_tokens_are_fixed_and_they_are() {
    let server = TestServer::start_with(|config| {
        config.users.password_changes = false;
        config.users.login_tokens = false;
    })
    .await;
    let alice = server.register("alice").await;
    let capabilities = told(&alice).await;
    assert_eq!(capabilities["m.change_password"]["enabled"], false);
    assert_eq!(capabilities["m.get_login_token"]["enabled"], false);
    alice.post("/account/password", json!({ "new_password": "another long one" })).await.fails(403, "M_FORBIDDEN");
    let identifier = json!({ "type": "m.id.user", "user": "alice" });
    let login = json!({ "type": "m.login.password", "identifier": identifier, "password": PASSWORD });
    server.client().post("/login", login).await.ok();
    alice.post("/_matrix/client/v1/login/get_token", json!({})).await.fails(404, "M_UNRECOGNIZED");
}
