//! Reading rooms: the caches, and what fills them. Never writes.

use std::hash::Hash;
use std::sync::Arc;

use hearth_protocol::{EventKey, EventNum, RoomKey, StateSetNum, rules_of};
use hearth_storage::schema::relations::{RelationTotal, RelationTotals};
use hearth_storage::schema::rooms::{
    EventNums, EventRow, Events, Memberships, RoomHeads, StateKeys, StateSetRow, StateSets,
};
use hearth_storage::{Key, Page, Placed, ScanBy, StorageError, Store, Table};
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};
use ruma::{EventId, OwnedRoomId, RoomVersionId};

use super::config::RoomsConfig;
use super::event_cache::EventCache;
use super::snapshot::{EMPTY_SET, RoomSnapshot};
use super::state_map::{StateKeyTable, StateMap};
use super::stored_event::StoredEvent;

/// Rows asked for at once when a whole table of a room is read.
const ROWS_PER_PAGE: usize = 2_000;
/// What an entry of a persistent map costs, in bytes; most of a set is shared with its neighbours.
const STATE_ENTRY_BYTES: u64 = 16;
/// What a member of a live room costs, in bytes.
const MEMBER_BYTES: u64 = 250;

#[derive(Clone)]
struct ByBytes;

impl Weighter<(RoomKey, StateSetNum), StateMap> for ByBytes {
    fn weight(&self, _: &(RoomKey, StateSetNum), map: &StateMap) -> u64 {
        256 + STATE_ENTRY_BYTES * map.len() as u64
    }
}

impl Weighter<RoomKey, Arc<RoomSnapshot>> for ByBytes {
    fn weight(&self, _: &RoomKey, room: &Arc<RoomSnapshot>) -> u64 {
        1_024 + STATE_ENTRY_BYTES * room.state.len() as u64 + MEMBER_BYTES * room.members.len() as u64
    }
}

/// Reads of rooms through caches with ceilings in bytes.
pub struct RoomReader {
    store: Store,
    events: EventCache,
    nums: Cache<(RoomKey, EventKey), EventNum>,
    sets: Cache<(RoomKey, StateSetNum), StateMap, ByBytes>,
    rooms: Cache<RoomKey, Arc<RoomSnapshot>, ByBytes>,
    /// How much relates to an event; of most events it is known that nothing does.
    totals: Cache<(RoomKey, EventKey), Option<RelationTotal>>,
}

impl RoomReader {
    /// A reader with empty caches.
    #[must_use]
    pub fn new(store: Store, config: &RoomsConfig) -> Self {
        let bytes = config.cache_bytes_max;
        let items = |share: u64| usize::try_from(share / 1_024).unwrap_or(usize::MAX).max(16);
        Self {
            store,
            events: EventCache::new(items(bytes / 2), bytes / 2),
            nums: Cache::new(items(bytes)),
            sets: undivided(items(bytes / 8), bytes / 8),
            rooms: undivided(items(bytes / 4), bytes * 3 / 8),
            totals: Cache::new(items(bytes)),
        }
    }

    /// The store that is read from.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The room as it was after its last commit; none when there is no such room.
    ///
    /// # Errors
    /// When reading fails, or a row of the room is damaged.
    pub async fn load_room(&self, key: RoomKey) -> Result<Option<Arc<RoomSnapshot>>, StorageError> {
        match self.rooms.get_value_or_guard_async(&key).await {
            Ok(room) => Ok(Some(room)),
            Err(guard) => {
                let Some(room) = self.read_room(key).await? else {
                    return Ok(None);
                };
                let room = Arc::new(room);
                // Fails when a commit published a newer one meanwhile; ours is still what stood when we began.
                let _ = guard.insert(room.clone());
                Ok(Some(room))
            }
        }
    }

