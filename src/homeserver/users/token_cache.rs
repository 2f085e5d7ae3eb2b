//! Which access tokens are known to be valid, so that a request with a known one reads nothing.
//!
//! The cache belongs to the owner of the users' lanes: every change of a session goes through this process, and
//! through [`TokenCache::begin_change`]. From before the commit until its outcome is known, nothing of that user is
//! cached; so a token that was revoked is never taken for valid, whatever happens in between.

use std::collections::HashMap;
use std::sync::Arc;

use ahash::RandomState;
use hearth_protocol::{Clock, UserKey};
use parking_lot::{Mutex, MutexGuard};
use subtle::ConstantTimeEq as _;
use tokio::sync::broadcast;

use super::local_user::LocalUser;
use super::token::TokenClaim;

const SHARDS: usize = 64;
/// How long a user stays out of the cache when nobody saw how the change of a session ended.
const UNSETTLED_MS: u64 = 60_000;
/// How many changes of sessions a slow listener may lag behind before it must authenticate all it holds.
const CHANGES_MAX: usize = 1_024;

type Map<K, V> = HashMap<K, V, RandomState>;

/// Sessions of a user may have ended: whoever holds a connection of theirs must authenticate it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionsChanged {
    /// Whose.
    pub user: UserKey,
}

/// A token that was found valid, until its session changes.
pub(super) struct CachedToken {
    pub(super) user: LocalUser,
    pub(super) is_locked: bool,
    /// From when on it is refused, in milliseconds since 1970.
    pub(super) expires_ms: Option<u64>,
}

/// See the module.
pub(super) struct TokenCache {
    shards: Vec<Mutex<Shard>>,
    generation_max: usize,
    clock: Arc<dyn Clock>,
    changed: broadcast::Sender<SessionsChanged>,
}

#[derive(Default)]
struct Shard {
    /// What was used lately, and what was used before that: when the young are too many, they become the old.
    young: Generation,
    old: Generation,
    /// Users whose sessions are being changed.
    changing: Map<UserKey, Changing>,
    /// Raised by every change, so that what was read before it is not cached after it.
    revision: u64,
}

/// A token's hash and what it stands for.
type Kept = ([u8; 32], Arc<CachedToken>);

#[derive(Default)]
struct Generation {
    users: Map<UserKey, Vec<Kept>>,
    tokens: usize,
}

#[derive(Default)]
struct Changing {
    /// Changes under way.
    changes: u32,
    /// Until when, on the monotonic clock, a change may still come to pass that nobody waits for.
    unsettled_until_ms: u64,
}

/// Proves that a read began before any later change.
#[derive(Clone, Copy)]
pub(super) struct ReadTicket {
    revision: u64,
}

/// Keeps a user out of the cache while a session of theirs changes.
pub(super) struct SessionChange {
    cache: Arc<TokenCache>,
    user: UserKey,
    is_settled: bool,
}

