//! How much a user has not read in a room. Nothing is written when a message is sent: the counts are brought up to date
//! when the user syncs, by the user's push rules, and start again at the receipts.
//!
//! Kept in memory; what is lost is counted again from the user's receipts on.

use std::collections::BTreeMap;
use std::sync::Arc;

use hearth_protocol::{
    Actions, EventNum, LanePos, PushEvent, PushReader, PushRoom, RoomKey, StateSetNum, UserKey, evaluate_push,
    rules_for_anybody,
};
use hearth_storage::StorageError;
use hearth_storage::schema::receipts::ReceiptChange;
use hearth_storage::schema::users::Membership;
use parking_lot::Mutex;
use quick_cache::sync::Cache;
use ruma::push::Ruleset;
use ruma::{OwnedEventId, UserId, user_id};

use super::moment::membership_of;
use super::response::Unread;
use super::scope::Scope;
use super::shared::SharedNews;
use crate::metrics::Counter;
use crate::rooms::{MAIN_THREAD, ReadMarks, RoomView, StoredEvent, thread_root};

/// Pairs of user and room whose counts are kept.
const TALLIES_MAX: usize = 50_000;
/// Events that are kept taken apart for the rules.
const PUSH_EVENTS_MAX: usize = 4_096;
/// Rooms of which is kept what the rules ask of them.
const PUSH_ROOMS_MAX: usize = 4_096;
/// Events of a room that are counted at once; what is unread beyond is not counted.
const COUNTED_MAX: usize = 500;
/// Unread notifications that are kept of a room.
const ITEMS_MAX: usize = 1_000;
/// Threads in which a user's own events are remembered, of a room.
const SPOKEN_THREADS_MAX: usize = 200;
/// Changes of one's own membership that are looked at for when one joined.
const MEMBERSHIPS_MAX: usize = 20;

/// The counts of all users, and events taken apart.
pub struct UnreadCounter {
    tallies: Cache<(UserKey, RoomKey), Arc<Mutex<Tally>>>,
    events: Cache<(RoomKey, EventNum), Arc<PushEvent>>,
    rooms: Cache<RoomKey, Arc<KnownRoom>>,
    anybody: Ruleset,
    /// How often rules were gone through.
    pub(super) evaluations: Counter,
}

/// What the rules ask of a room, for all its readers.
pub struct KnownRoom {
    /// As of this state.
    state: StateSetNum,
    push: PushRoom,
}

/// A message that many readers are told of alike, as the rules see it.
pub struct JudgedEvent {
    pub event: Arc<StoredEvent>,
    thread: Option<OwnedEventId>,
    taken_apart: Arc<PushEvent>,
    pub sender: UserKey,
    /// What it does to who has the default rules and is not named in it.
    for_anybody: Actions,
}

/// The unread notifications of a user in a room.
#[derive(Clone, Default)]
struct Tally {
    /// Every event up to here was looked at.
    counted_to: LanePos,
    /// The receipts as of this position.
    marks: ReadMarks,
    marks_at: LanePos,
    /// Up to where the user has read by speaking themselves (C-S API, "Marking notifications as read").
    spoken: ReadMarks,
    /// What the reader is called in the room, and by which event.
    name: Option<(EventNum, String)>,
    items: Vec<Item>,
}

impl Tally {
    /// Takes out what was read, by a receipt or by speaking after it.
    fn drop_read(&mut self) {
        let Self { marks, spoken, items, .. } = self;
        items.retain(|item| {
            let thread = item.thread.as_deref().map(ruma::EventId::as_str);
            item.pos > marks.of_thread(thread).max(spoken.of_thread(thread))
        });
    }
}

#[derive(Clone)]
struct Item {
    pos: LanePos,
    sender: UserKey,
    highlight: bool,
    thread: Option<OwnedEventId>,
}

/// What is unread, in the form that the filter asks for.
#[derive(Default)]
pub struct UnreadCounts {
    pub room: Unread,
    pub threads: BTreeMap<OwnedEventId, Unread>,
}

