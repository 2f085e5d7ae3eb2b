//! Users who wait in a sync, or did so lately: whom to wake for a room, and what was last read of their rooms.
//!
//! Everything here can be forgotten at any time; it is read again by the next request.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use hearth_protocol::{Lane, LanePos, RoomKey, UserKey};
use hearth_storage::schema::users::Membership;
use parking_lot::Mutex;
use tokio::sync::watch;

use super::pace::Turn;
use super::personal::Personal;
use super::token::Positions;

/// How long a user without a request is remembered, in milliseconds.
const KEPT_MS: u64 = 5 * 60 * 1_000;

/// What a user's list says of a room: a hint, for the room itself decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexEntry {
    pub membership: Membership,
    /// The user has left and does not want to see it any more.
    pub forgotten: bool,
}

/// The rooms that a user has something to do with, in the order of their keys.
#[derive(Debug)]
pub struct RoomIndex {
    rooms: Vec<(RoomKey, IndexEntry)>,
    /// What had been applied when the list was read.
    read_at: Positions,
}

impl RoomIndex {
    /// A list that was read after `read_at` had been applied.
    pub fn new(mut rooms: Vec<(RoomKey, IndexEntry)>, read_at: Positions) -> Self {
        rooms.sort_unstable_by_key(|(room, _)| *room);
        rooms.shrink_to_fit();
        Self { rooms, read_at }
    }

    /// The rooms.
    pub fn iter(&self) -> impl Iterator<Item = (RoomKey, IndexEntry)> + '_ {
        self.rooms.iter().copied()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.rooms.len()
    }

    /// What the list says of a room.
    pub fn get(&self, room: RoomKey) -> Option<IndexEntry> {
        self.rooms.binary_search_by_key(&room, |(room, _)| *room).ok().map(|at| self.rooms[at].1)
    }

    /// Whether two users are in a room together, as far as their lists say.
    pub fn shares_room(&self, other: &Self) -> bool {
        let (short, long) = if self.len() <= other.len() { (self, other) } else { (other, self) };
        short.iter().any(|(room, entry)| entry.membership == Membership::Join && long.is_joined(room))
    }

    /// Whether the list says that the user is in the room.
    pub fn is_joined(&self, room: RoomKey) -> bool {
        self.get(room).is_some_and(|entry| entry.membership == Membership::Join)
    }
}

/// A user who waits or did so lately.
pub struct Session {
    /// Who.
    pub user: UserKey,
    id: u32,
    bell: watch::Sender<u64>,
    quiet_bell: watch::Sender<u64>,
    /// When the user is told of typing, receipts and presence.
    pub turn: Mutex<Turn>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    requests: u32,
    seen_ms: u64,
    index: Option<Arc<RoomIndex>>,
    /// The user's latest membership change of each lane.
    moved: HashMap<Lane, LanePos>,
    personal: Option<Arc<Personal>>,
}

impl Session {
    /// Rings from now on whenever there may be news.
    pub fn listen(&self) -> watch::Receiver<u64> {
        self.bell.subscribe()
    }

    /// Rings from now on whenever somebody types, reads, comes or goes.
    pub fn listen_quietly(&self) -> watch::Receiver<u64> {
        self.quiet_bell.subscribe()
    }

    /// The list of rooms, when nothing has happened to it since it was read.
    pub fn index(&self) -> Option<Arc<RoomIndex>> {
        let state = self.state.lock();
        let index = state.index.as_ref()?;
        let is_fresh = state.moved.iter().all(|(lane, pos)| index.read_at.of(*lane) >= *pos);
        is_fresh.then(|| index.clone())
    }

    /// What was read of the user's own settings.
    pub fn personal(&self) -> Option<Arc<Personal>> {
        self.state.lock().personal.clone()
    }

    /// Keeps the user's own settings.
    pub fn keep_personal(&self, personal: Arc<Personal>) {
        self.state.lock().personal = Some(personal);
    }

    fn ring(&self) {
        self.bell.send_modify(|count| *count = count.wrapping_add(1));
    }

    fn ring_quietly(&self) {
        self.quiet_bell.send_modify(|count| *count = count.wrapping_add(1));
    }
}

/// A request of a user; its end is noted when it is dropped.
pub struct Attached(Arc<Session>);

impl std::ops::Deref for Attached {
    type Target = Arc<Session>;
    fn deref(&self) -> &Arc<Session> {
        &self.0
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.requests = state.requests.saturating_sub(1);
    }
}

/// All sessions.
#[derive(Default)]
pub struct Sessions(Mutex<Tables>);

#[derive(Default)]
struct Tables {
    by_id: Vec<Option<Arc<Session>>>,
    free: Vec<u32>,
    by_user: HashMap<UserKey, u32>,
    by_room: HashMap<RoomKey, HashSet<u32>>,
}

impl Sessions {
    /// The user's session, a new one where there is none; it is kept at least as long as the request.
    pub fn attach(&self, user: UserKey, now_ms: u64) -> Attached {
        let mut tables = self.0.lock();
        let session = match tables.session(user) {
            Some(session) => session,
            None => tables.add(user),
        };
        let mut state = session.state.lock();
        state.requests += 1;
        state.seen_ms = state.seen_ms.max(now_ms);
        drop(state);
        Attached(session)
    }

    /// Wakes the session for a room that the user is not in, as long as the guard lives.
    pub fn watch_room<'a>(&'a self, session: &'a Session, room: RoomKey) -> Watch<'a> {
        self.0.lock().by_room.entry(room).or_default().insert(session.id);
        Watch { sessions: self, session, room }
    }

