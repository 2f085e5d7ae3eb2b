//! What holds for every endpoint: limits on bodies, tokens, unknown paths and methods, CORS, rates.

use http::Method;
use serde_json::json;

use crate::harness::{Client, TestServer, escape};

/// One endpoint of each shape that takes a JSON body, with a body that it accepts.
fn endpoints_with_bodies(room: &str, user: &str) -> Vec<(Method, String)> {
    vec![
        (Method::POST, "/createRoom".to_owned()),
        (Method::POST, Client::room_path(room, "/invite")),
        (Method::PUT, Client::send_path(room, "m.room.message")),
        (Method::PUT, Client::room_path(room, "/state/m.room.topic")),
        (Method::PUT, Client::room_path(room, "/state/x.y/key")),
        (Method::PUT, format!("/user/{}/account_data/x.y", escape(user))),
        (Method::PUT, format!("/profile/{}/displayname", escape(user))),
        (Method::POST, format!("/user/{}/filter", escape(user))),
        (Method::POST, "/login".to_owned()),
        (Method::POST, "/register".to_owned()),
    ]
}

#[tokio::test]
async fn bodies_that_are_not_json_are_refused_everywhere() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    for (method, path) in endpoints_with_bodies(&room, &alice.user_id) {
        for body in [&b"{"[..], b"not json", b"{\"a\":\xff}", br#"{"a":"\ud800"}"#, b"{}{}"] {
            alice.request(method.clone(), &path, body).await.fails(400, "M_NOT_JSON");
        }
    }
}

#[tokio::test]
async fn json_of_the_wrong_shape_is_bad() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    for (method, path) in endpoints_with_bodies(&room, &alice.user_id) {
        for body in ["[]", "7", "\"text\"", "null"] {
            alice.request(method.clone(), &path, body).await.fails(400, "M_BAD_JSON");
        }
    }
    alice.post(&Client::room_path(&room, "/invite"), json!({ "user_id": 7 })).await.fails(400, "M_BAD_JSON");
    alice.post("/createRoom", json!({ "name": ["x"] })).await.fails(400, "M_BAD_JSON");
    let report = format!("/users/{}/report", escape(&alice.user_id));
    alice.post(&report, json!(["the fields in their order"])).await.fails(400, "M_BAD_JSON");
    alice.post("/logout", json!([])).await.fails(400, "M_BAD_JSON");
}

#[tokio::test]
async fn json_that_is_too_deep_is_bad() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    for depth in [hearth_api::JSON_DEPTH_MAX, 100_000] {
        let body = format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        for (method, path) in endpoints_with_bodies(&room, &alice.user_id) {
            alice.request(method, &path, body.clone()).await.fails(400, "M_BAD_JSON");
        }
    }
}

#[tokio::test]
async fn bodies_that_are_too_large_are_refused_unread() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    let body = format!("{{\"a\":\"{}\"}}", "x".repeat(hearth_api::JSON_BODY_BYTES_MAX));
    for (method, path) in endpoints_with_bodies(&room, &alice.user_id) {
        alice.request(method, &path, body.clone()).await.fails(413, "M_TOO_LARGE");
    }
}

#[tokio::test]
async fn without_a_valid_token_nothing_is_served() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    let reads = ["/sync", "/account/whoami", "/devices", "/joined_rooms", "/pushrules/", "/capabilities"];
    let room_reads = ["/state", "/members", "/joined_members", "/messages?dir=b"];
    let room_reads = room_reads.map(|rest| Client::room_path(&room, rest));
    for path in reads.iter().copied().chain(room_reads.iter().map(String::as_str)) {
        server.client().get(path).await.fails(401, "M_MISSING_TOKEN");
        let unknown = server.client().with_token("nobody").get(path).await.fails(401, "M_UNKNOWN_TOKEN");
        assert_eq!(unknown["soft_logout"], false);
    }
    let nobody = server.client().with_token("syt_bm9ib2R5_x_y");
    nobody.put(&Client::send_path(&room, "m.room.message"), json!({})).await.fails(401, "M_UNKNOWN_TOKEN");
}

