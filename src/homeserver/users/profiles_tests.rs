use serde_json::{Value, json};

use super::{PROFILE_BYTES_MAX, ProfileError, check_key};
use crate::users::testing::{Fixture, config, id, with_lanes};

#[test]
fn names_of_fields_follow_the_grammar() {
    for good in ["displayname", "avatar_url", "m.tz", "m.example_field", "org.example.a1_b"] {
        assert!(check_key(good).is_ok(), "{good}");
    }
    for bad in ["", "tz", "M.tz", "m.", ".tz", "m..tz", "m.1tz", "m.tz ", "m.t-z", "m.tź", "a/b.c"] {
        assert!(matches!(check_key(bad), Err(ProfileError::Key)), "{bad}");
    }
    assert!(check_key(&format!("m.{}", "a".repeat(253))).is_ok());
    assert!(matches!(check_key(&format!("m.{}", "a".repeat(254))), Err(ProfileError::KeyTooLarge)));
}

#[tokio::test]
async fn fields_are_set_changed_and_removed() {
    with_lanes(config(), async |f: Fixture| {
        let alice = id("alice");
        f.token("alice").await;
        let set = async |key: &str, value: Value| f.users.set_profile_field(&alice, key, &value).await.unwrap();
        assert!(set("displayname", json!("LemurLover")).await);
        assert!(!set("displayname", json!("LemurLover")).await);
        assert!(set("avatar_url", json!("mxc://hs1/abc")).await);
        assert!(set("m.tz", json!("Europe/London")).await);
        assert!(set("org.example.pet", json!({"kind": "cat", "lives": 9, "name": null})).await);
        let profile = f.users.load_profile(&alice).await.unwrap().unwrap();
        assert_eq!((profile.display_name(), profile.avatar_url()), (Some("LemurLover"), Some("mxc://hs1/abc")));
        assert_eq!(
            Value::Object(profile.fields),
            json!({
                "displayname": "LemurLover", "avatar_url": "mxc://hs1/abc", "m.tz": "Europe/London",
                "org.example.pet": {"kind": "cat", "lives": 9, "name": null},
            })
        );
        assert!(set("avatar_url", json!("")).await);
        assert!(set("displayname", json!(null)).await);
        assert!(f.users.delete_profile_field(&alice, "m.tz").await.unwrap());
        assert!(!f.users.delete_profile_field(&alice, "m.tz").await.unwrap());
        assert_eq!(f.users.load_profile(&alice).await.unwrap().unwrap().fields.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn values_have_the_form_of_their_field() {
    with_lanes(config(), async |f: Fixture| {
        f.token("alice").await;
        let bad = [
            ("displayname", json!(1)),
            ("displayname", json!("é".repeat(257))),
            ("avatar_url", json!("x".repeat(1_001))),
            ("avatar_url", json!({})),
            ("m.tz", json!(["UTC"])),
        ];
        for (key, value) in bad {
            let result = f.users.set_profile_field(&id("alice"), key, &value).await;
            assert!(matches!(result, Err(ProfileError::Value(_))), "{key} {value}");
        }
        f.users.set_profile_field(&id("alice"), "displayname", &json!("é".repeat(256))).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_profile_stays_under_64_kib_as_json() {
    with_lanes(config(), async |f: Fixture| {
        let alice = id("alice");
        f.token("alice").await;
        f.users.delete_profile_field(&alice, "displayname").await.unwrap();
        // `{"m.a":"…"}` has ten bytes around the text.
        let set = async |len: usize| f.users.set_profile_field(&alice, "m.a", &json!("x".repeat(len))).await;
        assert!(matches!(set(PROFILE_BYTES_MAX - 10).await, Err(ProfileError::TooLarge)));
        set(PROFILE_BYTES_MAX - 11).await.unwrap();
        let profile = f.users.load_profile(&alice).await.unwrap().unwrap();
        assert_eq!(Value::Object(profile.fields).to_string().len(), PROFILE_BYTES_MAX - 1);
        assert!(matches!(f.users.set_profile_field(&alice, "m.b", &json!(1)).await, Err(ProfileError::TooLarge)));
        f.users.delete_profile_field(&alice, "m.a").await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn strangers_have_no_profile_here() {
    with_lanes(config(), async |f: Fixture| {
        for user in [&id("nobody"), ruma::user_id!("@alice:elsewhere")] {
            assert!(f.users.load_profile(user).await.unwrap().is_none());
            let set = f.users.set_profile_field(user, "displayname", &json!("x")).await;
            assert!(matches!(set, Err(ProfileError::UnknownUser)));
        }
    })
    .await;
}

#[tokio::test]
async fn fields_set_at_the_same_time_are_all_there() {
    with_lanes(config(), async |f: Fixture| {
        f.token("alice").await;
        let alice = id("alice");
        let sets = (0..8).map(|n| {
            let (users, alice) = (f.users.clone(), alice.clone());
            async move { users.set_profile_field(&alice, &format!("m.f{n}"), &json!(n)).await }
        });
        for set in futures_util::future::join_all(sets).await {
            assert!(set.unwrap());
        }
        assert_eq!(f.users.load_profile(&alice).await.unwrap().unwrap().fields.len(), 9);
    })
    .await;
}
