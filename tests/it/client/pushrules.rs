//! `GET /pushrules/` and what is under it.

use serde_json::json;

use crate::harness::TestServer;

#[tokio::test]
async fn a_new_account_has_the_default_rules() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let rules = alice.get("/pushrules/").await.ok();
    assert_eq!(rules["global"]["override"][0]["rule_id"], ".m.rule.master");
    for kind in ["override", "underride", "content", "room", "sender"] {
        assert!(rules["global"][kind].is_array(), "{kind}");
    }
    for rules in [alice.sync(None).await, alice.get(&alice.user_path("/account_data/m.push_rules")).await.ok()] {
        let rules = rules.pointer("/account_data/events").map_or(&rules, |events| {
            let events = events.as_array().expect("events").iter();
            &events.clone().find(|event| event["type"] == "m.push_rules").expect("rules")["content"]
        });
        for kind in ["override", "underride", "content", "room", "sender"] {
            assert!(rules["global"][kind].is_array(), "{kind}: {rules}");
        }
    }
    alice.put("/pushrules/global/override/.m.rule.master/enabled", json!({ "enabled": false })).await.ok();
    let stored = alice.get(&alice.user_path("/account_data/m.push_rules")).await.ok();
    assert_eq!(stored, alice.get("/pushrules/").await.ok());
    assert_eq!(stored["global"]["sender"], json!([]));
    for path in ["/pushrules/global/", "/pushrules/global", "/_matrix/client/r0/pushrules/global/"] {
        assert_eq!(alice.get(path).await.ok(), rules["global"], "{path}");
    }
    for path in ["/pushrules", "/_matrix/client/r0/pushrules/"] {
        assert_eq!(alice.get(path).await.ok(), rules, "{path}");
    }
    let ids = |kind: &str| {
        let rules = rules["global"][kind].as_array().expect("rules").iter();
        rules.map(|rule| rule["rule_id"].as_str().expect("an id").to_owned()).collect::<Vec<_>>()
    };
    for id in ["suppress_notices", "invite_for_me", "is_user_mention", "room.server_acl", "suppress_edits"] {
        assert!(ids("override").contains(&format!(".m.rule.{id}")), "{id}");
    }
    assert!(ids("override").contains(&".org.matrix.msc3930.rule.poll_response".to_owned()));
    for id in ["poll_start", "poll_start_one_to_one", "poll_end", "poll_end_one_to_one"] {
        assert!(ids("underride").contains(&format!(".org.matrix.msc3930.rule.{id}")), "{id}");
    }
}

#[tokio::test]
async fn a_rule_can_be_read_alone() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let path = "/pushrules/global/override/.m.rule.master";
    let rule = alice.get(path).await.ok();
    assert_eq!((&rule["rule_id"], &rule["default"]), (&json!(".m.rule.master"), &json!(true)));
    assert_eq!(alice.get(&format!("{path}/enabled")).await.ok(), json!({ "enabled": false }));
    assert_eq!(alice.get(&format!("{path}/actions")).await.ok(), json!({ "actions": [] }));
}

#[tokio::test]
async fn unknown_rules_are_not_found() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    for path in ["override/none", "override/none/enabled", "override/none/actions", "room/!x:y", "nonsense/none"] {
        let answer = alice.get(&format!("/pushrules/global/{path}")).await;
        assert!(answer.status == 404 || answer.status == 400, "{path}: {}", answer.text());
    }
}