    /// Makes a committed room and its events visible to readers.
    pub fn publish(&self, room: Arc<RoomSnapshot>, events: &[Arc<StoredEvent>]) {
        for event in events {
            self.nums.insert((room.key, EventKey::of(&event.event.id)), event.num);
            self.events.insert(room.key, event.clone());
        }
        self.sets.insert((room.key, room.head.state), room.state.clone());
        self.rooms.insert(room.key, room);
    }

    /// Forgets a room whose commit failed: its tables of numbers ran ahead of the disk.
    pub fn forget_room(&self, key: RoomKey) {
        self.rooms.remove(&key);
    }

    /// Forgets an event whose row was rewritten (redacted, erased).
    pub fn forget_event(&self, key: RoomKey, num: EventNum) {
        self.events.forget(key, num);
    }

    /// Keeps a set that was just built, so that the next reader need not.
    pub fn remember_set(&self, key: RoomKey, set: StateSetNum, map: StateMap) {
        self.sets.insert((key, set), map);
    }

    /// Keeps what a commit wrote of relations, or that nothing can relate to an event that was just made.
    pub fn remember_totals(&self, room: RoomKey, totals: impl Iterator<Item = (EventKey, Option<RelationTotal>)>) {
        for (target, total) in totals {
            self.totals.insert((room, target), total);
        }
    }

