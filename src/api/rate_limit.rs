//! How often someone may do something.
//!
//! Every limit is a bucket that holds `burst` and refills at `per_second`. A bucket is one number,
//! the time at which it is full again, so a full bucket needs no memory at all: the table holds
//! only those who acted of late, and never more than [`BUCKETS_MAX`].
//!
//! Buckets are in memory only: a restart forgives everyone, which harms nobody.

use std::{net::IpAddr, sync::Arc};

use ahash::{HashMap, RandomState};
use hearth_homeserver::users::LocalUser;
use hearth_protocol::Clock;
use parking_lot::Mutex;
use ruma::RoomId;

use crate::{
    api_error::ApiError,
    config::{Rate, RateLimitConfig},
};

/// How many buckets are kept; at some 32 bytes each this is under 4 MiB.
const BUCKETS_MAX: usize = 100_000;

/// Of a full table, one in this many is dropped, those that would be full soonest.
const EVICTED_FRACTION: usize = 4;

/// What is counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Sending events of any kind into rooms.
    Message,
    /// Joining and knocking.
    Join,
    /// Joining one room, whoever joins it.
    RoomJoin,
    /// Inviting.
    Invite,
    /// Inviting into one room, whoever invites.
    RoomInvite,
    /// Being invited, by whomever.
    UserInvited,
    /// Creating rooms.
    RoomCreation,
    /// Trying to log in, by address.
    LoginAddress,
    /// Trying to log in, by account.
    LoginAccount,
    /// Giving a wrong password for an account.
    LoginFailed,
    /// Showing one's password again for what is risky.
    Reauthentication,
    /// Creating accounts, asking which names are free, and trying registration tokens, by address.
    Registration,
    /// Uploading files, and asking for URIs to upload to.
    Upload,
    /// Making devices of an application service's users, by user.
    DeviceCreation,
    /// Downloading files and thumbnails, by user; by address where nobody has to be logged in.
    Download,
    /// Searching in messages.
    Search,
    /// Searching for people.
    PeopleSearch,
    /// Refreshing access tokens, by address.
    Refresh,
    /// Asking for tokens that let another device in, by user.
    LoginToken,
    /// Asking for OpenID tokens by user, and whose they are by address.
    OpenIdToken,
    /// Reporting rooms, events and users, by user.
    Report,
    /// Asking for TURN credentials, by user.
    TurnServer,
    /// Sending events of any kind into one room, whoever sends them.
    Room,
    /// Asking for previews of URLs.
    UrlPreview,
}

/// A cheap handle on all buckets.
#[derive(Clone)]
pub struct RateLimits(Arc<Inner>);

struct Inner {
    config: RateLimitConfig,
    clock: Arc<dyn Clock>,
    /// Seeds the keys, so that nobody can aim at another's bucket.
    hasher: RandomState,
    /// By operation and hashed subject: when the bucket is full again, in monotonic milliseconds
    /// with three more digits (microseconds), so that fast rates lose nothing.
    full_at_us: Mutex<HashMap<(Operation, u64), u64>>,
}

impl RateLimits {
    /// All buckets full.
    pub fn new(config: RateLimitConfig, clock: Arc<dyn Clock>) -> Self {
        let hasher = RandomState::new();
        Self(Arc::new(Inner { config, clock, hasher, full_at_us: Mutex::default() }))
    }

    /// Takes one from a user's bucket. Application services whose registration says so have no limits.
    ///
    /// # Errors
    /// 429 `M_LIMIT_EXCEEDED` with the time to wait, when the bucket is empty.
    pub fn check_user(&self, operation: Operation, user: &LocalUser) -> Result<(), ApiError> {
        if user.service.as_ref().is_some_and(|service| !service.is_rate_limited) {
            return Ok(());
        }
        self.check(operation, self.0.hasher.hash_one(&user.user_id))
    }

    /// Takes one from a user's bucket where they show their password; the question alone costs nothing.
    ///
    /// # Errors
    /// As [`Self::check_user`].
    pub fn check_reauthentication(
        &self,
        operation: Operation,
        user: &LocalUser,
        has_auth: bool,
    ) -> Result<(), ApiError> {
        if has_auth { self.check_user(operation, user) } else { Ok(()) }
    }

    /// Takes one from an address's bucket. IPv6 addresses count by their network of 64 bits, which
    /// is what one customer gets. Without an address (Unix socket) there is nothing to count by.
    ///
    /// # Errors
    /// As [`Self::check_user`].
    pub fn check_address(&self, operation: Operation, address: Option<IpAddr>) -> Result<(), ApiError> {
        let Some(address) = address else { return Ok(()) };
        let network = match address.to_canonical() {
            IpAddr::V4(address) => u64::from(address.to_bits()),
            IpAddr::V6(address) => (address.to_bits() >> 64) as u64,
        };
        self.check(operation, self.0.hasher.hash_one(network))
    }

