//! What the tests of this folder stand on: users over the engine in memory, with a clock and randomness of their own.

use std::sync::Arc;

use hearth_protocol::MockClock;
use hearth_storage::{MemoryFaults, Store};
use ruma::{OwnedUserId, UserId};

use super::{
    Auth, LocalUser, NewDevice, NewUser, PasswordLogin, RegistrationPassed, Stage, UiaOutcome, Users, UsersConfig,
};
use crate::Env;
use crate::testing::{TestServer, cheap_users};

/// The password of everybody whom the fixture makes.
pub(super) const PASSWORD: &str = "correct horse";

/// Users of the server `hs1`.
pub(super) struct Fixture {
    pub(super) users: Users,
    pub(super) clock: Arc<MockClock>,
    pub(super) store: Store,
    pub(super) env: Env,
    _server: TestServer,
}

/// Cheap passwords and open registration.
pub(super) fn config() -> UsersConfig {
    UsersConfig { registration: super::Registration::Open, ..cheap_users() }
}

impl Fixture {
    pub(super) async fn new(lanes: u16, config: UsersConfig) -> Self {
        Self::with_faults(lanes, config, MemoryFaults::default()).await
    }

    pub(super) async fn with_faults(lanes: u16, config: UsersConfig, faults: MemoryFaults) -> Self {
        let server = TestServer::new(lanes, faults).await;
        let (env, clock) = (server.env.clone(), server.clock.clone());
        Self { users: Users::new(&env, config), clock, store: env.store.clone(), env, _server: server }
    }

    /// Waits until all effects on other lanes are applied.
    pub(super) async fn settle(&self) {
        assert!(self.store.wait_all_applied().await);
    }

    /// The time of day, in milliseconds since 1970.
    pub(super) fn clock_ms(&self) -> u64 {
        self.env.clock.now().0
    }

    /// A user with a session.
    pub(super) async fn user(&self, name: &str) -> LocalUser {
        self.users.authenticate(&self.token(name).await).await.unwrap()
    }

    /// A new user's access token.
    pub(super) async fn token(&self, name: &str) -> String {
        let new = NewUser {
            username: name.to_owned(),
            password: Some(PASSWORD.to_owned()),
            is_admin: false,
            device: Some(NewDevice::default()),
            ..NewUser::default()
        };
        self.users.create_user(new).await.unwrap_or_else(|error| panic!("{error}")).session.unwrap().access_token
    }

    /// Another session of a user.
    pub(super) async fn login(&self, name: &str, device: &str) -> String {
        let display_name = Some(format!("{name}'s {device}"));
        let device = NewDevice { device_id: Some(device.into()), display_name, can_refresh: false };
        let login = PasswordLogin { user: name.to_owned(), password: PASSWORD.to_owned(), device };
        self.users.login_password(login).await.unwrap_or_else(|error| panic!("{error}")).access_token
    }

    /// The proof that open registration gives.
    pub(super) async fn passed(&self) -> RegistrationPassed {
        let auth = Auth { session: None, stage: Some(Stage::Dummy) };
        match self.users.check_registration_auth(Some(&auth)).await.unwrap() {
            UiaOutcome::Passed(passed) => passed,
            UiaOutcome::Challenge(challenge) => panic!("{challenge:?}"),
        }
    }
}

/// Runs a test with 1 lane and with 8.
pub(super) async fn with_lanes(config: UsersConfig, test: impl AsyncFn(Fixture)) {
    for lanes in [1, 8] {
        test(Fixture::new(lanes, config.clone()).await).await;
    }
}

/// An id of the server `hs1`.
pub(super) fn id(name: &str) -> OwnedUserId {
    UserId::parse(format!("@{name}:hs1")).unwrap()
}
