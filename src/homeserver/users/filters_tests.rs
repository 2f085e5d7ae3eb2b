use serde_json::value::RawValue;

use super::FilterError;
use crate::users::testing::{Fixture, config, with_lanes};
use crate::users::{LocalUser, UsersConfig};

async fn create(f: &Fixture, user: &LocalUser, json: &str) -> Result<String, FilterError> {
    f.users.create_filter(user, &RawValue::from_string(json.to_owned()).unwrap()).await
}

#[tokio::test]
async fn the_same_filter_has_the_same_id_and_is_its_users_own() {
    with_lanes(config(), async |f: Fixture| {
        let (alice, bob) = (f.user("alice").await, f.user("bob").await);
        let id = create(&f, &alice, r#"{"room":{"timeline":{"limit":10}},"x.y":1}"#).await.unwrap();
        let commits = f.store.counters().commits;
        assert_eq!(create(&f, &alice, r#" { "x.y": 1, "room": {"timeline": {"limit": 10}} }"#).await.unwrap(), id);
        assert_eq!(f.store.counters().commits, commits, "nothing new to write");
        assert!(!id.starts_with('{'));
        let stored = f.users.load_filter(&alice.user_id, &id).await.unwrap().unwrap();
        assert_eq!(stored.get(), r#"{"room":{"timeline":{"limit":10}},"x.y":1}"#);
        assert!(f.users.load_filter(&bob.user_id, &id).await.unwrap().is_none());
        for unknown in ["", "0", &"x".repeat(2_000)] {
            assert!(f.users.load_filter(&alice.user_id, unknown).await.unwrap().is_none());
        }
    })
    .await;
}

#[tokio::test]
async fn filters_have_a_form_a_length_and_a_number() {
    with_lanes(UsersConfig { filters_max: 2, filter_bytes_max: 100, ..config() }, async |f: Fixture| {
        let alice = f.user("alice").await;
        for bad in ["[]", "1", r#"{"room":5}"#, r#"{"room":{"timeline":{"limit":"ten"}}}"#] {
            assert!(matches!(create(&f, &alice, bad).await, Err(FilterError::BadFilter(_))), "{bad}");
        }
        let long = format!(r#"{{"x":"{}"}}"#, "x".repeat(100));
        assert!(matches!(create(&f, &alice, &long).await, Err(FilterError::TooLarge)));
        let first = create(&f, &alice, "{}").await.unwrap();
        create(&f, &alice, r#"{"x":1}"#).await.unwrap();
        assert!(matches!(create(&f, &alice, r#"{"x":2}"#).await, Err(FilterError::TooMany)));
        assert_eq!(create(&f, &alice, "{}").await.unwrap(), first);
    })
    .await;
}
