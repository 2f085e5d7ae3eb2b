use hearth_storage::schema::users::UiaSessions;
use serde_json::json;

use super::{Auth, Stage, StageError, UiaChallenge, UiaError, UiaOutcome};
use crate::users::testing::{Fixture, PASSWORD, config, with_lanes};
use crate::users::uia_session::{SHELVES, UiaSessionId, build_purpose};
use crate::users::{NewRegistrationToken, Registration, UsersConfig};

fn auth(session: Option<&str>, stage: Stage) -> Auth {
    Auth { session: session.map(str::to_owned), stage: Some(stage) }
}

fn challenge<P>(outcome: UiaOutcome<P>) -> UiaChallenge {
    match outcome {
        UiaOutcome::Challenge(challenge) => challenge,
        UiaOutcome::Passed(_) => panic!("passed"),
    }
}

fn password(user: &str, password: &str) -> Stage {
    Stage::Password { user: user.to_owned(), password: password.to_owned() }
}

async fn count_rows(f: &Fixture) -> usize {
    let mut rows = 0;
    for shelf in 0..SHELVES {
        rows += f.store.scan::<UiaSessions, _>(&shelf, hearth_storage::Page::first(100)).await.unwrap().rows.len();
    }
    rows
}

#[test]
fn auth_is_read_in_its_old_and_new_forms() {
    let read = |json| Auth::from_json(&json);
    let new = read(json!({"type": "m.login.password", "session": "s", "identifier": {"type": "m.id.user", "user": "a"}, "password": "p"})).unwrap();
    let old = read(json!({"type": "m.login.password", "user": "a", "password": "p"})).unwrap();
    for auth in [&new, &old] {
        assert!(matches!(&auth.stage, Some(Stage::Password { user, password }) if user == "a" && password == "p"));
    }
    assert_eq!(new.session.as_deref(), Some("s"));
    assert!(matches!(read(json!({"session": "s"})), Some(Auth { stage: None, .. })));
    assert!(matches!(read(json!({"type": "x.y"})), Some(Auth { stage: Some(Stage::Other(_)), .. })));
    for bad in
        [json!(1), json!({"type": "m.login.password", "user": "a"}), json!({"type": "m.login.registration_token"})]
    {
        assert!(read(bad).is_none());
    }
}

#[tokio::test]
async fn open_registration_asks_for_a_dummy_and_keeps_nothing() {
    with_lanes(config(), async |f: Fixture| {
        let asked = challenge(f.users.check_registration_auth(None).await.unwrap());
        assert_eq!(asked.flows, [["m.login.dummy"]]);
        assert_eq!((asked.params, asked.error), (json!({}), None));
        for session in [None, Some(asked.session.as_str())] {
            let outcome = f.users.check_registration_auth(Some(&auth(session, Stage::Dummy))).await.unwrap();
            assert!(matches!(outcome, UiaOutcome::Passed(_)), "{session:?}");
        }
        let made_up = f.users.check_registration_auth(Some(&auth(Some("made up"), Stage::Dummy))).await.unwrap();
        assert_eq!(challenge(made_up).error, Some(StageError::OtherSession));
        let other =
            challenge(f.users.check_registration_auth(Some(&auth(Some(&asked.session), Stage::Terms))).await.unwrap());
        assert_eq!((other.session, other.error), (asked.session, Some(StageError::NotOffered)));
        assert_eq!(count_rows(&f).await, 0);
    })
    .await;
}

#[tokio::test]
async fn closed_registration_is_closed() {
    with_lanes(UsersConfig { registration: Registration::Closed, ..config() }, async |f: Fixture| {
        assert!(matches!(
            f.users.check_registration_auth(Some(&auth(None, Stage::Dummy))).await,
            Err(UiaError::RegistrationClosed)
        ));
    })
    .await;
}

#[tokio::test]
async fn stages_add_up_in_a_session_and_in_no_other() {
    let config = UsersConfig {
        registration: Registration::Token,
        terms_required: true,
        terms_url: Some("https://hs1/terms".to_owned()),
        ..config()
    };
    with_lanes(config, async |f: Fixture| {
        let token = f
            .users
            .create_registration_token(NewRegistrationToken { uses_allowed: Some(1), ..Default::default() })
            .await
            .unwrap();
        let asked = challenge(f.users.check_registration_auth(None).await.unwrap());
        assert_eq!(asked.flows, [["m.login.registration_token", "m.login.terms"]]);
        assert_eq!(asked.params["m.login.terms"]["policies"]["terms_of_service"]["en"]["url"], "https://hs1/terms");
        let session = Some(asked.session.as_str());
        let terms = challenge(f.users.check_registration_auth(Some(&auth(session, Stage::Terms))).await.unwrap());
        assert_eq!(
            (terms.completed.as_slice(), terms.session.as_str()),
            (&["m.login.terms".to_owned()][..], asked.session.as_str())
        );
        let wrong = challenge(
            f.users
                .check_registration_auth(Some(&auth(session, Stage::RegistrationToken("wrong".to_owned()))))
                .await
                .unwrap(),
        );
        assert_eq!((wrong.completed.len(), wrong.error), (1, Some(StageError::BadRegistrationToken)));
        let elsewhere = challenge(f.users.check_registration_auth(Some(&auth(None, Stage::Dummy))).await.unwrap());
        assert!(elsewhere.completed.is_empty());
        let done =
            f.users.check_registration_auth(Some(&auth(session, Stage::RegistrationToken(token)))).await.unwrap();
        let UiaOutcome::Passed(passed) = done else { panic!("both stages are done") };
        assert!(passed.has_row);
        assert_eq!(count_rows(&f).await, 1);
        let request = crate::users::RegisterRequest { username: Some("alice".to_owned()), ..Default::default() };
        f.users.register(request, passed).await.unwrap_or_else(|e| panic!("{e}"));
        f.settle().await;
        assert_eq!(count_rows(&f).await, 0, "the session ends with its registration");
    })
    .await;
}