    /// Keeps a freshly read list of rooms, and lets the session be woken by the joined ones among them.
    pub fn keep_index(&self, session: &Session, index: &Arc<RoomIndex>) {
        let mut tables = self.0.lock();
        let old = session.state.lock().index.replace(index.clone());
        let is_live = tables
            .by_id
            .get(session.id as usize)
            .is_some_and(|held| held.as_ref().is_some_and(|held| std::ptr::eq(Arc::as_ptr(held), session)));
        if !is_live {
            return;
        }
        if let Some(old) = old {
            for (room, _) in old.iter().filter(|(room, _)| !index.is_joined(*room)) {
                tables.leave(room, session.id);
            }
        }
        for (room, _) in index.iter().filter(|(_, entry)| entry.membership == Membership::Join) {
            tables.by_room.entry(room).or_default().insert(session.id);
        }
    }

    /// Notes that a user's membership of some room changed at a position, and wakes them.
    pub fn note_moved(&self, user: UserKey, lane: Lane, pos: LanePos) {
        let Some(session) = self.0.lock().session(user) else { return };
        let mut state = session.state.lock();
        let known = state.moved.entry(lane).or_default();
        *known = (*known).max(pos);
        drop(state);
        session.ring();
    }

    /// Wakes a user.
    pub fn wake_user(&self, user: UserKey) {
        if let Some(session) = self.0.lock().session(user) {
            session.ring();
        }
    }

    /// Wakes those of a room who wait.
    pub fn wake_room(&self, room: RoomKey) {
        let tables = self.0.lock();
        let Some(ids) = tables.by_room.get(&room) else { return };
        for session in ids.iter().filter_map(|id| tables.by_id.get(*id as usize)?.as_ref()) {
            session.ring();
        }
    }

    /// Wakes those of some rooms who wait, each once, for something that bears a delay.
    pub fn wake_rooms_quietly(&self, rooms: &HashSet<RoomKey>) {
        let tables = self.0.lock();
        let ids: HashSet<u32> = rooms.iter().filter_map(|room| tables.by_room.get(room)).flatten().copied().collect();
        for session in ids.into_iter().filter_map(|id| tables.by_id.get(id as usize)?.as_ref()) {
            session.ring_quietly();
        }
    }

    /// The list of rooms of a user that has a session, when nothing has happened to it since it was read.
    pub fn index_of(&self, user: UserKey) -> Option<Arc<RoomIndex>> {
        let session = self.0.lock().session(user)?;
        session.index()
    }

    /// The rooms of a user that has a session: whom a change of their presence concerns.
    pub fn list_rooms_of(&self, user: UserKey) -> Vec<RoomKey> {
        let session = self.0.lock().session(user);
        let Some(index) = session.and_then(|session| session.state.lock().index.clone()) else { return Vec::new() };
        index.iter().filter(|(_, entry)| entry.membership == Membership::Join).map(|(room, _)| room).collect()
    }

    /// Forgets every list of rooms and wakes everybody: changes may have been passed over.
    pub fn forget_lists(&self) {
        let mut tables = self.0.lock();
        for session in tables.by_id.iter().flatten() {
            session.state.lock().index = None;
            session.ring();
        }
        tables.by_room.clear();
    }

    /// Forgets who has not been here for a while.
    pub fn sweep(&self, now_ms: u64) {
        let mut tables = self.0.lock();
        let gone: Vec<Arc<Session>> = tables
            .by_id
            .iter()
            .flatten()
            .filter(|session| {
                let state = session.state.lock();
                state.requests == 0 && state.seen_ms + KEPT_MS <= now_ms
            })
            .cloned()
            .collect();
        for session in gone {
            tables.remove(&session);
        }
    }

    /// How many users there are.
    pub fn count(&self) -> usize {
        self.0.lock().by_user.len()
    }
}

/// That a session is woken for a room that its user is not in.
pub struct Watch<'a> {
    sessions: &'a Sessions,
    session: &'a Session,
    room: RoomKey,
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        let mut tables = self.sessions.0.lock();
        let is_joined = self.session.state.lock().index.as_ref().is_some_and(|index| index.is_joined(self.room));
        if !is_joined {
            tables.leave(self.room, self.session.id);
        }
    }
}

impl Tables {
    fn session(&self, user: UserKey) -> Option<Arc<Session>> {
        self.by_id.get(*self.by_user.get(&user)? as usize)?.clone()
    }

    fn add(&mut self, user: UserKey) -> Arc<Session> {
        let id = self.free.pop().unwrap_or_else(|| {
            self.by_id.push(None);
            u32::try_from(self.by_id.len() - 1).unwrap_or(u32::MAX)
        });
        let session = Arc::new(Session {
            user,
            id,
            bell: watch::Sender::new(0),
            quiet_bell: watch::Sender::new(0),
            turn: Mutex::default(),
            state: Mutex::default(),
        });
        self.by_id[id as usize] = Some(session.clone());
        self.by_user.insert(user, id);
        session
    }

    fn leave(&mut self, room: RoomKey, id: u32) {
        if let Some(ids) = self.by_room.get_mut(&room) {
            ids.remove(&id);
            if ids.is_empty() {
                self.by_room.remove(&room);
            }
        }
    }

    fn remove(&mut self, session: &Session) {
        let index = session.state.lock().index.take();
        for (room, _) in index.iter().flat_map(|index| index.iter()) {
            self.leave(room, session.id);
        }
        self.by_user.remove(&session.user);
        self.by_id[session.id as usize] = None;
        self.free.push(session.id);
    }
}

#[cfg(test)]
#[path = "sessions_tests.rs"]
mod tests;
