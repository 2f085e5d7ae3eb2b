//! The handle of this folder, and what its operations share.

use std::sync::Arc;

use hearth_protocol::UserKey;
use parking_lot::Mutex;
use ruma::{RoomAliasId, ServerName, UserId};
use sha2::{Digest as _, Sha256};
use tokio::sync::broadcast;

use super::config::UsersConfig;
use super::ignored::IgnoredCache;
use super::last_seen::{LastSeenWriter, Sightings};
use super::local_user::LocalUser;
use super::password::Passwords;
use super::ports::{ExclusiveNames, NoExclusiveNames};
use super::presence::Presence;
use super::presence_timer::PresenceTimer;
use super::token_cache::{SessionsChanged, TokenCache};
use super::uia_sweeper::UiaSweeper;
use crate::turns::Turns;
use crate::{Env, Worker};

/// Accounts and what belongs to them; cheap to clone.
#[derive(Clone)]
pub struct Users(pub(super) Arc<Inner>);

/// What the operations share.
pub(super) struct Inner {
    pub(super) env: Env,
    pub(super) config: UsersConfig,
    pub(super) passwords: Passwords,
    pub(super) tokens: Arc<TokenCache>,
    pub(super) sightings: Mutex<Sightings>,
    pub(super) names: Arc<dyn ExclusiveNames>,
    pub(super) presence: Presence,
    pub(super) ignored: IgnoredCache,
    /// Changes of what one user has, one after the other.
    pub(super) turns: Turns,
    /// Makes the ids of interactive-auth sessions unforgeable; the same in every process with this server's key.
    pub(super) uia_secret: [u8; 32],
}

impl Users {
    /// Users of a server on which nobody else claims names.
    pub fn new(env: &Env, config: UsersConfig) -> Self {
        Self::with_names(env, config, Arc::new(NoExclusiveNames))
    }

    /// Users of a server on which `names` says what is claimed by others, such as application services.
    pub fn with_names(env: &Env, config: UsersConfig, names: Arc<dyn ExclusiveNames>) -> Self {
        // Ed25519 signatures of a text are always the same and nobody else can make them: a secret that needs no place.
        let seed = env.signer.sign_bytes(b"hearth: secret of interactive-auth sessions, version 1");
        Self(Arc::new(Inner {
            passwords: Passwords::new(&config),
            tokens: Arc::new(TokenCache::new(config.token_cache_max, Arc::clone(&env.clock))),
            sightings: Mutex::default(),
            names,
            presence: Presence::new(env, &config),
            ignored: IgnoredCache::default(),
            turns: Turns::new(),
            uia_secret: Sha256::digest(seed).into(),
            env: env.clone(),
            config,
        }))
    }

    /// The settings.
    pub fn config(&self) -> &UsersConfig {
        &self.0.config
    }

    /// Who is online.
    pub fn presence(&self) -> &Presence {
        &self.0.presence
    }

    /// Told, from now on, of users whose sessions may have ended; for connections that outlive a request.
    /// A receiver that lags has to take it as a change of everyone's.
    pub fn subscribe_sessions(&self) -> broadcast::Receiver<SessionsChanged> {
        self.0.tokens.subscribe()
    }

    /// The loops that the server has to run.
    pub fn list_workers(&self) -> Vec<Box<dyn Worker>> {
        vec![
            Box::new(LastSeenWriter::new(self.clone())),
            Box::new(UiaSweeper::new(self.clone())),
            Box::new(PresenceTimer::new(self.0.presence.clone())),
        ]
    }

    /// Whether this is an id of this server, existing or not.
    pub fn is_local(&self, user: &UserId) -> bool {
        user.server_name() == self.server_name()
    }

    /// Whether this is the name of this server.
    pub fn is_own_server(&self, server: &ServerName) -> bool {
        server == self.server_name()
    }

    /// Whether the caller may give a room this alias, as far as application services have claimed names.
    pub fn may_make_alias(&self, user: &LocalUser, alias: &RoomAliasId) -> bool {
        self.0.names.may_make_alias(alias, user.service.as_ref().map(|service| &*service.id))
    }

    /// Whether the caller is an application service, and the alias one of its own.
    pub fn owns_alias(&self, user: &LocalUser, alias: &RoomAliasId) -> bool {
        user.service.as_ref().is_some_and(|service| self.0.names.owns_alias(alias, &service.id))
    }

    pub(super) fn server_name(&self) -> &ServerName {
        &self.0.env.server_name
    }

    /// The time of day, in milliseconds since 1970.
    pub(super) fn now_ms(&self) -> u64 {
        self.0.env.clock.now().0
    }

    /// Which of the user's own rows is meant by a user id of this server.
    pub(super) fn local_key(&self, user: &UserId) -> Option<UserKey> {
        self.is_local(user).then(|| UserKey::of(user))
    }
}
