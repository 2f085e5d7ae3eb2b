use serde_json::value::to_raw_value;

use super::IgnoredUsers;
use crate::users::testing::{Fixture, config, id, with_lanes};

#[test]
fn only_users_are_ignored() {
    let found = IgnoredUsers::parse(r#"{"ignored_users":{"@a:b":{},"nobody":{},"@c:d":5}}"#);
    assert_eq!(found.0.len(), 2);
    assert!(IgnoredUsers::parse(r#"{"ignored_users":["@a:b"]}"#).is_empty());
    assert!(IgnoredUsers::parse("{}").is_empty());
}

#[tokio::test]
async fn the_list_is_the_newest_one() {
    with_lanes(config(), async |f: Fixture| {
        let alice = f.user("alice").await;
        let bob = id("bob");
        let list = async || f.users.load_ignored(&alice.user_id).await.unwrap();
        let put = async |content: serde_json::Value| {
            let content = to_raw_value(&content).unwrap();
            f.users.set_account_data(&alice, None, "m.ignored_user_list", &content).await.unwrap();
        };
        assert!(list().await.is_empty());
        put(serde_json::json!({ "ignored_users": { bob.as_str(): {} } })).await;
        assert!(list().await.contains(&bob));
        assert!(list().await.contains(&bob));
        put(serde_json::json!({ "ignored_users": {} })).await;
        assert!(!list().await.contains(&bob));
    })
    .await;
}