impl Default for UnreadCounter {
    fn default() -> Self {
        Self {
            tallies: Cache::new(TALLIES_MAX),
            events: Cache::new(PUSH_EVENTS_MAX),
            rooms: Cache::new(PUSH_ROOMS_MAX),
            anybody: rules_for_anybody(),
            evaluations: Counter::default(),
        }
    }
}

impl UnreadCounter {
    /// The counts of the reader in a room up to a position. `receipts` are those since the reader's position, when they were read already.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn count(
        &self,
        scope: &Scope<'_>,
        view: &RoomView,
        to: LanePos,
        receipts: Option<&[Arc<ReceiptChange>]>,
    ) -> Result<UnreadCounts, StorageError> {
        let key = (scope.who.key, view.room.key);
        let known = self.tallies.get(&key);
        let mut tally = known.as_ref().map(|known| known.lock().clone()).unwrap_or_default();
        self.renew_marks(scope, view, to, receipts, &mut tally).await?;
        if tally.counted_to == LanePos(0) {
            tally.counted_to = load_joined_at(scope, view).await?.max(tally.marks.all);
        }
        if tally.counted_to < to {
            self.add_new(scope, view, to, &mut tally).await?;
        }
        tally.drop_read();
        let counts = sum_for(scope, &tally);
        match known {
            Some(known) => *known.lock() = tally,
            None => self.tallies.insert(key, Arc::new(Mutex::new(tally))),
        }
        Ok(counts)
    }

    /// The counts after news that many readers are told alike, which is most of what there is: nothing is read. None where
    /// something has to be read all the same; then nothing has been counted.
    pub fn count_shared(
        &self,
        scope: &Scope<'_>,
        view: &RoomView,
        news: &SharedNews,
        receipts: Option<&[Arc<ReceiptChange>]>,
    ) -> Option<UnreadCounts> {
        let room = view.room.key;
        let known = self.tallies.get(&(scope.who.key, room))?;
        let mut tally = known.lock();
        let lane = scope.hub.lane_of(room);
        let is_counted = tally.counted_to <= news.from
            && scope.hub.covers(lane, tally.counted_to)
            && !scope.hub.room_news(room, tally.counted_to, news.from).events;
        if !is_counted || !is_marked(scope, room, news.to, receipts, &tally) {
            return None;
        }
        let member = view.room.state_num("m.room.member", scope.who.user_id.as_str())?;
        let name = tally.name.as_ref().filter(|(num, _)| *num == member).map(|(_, name)| name.as_str())?;
        let mut items = Vec::with_capacity(news.events.len());
        for JudgedEvent { event, thread, taken_apart, sender, for_anybody } in &news.events {
            let is_plain = scope.personal.has_default_rules && !taken_apart.may_name(&scope.who.user_id, name);
            let (notify, highlight) = if is_plain {
                (for_anybody.notify, for_anybody.highlight)
            } else {
                self.evaluations.increment();
                let reader = news.room.push.reader(&scope.who.user_id, name);
                let actions = evaluate_push(&scope.personal.push_rules, taken_apart, &reader);
                (actions.notify, actions.highlight)
            };
            if notify {
                items.push(Item { pos: event.pos, sender: *sender, highlight, thread: thread.clone() });
            }
        }
        tally.items.append(&mut items);
        let extra = tally.items.len().saturating_sub(ITEMS_MAX);
        tally.items.drain(..extra);
        (tally.counted_to, tally.marks_at) = (news.to, news.to);
        tally.drop_read();
        Some(sum_for(scope, &tally))
    }

    /// Messages as the rules see them, for all readers; none when the room has no power levels.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn judge(
        &self,
        view: &RoomView,
        events: Vec<Arc<StoredEvent>>,
    ) -> Result<Option<(Arc<KnownRoom>, Vec<JudgedEvent>)>, StorageError> {
        let Some(room) = self.load_known_room(view).await? else { return Ok(None) };
        let mut judged = Vec::with_capacity(events.len());
        for event in events {
            let thread = thread_root(view, &event).await?;
            let taken_apart = self.push_event(view.room.key, &event);
            let reader = room.push.reader(user_id!("@anybody:anywhere"), "");
            self.evaluations.increment();
            let for_anybody = evaluate_push(&self.anybody, &taken_apart, &reader);
            let sender = UserKey::of(&event.event.sender);
            judged.push(JudgedEvent { event, thread, taken_apart, sender, for_anybody });
        }
        Ok(Some((room, judged)))
    }

    /// Reads the receipts again, unless it is known that the reader has made none since.
    async fn renew_marks(
        &self,
        scope: &Scope<'_>,
        view: &RoomView,
        to: LanePos,
        receipts: Option<&[Arc<ReceiptChange>]>,
        tally: &mut Tally,
    ) -> Result<(), StorageError> {
        if !is_marked(scope, view.room.key, to, receipts, tally) {
            tally.marks = scope.receipts.read_marks(view.room.key, scope.who.key).await?;
        }
        tally.marks_at = to;
        Ok(())
    }

    async fn add_new(
        &self,
        scope: &Scope<'_>,
        view: &RoomView,
        to: LanePos,
        tally: &mut Tally,
    ) -> Result<(), StorageError> {
        let events = list_events(scope, view, tally.counted_to, to).await?;
        tally.counted_to = to;
        let (own, events): (Vec<_>, Vec<_>) = events
            .into_iter()
            .filter(|event| event.redacted_by.is_none())
            .partition(|event| event.event.sender == scope.who.user_id);
        for event in own {
            let thread = thread_root(view, &event).await?;
            tally.spoken.add(thread.as_deref().map_or(MAIN_THREAD, ruma::EventId::as_str), event.pos);
        }
        if tally.spoken.threads.len() > SPOKEN_THREADS_MAX {
            tally.spoken.threads.drain(..SPOKEN_THREADS_MAX / 2);
        }
        if events.is_empty() {
            return Ok(());
        }
        let Some(room) = self.load_known_room(view).await? else { return Ok(()) };
        tally.name = load_name(view, &scope.who.user_id).await?;
        let name = tally.name.as_ref().map(|(_, name)| name.as_str()).unwrap_or_default();
        let reader = room.push.reader(&scope.who.user_id, name);
        for event in view.list_visible(events, &scope.who.user_id).await? {
            self.evaluations.increment();
            let actions = evaluate_push(&scope.personal.push_rules, &self.push_event(view.room.key, &event), &reader);
            if !actions.notify || scope.personal.ignores(&event.event.sender) {
                continue;
            }
            let thread = thread_root(view, &event).await?;
            let sender = UserKey::of(&event.event.sender);
            tally.items.push(Item { pos: event.pos, sender, highlight: actions.highlight, thread });
        }
        let extra = tally.items.len().saturating_sub(ITEMS_MAX);
        tally.items.drain(..extra);
        Ok(())
    }

    /// What the rules' conditions ask of the room and the reader.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn load_reader(&self, view: &RoomView, user: &UserId) -> Result<Option<PushReader>, StorageError> {
        let Some(room) = self.load_known_room(view).await? else { return Ok(None) };
        let name = load_name(view, user).await?.map(|(_, name)| name);
        Ok(Some(room.push.reader(user, name.as_deref().unwrap_or_default())))
    }

    async fn load_known_room(&self, view: &RoomView) -> Result<Option<Arc<KnownRoom>>, StorageError> {
        let state = view.room.head.state;
        if let Some(known) = self.rooms.get(&view.room.key).filter(|known| known.state == state) {
            return Ok(Some(known));
        }
        let Some(levels) = view.power_levels().await? else { return Ok(None) };
        let push = PushRoom::new(view.room.rules, &view.room.room_id, view.room.joined.into(), &levels);
        let known = Arc::new(KnownRoom { state, push });
        self.rooms.insert(view.room.key, known.clone());
        Ok(Some(known))
    }

    /// An event taken apart for the rules, once for all readers.
    pub fn push_event(&self, room: RoomKey, event: &StoredEvent) -> Arc<PushEvent> {
        let key = (room, event.num);
        self.events.get(&key).unwrap_or_else(|| {
            let taken_apart = Arc::new(PushEvent::of(&event.event));
            self.events.insert(key, taken_apart.clone());
            taken_apart
        })
    }
}

