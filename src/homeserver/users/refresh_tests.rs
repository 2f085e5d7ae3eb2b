use hearth_storage::Page;
use hearth_storage::schema::accounts::RefreshTokens;
use hearth_storage::schema::users::AccessTokens;
use ruma::OwnedDeviceId;

use crate::users::testing::{Fixture, PASSWORD, config, id, with_lanes};
use crate::users::{AuthError, NewDevice, NewSession, PasswordLogin, RefreshError, UsersConfig};

async fn login(f: &Fixture, device: &str) -> NewSession {
    let device_id: OwnedDeviceId = device.into();
    let device = NewDevice { device_id: Some(device_id), display_name: None, can_refresh: true };
    let login = PasswordLogin { user: "alice".to_owned(), password: PASSWORD.to_owned(), device };
    f.users.login_password(login).await.unwrap_or_else(|error| panic!("{error}"))
}

async fn refresh(f: &Fixture, session: &NewSession) -> NewSession {
    f.users.refresh(session.refresh_token.as_deref().unwrap()).await.unwrap_or_else(|error| panic!("{error}"))
}

async fn is_valid(f: &Fixture, session: &NewSession) -> bool {
    f.users.authenticate(&session.access_token).await.is_ok()
}

/// How many access tokens and refresh tokens the user has.
async fn rows(f: &Fixture) -> (usize, usize) {
    let user = hearth_protocol::UserKey::of(&id("alice"));
    let access = f.store.scan::<AccessTokens, _>(&user, Page::first(100)).await.unwrap().rows.len();
    (access, f.store.scan::<RefreshTokens, _>(&user, Page::first(100)).await.unwrap().rows.len())
}

#[tokio::test]
async fn the_old_tokens_end_when_the_new_access_token_is_used() {
    with_lanes(config(), async |f: Fixture| {
        f.token("alice").await;
        let first = login(&f, "PHONE").await;
        let second = refresh(&f, &first).await;
        assert_eq!(second.device_id, first.device_id);
        assert!(is_valid(&f, &first).await, "the answer may have been lost");
        assert!(is_valid(&f, &second).await);
        assert!(!is_valid(&f, &first).await);
        let again = f.users.refresh(first.refresh_token.as_deref().unwrap()).await;
        assert!(matches!(again.err(), Some(RefreshError::Unknown)));
        assert_eq!(rows(&f).await, (2, 1));
    })
    .await;
}

#[tokio::test]
async fn the_old_tokens_end_when_the_new_refresh_token_is_used() {
    with_lanes(config(), async |f: Fixture| {
        f.token("alice").await;
        let first = login(&f, "PHONE").await;
        let second = refresh(&f, &first).await;
        let third = refresh(&f, &second).await;
        assert!(!is_valid(&f, &first).await);
        assert!(f.users.refresh(first.refresh_token.as_deref().unwrap()).await.is_err());
        assert!(is_valid(&f, &second).await);
        assert!(is_valid(&f, &third).await);
        assert_eq!(rows(&f).await, (2, 1));
    })
    .await;
}

#[tokio::test]
async fn who_lost_the_answer_asks_again_and_the_lost_tokens_are_void() {
    with_lanes(config(), async |f: Fixture| {
        f.token("alice").await;
        let first = login(&f, "PHONE").await;
        let lost = refresh(&f, &first).await;
        let second = refresh(&f, &first).await;
        assert!(!is_valid(&f, &lost).await);
        assert!(f.users.refresh(lost.refresh_token.as_deref().unwrap()).await.is_err());
        assert!(is_valid(&f, &first).await);
        assert!(is_valid(&f, &second).await);
        assert_eq!(rows(&f).await, (2, 1));
    })
    .await;
}

#[tokio::test]
async fn logging_out_and_logging_in_anew_end_refresh_tokens() {
    with_lanes(config(), async |f: Fixture| {
        f.token("alice").await;
        let first = login(&f, "PHONE").await;
        let second = refresh(&f, &first).await;
        let third = login(&f, "PHONE").await;
        for session in [&first, &second] {
            assert!(!is_valid(&f, session).await);
            assert!(f.users.refresh(session.refresh_token.as_deref().unwrap()).await.is_err());
        }
        assert_eq!(rows(&f).await, (2, 1));
        refresh(&f, &third).await;
        let user = f.users.authenticate(&third.access_token).await.unwrap();
        f.users.logout(&user).await.unwrap();
        assert!(f.users.refresh(third.refresh_token.as_deref().unwrap()).await.is_err());
        assert_eq!(rows(&f).await, (1, 0));
    })
    .await;
}

#[tokio::test]
async fn tokens_live_as_long_as_the_settings_say() {
    let config = UsersConfig { refresh_token_lifetime_s: Some(1_000), refreshable_token_lifetime_s: 60, ..config() };
    with_lanes(config, async |f: Fixture| {
        f.token("alice").await;
        let first = login(&f, "PHONE").await;
        assert_eq!(first.expires_in_ms, Some(60_000));
        f.clock.advance(61_000);
        let soft = f.users.authenticate(&first.access_token).await.err();
        assert!(matches!(soft, Some(AuthError::UnknownToken { soft_logout: true })));
        let second = refresh(&f, &first).await;
        assert!(is_valid(&f, &second).await);
        f.clock.advance(1_000_000);
        let ran_out = f.users.refresh(second.refresh_token.as_deref().unwrap()).await.err();
        assert!(matches!(ran_out, Some(RefreshError::Expired)));
    })
    .await;
}

#[tokio::test]
async fn what_is_no_refresh_token_refreshes_nothing() {
    with_lanes(config(), async |f: Fixture| {
        let token = f.token("alice").await;
        for bad in ["", "hearthr_", token.as_str(), &token.replace("hearth_", "hearthr_")] {
            assert!(matches!(f.users.refresh(bad).await.err(), Some(RefreshError::Unknown)), "{bad}");
        }
        let first = login(&f, "PHONE").await;
        assert!(f.users.authenticate(first.refresh_token.as_deref().unwrap()).await.is_err());
        f.users.set_locked(&id("alice"), true).await.unwrap();
        let locked = f.users.refresh(first.refresh_token.as_deref().unwrap()).await.err();
        assert!(matches!(locked, Some(RefreshError::Locked)));
    })
    .await;
}