#[tokio::test]
async fn rules_are_made_moved_changed_and_deleted_for_all_devices() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let other_device = alice.log_in_again().await;
    let mut since = other_device.sync(None).await["next_batch"].as_str().expect("a token").to_owned();
    let told = async |since: &mut String| {
        let answer = other_device.sync(Some(since)).await;
        *since = answer["next_batch"].as_str().expect("a token").to_owned();
        let events = answer["account_data"]["events"].as_array().cloned().unwrap_or_default();
        let rules = events.iter().find(|event| event["type"] == "m.push_rules").cloned();
        rules.expect("the change is told")["content"]["global"].clone()
    };
    let word = "/pushrules/global/content/word";
    alice.put(word, json!({ "actions": ["notify"], "pattern": "cake" })).await.ok();
    let rule =
        json!({ "rule_id": "word", "default": false, "enabled": true, "actions": ["notify"], "pattern": "cake" });
    assert_eq!(alice.get(word).await.ok(), rule);
    assert_eq!(told(&mut since).await["content"][0], rule);
    let pie = json!({ "actions": [], "pattern": "pie" });
    alice.put("/pushrules/global/content/second?after=word", pie.clone()).await.ok();
    assert_eq!(told(&mut since).await["content"][1]["rule_id"], "second");
    alice.put("/pushrules/global/content/second?before=word", pie).await.ok();
    assert_eq!(told(&mut since).await["content"][0]["rule_id"], "second");
    alice.put(&format!("{word}/enabled"), json!({ "enabled": false })).await.ok();
    assert_eq!(told(&mut since).await["content"][1]["enabled"], false);
    let loud = json!({ "actions": ["notify", { "set_tweak": "highlight" }] });
    alice.put(&format!("{word}/actions"), loud.clone()).await.ok();
    assert_eq!(alice.get(&format!("{word}/actions")).await.ok(), loud);
    assert_eq!(told(&mut since).await["content"][1]["enabled"], false);
    alice.delete(word, json!({})).await.ok();
    alice.get(word).await.fails(404, "M_NOT_FOUND");
    assert!(!told(&mut since).await["content"].to_string().contains("cake"));
    let room = "/pushrules/global/room/!room:example.org";
    alice.put(room, json!({ "actions": [] })).await.ok();
    let sender = "/pushrules/global/sender/@bob:example.org";
    alice.put(sender, json!({ "actions": ["dont_notify"] })).await.ok();
    for _ in 0..2 {
        assert_eq!(alice.get(sender).await.ok()["actions"], json!(["dont_notify"]), "as it was given, each time");
    }
    for kind in ["override", "underride"] {
        let condition = json!({ "kind": "event_match", "key": "type", "pattern": "m.x" });
        let path = format!("/pushrules/global/{kind}/mine");
        alice.put(&path, json!({ "actions": [], "conditions": [condition] })).await.ok();
        assert_eq!(alice.get(&path).await.ok()["conditions"], json!([condition]));
    }
    alice.put("/pushrules/global/override/.m.rule.master/enabled", json!({ "enabled": true })).await.ok();
    assert_eq!(told(&mut since).await["override"][0]["enabled"], true);
}

#[tokio::test]
async fn rules_that_cannot_be_are_refused_and_nothing_is_stored() {
    let server = TestServer::start_with(|config| config.users.push_rules_max = 1).await;
    let alice = server.register("alice").await;
    let before = alice.get("/pushrules/").await.ok();
    let rule = json!({ "actions": ["notify"], "pattern": "cake" });
    let path = |id: &str| format!("/pushrules/global/content/{id}");
    alice.put(&path(".m.rule.mine"), rule.clone()).await.fails(400, "M_INVALID_PARAM");
    alice.put(&path("a%5Cb"), rule.clone()).await.fails(400, "M_INVALID_PARAM");
    alice.put(&path("a?after=nobody"), rule.clone()).await.fails(400, "M_UNKNOWN");
    alice.put(&path("a?before=.m.rule.master"), rule.clone()).await.fails(400, "M_UNKNOWN");
    alice.put(&path("a"), json!({ "actions": ["notify"] })).await.fails(400, "M_BAD_JSON");
    alice.put(&path("a"), json!({ "actions": [], "pattern": "x".repeat(1_100) })).await.fails(413, "M_TOO_LARGE");
    alice.request(http::Method::PUT, &path("a"), "nonsense").await.fails(400, "M_NOT_JSON");
    alice.put("/pushrules/global/nonsense/a", rule.clone()).await.fails(400, "M_INVALID_PARAM");
    let master = "/pushrules/global/override/.m.rule.master";
    alice.delete(master, json!({})).await.fails(400, "M_INVALID_PARAM");
    alice.delete(&path("a"), json!({})).await.fails(404, "M_NOT_FOUND");
    alice.put(&format!("{}/enabled", path("a")), json!({ "enabled": true })).await.fails(404, "M_NOT_FOUND");
    alice.put(&format!("{}/actions", path("a")), json!({ "actions": [] })).await.fails(404, "M_NOT_FOUND");
    alice.put(&format!("{master}/enabled"), json!({ "enabled": "yes" })).await.fails(400, "M_BAD_JSON");
    server.client().put(&path("a"), rule.clone()).await.fails(401, "M_MISSING_TOKEN");
    assert_eq!(alice.get("/pushrules/").await.ok(), before);
    alice.put(&path("a"), rule.clone()).await.ok();
    alice.put(&path("b"), rule).await.fails(403, "M_RESOURCE_LIMIT_EXCEEDED");
}

