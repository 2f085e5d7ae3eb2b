//! What a user was notified of (C-S API, `GET /notifications`), newest first. Nothing is stored for it: it is found by
//! looking back through the user's rooms, in the order of their lanes, by the push rules as they are now.
//!
//! Of the rooms only those are opened whose newest event may come next; how much is looked at for one page is bounded,
//! and the next page goes on from there.

use std::collections::VecDeque;
use std::sync::Arc;

use hearth_protocol::{Lane, LanePos, PushReader, RoomKey, evaluate_push};
use hearth_storage::schema::rooms::RoomHeads;
use hearth_storage::schema::users::Membership;
use ruma::push::{Action, Ruleset};
use ruma::{EventId, OwnedRoomId};

use super::answer::{Inner, Sync};
use super::error::SyncError;
use super::response::Piece;
use super::token::{Ephemeral, Positions, SyncToken, before};
use crate::rooms::{Audience, Form, MAIN_THREAD, ReadMarks, RoomView, StoredEvent, thread_root};
use crate::users::{IgnoredUsers, LocalUser};

/// Notifications of one page at the most.
pub const NOTIFICATIONS_MAX: usize = 100;
/// Events that are looked at for one page.
const LOOKED_AT_MAX: usize = 2_000;
/// Events that are read of a room at once.
const EVENTS_PER_READ: usize = 30;
/// Rooms that are opened for one page.
const ROOMS_MAX: usize = 200;

/// Which page is wanted.
pub struct NotificationsRequest {
    /// Where an earlier page ended; the newest without it.
    pub from: Option<SyncToken>,
    /// How many at the most; [`NOTIFICATIONS_MAX`] bounds it.
    pub limit: usize,
    /// Only those that are highlights.
    pub only_highlights: bool,
}

/// An event that notified the user.
pub struct Notification {
    /// What the user's rules say to do.
    pub actions: Vec<Action>,
    /// The event, as the user gets it.
    pub event: Piece,
    /// The user has read it.
    pub read: bool,
    /// Where.
    pub room_id: OwnedRoomId,
    /// When it was sent, in milliseconds since 1970.
    pub at_ms: u64,
}

/// A page of notifications.
pub struct NotificationsPage {
    /// Newest first.
    pub notifications: Vec<Notification>,
    /// Where the next page begins; none when this was the last.
    pub next: Option<SyncToken>,
}

impl Sync {
    /// What a user was notified of in the rooms that they are in.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn list_notifications(
        &self,
        who: &LocalUser,
        request: &NotificationsRequest,
    ) -> Result<NotificationsPage, SyncError> {
        let inner = &*self.0;
        let now = inner.hub.catch_up().await?;
        let to = request.from.as_ref().map_or(now, |from| from.lanes.clone());
        let mut walk = Walk::begin(inner, who, &to).await?;
        let mut notifications = Vec::new();
        let limit = request.limit.min(NOTIFICATIONS_MAX);
        let mut looked_at = 0;
        let mut is_done = false;
        while notifications.len() < limit && looked_at < LOOKED_AT_MAX && walk.opened <= ROOMS_MAX {
            let Some((at, event)) = walk.next(inner).await? else {
                is_done = true;
                break;
            };
            looked_at += 1;
            if let Some(found) = walk.judge(inner, at, &event, request.only_highlights).await? {
                notifications.push(found);
            }
        }
        let next = SyncToken { lanes: walk.reached(), ephemeral: Ephemeral::default() };
        Ok(NotificationsPage { notifications, next: Some(next).filter(|_| !is_done) })
    }
}

/// A room that is being looked back through.
struct OpenRoom {
    view: RoomView,
    reader: PushReader,
    marks: ReadMarks,
    spoken: ReadMarks,
    /// The next events, newest first; never empty.
    events: VecDeque<Arc<StoredEvent>>,
    more: bool,
}

/// One lane of the walk.
struct LaneWalk {
    lane: Lane,
    /// Everything above was looked at.
    to: LanePos,
    /// Rooms that are not open yet, by their newest event, the newest last.
    waiting: Vec<(LanePos, RoomKey)>,
    open: Vec<OpenRoom>,
}

struct Walk<'a> {
    who: &'a LocalUser,
    rules: Ruleset,
    ignored: Arc<IgnoredUsers>,
    lanes: Vec<LaneWalk>,
    opened: usize,
}

/// Which room of which lane.
#[derive(Clone, Copy)]
struct Place {
    lane: usize,
    room: usize,
}

impl<'a> Walk<'a> {
    async fn begin(inner: &Inner, who: &'a LocalUser, to: &Positions) -> Result<Self, SyncError> {
        let rows = inner.users.list_rooms(&who.key).await?;
        let joined = rows.into_iter().filter(|(_, row)| row.membership == Membership::Join);
        let rooms: Vec<RoomKey> = joined.map(|(room, _)| room).collect();
        let heads = inner.env.store.multi_get::<RoomHeads>(&rooms).await?;
        let mut lanes: Vec<LaneWalk> =
            to.iter().map(|(lane, to)| LaneWalk { lane, to, waiting: Vec::new(), open: Vec::new() }).collect();
        for (room, head) in rooms.into_iter().zip(heads) {
            let lane = inner.hub.lane_of(room);
            if let (Some(head), Some(walk)) = (head, lanes.iter_mut().find(|walk| walk.lane == lane)) {
                walk.waiting.push((head.last_pos.min(walk.to), room));
            }
        }
        for walk in &mut lanes {
            walk.waiting.sort_unstable();
        }
        let rules = inner.users.load_push_rules(&who.user_id).await?;
        let ignored = inner.users.load_ignored(&who.user_id).await?;
        Ok(Self { who, rules, ignored, lanes, opened: 0 })
    }

