//! News of a room that many of its readers are told in the same words: messages, for those who were in the room before and
//! stand at the same place. Written, and judged by the default push rules, once for all of them.

use std::sync::Arc;

use hearth_protocol::{LanePos, RoomKey, UnixMs};
use hearth_storage::StorageError;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::error::SyncError;
use super::moment::Moment;
use super::response::{Piece, Timeline};
use super::scope::Scope;
use super::state_changes::list_differences;
use super::token::history_token;
use super::unread::{JudgedEvent, KnownRoom};
use super::window::limit_of;
use crate::metrics::Counter;
use crate::rooms::{Form, HistoryPos, RoomView, StoredEvent};

/// How long the words of one answer serve others, in milliseconds: `unsigned.age` is that much too low at the most.
const SHARED_MS: u64 = 250;
/// Bytes that are kept.
const SHARED_BYTES_MAX: u64 = 16 << 20;
/// Pieces of news that are kept.
const SHARED_MAX: usize = 4_096;

type Key = (RoomKey, LanePos, LanePos, Form);

/// What was written lately.
pub struct SharedWords {
    cache: Cache<Key, Arc<SharedNews>, ByBytes>,
    /// How often something was written.
    pub(super) writings: Counter,
}

/// The messages of a room in a range.
pub struct SharedNews {
    pub from: LanePos,
    pub to: LanePos,
    /// The messages, oldest first.
    pub events: Vec<JudgedEvent>,
    /// What the push rules ask of the room.
    pub room: Arc<KnownRoom>,
    pieces: Vec<Piece>,
    prev_batch: String,
    written_at: UnixMs,
}

#[derive(Clone)]
struct ByBytes;

impl Weighter<Key, Arc<SharedNews>> for ByBytes {
    fn weight(&self, _: &Key, news: &Arc<SharedNews>) -> u64 {
        1_024 + news.pieces.iter().map(|piece| 256 + 3 * piece.get().len() as u64).sum::<u64>()
    }
}

impl Default for SharedWords {
    fn default() -> Self {
        Self { cache: Cache::with_weighter(SHARED_MAX, SHARED_BYTES_MAX, ByBytes), writings: Counter::default() }
    }
}

impl SharedWords {
    /// The news in `(from, to]` for a reader who has been in the room for all of it; none when they may be something else
    /// to this reader than to others, or more than messages.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn load(
        &self,
        scope: &Scope<'_>,
        view: &RoomView,
        (from, to): (LanePos, LanePos),
    ) -> Result<Option<Arc<SharedNews>>, SyncError> {
        let filter = &scope.request.filter.timeline;
        let audience = scope.audience();
        if !filter.is_everything() || audience.fields.is_some() {
            return Ok(None);
        }
        let key = (view.room.key, from, to, audience.form);
        let is_fresh = |news: &Arc<SharedNews>| scope.now.0.saturating_sub(news.written_at.0) <= SHARED_MS;
        let news = match self.cache.get(&key).filter(is_fresh) {
            Some(news) => news,
            None => {
                let Some(events) = list_messages(scope, view, from, to).await? else { return Ok(None) };
                if events.iter().any(|event| event.event.sender == scope.who.user_id) {
                    return Ok(None);
                }
                let Some(news) = self.write(scope, view, (from, to), events).await? else { return Ok(None) };
                self.cache.insert(key, news.clone());
                news
            }
        };
        let is_apart =
            |event: &StoredEvent| event.event.sender == scope.who.user_id || scope.personal.ignored.hides(&event.event);
        let is_shared =
            news.events.len() <= limit_of(filter) && !news.events.iter().any(|judged| is_apart(&judged.event));
        Ok(Some(news).filter(|_| is_shared))
    }

    async fn write(
        &self,
        scope: &Scope<'_>,
        view: &RoomView,
        (from, to): (LanePos, LanePos),
        events: Vec<Arc<StoredEvent>>,
    ) -> Result<Option<Arc<SharedNews>>, SyncError> {
        let Some(first) = events.first() else { return Ok(None) };
        let prev_batch = history_token(HistoryPos::of(first));
        self.writings.increment();
        let pieces = view.list_client_json(&events, scope.audience()).await?;
        let Some((room, events)) = scope.unread.judge(view, events).await? else { return Ok(None) };
        Ok(Some(Arc::new(SharedNews { from, to, events, room, pieces, prev_batch, written_at: scope.now })))
    }
}

impl SharedNews {
    /// The timeline that consists of them.
    pub fn timeline(&self) -> Timeline {
        Timeline { events: self.pieces.clone(), limited: false, prev_batch: Some(self.prev_batch.clone()) }
    }
}

/// The events of a range, if they are nothing but messages that leave the room as it was and still is, and to which nothing
/// relates; whoever is in the room now was so all along, and may see them all.
async fn list_messages(
    scope: &Scope<'_>,
    view: &RoomView,
    from: LanePos,
    to: LanePos,
) -> Result<Option<Vec<Arc<StoredEvent>>>, StorageError> {
    let Some(nums) = scope.hub.room_events(view.room.key, from, to) else { return Ok(None) };
    if nums.len() > super::window::LIMIT_MAX {
        return Ok(None);
    }
    let events = view.events(&nums).await?;
    let state = view.room.head.state;
    let is_message = |event: &Arc<StoredEvent>| {
        let is_still = event.before == state && event.after == state;
        is_still && event.is_shown() && !event.event.is_state() && event.redacted_by.is_none()
    };
    if events.len() != nums.len() || !events.iter().all(is_message) {
        return Ok(None);
    }
    if view.list_totals(&events).await?.iter().any(Option::is_some) {
        return Ok(None);
    }
    let before = Moment::load(scope.hub, view, from).await?;
    Ok(Some(events).filter(|_| list_differences(&before.state, &view.room.state).is_empty()))
}