#[tokio::test]
async fn the_token_may_stand_in_the_query_unless_forbidden() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let path = format!("/account/whoami?access_token={}", escape(alice.token.as_deref().expect("a token")));
    assert_eq!(server.client().get(&path).await.ok()["user_id"], alice.user_id);

    let strict = TestServer::start_with(|config| config.api.token_in_query = false).await;
    let bob = strict.register("bob").await;
    let path = format!("/account/whoami?access_token={}", escape(bob.token.as_deref().expect("a token")));
    strict.client().get(&path).await.fails(401, "M_MISSING_TOKEN");
    bob.get("/account/whoami").await.ok();
}

#[tokio::test]
async fn unknown_paths_and_methods_are_unrecognized() {
    let server = TestServer::start().await;
    let client = server.client();
    let unknown = [
        "/_matrix/client/v3/no/such/thing",
        "/_matrix/client/v99/sync",
        "/_matrix/unknown",
        "/_matrix/client/unknown",
        "/_matrix/client/v1/unknown",
        "/_matrix/client/v3/room/unknown",
        "/_matrix/federation/unknown",
        "/_matrix/federation/v1/unknown",
        "/_matrix/key/v2/unknown",
        "/_matrix/media/v3/unknown",
        "/_matrix/key/unknown",
        "/_matrix/media/unknown",
    ];
    for path in unknown {
        for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
            client.request(method, path, "").await.fails(404, "M_UNRECOGNIZED");
        }
    }
    for (method, path) in [
        (Method::PATCH, "/sync"),
        (Method::POST, "/sync"),
        (Method::DELETE, "/createRoom"),
        (Method::GET, "/createRoom"),
        (Method::PUT, "/login"),
        (Method::POST, "/_matrix/client/versions"),
        (Method::PUT, "/_matrix/federation/v1/version"),
        (Method::PUT, "/_matrix/key/v2/query"),
        (Method::PATCH, "/_matrix/media/v3/upload"),
    ] {
        client.request(method, path, "{}").await.fails(405, "M_UNRECOGNIZED");
    }
}

#[tokio::test]
async fn preflight_questions_are_answered_for_every_path() {
    let server = TestServer::start().await;
    for path in ["/sync", "/_matrix/client/versions", "/_matrix/unknown", "/rooms/!x:y/send/m.room.message/1"] {
        let answer = server.client().request(Method::OPTIONS, path, "").await;
        assert!(answer.status.is_success(), "{path}: {}", answer.status);
        let header = |name: &str| answer.headers[name].to_str().expect("text").to_lowercase();
        for method in ["get", "post", "put", "delete", "options"] {
            assert!(header("access-control-allow-methods").contains(method), "{method}");
        }
        for name in ["x-requested-with", "content-type", "authorization"] {
            assert!(header("access-control-allow-headers").contains(name), "{name}");
        }
    }
}

#[tokio::test]
async fn old_versions_of_a_path_do_the_same() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    assert_eq!(alice.get("/_matrix/client/r0/account/whoami").await.ok()["user_id"], alice.user_id);
    let room = alice.post("/_matrix/client/r0/createRoom", json!({})).await.ok()["room_id"].clone();
    let room = escape(room.as_str().expect("an id"));
    alice.put(&format!("/_matrix/client/r0/rooms/{room}/send/m.room.message/t"), json!({ "body": "x" })).await.ok();
    alice.get("/_matrix/client/r0/sync?timeout=0").await.ok();
    alice.get("/_matrix/client/r0/login").await.ok();
}