#[tokio::test]
async fn sessions_run_out_and_are_swept() {
    let config = UsersConfig {
        terms_required: true,
        auth_session_lifetime_s: 60,
        registration: Registration::Token,
        ..config()
    };
    with_lanes(config, async |f: Fixture| {
        let terms = challenge(f.users.check_registration_auth(Some(&auth(None, Stage::Terms))).await.unwrap());
        f.clock.advance(59_999);
        let known = challenge(
            f.users
                .check_registration_auth(Some(&Auth { session: Some(terms.session.clone()), stage: None }))
                .await
                .unwrap(),
        );
        assert_eq!(known.completed.len(), 1);
        assert_eq!(f.users.sweep_uia_sessions().await.unwrap(), 0);
        f.clock.advance(1);
        let void = challenge(
            f.users
                .check_registration_auth(Some(&Auth { session: Some(terms.session.clone()), stage: None }))
                .await
                .unwrap(),
        );
        assert!(void.completed.is_empty() && void.session != terms.session);
        assert_eq!(f.users.sweep_uia_sessions().await.unwrap(), 1);
        assert_eq!(count_rows(&f).await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_user_shows_the_own_password_again() {
    with_lanes(config(), async |f: Fixture| {
        let (alice, _bob) = (f.user("alice").await, f.user("bob").await);
        let check = async |auth: Option<Auth>| {
            f.users.check_user_auth(&alice, "deleteDevice", "/devices/A", auth.as_ref()).await
        };
        let asked = challenge(check(None).await.unwrap());
        assert_eq!(asked.flows, [["m.login.password"]]);
        let wrong =
            challenge(check(Some(auth(Some(&asked.session), password("alice", "wrong password")))).await.unwrap());
        assert_eq!((wrong.error, wrong.session), (Some(StageError::WrongPassword), asked.session.clone()));
        for user in ["alice", "@alice:hs1"] {
            let outcome = check(Some(auth(Some(&asked.session), password(user, PASSWORD)))).await.unwrap();
            assert!(matches!(outcome, UiaOutcome::Passed(_)));
        }
        assert!(matches!(check(Some(auth(None, password("bob", PASSWORD)))).await, Err(UiaError::OtherUser)));
        assert!(challenge(check(Some(auth(None, Stage::Dummy))).await.unwrap()).error.is_some());
    })
    .await;
}

#[tokio::test]
async fn a_session_is_bound_to_its_operation_path_and_user() {
    with_lanes(config(), async |f: Fixture| {
        let (alice, bob) = (f.user("alice").await, f.user("bob").await);
        let ask = async |user, operation, path, session: Option<&str>| {
            let auth = Auth { session: session.map(str::to_owned), stage: None };
            challenge(f.users.check_user_auth(user, operation, path, Some(&auth)).await.unwrap()).session
        };
        let session = ask(&alice, "deleteDevice", "/devices/A", None).await;
        assert_eq!(ask(&alice, "deleteDevice", "/devices/A", Some(&session)).await, session);
        assert_ne!(ask(&alice, "deleteDevice", "/devices/B", Some(&session)).await, session);
        assert_ne!(ask(&alice, "deactivateAccount", "/devices/A", Some(&session)).await, session);
        assert_ne!(ask(&bob, "deleteDevice", "/devices/A", Some(&session)).await, session);
        let purpose = build_purpose("deleteDevice", "/devices/A", Some(&alice.key.0));
        let showing = auth(Some(&session), password("alice", PASSWORD));
        let refused =
            f.users.check_user_auth(&alice, "deactivateAccount", "/deactivate", Some(&showing)).await.unwrap();
        let refused = challenge(refused);
        assert_eq!((refused.completed.len(), refused.error), (0, Some(StageError::OtherSession)));
        let elsewhere = UiaSessionId::new(u64::MAX, &*f.env.rng).encode(&[0; 32], &purpose);
        assert_ne!(ask(&alice, "deleteDevice", "/devices/A", Some(&elsewhere)).await, elsewhere);
    })
    .await;
}
