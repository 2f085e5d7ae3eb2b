//! The recent part of a lane's log, in memory: what changed since a recent position, without asking the engine.
//!
//! Bounded; who comes with an older position is told so, and compares the rooms' last positions instead.

use std::collections::{HashMap, VecDeque};

use hearth_protocol::{EventNum, LanePos, RoomKey, UserKey};

/// What happened at a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happened {
    /// An event arrived in a room.
    Event(RoomKey, EventNum),
    /// Somebody read a room.
    Receipt(RoomKey),
    /// A user's account data changed.
    AccountData(UserKey),
}

/// What happened in a room since a position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RoomNews {
    /// Events arrived.
    pub events: bool,
    /// Receipts were recorded.
    pub receipts: bool,
}

/// The recent log of one lane.
#[derive(Debug)]
pub struct Ring {
    /// Everything after this position is here.
    floor: LanePos,
    /// Everything up to this position was taken in.
    reached: LanePos,
    entries_max: usize,
    entries: VecDeque<(LanePos, Happened)>,
    rooms: HashMap<RoomKey, RecentRoom>,
    users: HashMap<UserKey, LanePos>,
}

#[derive(Debug, Default)]
struct RecentRoom {
    events: VecDeque<(LanePos, EventNum)>,
    receipt: LanePos,
}

impl Ring {
    /// An empty ring that begins at a position.
    pub fn new(floor: LanePos, entries_max: usize) -> Self {
        Self {
            floor,
            reached: floor,
            entries_max,
            entries: VecDeque::new(),
            rooms: HashMap::new(),
            users: HashMap::new(),
        }
    }

    /// Up to where the log was taken in.
    pub fn reached(&self) -> LanePos {
        self.reached
    }

    /// Whether everything after this position is here.
    pub fn covers(&self, from: LanePos) -> bool {
        from >= self.floor
    }

    /// How many entries lie after a position, at the most.
    pub fn count_since(&self, from: LanePos) -> usize {
        self.entries.len() - self.entries.partition_point(|(pos, _)| *pos <= from)
    }

    /// Takes in what happened at a position, later than all before.
    pub fn push(&mut self, pos: LanePos, happened: Happened) {
        match happened {
            Happened::Event(room, num) => self.rooms.entry(room).or_default().events.push_back((pos, num)),
            Happened::Receipt(room) => self.rooms.entry(room).or_default().receipt = pos,
            Happened::AccountData(user) => {
                self.users.insert(user, pos);
            }
        }
        self.entries.push_back((pos, happened));
        self.reached = self.reached.max(pos);
        while self.entries.len() > self.entries_max {
            self.forget_oldest();
        }
    }

    /// Notes that there is nothing more up to a position.
    pub fn advance(&mut self, to: LanePos) {
        self.reached = self.reached.max(to);
    }

    /// Begins anew at a later position.
    pub fn restart(&mut self, floor: LanePos) {
        *self = Self::new(floor, self.entries_max);
    }

    fn forget_oldest(&mut self) {
        let Some((pos, happened)) = self.entries.pop_front() else { return };
        self.floor = pos;
        match happened {
            Happened::Event(room, _) => self.forget_in_room(room, |recent| {
                recent.events.pop_front();
            }),
            Happened::Receipt(room) => self.forget_in_room(room, |_| ()),
            Happened::AccountData(user) => {
                if self.users.get(&user).is_some_and(|last| *last <= pos) {
                    self.users.remove(&user);
                }
            }
        }
    }

    fn forget_in_room(&mut self, room: RoomKey, forget: impl FnOnce(&mut RecentRoom)) {
        let floor = self.floor;
        let Some(recent) = self.rooms.get_mut(&room) else { return };
        forget(recent);
        if recent.events.is_empty() && recent.receipt <= floor {
            self.rooms.remove(&room);
        }
    }

    /// What happened in a room in `(from, to]`; meant for positions that the ring covers.
    pub fn room_news(&self, room: RoomKey, from: LanePos, to: LanePos) -> RoomNews {
        let Some(recent) = self.rooms.get(&room) else { return RoomNews::default() };
        let first = recent.events.partition_point(|(pos, _)| *pos <= from);
        RoomNews {
            events: recent.events.get(first).is_some_and(|(pos, _)| *pos <= to),
            receipts: recent.receipt > from,
        }
    }

    /// The rooms in which something happened in `(from, to]`, each perhaps several times.
    pub fn rooms_since(&self, from: LanePos, to: LanePos) -> impl Iterator<Item = RoomKey> + '_ {
        let first = self.entries.partition_point(|(pos, _)| *pos <= from);
        self.entries.range(first..).take_while(move |(pos, _)| *pos <= to).filter_map(|(_, happened)| match happened {
            Happened::Event(room, _) | Happened::Receipt(room) => Some(*room),
            Happened::AccountData(_) => None,
        })
    }

    /// The rooms in which events arrived in `(from, to]`, each perhaps several times.
    pub fn events_since(&self, from: LanePos, to: LanePos) -> impl Iterator<Item = RoomKey> + '_ {
        let first = self.entries.partition_point(|(pos, _)| *pos <= from);
        self.entries.range(first..).take_while(move |(pos, _)| *pos <= to).filter_map(|(_, happened)| match happened {
            Happened::Event(room, _) => Some(*room),
            Happened::Receipt(_) | Happened::AccountData(_) => None,
        })
    }

    /// The events of a room in `(from, to]`, oldest first; none when the ring does not go back that far.
    pub fn room_events(&self, room: RoomKey, from: LanePos, to: LanePos) -> Option<Vec<EventNum>> {
        if !self.covers(from) {
            return None;
        }
        let Some(recent) = self.rooms.get(&room) else { return Some(Vec::new()) };
        let first = recent.events.partition_point(|(pos, _)| *pos <= from);
        Some(recent.events.range(first..).take_while(|(pos, _)| *pos <= to).map(|(_, num)| *num).collect())
    }

    /// The newest event of a room up to a position, when it is recent enough to be here.
    pub fn last_event(&self, room: RoomKey, at: LanePos) -> Option<EventNum> {
        let recent = self.rooms.get(&room)?;
        let behind = recent.events.partition_point(|(pos, _)| *pos <= at);
        recent.events.get(behind.checked_sub(1)?).map(|(_, num)| *num)
    }

    /// Whether a user's account data changed after a position; true also when that is too long ago to know.
    pub fn account_changed(&self, user: UserKey, from: LanePos) -> bool {
        !self.covers(from) || self.users.get(&user).is_some_and(|last| *last > from)
    }
}

#[cfg(test)]
#[path = "ring_tests.rs"]
mod tests;
