//! Who is typing (C-S API, "Typing notifications"): in memory only, and forgotten by a restart.
//!
//! Every visible change counts one up; a token holds the count and the epoch of this life. Saying "typing" again
//! while shown as typing moves the time-out and tells nobody.

use std::collections::HashMap;
use std::sync::Arc;

use hearth_protocol::{Clock, Lane, RoomKey};
use hearth_storage::schema::users::Membership;
use parking_lot::Mutex;
use ruma::{OwnedUserId, UserId};
use tokio::sync::watch;

use super::error::RoomError;
use super::view::RoomView;
use crate::Env;
use crate::users::LocalUser;

/// How long one is shown as typing when the client names no time, in milliseconds.
pub const TYPING_MS_DEFAULT: u64 = 30_000;
/// How long one is shown as typing at the most without saying so again, in milliseconds.
pub const TYPING_MS_MAX: u64 = 120_000;
/// Users shown as typing in a room; more are not noted.
const TYPERS_PER_ROOM_MAX: usize = 100;
/// Rooms whose last change is remembered; beyond, the quiet ones are forgotten.
const ROOMS_MAX: usize = 10_000;

/// The handle; cheap to clone.
#[derive(Clone)]
pub struct Typing(Arc<Inner>);

struct Inner {
    clock: Arc<dyn Clock>,
    epoch: u32,
    rooms: Mutex<Rooms>,
    changes: watch::Sender<u64>,
}

#[derive(Default)]
struct Rooms {
    count: u64,
    /// When to look for time-outs next, of the monotonic clock; perhaps too early, never too late.
    due: Option<u64>,
    by_key: HashMap<RoomKey, Typers>,
}

#[derive(Default)]
struct Typers {
    changed: u64,
    /// Who, and until when of the monotonic clock.
    users: Vec<(OwnedUserId, u64)>,
}

impl Typing {
    /// Nobody is typing.
    #[must_use]
    pub fn new(env: &Env) -> Self {
        let epoch = env.store.head(Lane(0)).epoch();
        Self(Arc::new(Inner {
            clock: env.clock.clone(),
            epoch,
            rooms: Mutex::default(),
            changes: watch::Sender::new(0),
        }))
    }

    /// A client says that its user types for so many milliseconds, or (none) no more.
    ///
    /// # Errors
    /// [`RoomError::Forbidden`] when the user is not in the room.
    pub fn set(&self, user: &LocalUser, view: &RoomView, for_ms: Option<u64>) -> Result<(), RoomError> {
        if view.membership(&user.user_id) != Some(Membership::Join) {
            return Err(RoomError::Forbidden("not in the room".to_owned()));
        }
        match for_ms {
            Some(ms) => self.start(view.room.key, &user.user_id, ms),
            None => self.stop(view.room.key, &user.user_id),
        }
        Ok(())
    }

    /// Notes that a user types, also one of another server.
    pub fn start(&self, room: RoomKey, user: &UserId, for_ms: u64) {
        let until = self.0.clock.monotonic_ms() + for_ms.min(TYPING_MS_MAX);
        let mut rooms = self.0.rooms.lock();
        rooms.due = Some(rooms.due.map_or(until, |due| due.min(until)));
        let users = &mut rooms.by_key.entry(room).or_default().users;
        if let Some(known) = users.iter_mut().find(|(known, _)| known == user) {
            known.1 = until;
            return;
        }
        if users.len() < TYPERS_PER_ROOM_MAX {
            users.push((user.to_owned(), until));
            self.count(&mut rooms, room);
        }
    }

    /// Notes that a user types no more: said so, sent the message, or left.
    pub fn stop(&self, room: RoomKey, user: &UserId) {
        let mut rooms = self.0.rooms.lock();
        let Some(typers) = rooms.by_key.get_mut(&room) else {
            return;
        };
        let before = typers.users.len();
        typers.users.retain(|(known, _)| known != user);
        if typers.users.len() != before {
            self.count(&mut rooms, room);
        }
    }

    /// Takes out those who have not said for long that they type. Returns the moment, of the monotonic clock, when the next one is due.
    pub fn expire(&self) -> Option<u64> {
        let now = self.0.clock.monotonic_ms();
        let mut rooms = self.0.rooms.lock();
        if rooms.due.is_none_or(|due| due > now) {
            return rooms.due;
        }
        let mut changed = Vec::new();
        for (room, typers) in &mut rooms.by_key {
            let before = typers.users.len();
            typers.users.retain(|(_, until)| *until > now);
            if typers.users.len() != before {
                changed.push(*room);
            }
        }
        for room in changed {
            self.count(&mut rooms, room);
        }
        let untils = rooms.by_key.values().flat_map(|typers| &typers.users).map(|(_, until)| *until);
        rooms.due = untils.min();
        rooms.due
    }

    /// The number of this life, for tokens.
    #[must_use]
    pub fn epoch(&self) -> u32 {
        self.0.epoch
    }

    /// How many changes there have been.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.0.rooms.lock().count
    }

    /// The rooms with a change after `from`.
    #[must_use]
    pub fn list_changed(&self, from: u64) -> Vec<RoomKey> {
        let rooms = self.0.rooms.lock();
        if from >= rooms.count {
            return Vec::new();
        }
        rooms.by_key.iter().filter(|(_, typers)| typers.changed > from).map(|(room, _)| *room).collect()
    }

    /// The count at a room's last change; zero when that is forgotten.
    #[must_use]
    pub fn changed_at(&self, room: RoomKey) -> u64 {
        self.0.rooms.lock().by_key.get(&room).map_or(0, |typers| typers.changed)
    }

    /// Who is typing in a room, in the order in which they began.
    #[must_use]
    pub fn list_users(&self, room: RoomKey) -> Vec<OwnedUserId> {
        let rooms = self.0.rooms.lock();
        rooms
            .by_key
            .get(&room)
            .map_or_else(Vec::new, |typers| typers.users.iter().map(|(user, _)| user.clone()).collect())
    }

    /// Told of every change.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    fn count(&self, rooms: &mut Rooms, room: RoomKey) {
        rooms.count += 1;
        let count = rooms.count;
        rooms.by_key.entry(room).or_default().changed = count;
        if rooms.by_key.len() > ROOMS_MAX {
            rooms.forget_quiet();
        }
        self.0.changes.send_replace(count);
    }
}

impl Rooms {
    /// Forgets the older half of the rooms where nobody types: who last asked before their change keeps a stale
    /// "typing" until the next one there.
    fn forget_quiet(&mut self) {
        let mut quiet: Vec<u64> =
            self.by_key.values().filter(|typers| typers.users.is_empty()).map(|typers| typers.changed).collect();
        quiet.sort_unstable();
        let Some(middle) = quiet.get(quiet.len() / 2).copied() else {
            return;
        };
        self.by_key.retain(|_, typers| !typers.users.is_empty() || typers.changed > middle);
    }
}

#[cfg(test)]
#[path = "typing_tests.rs"]
mod tests;
