//! Credentials for TURN servers, which carry calls where two clients cannot reach each other
//! (C-S API, "Voice over IP").

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hearth_protocol::Clock;
use ruma::UserId;

use crate::hmac::hmac_sha1;
use crate::settings;

settings! {
    /// The TURN servers that clients are told of, for calls.
    pub struct TurnConfig {
        /// Addresses of the TURN servers, for instance `turn:turn.example.org?transport=udp`. Empty, there are none.
        pub uris: Vec<String> = Vec::new(),
        /// The secret that the TURN servers share with this one (`static-auth-secret` of coturn): from it each user
        /// gets a name and a password that end by themselves.
        pub shared_secret: Option<String> = None,
        /// How long such a password is good for, in seconds.
        pub lifetime_s: u64 = 24 * 60 * 60,
        /// One name for all users, where there is no shared secret.
        pub username: Option<String> = None,
        /// The password that belongs to it.
        pub password: Option<String> = None,
        /// Guests get credentials too.
        pub guests_allowed: bool = false,
    }
}

/// What a client shows to a TURN server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnCredentials {
    /// The servers.
    pub uris: Vec<String>,
    /// The name.
    pub username: String,
    /// The password.
    pub password: String,
    /// How long they are good for, in seconds.
    pub lifetime_s: u64,
}

/// Makes credentials; cheap to clone.
#[derive(Clone)]
pub struct Turn {
    config: Arc<TurnConfig>,
    clock: Arc<dyn Clock>,
}

impl Turn {
    /// By these settings.
    pub fn new(config: TurnConfig, clock: Arc<dyn Clock>) -> Self {
        Self { config: Arc::new(config), clock }
    }

    /// Whether guests get credentials.
    pub fn admits_guests(&self) -> bool {
        self.config.guests_allowed
    }

    /// Credentials for a user; none where no TURN server is configured, or nothing to log in to it with.
    pub fn build_credentials(&self, user: &UserId) -> Option<TurnCredentials> {
        let config = &*self.config;
        if config.uris.is_empty() {
            return None;
        }
        let (username, password) = match (&config.shared_secret, &config.username, &config.password) {
            (Some(secret), ..) => {
                let ends_s = (self.clock.now().0 / 1_000).saturating_add(config.lifetime_s);
                let username = format!("{ends_s}:{user}");
                let password = STANDARD.encode(hmac_sha1(secret.as_bytes(), &[username.as_bytes()]));
                (username, password)
            }
            (None, Some(username), Some(password)) => (username.clone(), password.clone()),
            _ => return None,
        };
        Some(TurnCredentials { uris: config.uris.clone(), username, password, lifetime_s: config.lifetime_s })
    }
}
