//! The proof of who calls.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use hearth_protocol::UserKey;
use ruma::{OwnedDeviceId, OwnedUserId};

/// A user of this server who has shown a valid access token. Only this folder can make one.
#[derive(Clone)]
pub struct LocalUser {
    /// The user's id.
    pub user_id: OwnedUserId,
    /// The key of that id.
    pub key: UserKey,
    /// The device that the token was given to.
    pub device_id: OwnedDeviceId,
    /// A guest account (C-S API, "Guest access").
    pub is_guest: bool,
    /// May use the administration endpoints.
    pub is_admin: bool,
    /// May not send or join (C-S API, "Account suspension"); each operation decides.
    pub is_suspended: bool,
    /// The application service that acts as this user; none when a client of the user's does.
    pub service: Option<ServiceCaller>,
    /// When the device was last recorded as seen, in milliseconds since 1970; shared by all requests of the token.
    pub(super) seen_ms: Arc<AtomicU64>,
}

/// How an application service acts as a user (Application Service API, "Identity assertion").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceCaller {
    /// The service's id.
    pub id: Arc<str>,
    /// It has named one of the user's devices.
    pub has_device: bool,
    /// Whether the limits of rate hold for it.
    pub is_rate_limited: bool,
}

impl LocalUser {
    /// The time that an event is to bear, where the caller may say so: application services may, others are not
    /// listened to (Application Service API, "Timestamp massaging"). In milliseconds since 1970.
    #[must_use]
    pub fn chosen_time(&self, asked_ms: Option<u64>) -> Option<u64> {
        asked_ms.filter(|_| self.service.is_some())
    }
}

impl fmt::Debug for LocalUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalUser")
            .field("user_id", &self.user_id)
            .field("device_id", &self.device_id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
impl LocalUser {
    /// A user for tests of the parts that ask nothing of the tables.
    pub(super) fn sample(user_id: &ruma::UserId) -> Self {
        Self {
            user_id: user_id.to_owned(),
            key: UserKey::of(user_id),
            device_id: "DEVICE".into(),
            is_guest: false,
            is_admin: false,
            is_suspended: false,
            service: None,
            seen_ms: Arc::default(),
        }
    }
}
