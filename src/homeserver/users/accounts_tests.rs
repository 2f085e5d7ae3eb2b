use super::{AccountError, EndSessions};
use crate::users::testing::{Fixture, PASSWORD, config, id, with_lanes};
use crate::users::{BadPassword, LoginError, NewDevice, PasswordLogin};

async fn can_login(f: &Fixture, password: &str) -> bool {
    let login = PasswordLogin { user: "alice".to_owned(), password: password.to_owned(), device: NewDevice::default() };
    match f.users.login_password(login).await {
        Ok(_) => true,
        Err(LoginError::Forbidden) => false,
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_changed_password_ends_the_other_sessions_if_asked() {
    with_lanes(config(), async |f: Fixture| {
        let (first, second) = (f.token("alice").await, f.login("alice", "PHONE").await);
        let user = f.users.authenticate(&first).await.unwrap();
        f.users.change_password(&user, "my_new_password".to_owned(), EndSessions::Keep).await.unwrap();
        f.users.authenticate(&second).await.unwrap();
        f.users.change_password(&user, "newer_password".to_owned(), EndSessions::All).await.unwrap();
        f.users.authenticate(&first).await.unwrap();
        assert!(f.users.authenticate(&second).await.is_err());
        assert!(!can_login(&f, PASSWORD).await);
        assert!(!can_login(&f, "my_new_password").await);
        assert!(can_login(&f, "newer_password").await);
    })
    .await;
}

#[tokio::test]
async fn a_reset_password_ends_all_sessions_if_asked() {
    with_lanes(config(), async |f: Fixture| {
        let token = f.token("alice").await;
        f.users.reset_password(&id("alice"), "another one".to_owned(), EndSessions::Keep).await.unwrap();
        f.users.authenticate(&token).await.unwrap();
        f.users.reset_password(&id("alice"), "and another".to_owned(), EndSessions::All).await.unwrap();
        assert!(f.users.authenticate(&token).await.is_err());
        assert!(can_login(&f, "and another").await);
        let short = f.users.reset_password(&id("alice"), "x".to_owned(), EndSessions::All).await;
        assert!(matches!(short, Err(AccountError::BadPassword(BadPassword::TooShort { .. }))));
    })
    .await;
}

#[tokio::test]
async fn deactivation_ends_sessions_password_and_profile_in_one_commit() {
    with_lanes(config(), async |f: Fixture| {
        let token = f.token("alice").await;
        f.users.set_admin(&id("alice"), true).await.unwrap();
        f.users.authenticate(&token).await.unwrap();
        let before = f.store.counters().commits;
        f.users.deactivate(&id("alice"), true).await.unwrap();
        assert_eq!(f.store.counters().commits - before, 1);
        assert!(f.users.authenticate(&token).await.is_err());
        assert!(!can_login(&f, PASSWORD).await);
        assert!(f.users.load_profile(&id("alice")).await.unwrap().is_none());
        let account = f.users.load_account(&id("alice")).await.unwrap().unwrap();
        assert!(account.is_deactivated && account.is_erased && !account.is_admin && account.devices == 0);
        assert!(matches!(f.users.set_locked(&id("alice"), false).await, Err(AccountError::Deactivated)));
        let reset = f.users.reset_password(&id("alice"), PASSWORD.to_owned(), EndSessions::Keep).await;
        assert!(matches!(reset, Err(AccountError::Deactivated)));
    })
    .await;
}

#[tokio::test]
async fn there_is_nothing_to_change_about_strangers() {
    with_lanes(config(), async |f: Fixture| {
        let elsewhere = ruma::user_id!("@alice:elsewhere");
        assert!(f.users.load_account(elsewhere).await.unwrap().is_none());
        for user in [elsewhere, &id("nobody")] {
            assert!(matches!(f.users.set_admin(user, true).await, Err(AccountError::Unknown)));
            assert!(matches!(f.users.deactivate(user, false).await, Err(AccountError::Unknown)));
        }
    })
    .await;
}
