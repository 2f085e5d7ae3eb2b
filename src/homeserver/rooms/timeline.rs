//! The two orders of a room's events: arrival, which sync reads, and history, which pagination reads.
//!
//! Nothing here asks whether the reader may see an event: that is the access gate's, and every caller passes it.

use std::sync::Arc;

use hearth_protocol::{EventNum, LanePos};
use hearth_storage::schema::rooms::{Arrival, EventTimes, History};
use hearth_storage::{Page, Rows, StorageError, Table};

use super::stored_event::StoredEvent;
use super::view::RoomView;

/// Events that one call returns at the most.
pub const EVENTS_PER_CALL_MAX: usize = 1_000;
/// The fewest events for which it is worth to read backwards by reading forwards.
const FORWARD_EVENTS_MIN: usize = 16;
/// Events beside a room's chain, within one page, with which that still goes.
const SIDE_EVENTS_MAX: usize = 16;

/// A place between two events of a room's history; also what pagination tokens carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HistoryPos {
    pub depth: u64,
    pub order: i64,
}

impl HistoryPos {
    /// Before everything.
    pub const START: Self = Self { depth: 0, order: i64::MIN };
    /// After everything.
    pub const END: Self = Self { depth: u64::MAX, order: i64::MAX };

    /// The place right before an event; `after` of it is the place right behind.
    #[must_use]
    pub fn of(event: &StoredEvent) -> Self {
        Self { depth: event.event.depth, order: event.order }
    }
}

/// Which way to walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From older to newer.
    Forward,
    /// From newer to older.
    Backward,
}

/// A stretch of events, in the direction of the walk.
pub struct Stretch {
    pub events: Vec<Arc<StoredEvent>>,
    /// Whether there is more beyond the last one.
    pub more: bool,
}

impl RoomView {
    /// The newest events that arrived in `(from, to]`, newest first.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn list_arrived(&self, from: LanePos, to: LanePos, limit: usize) -> Result<Stretch, StorageError> {
        let key = self.room.key;
        let page = Page::last(limit.min(EVENTS_PER_CALL_MAX)).after((key, from)).up_to((key, to));
        let rows = self.reader.store().scan::<Arrival, _>(&key, page).await?;
        let nums: Vec<EventNum> = rows.rows.iter().map(|(_, row)| row.num).collect();
        Ok(Stretch { events: self.events(&nums).await?, more: rows.more })
    }

    /// Events of history on one side of the place `from`, in the direction of the walk, up to the place `to` where one is given.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn list_history(
        &self,
        from: HistoryPos,
        to: Option<HistoryPos>,
        direction: Direction,
        limit: usize,
    ) -> Result<Stretch, StorageError> {
        let limit = limit.min(EVENTS_PER_CALL_MAX);
        let rows = match direction {
            Direction::Forward => {
                let range = (from, to.unwrap_or(HistoryPos::END));
                self.scan_history(Page::first(limit), range).await?
            }
            Direction::Backward => self.scan_back((to.unwrap_or(HistoryPos::START), from), limit).await?,
        };
        let nums: Vec<EventNum> = rows.rows.iter().map(|(_, row)| row.num).collect();
        Ok(Stretch { events: self.events(&nums).await?, more: rows.more })
    }

    /// The last rows of a range of history, the last one first.
    ///
    /// In the engine's table in memory each step back is a search, and a step forward is none. Where a room is a chain, each
    /// depth has one event: then the range's last rows are those of so many depths, and are read forwards.
    async fn scan_back(
        &self,
        (from, to): (HistoryPos, HistoryPos),
        limit: usize,
    ) -> Result<Rows<History>, StorageError> {
        let depths = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
        let near = from.max(HistoryPos { depth: to.depth.saturating_sub(depths), order: i64::MIN });
        if limit >= FORWARD_EVENTS_MIN && to.depth != HistoryPos::END.depth {
            let mut found = self.scan_history(Page::first(limit + SIDE_EVENTS_MAX), (near, to)).await?;
            if !found.more && (found.rows.len() > limit || near == from) {
                found.rows.reverse();
                found.more = found.rows.len() > limit;
                found.rows.truncate(limit);
                return Ok(found);
            }
        }
        self.scan_history(Page::last(limit), (from, to)).await
    }

    async fn scan_history(
        &self,
        page: Page<<History as Table>::Key>,
        (from, to): (HistoryPos, HistoryPos),
    ) -> Result<Rows<History>, StorageError> {
        let key = self.room.key;
        let row = |pos: HistoryPos| (key, pos.depth, pos.order);
        self.reader.store().scan::<History, _>(&key, page.from(row(from)).before(row(to))).await
    }

    /// Events by their senders' time: from `at_ms` on, in the direction of the walk, and behind the time and order of
    /// `behind` where that is given.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn list_by_time(
        &self,
        (at_ms, behind): (u64, Option<(u64, i64)>),
        direction: Direction,
        limit: usize,
    ) -> Result<Stretch, StorageError> {
        let key = self.room.key;
        let page = match direction {
            Direction::Forward => Page::first(limit).from((key, at_ms, i64::MIN)),
            Direction::Backward => Page::last(limit).up_to((key, at_ms, i64::MAX)),
        };
        let page = match behind {
            Some((ms, order)) => page.behind((key, ms, order)),
            None => page,
        };
        let rows = self.reader.store().scan::<EventTimes, _>(&key, page).await?;
        let nums: Vec<EventNum> = rows.rows.iter().map(|(_, row)| row.num).collect();
        Ok(Stretch { events: self.events(&nums).await?, more: rows.more })
    }

    /// Where in history a position of the stream stands: after the newest event that had arrived by then.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn history_pos_at(&self, pos: LanePos) -> Result<HistoryPos, StorageError> {
        let newest = self.list_arrived(LanePos(0), pos, 1).await?.events.pop();
        Ok(newest.map_or(HistoryPos::START, |event| after(HistoryPos::of(&event))))
    }
}

/// The place right behind an event.
#[must_use]
pub fn after(pos: HistoryPos) -> HistoryPos {
    HistoryPos { depth: pos.depth, order: pos.order.saturating_add(1) }
}
