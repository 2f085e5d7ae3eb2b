use super::{LoginError, PasswordLogin};
use crate::users::testing::{Fixture, PASSWORD, config, id, with_lanes};
use crate::users::{NewDevice, UsersConfig};
use hearth_protocol::UserKey;
use hearth_storage::schema::users::Accounts;

fn login(user: &str, password: &str) -> PasswordLogin {
    PasswordLogin { user: user.to_owned(), password: password.to_owned(), device: NewDevice::default() }
}

#[tokio::test]
async fn one_logs_in_by_id_or_localpart_in_any_case() {
    with_lanes(config(), async |f: Fixture| {
        f.token("alice").await;
        for user in ["alice", "@alice:hs1", "ALICE", "@ALICE:hs1"] {
            let session =
                f.users.login_password(login(user, PASSWORD)).await.unwrap_or_else(|error| panic!("{user}: {error}"));
            assert_eq!(session.user_id, id("alice"));
            assert_eq!(f.users.authenticate(&session.access_token).await.unwrap().device_id, session.device_id);
        }
    })
    .await;
}

#[tokio::test]
async fn wrong_names_and_passwords_look_the_same() {
    with_lanes(config(), async |f: Fixture| {
        f.token("alice").await;
        let long = "x".repeat(600);
        for (user, password) in [
            ("alice", "wrong"),
            ("alice", ""),
            ("nobody", PASSWORD),
            ("@alice:elsewhere", PASSWORD),
            ("", PASSWORD),
            ("alice", &long),
        ] {
            assert!(
                matches!(f.users.login_password(login(user, password)).await, Err(LoginError::Forbidden)),
                "{user}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn historical_names_log_in_and_go_before_small_letters() {
    with_lanes(config(), async |f: Fixture| {
        f.token("alice").await;
        let lower = f.store.get::<Accounts>(&UserKey::of(&id("alice"))).await.unwrap().unwrap();
        let historical = ruma::user_id!("@ALICE!:hs1");
        let mut txn = f.store.txn();
        txn.put::<Accounts>(
            &UserKey::of(historical),
            &hearth_storage::schema::users::Account { user_id: historical.to_string(), ..lower },
        );
        f.store.commit(txn).await.unwrap();
        let session =
            f.users.login_password(login("@ALICE!:hs1", PASSWORD)).await.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(session.user_id, historical);
    })
    .await;
}

#[tokio::test]
async fn accounts_without_a_password_locked_and_deactivated_ones_stay_out() {
    with_lanes(UsersConfig { guests_allowed: true, ..config() }, async |f: Fixture| {
        let guest = f.users.register_guest(NewDevice::default()).await.unwrap_or_else(|error| panic!("{error}"));
        let guest = guest.user_id.localpart().to_owned();
        assert!(matches!(f.users.login_password(login(&guest, "")).await, Err(LoginError::Forbidden)));
        f.token("alice").await;
        f.users.set_locked(&id("alice"), true).await.unwrap();
        assert!(matches!(f.users.login_password(login("alice", PASSWORD)).await, Err(LoginError::Locked)));
        assert!(matches!(f.users.login_password(login("alice", "wrong")).await, Err(LoginError::Forbidden)));
        f.users.set_locked(&id("alice"), false).await.unwrap();
        f.users.deactivate(&id("alice"), false).await.unwrap();
        assert!(matches!(f.users.login_password(login("alice", PASSWORD)).await, Err(LoginError::Forbidden)));
    })
    .await;
}