    /// The next event, newest first, and where it was found.
    async fn next(&mut self, inner: &Inner) -> Result<Option<(Place, Arc<StoredEvent>)>, SyncError> {
        let mut best: Option<(u64, Place)> = None;
        for lane in 0..self.lanes.len() {
            if let Some(room) = self.newest_of_lane(inner, lane).await? {
                let at_ms = self.lanes[lane].open[room].events[0].event.origin_server_ts;
                if best.is_none_or(|(best_ms, _)| at_ms > best_ms) {
                    best = Some((at_ms, Place { lane, room }));
                }
            }
        }
        let Some((_, place)) = best else { return Ok(None) };
        let walk = &mut self.lanes[place.lane];
        let event = walk.open[place.room].events[0].clone();
        walk.to = before(event.pos);
        Ok(Some((place, event)))
    }

    /// The open room of a lane with the newest event; opens those that may have a newer one.
    async fn newest_of_lane(&mut self, inner: &Inner, lane: usize) -> Result<Option<usize>, SyncError> {
        let to = self.lanes[lane].to;
        // What was taken last is dropped only now, so that it could be judged with its room.
        let mut index = 0;
        while index < self.lanes[lane].open.len() {
            let room = &mut self.lanes[lane].open[index];
            while room.events.front().is_some_and(|event| event.pos > to) {
                room.events.pop_front();
            }
            if room.events.is_empty() && room.more {
                let stretch = room.view.list_arrived(LanePos(0), to, EVENTS_PER_READ).await?;
                (room.events, room.more) = (stretch.events.into(), stretch.more);
            }
            if room.events.is_empty() {
                self.lanes[lane].open.swap_remove(index);
            } else {
                index += 1;
            }
        }
        loop {
            let walk = &mut self.lanes[lane];
            let newest = walk.open.iter().enumerate().max_by_key(|(_, room)| room.events[0].pos);
            let newest = newest.map(|(index, room)| (index, room.events[0].pos));
            match walk.waiting.last() {
                Some((last, _)) if newest.is_none_or(|(_, pos)| *last > pos) && self.opened <= ROOMS_MAX => {}
                _ => return Ok(newest.map(|(index, _)| index)),
            }
            if let Some((_, room)) = walk.waiting.pop() {
                self.opened += 1;
                let found = open_room(inner, self.who, room, to).await?;
                self.lanes[lane].open.extend(found);
            }
        }
    }

    /// Whether an event notified the user.
    async fn judge(
        &mut self,
        inner: &Inner,
        place: Place,
        event: &Arc<StoredEvent>,
        only_highlights: bool,
    ) -> Result<Option<Notification>, SyncError> {
        let room = &mut self.lanes[place.lane].open[place.room];
        let user = &self.who.user_id;
        if event.event.sender == *user {
            let thread = thread_root(&room.view, event).await?;
            room.spoken.add(thread.as_deref().map_or(MAIN_THREAD, EventId::as_str), event.pos);
            return Ok(None);
        }
        if event.redacted_by.is_some() || self.ignored.contains(&event.event.sender) {
            return Ok(None);
        }
        let taken_apart = inner.unread.push_event(room.view.room.key, event);
        let actions = evaluate_push(&self.rules, &taken_apart, &room.reader);
        if !actions.notify || (only_highlights && !actions.highlight) {
            return Ok(None);
        }
        let was_in = room.view.membership_at(event.before, user).await? == Membership::Join;
        if !was_in || !room.view.check_access(event, user).await? {
            return Ok(None);
        }
        let thread = thread_root(&room.view, event).await?;
        let thread = thread.as_deref().map(EventId::as_str);
        let read = event.pos <= room.marks.of_thread(thread).max(room.spoken.of_thread(thread));
        let now = inner.env.clock.now();
        let audience = Audience { user, device: &self.who.device_id, now, form: Form::WithoutRoomId, fields: None };
        Ok(Some(Notification {
            actions: actions.actions,
            event: room.view.client_json(event, audience).await?,
            read,
            room_id: room.view.room.room_id.clone(),
            at_ms: event.event.origin_server_ts,
        }))
    }

    /// Up to where each lane has still to be looked at.
    fn reached(&self) -> Positions {
        Positions::new(self.lanes.iter().map(|walk| walk.to).collect())
    }
}

/// Opens a room at its newest event up to a position; none when the user is not in it or there is nothing.
async fn open_room(inner: &Inner, who: &LocalUser, room: RoomKey, to: LanePos) -> Result<Option<OpenRoom>, SyncError> {
    let Some(view) = inner.rooms.load_view_by_key(room).await? else { return Ok(None) };
    if view.membership(&who.user_id) != Some(Membership::Join) {
        return Ok(None);
    }
    let stretch = view.list_arrived(LanePos(0), to, EVENTS_PER_READ).await?;
    let reader = inner.unread.load_reader(&view, &who.user_id).await?.filter(|_| !stretch.events.is_empty());
    let Some(reader) = reader else { return Ok(None) };
    let marks = inner.receipts.read_marks(room, who.key).await?;
    let (events, more) = (stretch.events.into(), stretch.more);
    Ok(Some(OpenRoom { view, reader, marks, spoken: ReadMarks::default(), events, more }))
}
