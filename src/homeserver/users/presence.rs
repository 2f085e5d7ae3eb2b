//! Who is online (C-S API, "Presence"). In memory only: a restart forgets it.
//!
//! Every visible change gets the next number. A token is that number with the epoch of the process that counts, so
//! that a token from before a restart means "tell me all". Activity that changes nothing visible gets no number.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use ahash::RandomState;
use hearth_protocol::{Clock, UserKey};
use parking_lot::Mutex;
use ruma::presence::PresenceState;
use ruma::{OwnedUserId, UserId};
use thiserror::Error;
use tokio::sync::watch;

use super::config::UsersConfig;
use crate::Env;

/// Without a sign of life for this long, a user is offline: longer than clients wait in one sync.
const OFFLINE_AFTER_MS: u64 = 45_000;
/// Online without activity for this long, a user is unavailable.
const UNAVAILABLE_AFTER_MS: u64 = 5 * 60_000;
/// Activity within this makes a user "currently active" (C-S API, `currently_active`).
const ACTIVE_WITHIN_MS: u64 = 60_000;
/// The longest status message, in bytes.
pub const STATUS_BYTES_MAX: usize = 1_024;
/// How many changes one reader gets at once.
const CHANGES_MAX: usize = 1_000;

/// A place in the order of changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PresencePos {
    /// Which process counted.
    pub epoch: u64,
    /// How far.
    pub count: u64,
}

/// What others see of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresenceInfo {
    /// Whose.
    pub user_id: OwnedUserId,
    /// Online, unavailable or offline.
    pub state: PresenceState,
    /// What the user says about it.
    pub status_msg: Option<String>,
    /// Milliseconds since the last activity, if there was any.
    pub last_active_ago_ms: Option<u64>,
    /// Active within the last minute.
    pub currently_active: bool,
}

/// Why a presence was not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PresenceError {
    /// Not one of online, unavailable and offline: `M_BAD_JSON`.
    #[error("presence is online, unavailable or offline")]
    State,
    /// The status message is too long: `M_TOO_LARGE`.
    #[error("the status message is longer than {STATUS_BYTES_MAX} bytes")]
    TooLarge,
}

/// The presence of all users known here; cheap to clone.
#[derive(Clone)]
pub struct Presence(Arc<Inner>);

struct Inner {
    clock: Arc<dyn Clock>,
    is_on: bool,
    users_max: usize,
    epoch: u64,
    count: watch::Sender<u64>,
    all: Mutex<All>,
}

#[derive(Default)]
struct All {
    users: HashMap<OwnedUserId, Known, RandomState>,
    /// Users by the number of their last change.
    by_change: BTreeMap<u64, OwnedUserId>,
    /// Users by when to look at them again, on the monotonic clock.
    due: BTreeSet<(u64, OwnedUserId)>,
    count: u64,
}

/// Times are of the monotonic clock.
#[derive(Clone)]
struct Known {
    key: UserKey,
    state: PresenceState,
    status_msg: Option<String>,
    /// The last time the user did something.
    active_ms: Option<u64>,
    /// The last time a client of the user was heard of.
    alive_ms: u64,
    is_active: bool,
    /// Unavailable for want of activity, and not because a client said so.
    is_idle: bool,
    changed: u64,
    due_ms: Option<u64>,
}

impl Presence {
    pub(super) fn new(env: &Env, config: &UsersConfig) -> Self {
        Self(Arc::new(Inner {
            clock: Arc::clone(&env.clock),
            is_on: config.presence,
            users_max: config.presence_users_max.max(1),
            epoch: env.clock.now().0,
            count: watch::channel(0).0,
            all: Mutex::default(),
        }))
    }

    /// Whether presence is kept at all.
    pub fn is_on(&self) -> bool {
        self.0.is_on
    }

    /// Where the order of changes stands.
    pub fn pos(&self) -> PresencePos {
        PresencePos { epoch: self.0.epoch, count: self.0.all.lock().count }
    }