    /// How much relates to each of some events, in their order; none for most of them.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn list_totals(
        &self,
        room: RoomKey,
        targets: &[EventKey],
    ) -> Result<Vec<Option<RelationTotal>>, StorageError> {
        let mut found: Vec<_> = targets.iter().map(|target| self.totals.get(&(room, *target))).collect();
        let missing: Vec<_> = (0..targets.len()).filter(|n| found[*n].is_none()).collect();
        if !missing.is_empty() {
            let keys: Vec<_> = missing.iter().map(|n| (room, targets[*n])).collect();
            for (n, total) in missing.into_iter().zip(self.store.multi_get::<RelationTotals>(&keys).await?) {
                // Never in the place of what a commit put there meanwhile.
                let kept = self.totals.get_or_insert_with(&(room, targets[n]), || Ok::<_, StorageError>(total));
                found[n] = Some(kept?);
            }
        }
        Ok(found.into_iter().map(Option::unwrap_or_default).collect())
    }

    /// The number of an event in its room; none when the room has no such event.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn load_num(&self, room: RoomKey, id: &EventId) -> Result<Option<EventNum>, StorageError> {
        let key = (room, EventKey::of(id));
        if let Some(num) = self.nums.get(&key) {
            return Ok(Some(num));
        }
        let row = self.store.get::<EventNums>(&key).await?;
        Ok(row.map(|row| {
            self.nums.insert(key, row.num);
            row.num
        }))
    }

    /// The numbers of many events, in their order; none for those that the room does not have.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn list_nums(
        &self,
        room: RoomKey,
        ids: &[impl AsRef<EventId>],
    ) -> Result<Vec<Option<EventNum>>, StorageError> {
        let keys: Vec<_> = ids.iter().map(|id| EventKey::of(id.as_ref())).collect();
        self.list_nums_of(room, &keys).await
    }

    /// The same, by the keys of the events.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn list_nums_of(&self, room: RoomKey, keys: &[EventKey]) -> Result<Vec<Option<EventNum>>, StorageError> {
        let keys: Vec<_> = keys.iter().map(|key| (room, *key)).collect();
        let mut found: Vec<_> = keys.iter().map(|key| self.nums.get(key)).collect();
        let missing: Vec<_> = (0..keys.len()).filter(|n| found[*n].is_none()).collect();
        if missing.is_empty() {
            return Ok(found);
        }
        let wanted: Vec<_> = missing.iter().map(|n| keys[*n]).collect();
        for (n, row) in missing.into_iter().zip(self.store.multi_get::<EventNums>(&wanted).await?) {
            if let Some(row) = row {
                self.nums.insert(keys[n], row.num);
                found[n] = Some(row.num);
            }
        }
        Ok(found)
    }

    /// Those of some rooms that have an event of this id.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn list_rooms_of(&self, rooms: &[RoomKey], id: &EventId) -> Result<Vec<RoomKey>, StorageError> {
        let event = EventKey::of(id);
        let keys: Vec<_> = rooms.iter().map(|room| (*room, event)).collect();
        let rows = self.store.multi_get::<EventNums>(&keys).await?;
        Ok(rooms.iter().zip(rows).filter(|(_, row)| row.is_some()).map(|(room, _)| *room).collect())
    }

    /// An event by its id, whatever was decided about it.
    ///
    /// # Errors
    /// When reading fails, or the row is damaged.
    pub async fn load_event(
        &self,
        room: &RoomSnapshot,
        id: &EventId,
    ) -> Result<Option<Arc<StoredEvent>>, StorageError> {
        let Some(num) = self.load_num(room.key, id).await? else {
            return Ok(None);
        };
        Ok(self.list_events(room, &[num]).await?.pop())
    }

    /// An event that is in memory already.
    #[must_use]
    pub fn cached_event(&self, room: RoomKey, num: EventNum) -> Option<Arc<StoredEvent>> {
        self.events.get(room, num)
    }

    /// Events by their numbers, in that order.
    ///
    /// # Errors
    /// When reading fails, or a number that other rows name has no event.
    pub async fn list_events(
        &self,
        room: &RoomSnapshot,
        nums: &[EventNum],
    ) -> Result<Vec<Arc<StoredEvent>>, StorageError> {
        let (mut found, mut missing) = (Vec::with_capacity(nums.len()), Vec::new());
        for (n, num) in nums.iter().enumerate() {
            let event = self.events.find(room.key, *num);
            found.push(event.map_err(|vacancy| missing.push((n, vacancy))).ok());
        }
        if !missing.is_empty() {
            let keys: Vec<_> = missing.iter().map(|(n, _)| (room.key, nums[*n])).collect();
            let rows = self.store.multi_get::<Events>(&keys).await?;
            for ((n, vacancy), row) in missing.into_iter().zip(rows) {
                let event = Arc::new(event_of(room, nums[n], row)?);
                vacancy.keep(event.clone());
                found[n] = Some(event);
            }
        }
        Ok(found.into_iter().flatten().collect())
    }

    /// A set of state by its number.
    ///
    /// # Errors
    /// When reading fails, or a set that others build on is absent.
    pub async fn load_set(&self, room: RoomKey, set: StateSetNum) -> Result<StateMap, StorageError> {
        if set == EMPTY_SET {
            return Ok(StateMap::new());
        }
        if let Some(map) = self.sets.get(&(room, set)) {
            return Ok(map);
        }
        let mut chain = vec![self.require_set_rows(room, set).await?];
        let mut base = None;
        while let Some(parent) = chain.last().and_then(|rows| rows.parent) {
            base = self.sets.get(&(room, parent));
            if base.is_some() || parent == EMPTY_SET {
                break;
            }
            chain.push(self.require_set_rows(room, parent).await?);
        }
        let mut map = base.unwrap_or_default();
        while let Some(rows) = chain.pop() {
            for (key, event) in rows.changes {
                match event {
                    Some(event) => map.insert(key, event),
                    None => map.remove(&key),
                };
            }
        }
        self.sets.insert((room, set), map.clone());
        Ok(map)
    }

    async fn require_set_rows(&self, room: RoomKey, set: StateSetNum) -> Result<StateSetRow, StorageError> {
        let mut rows = list_rows::<StateSets, _>(&self.store, &(room, set)).await?.into_iter().map(|(_, row)| row);
        let mut first =
            rows.next().ok_or_else(|| corrupt::<StateSets>(&(room, set, 0), "no such state set".to_owned()))?;
        first.changes.extend(rows.flat_map(|row| row.changes));
        Ok(first)
    }

    async fn read_room(&self, key: RoomKey) -> Result<Option<RoomSnapshot>, StorageError> {
        let Some(head) = self.store.get::<RoomHeads>(&key).await? else {
            return Ok(None);
        };
        let damaged = |text: &str| corrupt::<RoomHeads>(&key, text.to_owned());
        let room_id = OwnedRoomId::try_from(head.room_id.as_str()).map_err(|_| damaged("not a room id"))?;
        let version = RoomVersionId::try_from(head.version.as_str()).map_err(|_| damaged("not a room version"))?;
        let rules = rules_of(&version).ok_or_else(|| damaged("unknown room version"))?;
        let keys = self.read_state_keys(key).await?;
        let state = self.load_set(key, head.state).await?;
        let mut room = RoomSnapshot { keys, state, ..RoomSnapshot::empty(&room_id, rules) };
        room.head = head;
        for ((_, user), row) in list_rows::<Memberships, _>(&self.store, &key).await? {
            room.apply_member(user, Arc::new(row));
        }
        Ok(Some(room))
    }

    async fn read_state_keys(&self, key: RoomKey) -> Result<StateKeyTable, StorageError> {
        let table = StateKeyTable::default();
        for ((_, num), row) in list_rows::<StateKeys, _>(&self.store, &key).await? {
            let (got, _) = table.intern(&row.kind, &row.state_key);
            if got != num {
                return Err(corrupt::<StateKeys>(&(key, num), "numbers are not dense".to_owned()));
            }
        }
        Ok(table)
    }

    /// How full the caches are, for the metrics: name, entries, bytes.
    #[must_use]
    pub fn cache_sizes(&self) -> [(&'static str, usize, u64); 5] {
        [
            ("events", self.events.len(), self.events.weight()),
            ("event_nums", self.nums.len(), self.nums.weight()),
            ("state_sets", self.sets.len(), self.sets.weight()),
            ("rooms", self.rooms.len(), self.rooms.weight()),
            ("relations", self.totals.len(), self.totals.weight()),
        ]
    }
}

