use hearth_protocol::default_rules;
use ruma::push::{Action, NewConditionalPushRule, NewPatternedPushRule, NewPushRule, RuleKind};

use super::PushRuleError;
use crate::users::UsersConfig;
use crate::users::testing::{Fixture, config, id, with_lanes};

fn content(rule_id: &str, pattern: &str) -> NewPushRule {
    NewPushRule::Content(NewPatternedPushRule::new(rule_id.to_owned(), pattern.to_owned(), vec![Action::Notify]))
}

#[tokio::test]
async fn who_never_changed_a_rule_has_the_servers_defaults() {
    with_lanes(config(), async |f: Fixture| {
        let rules = f.users.load_push_rules(&id("alice")).await.unwrap();
        assert_eq!(serde_json::to_value(rules).unwrap(), serde_json::to_value(default_rules(&id("alice"))).unwrap());
    })
    .await;
}

#[tokio::test]
async fn rules_are_made_changed_ordered_and_deleted_and_seen_by_a_sync() {
    with_lanes(config(), async |f: Fixture| {
        let alice = f.user("alice").await;
        let head = || f.store.head(f.store.lane_of(&alice.key.0));
        let start = head();
        f.users.set_push_rule(&alice, content("one", "1"), None, None).await.unwrap();
        f.users.set_push_rule(&alice, content("two", "2"), Some("one"), None).await.unwrap();
        f.users.set_push_rule_enabled(&alice, &RuleKind::Override, ".m.rule.master", true).await.unwrap();
        f.users.set_push_rule_actions(&alice, &RuleKind::Content, "two", vec![]).await.unwrap();
        let rules = f.users.load_push_rules(&alice.user_id).await.unwrap();
        let ids: Vec<_> = rules.content.iter().map(|rule| rule.rule_id.as_str()).collect();
        assert_eq!(ids, ["one", "two", ".m.rule.contains_user_name"], "one's own before the server's");
        assert!(rules.get(RuleKind::Override, ".m.rule.master").unwrap().enabled());
        assert!(rules.get(RuleKind::Content, "two").unwrap().actions().is_empty());
        let changes = f.users.list_account_data_changes(&alice.key, start, head()).await.unwrap();
        assert_eq!(changes.len(), 1);
        assert_eq!(changes[0].kind, "m.push_rules");
        assert!(changes[0].content.get().starts_with(r#"{"global":{"#));
        f.users.delete_push_rule(&alice, &RuleKind::Content, "one").await.unwrap();
        assert!(f.users.load_push_rules(&alice.user_id).await.unwrap().get(RuleKind::Content, "one").is_none());
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_is_refused() {
    with_lanes(UsersConfig { push_rules_max: 2, ..config() }, async |f: Fixture| {
        let alice = f.user("alice").await;
        let set = async |rule, after: Option<&str>| f.users.set_push_rule(&alice, rule, after, None).await;
        assert!(matches!(set(content(".m.mine", "x"), None).await, Err(PushRuleError::ServerDefault)));
        for bad in ["", "a/b", "a\\b", &"a".repeat(301)] {
            assert!(matches!(set(content(bad, "x"), None).await, Err(PushRuleError::Id)), "{bad}");
        }
        assert!(matches!(set(content("a", "x"), Some("unknown")).await, Err(PushRuleError::UnknownNeighbour)));
        assert!(matches!(set(content("a", &"x".repeat(1_100)), None).await, Err(PushRuleError::TooLarge)));
        let rule = NewPushRule::Override(NewConditionalPushRule::new("after".to_owned(), vec![], vec![]));
        assert!(
            matches!(set(rule, Some(".m.rule.master")).await, Err(PushRuleError::UnknownNeighbour)),
            "an `after` of the server's rules is an error, no panic"
        );
        set(content("a", "x"), None).await.unwrap();
        set(content("b", "x"), None).await.unwrap();
        assert!(matches!(set(content("c", "x"), None).await, Err(PushRuleError::TooMany)));
        set(content("b", "y"), None).await.unwrap();
        assert!(matches!(
            f.users.delete_push_rule(&alice, &RuleKind::Override, ".m.rule.master").await,
            Err(PushRuleError::ServerDefault)
        ));
        assert!(matches!(f.users.delete_push_rule(&alice, &RuleKind::Content, "c").await, Err(PushRuleError::Unknown)));
        assert!(matches!(
            f.users.set_push_rule_enabled(&alice, &RuleKind::Content, "c", true).await,
            Err(PushRuleError::Unknown)
        ));
        let actions = vec![Action::Notify; 500];
        assert!(matches!(
            f.users.set_push_rule_actions(&alice, &RuleKind::Content, "a", actions).await,
            Err(PushRuleError::TooLarge)
        ));
    })
    .await;
}

#[tokio::test]
async fn new_default_rules_reach_stored_rules() {
    with_lanes(config(), async |f: Fixture| {
        let alice = f.user("alice").await;
        let stored = r#"{"global":{"override":[{"rule_id":".m.rule.master","default":true,"enabled":true,"actions":[],"conditions":[]}],"content":[{"rule_id":"mine","default":false,"enabled":true,"actions":[],"pattern":"x"}]}}"#;
        let edit = |_: Option<&str>| Ok::<_, PushRuleError>(crate::users::account_data::Edit::Set(stored.to_owned()));
        f.users.edit_account_data(alice.key, None, super::PUSH_RULES, edit).await.unwrap();
        let rules = f.users.load_push_rules(&alice.user_id).await.unwrap();
        assert!(rules.get(RuleKind::Override, ".m.rule.master").unwrap().enabled());
        assert!(rules.get(RuleKind::Underride, ".m.rule.message").is_some());
        assert!(rules.get(RuleKind::Content, "mine").is_some());
    })
    .await;
}

#[tokio::test]
async fn a_rule_that_moves_stands_where_it_was_put() {
    with_lanes(config(), async |f: Fixture| {
        let alice = f.user("alice").await;
        let set = async |id: &str, after: Option<&str>, before: Option<&str>| {
            f.users.set_push_rule(&alice, content(id, "x"), after, before).await
        };
        let order = async || {
            let rules = f.users.load_push_rules(&alice.user_id).await.unwrap();
            let own = rules.content.iter().filter(|rule| !rule.default);
            own.map(|rule| rule.rule_id.clone()).collect::<Vec<_>>()
        };
        for id in ["c", "b", "a"] {
            set(id, None, None).await.unwrap();
        }
        assert_eq!(order().await, ["a", "b", "c"]);
        set("a", Some("c"), None).await.unwrap();
        assert_eq!(order().await, ["b", "c", "a"]);
        set("a", Some("b"), Some("c")).await.unwrap();
        assert_eq!(order().await, ["b", "a", "c"]);
        f.users.set_push_rule_enabled(&alice, &RuleKind::Content, "b", false).await.unwrap();
        set("b", None, Some("c")).await.unwrap();
        assert_eq!(order().await, ["a", "b", "c"]);
        let rules = f.users.load_push_rules(&alice.user_id).await.unwrap();
        assert!(!rules.get(RuleKind::Content, "b").unwrap().enabled(), "moving does not switch on");
        assert!(matches!(set("a", Some("a"), None).await, Err(PushRuleError::UnknownNeighbour)));
        assert!(matches!(set("a", Some("c"), Some("b")).await, Err(PushRuleError::Order)));
        assert_eq!(order().await, ["a", "b", "c"]);
    })
    .await;
}
