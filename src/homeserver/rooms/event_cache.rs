//! Events in memory, below a ceiling in bytes; what was rewritten on disk while somebody read it is never kept.

use std::sync::Arc;
use std::time::Duration;

use hearth_protocol::{EventNum, RoomKey};
use quick_cache::sync::{Cache, DefaultLifecycle, GuardResult, PlaceholderGuard};
use quick_cache::{DefaultHashBuilder, Weighter};

use super::stored_event::StoredEvent;

/// What a cached event costs beside its JSON, in bytes.
const EVENT_OVERHEAD_BYTES: u64 = 700;

type Place = (RoomKey, EventNum);
type Shared = Arc<StoredEvent>;
type Guard<'a> = PlaceholderGuard<'a, Place, Shared, ByBytes, DefaultHashBuilder, DefaultLifecycle<Place, Shared>>;

#[derive(Clone)]
struct ByBytes;

impl Weighter<Place, Shared> for ByBytes {
    fn weight(&self, _: &Place, event: &Shared) -> u64 {
        EVENT_OVERHEAD_BYTES + 3 * event.event.json.get().len() as u64
    }
}

/// The events that are in memory.
pub struct EventCache(Cache<Place, Shared, ByBytes>);

/// The right to keep an event, taken before its row is read; ends when the row is rewritten.
pub struct Vacancy<'a>(Option<Guard<'a>>);

impl EventCache {
    /// An empty cache for about so many events, of at most so many bytes.
    pub fn new(events: usize, bytes_max: u64) -> Self {
        Self(Cache::with_weighter(events, bytes_max, ByBytes))
    }

    /// An event that is in memory.
    pub fn get(&self, room: RoomKey, num: EventNum) -> Option<Shared> {
        self.0.get(&(room, num))
    }

    /// An event, or else the vacancy of whoever goes and reads it.
    pub fn find(&self, room: RoomKey, num: EventNum) -> Result<Shared, Vacancy<'_>> {
        // Never waits: two readers of the same events in another order would wait for each other.
        match self.0.get_value_or_guard(&(room, num), Some(Duration::ZERO)) {
            GuardResult::Value(event) => Ok(event),
            GuardResult::Guard(guard) => Err(Vacancy(Some(guard))),
            // Somebody else is reading it, and will keep it.
            GuardResult::Timeout => Err(Vacancy(None)),
        }
    }

    /// Keeps an event that a commit has just written.
    pub fn insert(&self, room: RoomKey, event: Shared) {
        self.0.insert((room, event.num), event);
    }

    /// Forgets an event whose row was rewritten, and ends the vacancy of whoever is reading it.
    pub fn forget(&self, room: RoomKey, num: EventNum) {
        self.0.remove(&(room, num));
    }

    /// How many events there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// What they weigh, in bytes.
    pub fn weight(&self) -> u64 {
        self.0.weight()
    }
}

impl Vacancy<'_> {
    /// Keeps what was read, unless it was rewritten since the vacancy was taken.
    pub fn keep(self, event: Shared) {
        if let Some(guard) = self.0 {
            // Refused when the row was rewritten: what was read is old, and nobody shall get it after its reader.
            let _ = guard.insert(event);
        }
    }
}
