//! Follows the logs of all lanes, keeps their recent part, and wakes those whom a change concerns.
//!
//! A sync reads up to where the hub is, never further: every change up to there is in a ring, its room is published,
//! and all effects on other lanes are applied.

use std::collections::HashSet;
use std::sync::Arc;

use hearth_protocol::{Event, Lane, LanePos, RoomKey, UserKey};
use hearth_storage::schema::changes::{Change, ChangeLog};
use hearth_storage::schema::log::OutputLog;
use hearth_storage::{Page, StorageError, Store};
use parking_lot::Mutex;
use ruma::UserId;
use tokio::sync::Mutex as TurnMutex;
use tokio::time::{Duration, timeout};

use super::error::SyncError;
use super::ring::{Happened, Ring, RoomNews};
use super::sessions::Sessions;
use super::token::{Positions, before, is_far};
use crate::rooms::{Rooms, StoredEvent, Typing};

/// Entries of all rings together.
const RING_ENTRIES_MAX: usize = 128 * 1_024;
/// Rows of a log that one step takes in.
const ROWS_PER_STEP: usize = 1_000;
/// How long a sync that does not wait gives to effects on other lanes, in milliseconds.
const SETTLE_MS_MAX: u64 = 100;

/// The recent log of every lane, and who waits for what.
pub struct Hub {
    store: Store,
    rooms: Rooms,
    typing: Typing,
    lanes: Vec<Follow>,
    /// Rooms in which something was read since those who wait there were last told.
    read_rooms: Mutex<HashSet<RoomKey>>,
    /// Who waits.
    pub sessions: Sessions,
}

struct Follow {
    /// Held by who takes the next rows in.
    turn: TurnMutex<()>,
    ring: Mutex<Ring>,
}

impl Hub {
    /// Follows from what is applied now; nobody can wait for what was before.
    pub fn new(store: Store, rooms: Rooms, typing: Typing) -> Self {
        let entries_max = (RING_ENTRIES_MAX / usize::from(store.lanes()).max(1)).max(1);
        let ring = |(_, pos)| Follow { turn: TurnMutex::new(()), ring: Mutex::new(Ring::new(pos, entries_max)) };
        let lanes = Positions::applied(&store).iter().map(ring).collect();
        Self { store, rooms, typing, lanes, read_rooms: Mutex::default(), sessions: Sessions::default() }
    }

    /// Waits, for a moment at most, until what is committed by now is applied on all lanes: then whoever was just
    /// answered finds what they did. With one lane it is so from the start.
    pub async fn settle(&self) {
        // Where it takes longer, the sync goes by what is applied so far.
        let _ = timeout(Duration::from_millis(SETTLE_MS_MAX), self.store.wait_all_applied()).await;
    }