/// Whether the reader has made no receipt since those of the tally were read.
fn is_marked(
    scope: &Scope<'_>,
    room: RoomKey,
    to: LanePos,
    receipts: Option<&[Arc<ReceiptChange>]>,
    tally: &Tally,
) -> bool {
    let lane = scope.hub.lane_of(room);
    let since = scope.since(lane).unwrap_or_default();
    tally.marks_at != LanePos(0)
        && scope.hub.covers(lane, tally.marks_at)
        && match receipts {
            Some(receipts) if tally.marks_at >= since => {
                receipts.iter().all(|row| row.user_id != scope.who.user_id.as_str())
            }
            _ => !scope.hub.room_news(room, tally.marks_at, to).receipts,
        }
}

/// What a user is called in a room, and by which event.
async fn load_name(view: &RoomView, user: &UserId) -> Result<Option<(EventNum, String)>, StorageError> {
    #[derive(serde::Deserialize)]
    struct Member {
        displayname: Option<String>,
    }
    let Some(member) = view.state_event("m.room.member", user.as_str()).await? else { return Ok(None) };
    let name = member.event.content_as::<Member>().ok().and_then(|member| member.displayname);
    Ok(Some((member.num, name.unwrap_or_default())))
}

/// The newest events of a range, oldest first.
async fn list_events(
    scope: &Scope<'_>,
    view: &RoomView,
    from: LanePos,
    to: LanePos,
) -> Result<Vec<Arc<StoredEvent>>, StorageError> {
    if let Some(mut nums) = scope.hub.room_events(view.room.key, from, to) {
        let nums = nums.split_off(nums.len().saturating_sub(COUNTED_MAX));
        return view.events(&nums).await;
    }
    let mut events = view.list_arrived(from, to, COUNTED_MAX).await?.events;
    events.reverse();
    Ok(events)
}