    /// Moves with every change.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.0.count.subscribe()
    }

    /// What is known of a user; offline when nothing is.
    pub fn load(&self, user: &UserId) -> PresenceInfo {
        let now_ms = self.0.clock.monotonic_ms();
        match self.0.all.lock().users.get(user) {
            Some(known) => known.to_info(user, now_ms),
            None => PresenceInfo {
                user_id: user.to_owned(),
                state: PresenceState::Offline,
                status_msg: None,
                last_active_ago_ms: None,
                currently_active: false,
            },
        }
    }

    /// Sets the caller's presence (C-S API, `PUT /presence/{userId}/status`); a status message left out is removed.
    pub fn set(&self, user: &UserId, state: PresenceState, status_msg: Option<String>) -> Result<(), PresenceError> {
        if status_msg.as_ref().is_some_and(|text| text.len() > STATUS_BYTES_MAX) {
            return Err(PresenceError::TooLarge);
        }
        check_state(&state)?;
        let status_msg = status_msg.filter(|text| !text.is_empty());
        self.touch(user, state, Some(status_msg), true);
        Ok(())
    }

    /// A client of the user syncs with `set_presence`: a sign of life, and activity where that raises the user's state
    /// (C-S API, "Last active ago"). `offline` says that it is no sign of life.
    ///
    /// Clients that say nothing say `online` with every sync: who went away for want of activity does not come back by
    /// that, or those who wait for each other's presence would bring each other back again and again.
    pub fn record_sync(&self, user: &UserId, state: PresenceState) -> Result<(), PresenceError> {
        check_state(&state)?;
        match state {
            PresenceState::Offline => {}
            PresenceState::Online if self.is_online_or_idle(user) => self.keep_alive(user),
            PresenceState::Online => self.touch(user, state, None, true),
            _ => self.touch(user, state, None, false),
        }
        Ok(())
    }

    fn is_online_or_idle(&self, user: &UserId) -> bool {
        let all = self.0.all.lock();
        all.users.get(user).is_some_and(|known| known.state == PresenceState::Online || known.is_idle)
    }

    /// A client of the user still waits in a sync: a sign of life, no activity.
    pub fn keep_alive(&self, user: &UserId) {
        let now_ms = self.0.clock.monotonic_ms();
        let mut all = self.0.all.lock();
        let Some(mut known) = all.users.get(user).filter(|known| known.state != PresenceState::Offline).cloned() else {
            return;
        };
        known.alive_ms = now_ms;
        all.put(user, known);
    }

    /// The user did something, such as sending a message. Who is offline stays so, as one who only sends and never
    /// syncs is; and who said that they are unavailable.
    pub fn record_activity(&self, user: &UserId) {
        let now_ms = self.0.clock.monotonic_ms();
        let mut all = self.0.all.lock();
        let Some(mut known) = all.users.get(user).cloned() else { return };
        known.active_ms = Some(now_ms);
        if known.state == PresenceState::Online || known.is_idle {
            (known.state, known.is_idle, known.is_active) = (PresenceState::Online, false, true);
            known.alive_ms = now_ms;
        }
        all.put(user, known);
        let count = all.count;
        drop(all);
        self.tell(count);
    }

    /// Forgets a user whose account has ended.
    pub fn forget(&self, user: &UserId) {
        self.0.all.lock().remove(user);
    }

    /// What changed after `since` for users that the reader is interested in, at most 1000 changes, and the position
    /// up to which that is all. Without a position of this process: all who are not offline.
    pub fn changes_since(
        &self,
        since: Option<PresencePos>,
        interested: impl Fn(&UserId, UserKey) -> bool,
    ) -> (Vec<PresenceInfo>, PresencePos) {
        let now_ms = self.0.clock.monotonic_ms();
        let all = self.0.all.lock();
        let end = PresencePos { epoch: self.0.epoch, count: all.count };
        let from =
            since.filter(|since| since.epoch == self.0.epoch && since.count <= all.count).map(|since| since.count);
        let mut changes = Vec::new();
        for (count, user) in all.by_change.range(from.map_or(0, |from| from + 1)..) {
            let Some(known) = all.users.get(user) else { continue };
            if (from.is_none() && known.state == PresenceState::Offline) || !interested(user, known.key) {
                continue;
            }
            if changes.len() == CHANGES_MAX {
                return (changes, PresencePos { epoch: self.0.epoch, count: count - 1 });
            }
            changes.push(known.to_info(user, now_ms));
        }
        (changes, end)
    }

    #[expect(clippy::option_option, reason = "none leaves the message as it is, some none takes it away")]
    fn touch(&self, user: &UserId, state: PresenceState, status_msg: Option<Option<String>>, is_active: bool) {
        if !self.0.is_on {
            return;
        }
        let now_ms = self.0.clock.monotonic_ms();
        let mut all = self.0.all.lock();
        let old = all.users.get(user);
        let active_ms = if is_active { Some(now_ms) } else { old.and_then(|old| old.active_ms) };
        let new = Known {
            key: old.map_or_else(|| UserKey::of(user), |old| old.key),
            is_active: state == PresenceState::Online
                && active_ms.is_some_and(|active_ms| now_ms - active_ms < ACTIVE_WITHIN_MS),
            state,
            status_msg: status_msg.unwrap_or_else(|| old.and_then(|old| old.status_msg.clone())),
            active_ms,
            alive_ms: now_ms,
            is_idle: false,
            changed: old.map_or(0, |old| old.changed),
            due_ms: old.and_then(|old| old.due_ms),
        };
        all.put(user, new);
        all.shrink(self.0.users_max);
        let count = all.count;
        drop(all);
        self.tell(count);
    }

    /// Applies all time-outs that are due.
    pub(super) fn apply_timeouts(&self) {
        let now_ms = self.0.clock.monotonic_ms();
        let mut all = self.0.all.lock();
        while let Some((due_ms, user)) = all.due.first().cloned() {
            if due_ms > now_ms {
                break;
            }
            all.due.pop_first();
            let Some(mut known) = all.users.get(&user).cloned() else { continue };
            known.due_ms = None;
            known.age(now_ms);
            all.put(&user, known);
        }
        let count = all.count;
        drop(all);
        self.tell(count);
    }

    fn tell(&self, count: u64) {
        self.0.count.send_if_modified(|told| {
            let is_new = *told < count;
            *told = count.max(*told);
            is_new
        });
    }
}

