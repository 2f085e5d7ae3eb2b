use std::net::{IpAddr, Ipv4Addr};

use super::AuthError;
use crate::users::UsersConfig;
use crate::users::testing::{Fixture, config, id, with_lanes};

fn is_unknown(result: &Result<super::LocalUser, AuthError>, soft: bool) -> bool {
    matches!(result, Err(AuthError::UnknownToken { soft_logout }) if *soft_logout == soft)
}

#[tokio::test]
async fn a_token_proves_its_user_and_device_and_a_warm_one_costs_no_read() {
    with_lanes(config(), async |f: Fixture| {
        f.token("alice").await;
        let token = f.login("alice", "PHONE").await;
        let before = f.store.counters();
        let user = f.users.authenticate(&token).await.unwrap();
        assert_eq!((user.user_id.as_str(), user.device_id.as_str()), ("@alice:hs1", "PHONE"));
        assert!(!user.is_admin && !user.is_guest && !user.is_suspended);
        assert_eq!(f.store.counters().gets - before.gets, 2, "cold: the token and the account");
        let warm = f.store.counters();
        f.users.authenticate(&token).await.unwrap();
        assert_eq!(f.store.counters(), warm);
    })
    .await;
}

#[tokio::test]
async fn what_is_no_token_of_ours_is_unknown() {
    with_lanes(config(), async |f: Fixture| {
        let token = f.token("alice").await;
        let mut other = token.clone();
        other.replace_range(other.len() - 2.., if token.ends_with("AA") { "BB" } else { "AA" });
        for bad in ["", "invalidAccessToken", &other, &format!("{token} ")] {
            assert!(is_unknown(&f.users.authenticate(bad).await, false), "{bad:?}");
        }
        f.users.authenticate(&token).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_token_runs_out_softly() {
    with_lanes(UsersConfig { token_lifetime_s: Some(60), ..config() }, async |f: Fixture| {
        let token = f.token("alice").await;
        f.clock.advance(59_999);
        f.users.authenticate(&token).await.unwrap();
        f.clock.advance(1);
        assert!(is_unknown(&f.users.authenticate(&token).await, true), "from the cache");
        let other = crate::users::Users::new(&f.env, config());
        assert!(is_unknown(&other.authenticate(&token).await, true), "from the table");
    })
    .await;
}

#[tokio::test]
async fn standing_takes_effect_at_once_on_a_warm_token() {
    with_lanes(config(), async |f: Fixture| {
        let token = f.token("alice").await;
        f.users.authenticate(&token).await.unwrap();
        f.users.set_locked(&id("alice"), true).await.unwrap();
        assert!(matches!(f.users.authenticate(&token).await, Err(AuthError::Locked)));
        assert_eq!(f.users.authenticate_locked_too(&token).await.unwrap().user_id, id("alice"));
        f.users.set_locked(&id("alice"), false).await.unwrap();
        f.users.set_suspended(&id("alice"), true).await.unwrap();
        f.users.set_admin(&id("alice"), true).await.unwrap();
        let user = f.users.authenticate(&token).await.unwrap();
        assert!(user.is_suspended && user.is_admin);
    })
    .await;
}

#[tokio::test]
async fn a_device_is_seen_at_most_once_a_minute_and_not_after_its_end() {
    with_lanes(config(), async |f: Fixture| {
        let user = f.user("alice").await;
        let seen = async || {
            f.users
                .load_device(&user.key, &user.device_id)
                .await
                .unwrap()
                .filter(|device| device.last_seen_ip.is_some())
                .map(|device| (device.last_seen_ms, device.last_seen_ip))
        };
        assert_eq!(seen().await, None);
        let ip = |last| Some(IpAddr::V4(Ipv4Addr::new(10, 0, 0, last)));
        f.users.record_seen(&user, ip(1), None);
        f.clock.advance(59_999);
        f.users.record_seen(&user, ip(2), None);
        f.users.write_sightings().await;
        let (first_ms, first_ip) = seen().await.unwrap();
        assert_eq!(first_ip.as_deref(), Some("10.0.0.1"));
        f.clock.advance(1);
        f.users.record_seen(&user, ip(3), None);
        f.users.write_sightings().await;
        assert_eq!(seen().await, Some((first_ms + 60_000, Some("10.0.0.3".to_owned()))));
        f.clock.advance(60_000);
        f.users.record_seen(&user, ip(4), None);
        f.users.logout(&user).await.unwrap();
        f.users.write_sightings().await;
        f.login("alice", user.device_id.as_str()).await;
        assert_eq!(seen().await, None, "a sighting of the deleted device was not written");
    })
    .await;
}