#[tokio::test]
async fn identifiers_in_paths_are_checked_and_decoded() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    alice.get("/profile/alice").await.fails(400, "M_INVALID_PARAM");
    alice.get("/profile/%FF%FE").await.fails(400, "M_INVALID_PARAM");
    alice.get("/rooms/not-a-room/state").await.fails(400, "M_INVALID_PARAM");
    let room = alice.create_room(json!({})).await;
    let path = Client::room_path(&room, &format!("/state/x.y/{}", escape("a/b c?d#e%")));
    alice.put(&path, json!({ "found": true })).await.ok();
    assert_eq!(alice.get(&path).await.ok()["found"], true);
}

#[tokio::test]
async fn parameters_of_the_query_are_checked() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    let by_time = format!("/_matrix/client/v1{}", Client::room_path(&room, "/timestamp_to_event?dir=f"));
    alice.get(&by_time).await.fails(400, "M_MISSING_PARAM");
    alice.get(&Client::room_path(&room, "/messages?dir=x")).await.fails(400, "M_INVALID_PARAM");
    alice.get(&Client::room_path(&room, "/messages?dir=b&limit=-1")).await.fails(400, "M_INVALID_PARAM");
    alice.get("/sync?timeout=soon").await.fails(400, "M_INVALID_PARAM");
    alice.get("/sync?filter={}&filter={}").await.fails(400, "M_INVALID_PARAM");
    alice.get("/sync?org.matrix.msc4222.use_state_after=1").await.fails(400, "M_INVALID_PARAM");
    let event = escape(&alice.send_text(&room, "x").await);
    for twice in [format!("/context/{event}?filter=&filter="), "/messages?dir=b&filter=&filter=".to_owned()] {
        alice.get(&Client::room_path(&room, &twice)).await.fails(400, "M_INVALID_PARAM");
    }
}

#[tokio::test]
async fn sending_too_fast_is_limited_and_says_for_how_long() {
    let server = TestServer::start_with(|config| {
        config.rate_limits.enabled = true;
        config.rate_limits.message_per_second = 0.5;
        config.rate_limits.message_burst = 3;
    })
    .await;
    let alice = server.register("alice").await;
    let bob = server.register("bob").await;
    let room = alice.create_room_with(&[&bob]).await;
    for _ in 0..3 {
        alice.send_text(&room, "fast").await;
    }
    let refused = alice.put(&Client::send_path(&room, "m.room.message"), json!({ "body": "x" })).await;
    assert_eq!(refused.headers["retry-after"], "2");
    assert_eq!(refused.fails(429, "M_LIMIT_EXCEEDED")["retry_after_ms"], 2000);
    bob.send_text(&room, "others are not held up").await;
    server.clock.advance(2000);
    alice.send_text(&room, "again").await;
}

#[tokio::test]
async fn guessing_passwords_is_limited_by_account_and_by_address() {
    let server = TestServer::start_with(|config| {
        config.rate_limits.enabled = true;
        config.rate_limits.login_account_burst = 2;
        config.rate_limits.login_address_burst = 4;
    })
    .await;
    server.register("alice").await;
    let guess = |user: &'static str, last: u8| {
        let mut client = server.client();
        client.address = std::net::Ipv4Addr::new(198, 51, 100, last).into();
        let identifier = json!({ "type": "m.id.user", "user": user });
        let body = json!({ "type": "m.login.password", "identifier": identifier, "password": "wrong" });
        async move { client.post("/login", body).await }
    };
    guess("alice", 1).await.fails(403, "M_FORBIDDEN");
    guess("@alice:test.hearth", 2).await.fails(403, "M_FORBIDDEN");
    guess("ALICE", 3).await.fails(429, "M_LIMIT_EXCEEDED");
    for user in ["u1", "u2", "u3"] {
        guess(user, 1).await.fails(403, "M_FORBIDDEN");
    }
    guess("u4", 1).await.fails(429, "M_LIMIT_EXCEEDED");
    guess("u4", 9).await.fails(403, "M_FORBIDDEN");
}
