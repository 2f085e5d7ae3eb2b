use super::{GRACE_MS, NewRegistrationToken, RegistrationTokenError};
use crate::users::testing::{Fixture, PASSWORD, config, with_lanes};
use crate::users::{
    Auth, RegisterError, RegisterRequest, Registration, RegistrationPassed, Stage, UiaOutcome, UsersConfig,
};

fn by_token() -> UsersConfig {
    UsersConfig { registration: Registration::Token, ..config() }
}

async fn pass(f: &Fixture, token: &str) -> Option<RegistrationPassed> {
    let auth = Auth { session: None, stage: Some(Stage::RegistrationToken(token.to_owned())) };
    match f.users.check_registration_auth(Some(&auth)).await.unwrap() {
        UiaOutcome::Passed(passed) => Some(passed),
        UiaOutcome::Challenge(_) => None,
    }
}

async fn register(f: &Fixture, name: &str, passed: RegistrationPassed) -> Result<(), RegisterError> {
    let request =
        RegisterRequest { username: Some(name.to_owned()), password: Some(PASSWORD.to_owned()), device: None };
    f.users.register(request, passed).await.map(drop)
}

async fn limited(f: &Fixture, uses: u32) -> String {
    f.users
        .create_registration_token(NewRegistrationToken { uses_allowed: Some(uses), ..Default::default() })
        .await
        .unwrap()
}

#[tokio::test]
async fn tokens_are_made_listed_and_deleted() {
    with_lanes(by_token(), async |f: Fixture| {
        let new = |token: &str| NewRegistrationToken { token: Some(token.to_owned()), ..Default::default() };
        f.users.create_registration_token(new("fete.2026_~-")).await.unwrap();
        assert!(matches!(
            f.users.create_registration_token(new("fete.2026_~-")).await,
            Err(RegistrationTokenError::Taken)
        ));
        for bad in ["", "a b", "é", &"a".repeat(65)] {
            assert!(
                matches!(f.users.create_registration_token(new(bad)).await, Err(RegistrationTokenError::Grammar)),
                "{bad}"
            );
            assert!(!f.users.is_registration_token_valid(bad).await.unwrap());
        }
        assert_eq!(f.users.list_registration_tokens().await.unwrap()[0].token, "fete.2026_~-");
        assert!(f.users.is_registration_token_valid("fete.2026_~-").await.unwrap());
        assert!(f.users.delete_registration_token("fete.2026_~-").await.unwrap());
        assert!(!f.users.delete_registration_token("fete.2026_~-").await.unwrap());
        assert!(pass(&f, "fete.2026_~-").await.is_none());
    })
    .await;
}

#[tokio::test]
async fn a_token_for_two_makes_two_accounts() {
    with_lanes(by_token(), async |f: Fixture| {
        let token = limited(&f, 2).await;
        let passes = (pass(&f, &token).await.unwrap(), pass(&f, &token).await.unwrap());
        assert!(pass(&f, &token).await.is_none());
        assert!(!f.users.is_registration_token_valid(&token).await.unwrap());
        register(&f, "alice", passes.0).await.unwrap();
        register(&f, "bob", passes.1).await.unwrap();
        f.settle().await;
        f.clock.advance(10 * GRACE_MS);
        assert!(pass(&f, &token).await.is_none(), "done uses never come back");
    })
    .await;
}

#[tokio::test]
async fn one_pass_makes_one_account_however_often_it_is_shown() {
    with_lanes(by_token(), async |f: Fixture| {
        let passed = pass(&f, &limited(&f, 5).await).await.unwrap();
        let wishes = ["a", "b", "c", "d"].map(|name| register(&f, name, passed.clone()));
        let made = futures_util::future::join_all(wishes).await;
        assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 1);
        assert!(made.iter().all(|made| matches!(made, Ok(()) | Err(RegisterError::TokenUsed))));
        assert!(matches!(register(&f, "e", passed).await, Err(RegisterError::TokenUsed)));
    })
    .await;
}

#[tokio::test]
async fn a_taken_name_does_not_cost_the_use() {
    with_lanes(by_token(), async |f: Fixture| {
        f.token("alice").await;
        let passed = pass(&f, &limited(&f, 1).await).await.unwrap();
        assert!(matches!(register(&f, "alice", passed.clone()).await, Err(RegisterError::Taken)));
        register(&f, "alice2", passed).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn what_was_reserved_and_not_used_falls_back() {
    with_lanes(by_token(), async |f: Fixture| {
        let token = limited(&f, 1).await;
        let late = pass(&f, &token).await.unwrap();
        f.clock.advance(f.users.config().auth_session_lifetime_s * 1_000 + GRACE_MS - 1);
        assert!(pass(&f, &token).await.is_none());
        f.clock.advance(1);
        let passed = pass(&f, &token).await.unwrap();
        register(&f, "alice", passed).await.unwrap();
        assert!(matches!(register(&f, "bob", late).await, Err(RegisterError::TokenUsed)));
        f.settle().await;
        assert_eq!(f.users.list_registration_tokens().await.unwrap()[0].completed, 1);
    })
    .await;
}

#[tokio::test]
async fn tokens_without_a_limit_count_and_expired_ones_are_void() {
    with_lanes(by_token(), async |f: Fixture| {
        let expires_ms = Some(f.clock_ms() + 1_000);
        let token =
            f.users.create_registration_token(NewRegistrationToken { expires_ms, ..Default::default() }).await.unwrap();
        for name in ["a", "b", "c"] {
            register(&f, name, pass(&f, &token).await.unwrap()).await.unwrap();
        }
        assert_eq!(f.users.list_registration_tokens().await.unwrap()[0].completed, 3);
        f.clock.advance(1_000);
        assert!(pass(&f, &token).await.is_none());
        assert!(!f.users.is_registration_token_valid(&token).await.unwrap());
    })
    .await;
}
