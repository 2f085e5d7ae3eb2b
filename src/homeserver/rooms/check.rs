//! `hearth check` for rooms: what has to be true of the tables of a room, whatever happened to the server.

use std::collections::{BTreeMap, BTreeSet};

use hearth_protocol::{EventKey, EventNum, LanePos, RoomKey, UserKey};
use hearth_storage::schema::log::OutputLog;
use hearth_storage::schema::rooms::{Arrival, EventNums, EventRow, Events, History, Memberships, Outcome, RoomHeads};
use hearth_storage::schema::users::{Membership, UserRooms};
use hearth_storage::{Page, StorageError};
use ruma::UserId;

use super::reader::{RoomReader, list_rows};
use super::snapshot::RoomSnapshot;

/// Rows that are looked up at once.
const ROWS_PER_PART: usize = 500;
/// How often a room is checked that changes meanwhile.
const TRIES_MAX: usize = 10;
/// Findings that are listed of one room.
const FINDINGS_MAX: usize = 100;

/// Something that is not as it has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub room_id: String,
    pub text: String,
}

/// The check of one room.
pub(super) struct Check<'a> {
    pub(super) reader: &'a RoomReader,
    pub(super) room: &'a RoomSnapshot,
    findings: Vec<Finding>,
}

impl RoomReader {
    /// Checks all rooms, one after the other; what one room has does not hide the next.
    ///
    /// # Errors
    /// When the list of rooms cannot be read.
    pub async fn check_all_rooms(&self, server_name: &ruma::ServerName) -> Result<Vec<Finding>, StorageError> {
        let mut findings = Vec::new();
        let mut page = Page::first(ROWS_PER_PART);
        loop {
            let heads = self.store().scan::<RoomHeads, ()>(&(), page).await?;
            for (key, head) in &heads.rows {
                match self.check_room(*key, server_name).await {
                    Ok(found) => findings.extend(found),
                    Err(error) => findings.push(Finding { room_id: head.room_id.clone(), text: error.to_string() }),
                }
            }
            match heads.rows.last() {
                Some((last, _)) if heads.more => page = Page::first(ROWS_PER_PART).after(*last),
                _ => return Ok(findings),
            }
        }
    }

    /// Checks one room. On a server that runs, a room that changes meanwhile is checked again: its tables are read
    /// one after the other, and what is between two of them is no damage.
    ///
    /// # Errors
    /// When reading fails; a damaged row is an error here, and names itself.
    pub async fn check_room(&self, key: RoomKey, server_name: &ruma::ServerName) -> Result<Vec<Finding>, StorageError> {
        for _ in 0..TRIES_MAX {
            let before = self.store().get::<RoomHeads>(&key).await?;
            self.forget_room(key);
            let Some(room) = self.load_room(key).await? else { return Ok(Vec::new()) };
            let findings = self.check_once(&room, server_name).await?;
            if findings.is_empty() || self.store().get::<RoomHeads>(&key).await? == before {
                return Ok(findings);
            }
        }
        let room_id = self.load_room(key).await?.map(|room| room.room_id.to_string()).unwrap_or_default();
        Ok(vec![Finding {
            room_id,
            text: "changed each time it was checked: stop the server and check again".to_owned(),
        }])
    }

    async fn check_once(
        &self,
        room: &RoomSnapshot,
        server_name: &ruma::ServerName,
    ) -> Result<Vec<Finding>, StorageError> {
        let mut check = Check { reader: self, room, findings: Vec::new() };
        let events = check.check_events().await?;
        check.check_arrival(&events).await?;
        check.check_history(&events).await?;
        check.check_relations(&events).await?;
        check.check_state(&events);
        check.check_members(&events, server_name).await?;
        check.findings.truncate(FINDINGS_MAX);
        Ok(check.findings)
    }
}

