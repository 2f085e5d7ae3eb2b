use hearth_storage::schema::accounts::DeviceSightings;
use hearth_storage::schema::users::{AccessTokens, Accounts, Devices};
use hearth_storage::{MemoryFaults, Page};
use ruma::OwnedDeviceId;

use crate::users::testing::{Fixture, PASSWORD, config, id, with_lanes};
use crate::users::{BadDevice, EndSessions, LocalUser, LoginError, NewDevice, PasswordLogin, UsersConfig};

async fn is_valid(f: &Fixture, token: &str) -> bool {
    f.users.authenticate(token).await.is_ok()
}

/// The rows of sessions are what the account's row says they are.
async fn check_rows(f: &Fixture, user: &LocalUser, devices: usize) {
    let page = || Page::first(100);
    let rows = f.store.scan::<Devices, _>(&user.key, page()).await.unwrap().rows;
    let tokens = f.store.scan::<AccessTokens, _>(&user.key, Page::first(100)).await.unwrap().rows;
    let account = f.store.get::<Accounts>(&user.key).await.unwrap().unwrap();
    assert_eq!((rows.len(), tokens.len(), account.devices as usize), (devices, devices, devices));
    for ((_, row), _) in tokens {
        assert!(rows.iter().any(|(_, device)| device.token == Some(row)));
    }
    let sightings = f.store.scan::<DeviceSightings, _>(&user.key, Page::first(100)).await.unwrap().rows;
    assert!(sightings.iter().all(|((_, seen), _)| rows.iter().any(|((_, id), _)| id == seen)));
}

#[tokio::test]
async fn logging_out_ends_one_session_at_once_and_deletes_its_device() {
    with_lanes(config(), async |f: Fixture| {
        let first = f.token("alice").await;
        let second = f.login("alice", "PHONE").await;
        let user = f.users.authenticate(&second).await.unwrap();
        check_rows(&f, &user, 2).await;
        let mut changes = f.users.subscribe_sessions();
        f.users.record_seen(&user, None, None);
        f.users.write_sightings().await;
        f.users.logout(&user).await.unwrap();
        assert_eq!(changes.try_recv().unwrap().user, user.key);
        assert!(!is_valid(&f, &second).await);
        assert!(is_valid(&f, &first).await);
        check_rows(&f, &user, 1).await;
        f.users.logout(&user).await.unwrap();
        check_rows(&f, &user, 1).await;
    })
    .await;
}

#[tokio::test]
async fn logging_out_everywhere_ends_all_sessions() {
    with_lanes(config(), async |f: Fixture| {
        let mut tokens = vec![f.token("alice").await];
        for device in ["A", "B", "C"] {
            tokens.push(f.login("alice", device).await);
        }
        let bob = f.token("bob").await;
        let user = f.users.authenticate(&tokens[2]).await.unwrap();
        f.users.logout_all(&user).await.unwrap();
        for token in &tokens {
            assert!(!is_valid(&f, token).await);
        }
        assert!(is_valid(&f, &bob).await);
        check_rows(&f, &user, 0).await;
    })
    .await;
}

#[tokio::test]
async fn devices_are_deleted_by_id_and_unknown_ones_passed_over() {
    with_lanes(config(), async |f: Fixture| {
        let user = f.user("alice").await;
        let (a, b) = (f.login("alice", "A").await, f.login("alice", "B").await);
        let ids: Vec<OwnedDeviceId> = vec!["A".into(), "A".into(), "NOBODY".into()];
        f.users.delete_devices(&user, &ids).await.unwrap();
        assert!(!is_valid(&f, &a).await);
        assert!(is_valid(&f, &b).await);
        check_rows(&f, &user, 2).await;
    })
    .await;
}

#[tokio::test]
async fn logging_in_again_on_a_device_replaces_its_token_and_keeps_its_name() {
    with_lanes(config(), async |f: Fixture| {
        let user = f.user("alice").await;
        let old = f.login("alice", "PHONE").await;
        f.users.update_device(&user.key, "PHONE".into(), Some("mine".to_owned())).await.unwrap();
        let new = f.login("alice", "PHONE").await;
        assert!(!is_valid(&f, &old).await);
        assert!(is_valid(&f, &new).await);
        let device = f.users.load_device(&user.key, "PHONE".into()).await.unwrap().unwrap();
        assert_eq!(device.display_name.as_deref(), Some("mine"));
        check_rows(&f, &user, 2).await;
    })
    .await;
}

#[tokio::test]
async fn a_user_has_a_limited_number_of_devices() {
    with_lanes(UsersConfig { devices_max: 2, ..config() }, async |f: Fixture| {
        let user = f.user("alice").await;
        f.login("alice", "A").await;
        let device = |id: &str| NewDevice { device_id: Some(id.into()), display_name: None, ..NewDevice::default() };
        let login = |id| PasswordLogin { user: "alice".to_owned(), password: PASSWORD.to_owned(), device: device(id) };
        assert!(matches!(f.users.login_password(login("B")).await, Err(LoginError::Device(BadDevice::TooMany))));
        f.users.login_password(login("A")).await.unwrap_or_else(|error| panic!("a device that exists: {error}"));
        check_rows(&f, &user, 2).await;
    })
    .await;
}

#[tokio::test]
async fn bad_devices_are_refused() {
    with_lanes(config(), async |f: Fixture| {
        f.token("alice").await;
        let long = "x".repeat(1_000);
        for (device_id, name) in [("", ""), (long.as_str(), ""), ("a\0b", ""), ("A", long.as_str())] {
            let device = NewDevice {
                device_id: Some(device_id.into()),
                display_name: Some(name.to_owned()),
                ..NewDevice::default()
            };
            let login = PasswordLogin { user: "alice".to_owned(), password: PASSWORD.to_owned(), device };
            assert!(
                matches!(f.users.login_password(login).await, Err(LoginError::Device(BadDevice::Id | BadDevice::Name))),
                "{device_id:?}"
            );
        }
    })
    .await;
}

/// However logins, logouts and changes of the password meet, nobody stays in who should be out.
#[tokio::test]
async fn logins_and_a_new_password_at_the_same_time_agree() {
    for seed in 0..20 {
        let faults = MemoryFaults {
            seed,
            latency_us_max: 200,
            conflict_per_mille: 50,
            unknown_per_mille: 50,
            busy_per_mille: 50,
            ..MemoryFaults::default()
        };
        let f = Fixture::with_faults(8, UsersConfig { password_hash_jobs_max: 8, ..config() }, faults).await;
        let user = f.user("alice").await;
        let login = |n: usize| {
            let device =
                NewDevice { device_id: Some(format!("D{n}").into()), display_name: None, ..NewDevice::default() };
            f.users.login_password(PasswordLogin { user: "alice".to_owned(), password: PASSWORD.to_owned(), device })
        };
        let logins = futures_util::future::join_all((0..6).map(login));
        let alice = id("alice");
        let reset = f.users.reset_password(&alice, "another password".to_owned(), EndSessions::All);
        let (logins, reset) = futures_util::future::join(logins, reset).await;
        reset.unwrap();
        for login in logins {
            match login {
                Ok(session) => assert!(
                    !is_valid(&f, &session.access_token).await,
                    "seed {seed}: the old password's session outlives it"
                ),
                Err(LoginError::Forbidden) => {}
                Err(error) => panic!("seed {seed}: {error}"),
            }
        }
        check_rows(&f, &user, 0).await;
    }
}
