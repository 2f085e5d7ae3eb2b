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
        assert!(rules["global"].get(kind).is_none_or(serde_json::Value::is_array), "{kind}");
    }
    assert_eq!(alice.get("/pushrules/global/").await.ok(), rules["global"]);
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