fn event_of(room: &RoomSnapshot, num: EventNum, row: Option<EventRow>) -> Result<StoredEvent, StorageError> {
    let damaged = |text: String| corrupt::<Events>(&(room.key, num), text);
    let row = row.ok_or_else(|| damaged("no such event".to_owned()))?;
    StoredEvent::from_row(room.rules, &room.room_id, num, row).map_err(|error| damaged(error.to_string()))
}

/// A cache in one shard. Usually there are some for each core, and what is heavier than a shard is never kept: a room of
/// a hundred thousand members would be read from disk for each of its messages.
fn undivided<K: Clone + Eq + Hash, V: Clone>(items: usize, bytes_max: u64) -> Cache<K, V, ByBytes>
where
    ByBytes: Weighter<K, V>,
{
    let divided = || Cache::with_weighter(items, bytes_max, ByBytes);
    let options = OptionsBuilder::new().estimated_items_capacity(items).weight_capacity(bytes_max).shards(1).build();
    options.map_or_else(
        |_| divided(),
        |options| Cache::with_options(options, ByBytes, DefaultHashBuilder::default(), DefaultLifecycle::default()),
    )
}

/// All rows of a prefix, page by page.
pub(super) async fn list_rows<T, P>(store: &Store, prefix: &P) -> Result<Vec<(T::Key, T::Value)>, StorageError>
where
    T: ScanBy<P>,
    T::Key: Clone,
    P: Key + Placed,
{
    let (mut all, mut page) = (Vec::new(), Page::first(ROWS_PER_PAGE));
    loop {
        let rows = store.scan::<T, P>(prefix, page).await?;
        let more = rows.more;
        all.extend(rows.rows);
        match all.last().filter(|_| more) {
            Some((last, _)) => page = Page::first(ROWS_PER_PAGE).after(last.clone()),
            None => return Ok(all),
        }
    }
}

fn corrupt<T: Table>(key: &T::Key, reason: String) -> StorageError
where
    T::Key: std::fmt::Debug,
{
    StorageError::Corrupt { table: T::NAME, key: format!("{key:?}"), reason }
}
