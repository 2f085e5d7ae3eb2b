use super::REPEAT_MAX;
use crate::users::testing::{Fixture, PASSWORD, config, id, with_lanes};
use crate::users::{Auth, NewDevice, RegisterError, RegisterRequest, Stage, UiaOutcome};

fn wish(name: &str) -> RegisterRequest {
    RegisterRequest {
        username: Some(name.to_owned()),
        password: Some(PASSWORD.to_owned()),
        device: Some(NewDevice { display_name: Some("phone".to_owned()), ..NewDevice::default() }),
    }
}

/// Registers in a session, and gives what goes on with it.
async fn register(f: &Fixture, wish: RegisterRequest) -> Auth {
    let UiaOutcome::Challenge(asked) = f.users.check_registration_auth(None).await.unwrap() else { panic!("passed") };
    let auth = Auth { session: Some(asked.session), stage: Some(Stage::Dummy) };
    let outcome = f.users.check_registration_auth(Some(&auth)).await.unwrap();
    let UiaOutcome::Passed(passed) = outcome else { panic!("not passed") };
    f.users.register(wish, passed).await.unwrap_or_else(|error| panic!("{error}"));
    f.settle().await;
    auth
}

#[tokio::test]
async fn the_same_request_of_the_same_session_is_answered_again() {
    with_lanes(config(), async |f: Fixture| {
        let auth = register(&f, wish("alice")).await;
        let again = f.users.repeat_registration(&auth, &wish("alice")).await.unwrap().expect("an answer");
        assert_eq!(again.user_id, id("alice"));
        let user = f.users.authenticate(&again.session.expect("a session").access_token).await.unwrap();
        assert_eq!(user.user_id, id("alice"));
        let quiet = register(&f, RegisterRequest { device: None, ..wish("bob") }).await;
        let again =
            f.users.repeat_registration(&quiet, &RegisterRequest { device: None, ..wish("bob") }).await.unwrap();
        assert!(again.expect("an answer").session.is_none(), "a login was not asked for");
    })
    .await;
}

#[tokio::test]
async fn nothing_else_is_answered_again() {
    with_lanes(config(), async |f: Fixture| {
        let auth = register(&f, wish("alice")).await;
        let with = |device: NewDevice| RegisterRequest { device: Some(device), ..wish("alice") };
        let others = [
            wish("ALICE"),
            RegisterRequest { username: None, ..wish("alice") },
            RegisterRequest { password: Some("another password".to_owned()), ..wish("alice") },
            RegisterRequest { password: None, ..wish("alice") },
            RegisterRequest { device: None, ..wish("alice") },
            with(NewDevice::default()),
            with(NewDevice { device_id: Some("phone".into()), ..NewDevice::default() }),
        ];
        for other in others {
            assert!(f.users.repeat_registration(&auth, &other).await.unwrap().is_none(), "{:?}", other.username);
        }
        for session in [None, Some("made up".to_owned())] {
            let auth = Auth { session, stage: Some(Stage::Dummy) };
            assert!(f.users.repeat_registration(&auth, &wish("alice")).await.unwrap().is_none());
        }
        f.clock.advance(u64::try_from(REPEAT_MAX.as_millis()).unwrap());
        assert!(f.users.repeat_registration(&auth, &wish("alice")).await.unwrap().is_none());
        assert_eq!(f.users.sweep_uia_sessions().await.unwrap(), 1);
    })
    .await;
}

#[tokio::test]
async fn accounts_without_a_password_and_accounts_that_ended_are_not_answered_again() {
    with_lanes(config(), async |f: Fixture| {
        let bare = || RegisterRequest { password: None, ..wish("bare") };
        let auth = register(&f, bare()).await;
        assert!(f.users.repeat_registration(&auth, &bare()).await.unwrap().is_none());
        let auth = register(&f, wish("alice")).await;
        f.users.deactivate(&id("alice"), false).await.unwrap();
        assert!(f.users.repeat_registration(&auth, &wish("alice")).await.unwrap().is_none());
        let passed = f.passed().await;
        assert!(matches!(f.users.register(wish("alice"), passed).await, Err(RegisterError::Taken)));
    })
    .await;
}
