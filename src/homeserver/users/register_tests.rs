use std::sync::Arc;

use hearth_storage::MemoryFaults;
use ruma::UserId;

use super::{BadPassword, NewUser, RegisterError, RegisterRequest};
use crate::users::testing::{Fixture, PASSWORD, config, id, with_lanes};
use crate::users::{BadUsername, ExclusiveNames, FirstDisplayName, NewDevice, Users, UsersConfig};

fn request(name: &str) -> RegisterRequest {
    RegisterRequest {
        username: Some(name.to_owned()),
        password: Some(PASSWORD.to_owned()),
        device: Some(NewDevice::default()),
    }
}

#[tokio::test]
async fn an_account_comes_with_a_session_and_a_display_name() {
    with_lanes(config(), async |f: Fixture| {
        let device = NewDevice {
            device_id: Some("xyzzy".into()),
            display_name: Some("my phone".to_owned()),
            ..NewDevice::default()
        };
        let made = f
            .users
            .register(RegisterRequest { device: Some(device), ..request("user-UPPER") }, f.passed().await)
            .await
            .unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(made.user_id, id("user-upper"));
        let session = made.session.unwrap();
        let user = f.users.authenticate(&session.access_token).await.unwrap();
        assert_eq!((user.device_id.as_str(), user.is_admin, user.is_guest), ("xyzzy", false, false));
        assert_eq!(f.users.load_profile(&made.user_id).await.unwrap().unwrap().display_name(), Some("user-upper"));
        assert_eq!(
            f.users.load_device(&user.key, "xyzzy".into()).await.unwrap().unwrap().display_name.as_deref(),
            Some("my phone")
        );
    })
    .await;
}

#[tokio::test]
async fn registering_costs_one_read_and_one_commit() {
    with_lanes(config(), async |f: Fixture| {
        let passed = f.passed().await;
        let before = f.store.counters();
        f.users.register(request("alice"), passed).await.unwrap_or_else(|e| panic!("{e}"));
        let after = f.store.counters();
        assert_eq!((after.gets - before.gets, after.scans - before.scans, after.commits - before.commits), (1, 0, 1));
    })
    .await;
}

#[tokio::test]
async fn a_name_is_given_once_also_after_its_account_ended() {
    with_lanes(config(), async |f: Fixture| {
        f.users.register(request("alice"), f.passed().await).await.unwrap_or_else(|e| panic!("{e}"));
        assert!(matches!(f.users.register(request("Alice"), f.passed().await).await, Err(RegisterError::Taken)));
        f.users.deactivate(&id("alice"), true).await.unwrap();
        assert!(matches!(f.users.check_username("alice").await, Err(RegisterError::Taken)));
    })
    .await;
}

#[tokio::test]
async fn of_many_who_want_a_name_at_once_one_gets_it() {
    for seed in 0..10 {
        let faults = MemoryFaults {
            seed,
            latency_us_max: 200,
            conflict_per_mille: 0,
            unknown_per_mille: 200,
            busy_per_mille: 100,
            ..MemoryFaults::default()
        };
        let f = Fixture::with_faults(8, config(), faults).await;
        let passed = futures_util::future::join_all((0..8).map(|_| f.passed())).await;
        let wishes = passed.into_iter().map(|passed| f.users.register(request("alice"), passed));
        let made: Vec<_> = futures_util::future::join_all(wishes).await.into_iter().filter_map(Result::ok).collect();
        assert_eq!(made.len(), 1, "seed {seed}");
        let token = made[0].session.as_ref().unwrap().access_token.as_str();
        assert_eq!(f.users.authenticate(token).await.unwrap().user_id, id("alice"));
    }
}

#[tokio::test]
async fn bad_names_and_passwords_are_refused() {
    with_lanes(config(), async |f: Fixture| {
        let refused = async |name: &str, password: &str| {
            let wish = RegisterRequest { password: Some(password.to_owned()), ..request(name) };
            f.users.register(wish, f.passed().await).await.err().unwrap()
        };
        assert!(matches!(refused("a!b", PASSWORD).await, RegisterError::Username(BadUsername::Characters)));
        assert!(matches!(refused(&"a".repeat(251), PASSWORD).await, RegisterError::Username(BadUsername::TooLong)));
        assert!(matches!(
            refused("alice", "short").await,
            RegisterError::BadPassword(BadPassword::TooShort { bytes_min: 8 })
        ));
        assert!(matches!(refused("alice", &"x".repeat(513)).await, RegisterError::BadPassword(BadPassword::TooLong)));
        assert!(f.users.load_account(&id("alice")).await.unwrap().is_none());
    })
    .await;
}

struct Bridges;

impl ExclusiveNames for Bridges {
    fn is_exclusive(&self, user: &UserId) -> bool {
        user.localpart().starts_with("_irc_")
    }
}

#[tokio::test]
async fn reserved_names_are_for_administrators_only() {
    with_lanes(UsersConfig { reserved_names: vec!["Admin".to_owned()], ..config() }, async |f: Fixture| {
        let users = Users::with_names(&f.env, f.users.config().clone(), Arc::new(Bridges));
        for name in ["admin", "_irc_bob"] {
            assert!(matches!(users.check_username(name).await, Err(RegisterError::Reserved)), "{name}");
            assert!(matches!(users.register(request(name), f.passed().await).await, Err(RegisterError::Reserved)));
        }
        let new = NewUser { username: "admin".to_owned(), is_admin: true, ..NewUser::default() };
        let made = users.create_user(new).await.unwrap_or_else(|e| panic!("{e}"));
        assert!(made.session.is_none());
        assert!(users.load_account(&made.user_id).await.unwrap().unwrap().is_admin);
    })
    .await;
}

#[tokio::test]
async fn names_are_made_up_when_left_out() {
    with_lanes(UsersConfig { first_display_name: FirstDisplayName::None, ..config() }, async |f: Fixture| {
        let wish = || RegisterRequest { username: None, device: None, ..request("") };
        let first = f.users.register(wish(), f.passed().await).await.unwrap_or_else(|e| panic!("{e}"));
        let second = f.users.register(wish(), f.passed().await).await.unwrap_or_else(|e| panic!("{e}"));
        assert_ne!(first.user_id, second.user_id);
        assert!(first.session.is_none());
        assert!(f.users.load_profile(&first.user_id).await.unwrap().unwrap().fields.is_empty());
    })
    .await;
}

#[tokio::test]
async fn guests_are_a_setting() {
    with_lanes(config(), async |f: Fixture| {
        assert!(matches!(f.users.register_guest(NewDevice::default()).await, Err(RegisterError::GuestsForbidden)));
        let users = Users::new(&f.env, UsersConfig { guests_allowed: true, ..config() });
        let session =
            users.register_guest(NewDevice::default()).await.unwrap_or_else(|e| panic!("{e}")).session.unwrap();
        assert!(users.authenticate(&session.access_token).await.unwrap().is_guest);
    })
    .await;
}