impl TokenCache {
    /// A cache of at most about `tokens_max` tokens.
    pub(super) fn new(tokens_max: usize, clock: Arc<dyn Clock>) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            generation_max: (tokens_max / SHARDS / 2).max(1),
            clock,
            changed: broadcast::channel(CHANGES_MAX).0,
        }
    }

    /// Told of every change of sessions from now on.
    pub(super) fn subscribe(&self) -> broadcast::Receiver<SessionsChanged> {
        self.changed.subscribe()
    }

    fn shard(&self, user: UserKey) -> MutexGuard<'_, Shard> {
        // Lanes are the leading bits; the last byte spreads the users of one lane over all shards.
        self.shards[usize::from(user.0[15]) % SHARDS].lock()
    }

    /// What is known of a token.
    pub(super) fn load(&self, claim: &TokenClaim) -> Option<Arc<CachedToken>> {
        let mut shard = self.shard(claim.user);
        if let Some(found) = shard.young.find(claim) {
            return Some(found);
        }
        let found = shard.old.find(claim)?;
        shard.old.remove(claim);
        self.keep(&mut shard, claim, &found);
        Some(found)
    }

    /// To be called before a token is read from its table.
    pub(super) fn begin_read(&self, user: UserKey) -> ReadTicket {
        ReadTicket { revision: self.shard(user).revision }
    }

    /// Remembers a token, unless sessions changed since `ticket`.
    pub(super) fn insert(&self, ticket: ReadTicket, claim: &TokenClaim, token: &Arc<CachedToken>) {
        let mut shard = self.shard(claim.user);
        if let Some(changing) = shard.changing.get(&claim.user)
            && changing.changes == 0
            && changing.unsettled_until_ms <= self.clock.monotonic_ms()
        {
            shard.changing.remove(&claim.user);
            shard.revision += 1;
        }
        if shard.revision == ticket.revision && !shard.changing.contains_key(&claim.user) {
            self.keep(&mut shard, claim, token);
        }
    }

    fn keep(&self, shard: &mut Shard, claim: &TokenClaim, token: &Arc<CachedToken>) {
        if shard.young.tokens >= self.generation_max {
            shard.old = std::mem::take(&mut shard.young);
        }
        shard.young.remove(claim);
        shard.young.users.entry(claim.user).or_default().push((claim.hash, Arc::clone(token)));
        shard.young.tokens += 1;
    }

    /// To be called before a commit that changes a session, the password or the standing of a user.
    pub(super) fn begin_change(self: &Arc<Self>, user: UserKey) -> SessionChange {
        let mut shard = self.shard(user);
        shard.changing.entry(user).or_default().changes += 1;
        shard.forget(user);
        SessionChange { cache: Arc::clone(self), user, is_settled: false }
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock()).map(|shard| shard.young.tokens + shard.old.tokens).sum()
    }
}

impl Shard {
    fn forget(&mut self, user: UserKey) {
        self.revision += 1;
        self.young.forget(user);
        self.old.forget(user);
    }
}

impl Generation {
    fn find(&self, claim: &TokenClaim) -> Option<Arc<CachedToken>> {
        let tokens = self.users.get(&claim.user)?;
        let (_, token) = tokens.iter().find(|(hash, _)| hash.ct_eq(&claim.hash).into())?;
        Some(Arc::clone(token))
    }

    fn remove(&mut self, claim: &TokenClaim) {
        if let Some(tokens) = self.users.get_mut(&claim.user) {
            let before = tokens.len();
            tokens.retain(|(hash, _)| *hash != claim.hash);
            self.tokens -= before - tokens.len();
            if tokens.is_empty() {
                self.users.remove(&claim.user);
            }
        }
    }

    fn forget(&mut self, user: UserKey) {
        self.tokens -= self.users.remove(&user).map_or(0, |tokens| tokens.len());
    }
}

impl SessionChange {
    /// Ends the change. Only when the outcome of the commit is known may the user be cached again at once.
    pub(super) fn end(mut self, is_outcome_known: bool) {
        self.is_settled = is_outcome_known;
    }
}

impl Drop for SessionChange {
    fn drop(&mut self) {
        let mut shard = self.cache.shard(self.user);
        shard.revision += 1;
        let now_ms = self.cache.clock.monotonic_ms();
        if let Some(changing) = shard.changing.get_mut(&self.user) {
            changing.changes -= 1;
            if !self.is_settled {
                changing.unsettled_until_ms = now_ms.saturating_add(UNSETTLED_MS);
            }
            if changing.changes == 0 && changing.unsettled_until_ms <= now_ms {
                shard.changing.remove(&self.user);
            }
        }
        drop(shard);
        // Nobody listening is fine.
        let _ = self.cache.changed.send(SessionsChanged { user: self.user });
    }
}

#[cfg(test)]
#[path = "token_cache_tests.rs"]
mod tests;