    /// Takes in everything that is applied by now, and gives the positions up to which a sync may read.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn catch_up(&self) -> Result<Positions, SyncError> {
        for (lane, target) in Positions::applied(&self.store).iter() {
            if self.ring(lane, Ring::reached) < target {
                self.follow(lane, target).await?;
            }
        }
        Ok(Positions::new(self.lanes.iter().map(|follow| follow.ring.lock().reached()).collect()))
    }

    /// Takes in one lane up to a position. Callers take turns; the later ones find the work done.
    async fn follow(&self, lane: Lane, target: LanePos) -> Result<(), SyncError> {
        let Some(follow) = self.lanes.get(usize::from(lane.0)) else { return Ok(()) };
        let _turn = follow.turn.lock().await;
        if is_far(follow.ring.lock().reached(), target, ROWS_PER_STEP) {
            self.skip_ahead(lane, target).await?;
        }
        loop {
            let from = follow.ring.lock().reached();
            if from >= target {
                return Ok(());
            }
            let (rows, reached) = self.read_step(lane, from, target).await?;
            for (pos, happened) in rows {
                self.take_in(lane, pos, happened).await?;
                follow.ring.lock().push(pos, happened);
                self.wake(happened);
            }
            follow.ring.lock().advance(reached);
        }
    }

    /// Begins anew near the end of a lane's log, where the process has just begun or nobody has synced for a while:
    /// who comes with an older position looks at the rooms themselves. The newest rows are still taken in one by one,
    /// since their rooms may not be published yet.
    async fn skip_ahead(&self, lane: Lane, to: LanePos) -> Result<(), StorageError> {
        let Some(follow) = self.lanes.get(usize::from(lane.0)) else { return Ok(()) };
        let from = follow.ring.lock().reached();
        let page = Page::last(ROWS_PER_STEP).after((lane, from)).up_to((lane, to));
        let newest = self.store.scan::<OutputLog, _>(&lane, page).await?;
        if let Some(((_, oldest), _)) = newest.rows.last().filter(|_| newest.more) {
            follow.ring.lock().restart(before(*oldest));
            self.sessions.forget_lists();
        }
        Ok(())
    }

    /// The next rows of both logs of a lane in order, and the position up to which they are complete.
    async fn read_step(
        &self,
        lane: Lane,
        from: LanePos,
        to: LanePos,
    ) -> Result<(Vec<(LanePos, Happened)>, LanePos), StorageError> {
        let page = || Page::first(ROWS_PER_STEP).after((lane, from)).up_to((lane, to));
        let events = self.store.scan::<OutputLog, _>(&lane, page()).await?;
        let changes = self.store.scan::<ChangeLog, _>(&lane, page()).await?;
        let mut reached = to;
        if let Some(((_, last), _)) = events.rows.last().filter(|_| events.more) {
            reached = reached.min(*last);
        }
        if let Some(((_, last), _)) = changes.rows.last().filter(|_| changes.more) {
            reached = reached.min(*last);
        }
        let mut rows: Vec<_> =
            events.rows.into_iter().map(|((_, pos), row)| (pos, Happened::Event(row.room, row.event))).collect();
        rows.extend(changes.rows.into_iter().map(|((_, pos), change)| match change {
            Change::AccountData(user) => (pos, Happened::AccountData(user)),
            Change::Receipt(room) => (pos, Happened::Receipt(room)),
        }));
        rows.retain(|(pos, _)| *pos <= reached);
        rows.sort_unstable_by_key(|(pos, _)| *pos);
        Ok((rows, reached))
    }

    /// Waits until an event's room is published, and notes what the event does to those who wait.
    async fn take_in(&self, lane: Lane, pos: LanePos, happened: Happened) -> Result<(), SyncError> {
        let Happened::Event(room, num) = happened else { return Ok(()) };
        let event = self.published_event(room, num, pos).await?;
        let Some(event) = event else { return Ok(()) };
        if let Some(user) = member_of(&event.event) {
            self.sessions.note_moved(UserKey::of(&user), lane, pos);
            self.typing.stop(room, &user);
        }
        Ok(())
    }

    async fn published_event(
        &self,
        room: RoomKey,
        num: hearth_protocol::EventNum,
        pos: LanePos,
    ) -> Result<Option<Arc<StoredEvent>>, SyncError> {
        let Some(view) = self.rooms.load_published(room, pos).await? else { return Ok(None) };
        Ok(view.events(&[num]).await?.pop())
    }

    fn wake(&self, happened: Happened) {
        match happened {
            Happened::Event(room, _) => self.sessions.wake_room(room),
            Happened::Receipt(room) => drop(self.read_rooms.lock().insert(room)),
            Happened::AccountData(user) => self.sessions.wake_user(user),
        }
    }

    /// The rooms in which something was read since this was last asked.
    pub fn take_read_rooms(&self) -> HashSet<RoomKey> {
        std::mem::take(&mut *self.read_rooms.lock())
    }

    fn ring<T>(&self, lane: Lane, ask: impl FnOnce(&Ring) -> T) -> T {
        let index = usize::from(lane.0).min(self.lanes.len() - 1);
        ask(&self.lanes[index].ring.lock())
    }

    /// Whether everything after a position of a lane is in memory.
    pub fn covers(&self, lane: Lane, from: LanePos) -> bool {
        self.ring(lane, |ring| ring.covers(from))
    }

    /// The rooms of a lane in which something happened in `(from, to]`, when fewer than `max` entries tell it.
    pub fn rooms_since(&self, lane: Lane, from: LanePos, to: LanePos, max: usize) -> Option<Vec<RoomKey>> {
        self.ring(lane, |ring| {
            (ring.covers(from) && ring.count_since(from) <= max).then(|| ring.rooms_since(from, to).collect())
        })
    }

    /// The rooms of a lane in which events arrived in `(from, to]`, when fewer than `max` entries tell it.
    pub fn events_since(&self, lane: Lane, from: LanePos, to: LanePos, max: usize) -> Option<Vec<RoomKey>> {
        self.ring(lane, |ring| {
            (ring.covers(from) && ring.count_since(from) <= max).then(|| ring.events_since(from, to).collect())
        })
    }

    /// What happened in a room in `(from, to]`; meant for positions that are covered.
    pub fn room_news(&self, room: RoomKey, from: LanePos, to: LanePos) -> RoomNews {
        self.ring(self.lane_of(room), |ring| ring.room_news(room, from, to))
    }

    /// The events of a room in `(from, to]`, oldest first; none when that is too long ago.
    pub fn room_events(&self, room: RoomKey, from: LanePos, to: LanePos) -> Option<Vec<hearth_protocol::EventNum>> {
        self.ring(self.lane_of(room), |ring| ring.room_events(room, from, to))
    }

    /// The newest event of a room up to a position, when that is recent.
    pub fn last_event(&self, room: RoomKey, at: LanePos) -> Option<hearth_protocol::EventNum> {
        self.ring(self.lane_of(room), |ring| ring.last_event(room, at))
    }

    /// Whether a user's account data may have changed after a position of the user's lane.
    pub fn account_changed(&self, user: UserKey, from: LanePos) -> bool {
        self.ring(self.store.lane_of(&user.0), |ring| ring.account_changed(user, from))
    }

    /// The lane of a user.
    pub fn lane_of_user(&self, user: UserKey) -> Lane {
        self.store.lane_of(&user.0)
    }

    /// The lane of a room.
    pub fn lane_of(&self, room: RoomKey) -> Lane {
        self.store.lane_of(&room.0)
    }
}

/// Whose membership an event sets.
fn member_of(event: &Event) -> Option<ruma::OwnedUserId> {
    let (kind, state_key) = event.state_pair()?;
    if kind == "m.room.member" { UserId::parse(state_key).ok() } else { None }
}