fn check_state(state: &PresenceState) -> Result<(), PresenceError> {
    match state {
        PresenceState::Online | PresenceState::Unavailable | PresenceState::Offline => Ok(()),
        _ => Err(PresenceError::State),
    }
}

impl All {
    /// Writes a user's presence; it gets a new number when others can see the difference.
    fn put(&mut self, user: &UserId, mut new: Known) {
        let old = self.users.get(user);
        let is_visible = old.is_none_or(|old| {
            (&old.state, &old.status_msg, old.is_active) != (&new.state, &new.status_msg, new.is_active)
        });
        if let Some(due_ms) = old.and_then(|old| old.due_ms) {
            self.due.remove(&(due_ms, user.to_owned()));
        }
        if is_visible {
            self.by_change.remove(&new.changed);
            self.count += 1;
            new.changed = self.count;
            self.by_change.insert(self.count, user.to_owned());
        }
        new.due_ms = new.next_due_ms();
        if let Some(due_ms) = new.due_ms {
            self.due.insert((due_ms, user.to_owned()));
        }
        self.users.insert(user.to_owned(), new);
    }

    fn remove(&mut self, user: &UserId) {
        let Some(known) = self.users.remove(user) else { return };
        self.by_change.remove(&known.changed);
        if let Some(due_ms) = known.due_ms {
            self.due.remove(&(due_ms, user.to_owned()));
        }
    }

    /// Forgets the users who changed longest ago.
    fn shrink(&mut self, users_max: usize) {
        while self.users.len() > users_max {
            let Some((_, user)) = self.by_change.pop_first() else { return };
            self.remove(&user);
        }
    }
}

impl Known {
    fn to_info(&self, user: &UserId, now_ms: u64) -> PresenceInfo {
        PresenceInfo {
            user_id: user.to_owned(),
            state: self.state.clone(),
            status_msg: self.status_msg.clone(),
            last_active_ago_ms: self.active_ms.map(|active_ms| now_ms.saturating_sub(active_ms)),
            currently_active: self.is_active,
        }
    }

    /// What time makes of it.
    fn age(&mut self, now_ms: u64) {
        let idle_ms = now_ms.saturating_sub(self.active_ms.unwrap_or(0));
        if now_ms.saturating_sub(self.alive_ms) >= OFFLINE_AFTER_MS {
            (self.state, self.is_idle) = (PresenceState::Offline, false);
        } else if self.state == PresenceState::Online && idle_ms >= UNAVAILABLE_AFTER_MS {
            (self.state, self.is_idle) = (PresenceState::Unavailable, true);
        }
        self.is_active = self.state == PresenceState::Online && idle_ms < ACTIVE_WITHIN_MS;
    }

    /// When time will next make a difference.
    fn next_due_ms(&self) -> Option<u64> {
        if self.state == PresenceState::Offline {
            return None;
        }
        let offline_ms = self.alive_ms.saturating_add(OFFLINE_AFTER_MS);
        let active_ms = self.active_ms.unwrap_or(0);
        let idle_ms = match self.state {
            PresenceState::Online if self.is_active => active_ms.saturating_add(ACTIVE_WITHIN_MS),
            PresenceState::Online => active_ms.saturating_add(UNAVAILABLE_AFTER_MS),
            _ => u64::MAX,
        };
        Some(offline_ms.min(idle_ms))
    }
}

#[cfg(test)]
#[path = "presence_tests.rs"]
mod tests;