/// Where the reader joined: what was before is not unread.
async fn load_joined_at(scope: &Scope<'_>, view: &RoomView) -> Result<LanePos, StorageError> {
    let user = &scope.who.user_id;
    let Some(mut member) = view.state_event("m.room.member", user.as_str()).await? else { return Ok(LanePos(0)) };
    for _ in 0..MEMBERSHIPS_MAX {
        let before = view.state_at(member.before).await?;
        let earlier = view.event_of(&before, "m.room.member", user.as_str()).await?;
        match earlier.filter(|earlier| membership_of(earlier) == Membership::Join) {
            Some(earlier) => member = earlier,
            None => break,
        }
    }
    Ok(member.pos)
}

fn sum_for(scope: &Scope<'_>, tally: &Tally) -> UnreadCounts {
    let ignored = scope.personal.ignored_keys();
    let items = tally.items.iter().filter(|item| ignored.is_empty() || !ignored.contains(&item.sender));
    sum(items, scope.request.filter.timeline.unread_thread_notifications)
}

fn sum<'a>(items: impl Iterator<Item = &'a Item>, by_thread: bool) -> UnreadCounts {
    let mut counts = UnreadCounts::default();
    for item in items {
        let count = match item.thread.clone().filter(|_| by_thread) {
            Some(thread) => counts.threads.entry(thread).or_default(),
            None => &mut counts.room,
        };
        count.notification_count += 1;
        count.highlight_count += u64::from(item.highlight);
    }
    counts
}