impl Check<'_> {
    pub(super) fn find(&mut self, text: String) {
        self.findings.push(Finding { room_id: self.room.room_id.to_string(), text });
    }

    /// Numbers are dense, and ids lead to them.
    async fn check_events(&mut self) -> Result<BTreeMap<EventNum, EventRow>, StorageError> {
        let mut events = BTreeMap::new();
        let (key, store) = (self.room.key, self.reader.store());
        let mut next = 0;
        while next < self.room.head.next.event {
            let end = (next + 500).min(self.room.head.next.event);
            let keys: Vec<_> = (next..end).map(|num| (key, EventNum(num))).collect();
            for ((_, num), row) in keys.iter().zip(store.multi_get::<Events>(&keys).await?) {
                match row {
                    Some(row) => drop(events.insert(*num, row)),
                    None => self.find(format!("event number {} has no row", num.0)),
                }
            }
            next = end;
        }
        let mut ids = Vec::new();
        for (num, row) in &events {
            match ruma::EventId::parse(row.event_id.as_str()) {
                Ok(id) => ids.push((*num, EventKey::of(&id))),
                Err(_) => self.find(format!("{} is no event id", row.event_id)),
            }
        }
        for part in ids.chunks(500) {
            let keys: Vec<_> = part.iter().map(|(_, id)| (key, *id)).collect();
            for ((num, _), row) in part.iter().zip(store.multi_get::<EventNums>(&keys).await?) {
                if row.map(|row| row.num) != Some(*num) {
                    self.find(format!("the id of event {} does not lead to it", num.0));
                }
            }
        }
        Ok(events)
    }

    /// Arrival, the log and the events' own positions say the same.
    async fn check_arrival(&mut self, events: &BTreeMap<EventNum, EventRow>) -> Result<(), StorageError> {
        let store = self.reader.store();
        let lane = store.lane_of(&self.room.key.0);
        let mut arrived = BTreeSet::new();
        let rows = list_rows::<Arrival, _>(store, &self.room.key).await?;
        for part in rows.chunks(ROWS_PER_PART) {
            let keys: Vec<_> = part.iter().map(|((_, pos), _)| (lane, *pos)).collect();
            let log = store.multi_get::<OutputLog>(&keys).await?;
            for (((_, pos), row), logged) in part.iter().zip(log) {
                if !arrived.insert(row.num) {
                    self.find(format!("event {} arrived twice", row.num.0));
                }
                if events.get(&row.num).map(|event| event.pos) != Some(*pos) {
                    self.find(format!("event {} has another position than its arrival", row.num.0));
                }
                if logged.is_none_or(|logged| logged.event != row.num || logged.room != self.room.key) {
                    self.find(format!("the log does not hold event {}", row.num.0));
                }
            }
        }
        for (num, row) in events {
            if row.pos != LanePos(0) && !arrived.contains(num) {
                self.find(format!("event {} has a position but did not arrive", num.0));
            }
        }
        let newest = events.values().map(|row| row.pos).max().unwrap_or_default();
        if newest != self.room.head.last_pos {
            self.find("the room's last position is not that of its newest event".to_owned());
        }
        Ok(())
    }

    /// History holds every accepted event once, and no other.
    async fn check_history(&mut self, events: &BTreeMap<EventNum, EventRow>) -> Result<(), StorageError> {
        let mut shown = BTreeSet::new();
        for ((_, depth, order), row) in list_rows::<History, _>(self.reader.store(), &self.room.key).await? {
            shown.insert(row.num);
            let fits = events.get(&row.num).is_some_and(|event| event.depth == depth && event.order == order);
            if !fits {
                self.find(format!("history has event {} in a wrong place", row.num.0));
            }
        }
        for (num, row) in events {
            if (row.outcome == Outcome::Accepted) != shown.contains(num) {
                self.find(format!("event {} is {:?}, and history disagrees", num.0, row.outcome));
            }
        }
        Ok(())
    }

    /// The current state and the ends of the graph name accepted or softly failed events.
    fn check_state(&mut self, events: &BTreeMap<EventNum, EventRow>) {
        let ends: Vec<EventNum> = self.room.head.extremities.iter().map(|end| end.num).collect();
        if ends.is_empty() {
            self.find("the room has no end to build on".to_owned());
        }
        let room = self.room;
        for num in room.state.values().copied().chain(ends) {
            if events.get(&num).is_none_or(|row| row.outcome == Outcome::Rejected) {
                self.find(format!("the state or an end names event {}, which is unknown or rejected", num.0));
            }
        }
    }

    /// Memberships are those of the state, and local users' lists of rooms agree.
    async fn check_members(
        &mut self,
        events: &BTreeMap<EventNum, EventRow>,
        server_name: &ruma::ServerName,
    ) -> Result<(), StorageError> {
        let room = self.room;
        for (user_id, key) in room.keys.list_of_kind("m.room.member") {
            let Ok(user) = UserId::parse(&*user_id) else {
                continue;
            };
            let row = room.members.get(&UserKey::of(&user));
            match (room.state.get(&key), row) {
                (Some(num), Some(row)) if row.event == *num && events.contains_key(num) => {}
                (None, None) => continue,
                (None, Some(row)) if row.membership == Membership::Leave => {}
                _ => self.find(format!("the membership of {user} is not that of the state")),
            }
            if let Some(row) = row.filter(|_| user.server_name() == server_name) {
                let listed = self.reader.store().get::<UserRooms>(&(UserKey::of(&user), room.key)).await?;
                if listed.is_none_or(|listed| listed.membership != row.membership) {
                    self.find(format!("the list of rooms of {user} disagrees with the room"));
                }
            }
        }
        for ((_, user), row) in list_rows::<Memberships, _>(self.reader.store(), &room.key).await? {
            if room.members.get(&user).is_none_or(|member| **member != row) {
                self.find(format!("the stored membership of {} is not the one in memory", row.user_id));
            }
        }
        Ok(())
    }
}