    /// Takes one from a room's bucket, for a member. Whoever is not in the room must not be counted, or strangers could
    /// close it. Application services without limits have none here either.
    ///
    /// # Errors
    /// As [`Self::check_user`].
    pub fn check_room(&self, operation: Operation, user: &LocalUser, room: &RoomId) -> Result<(), ApiError> {
        if user.service.as_ref().is_some_and(|service| !service.is_rate_limited) {
            return Ok(());
        }
        self.check(operation, self.0.hasher.hash_one(room))
    }

    /// Takes one from the bucket of an account that may not exist.
    ///
    /// # Errors
    /// As [`Self::check_user`].
    pub fn check_account(&self, operation: Operation, account: &str) -> Result<(), ApiError> {
        self.check(operation, self.0.hasher.hash_one(account.to_lowercase()))
    }

    /// Whether there is one left in the bucket of an account; for what only counts when it turns out badly.
    ///
    /// # Errors
    /// As [`Self::check_user`].
    pub fn check_left_for_account(&self, operation: Operation, account: &str) -> Result<(), ApiError> {
        self.check_left(operation, self.0.hasher.hash_one(account.to_lowercase()))
    }

    /// Takes one from the bucket of an account, if there is one.
    pub fn count_account(&self, operation: Operation, account: &str) {
        // What was done was done: an empty bucket keeps from the next one.
        let _ = self.check_account(operation, account);
    }

    /// Whether there is one left in a room's bucket; for what only counts when it succeeds, so that strangers who fail
    /// close no room.
    ///
    /// # Errors
    /// As [`Self::check_user`].
    pub fn check_left_for_room(&self, operation: Operation, user: &LocalUser, room: &RoomId) -> Result<(), ApiError> {
        if user.service.as_ref().is_some_and(|service| !service.is_rate_limited) {
            return Ok(());
        }
        self.check_left(operation, self.0.hasher.hash_one(room))
    }

    /// Takes one from a room's bucket, if there is one.
    pub fn count_room(&self, operation: Operation, user: &LocalUser, room: &RoomId) {
        // As with accounts.
        let _ = self.check_room(operation, user, room);
    }

    fn check_left(&self, operation: Operation, subject: u64) -> Result<(), ApiError> {
        if !self.0.config.enabled {
            return Ok(());
        }
        let now_us = self.0.clock.monotonic_ms().saturating_mul(1000);
        let full_at_us = self.0.full_at_us.lock().get(&(operation, subject)).copied().unwrap_or(0);
        let left = take_one(self.0.config.rate_of(operation), now_us, full_at_us);
        left.map(drop).map_err(ApiError::limit_exceeded)
    }

    fn check(&self, operation: Operation, subject: u64) -> Result<(), ApiError> {
        if !self.0.config.enabled {
            return Ok(());
        }
        let rate = self.0.config.rate_of(operation);
        let now_us = self.0.clock.monotonic_ms().saturating_mul(1000);
        let mut buckets = self.0.full_at_us.lock();
        let full_at_us = buckets.get(&(operation, subject)).copied().unwrap_or(0);
        let full_at_us = take_one(rate, now_us, full_at_us).map_err(ApiError::limit_exceeded)?;
        if buckets.len() >= BUCKETS_MAX {
            make_room(&mut buckets, now_us);
        }
        buckets.insert((operation, subject), full_at_us);
        Ok(())
    }
}

/// When the bucket will be full again after one is taken from it now, or how many milliseconds
/// until there is one in it.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rates are positive, and `as` saturates: a rate of nearly nothing waits for ever"
)]
fn take_one(rate: Rate, now_us: u64, full_at_us: u64) -> Result<u64, u64> {
    let one_us = (1_000_000.0 / rate.per_second.max(f64::MIN_POSITIVE)) as u64;
    let whole_us = one_us.saturating_mul(u64::from(rate.burst.max(1)));
    let full_at_us = full_at_us.max(now_us).saturating_add(one_us);
    let wait_us = full_at_us.saturating_sub(now_us.saturating_add(whole_us));
    if wait_us == 0 { Ok(full_at_us) } else { Err(wait_us.div_ceil(1000)) }
}

/// Drops full buckets, and if there are too few of those, the ones that are nearly full.
fn make_room(buckets: &mut HashMap<(Operation, u64), u64>, now_us: u64) {
    buckets.retain(|_, full_at_us| *full_at_us > now_us);
    let keep = BUCKETS_MAX - BUCKETS_MAX / EVICTED_FRACTION;
    if buckets.len() > keep {
        let mut times: Vec<u64> = buckets.values().copied().collect();
        let cut = times.len() - keep;
        let (_, limit_us, _) = times.select_nth_unstable(cut);
        let limit_us = *limit_us;
        buckets.retain(|_, full_at_us| *full_at_us > limit_us);
    }
}

#[cfg(test)]
#[path = "rate_limit_tests.rs"]
mod tests;