#[tokio::test]
async fn polls_are_judged_by_rules_of_their_own() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let of_kind =
        |kind: &str| json!({ "kind": "event_match", "key": "type", "pattern": format!("org.matrix.msc3381.{kind}") });
    let pair = json!({ "kind": "room_member_count", "is": "2" });
    let loud = json!(["notify", { "set_tweak": "sound", "value": "default" }]);
    for (kind, id, conditions, actions) in [
        ("override", "poll_response", json!([of_kind("poll.response")]), json!([])),
        ("underride", "poll_start_one_to_one", json!([pair, of_kind("poll.start")]), loud.clone()),
        ("underride", "poll_start", json!([of_kind("poll.start")]), json!(["notify"])),
        ("underride", "poll_end_one_to_one", json!([pair, of_kind("poll.end")]), loud.clone()),
        ("underride", "poll_end", json!([of_kind("poll.end")]), json!(["notify"])),
    ] {
        let rule = alice.get(&format!("/pushrules/global/{kind}/.org.matrix.msc3930.rule.{id}")).await.ok();
        assert_eq!((&rule["default"], &rule["enabled"]), (&json!(true), &json!(true)), "{id}");
        assert_eq!((&rule["conditions"], &rule["actions"]), (&conditions, &actions), "{id}");
    }
    let rules = alice.get("/pushrules/").await.ok();
    let underrides = rules["global"]["underride"].as_array().expect("rules");
    let place = |id: &str| {
        let id = format!(".org.matrix.msc3930.rule.{id}");
        underrides.iter().position(|rule| rule["rule_id"] == id.as_str()).expect("the rule")
    };
    assert!(place("poll_start_one_to_one") < place("poll_start") && place("poll_end_one_to_one") < place("poll_end"));
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "a long poll that waits beside the test")]
async fn a_change_of_the_rules_wakes_a_waiting_sync() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = "/pushrules/global/room/!room:example.org";
    let mut since = alice.sync(None).await["next_batch"].as_str().expect("a token").to_owned();
    for (path, body) in [
        (room.to_owned(), json!({ "actions": [] })),
        (format!("{room}/enabled"), json!({ "enabled": false })),
        (format!("{room}/enabled"), json!({ "enabled": true })),
        (format!("{room}/actions"), json!({ "actions": ["notify"] })),
    ] {
        let waiting = {
            let (alice, since) = (alice.clone(), since.clone());
            tokio::spawn(async move { alice.sync_with(Some(&since), "timeout=30000").await })
        };
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        alice.put(&path, body).await.ok();
        let answer = waiting.await.expect("an answer");
        assert_eq!(answer["account_data"]["events"][0]["type"], "m.push_rules", "{path}");
        since = answer["next_batch"].as_str().expect("a token").to_owned();
    }
}

#[tokio::test]
async fn patterns_with_wildcards_are_few() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let rule = |pattern: &str| json!({ "actions": ["notify"], "pattern": pattern });
    for n in 0..63 {
        alice.put(&format!("/pushrules/global/content/wild{n}"), rule("a*b")).await.ok();
    }
    let conditions = |patterns: &[&str]| {
        let condition = |pattern: &&str| json!({ "kind": "event_match", "key": "content.body", "pattern": pattern });
        let conditions: Vec<_> = patterns.iter().map(condition).collect();
        json!({ "actions": ["notify"], "conditions": conditions })
    };
    let path = "/pushrules/global/override/both";
    alice.put(path, conditions(&["a?", "b*"])).await.fails(403, "M_RESOURCE_LIMIT_EXCEEDED");
    alice.get(path).await.fails(404, "M_NOT_FOUND");
    alice.put(path, conditions(&["a?", "b"])).await.ok();
    alice.put("/pushrules/global/content/one-more", rule("?")).await.fails(403, "M_RESOURCE_LIMIT_EXCEEDED");
    alice.put("/pushrules/global/content/plain", rule("plain")).await.ok();
    alice.put("/pushrules/global/content/wild0", rule("another*")).await.ok();
}
