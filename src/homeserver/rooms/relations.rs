//! Which events relate to an event (C-S API, "Relationships API"), in the order of history.
//!
//! Nothing here asks whether the reader may see an event: every caller passes what it finds through the gate.

use std::sync::Arc;

use hearth_protocol::{EventFilter, EventKey, EventNum, RelatedBy, UserKey};
use hearth_storage::schema::relations::{
    RelatedRow, RelationTotal, RelationsByHistory, RelationsBySender, RelationsByType, Threads,
};
use hearth_storage::{Page, StorageError};
use ruma::{EventId, UserId};

use super::stored_event::StoredEvent;
use super::timeline::{Direction, HistoryPos};
use super::view::RoomView;

/// Edits of one event that are looked at for the newest valid one.
const EDITS_LOOKED_AT_MAX: usize = 50;
/// Relations of one event that are searched for those of somebody.
const RELATED_BY_LOOKED_AT_MAX: usize = 1_000;
/// Relations of one sender to one event that are counted.
const OF_SENDER_COUNTED_MAX: usize = 1_000;

/// Which relations are wanted.
#[derive(Clone, Copy, Debug)]
pub struct RelationFilter<'a> {
    /// Only this type of relation.
    pub rel_type: Option<&'a str>,
    /// Only events of this type.
    pub kind: Option<&'a str>,
}

/// An event that relates to another one.
#[derive(Clone, Debug)]
pub struct Related {
    /// Right before it in history.
    pub pos: HistoryPos,
    pub row: RelatedRow,
}

/// A page of relations, in the direction of the walk.
pub struct RelatedPage {
    pub related: Vec<Related>,
    /// Whether there is more beyond the last row that was looked at.
    pub more: Option<HistoryPos>,
}

/// A place in the list of threads.
#[derive(Clone, Copy, Debug)]
pub struct ThreadPlace {
    /// Where the thread's newest event is.
    pub newest: HistoryPos,
    /// The event from which the thread starts.
    pub root: EventKey,
}

impl RoomView {
    /// How much relates to each of some events; none for state events, which have no aggregations.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn list_totals(&self, events: &[Arc<StoredEvent>]) -> Result<Vec<Option<RelationTotal>>, StorageError> {
        let targets: Vec<usize> = (0..events.len()).filter(|n| !events[*n].event.is_state()).collect();
        let keys: Vec<_> = targets.iter().map(|n| EventKey::of(&events[*n].event.id)).collect();
        let mut totals = vec![None; events.len()];
        for (n, total) in targets.into_iter().zip(self.reader.list_totals(self.room.key, &keys).await?) {
            totals[n] = total;
        }
        Ok(totals)
    }

    /// Events that relate to an event, on one side of the place `from`, up to the place `to` where one is given; at most
    /// `limit` are looked at.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn list_related(
        &self,
        target: EventKey,
        filter: RelationFilter<'_>,
        (from, to): (HistoryPos, Option<HistoryPos>),
        direction: Direction,
        limit: usize,
    ) -> Result<RelatedPage, StorageError> {
        let (room, store) = (self.room.key, self.reader.store());
        let (low, high) = match direction {
            Direction::Forward => (from, to.unwrap_or(HistoryPos::END)),
            Direction::Backward => (to.unwrap_or(HistoryPos::START), from),
        };
        let (rows, more) = if let Some(rel_type) = filter.rel_type {
            let key = |pos: HistoryPos| (room, target, rel_type.to_owned(), pos.depth, pos.order);
            let page = page_of(direction, limit).from(key(low)).before(key(high));
            let rows = store.scan::<RelationsByType, _>(&(room, target, rel_type.to_owned()), page).await?;
            (rows.rows.into_iter().map(|((.., depth, order), row)| (depth, order, row)).collect::<Vec<_>>(), rows.more)
        } else {
            let key = |pos: HistoryPos| (room, target, pos.depth, pos.order);
            let page = page_of(direction, limit).from(key(low)).before(key(high));
            let rows = store.scan::<RelationsByHistory, _>(&(room, target), page).await?;
            (rows.rows.into_iter().map(|((.., depth, order), row)| (depth, order, row)).collect::<Vec<_>>(), rows.more)
        };
        let mut related: Vec<_> =
            rows.into_iter().map(|(depth, order, row)| Related { pos: HistoryPos { depth, order }, row }).collect();
        let last = related.last().map(|last| beyond(last.pos, direction));
        related.retain(|related| filter.kind.is_none_or(|kind| related.row.kind == kind));
        Ok(RelatedPage { related, more: last.filter(|_| more) })
    }

    /// The valid edits of an event, the most recent first (C-S API, "Validity of replacement events").
    ///
    /// # Errors
    /// When reading fails.
    pub async fn list_edits(&self, target: &StoredEvent) -> Result<Vec<Arc<StoredEvent>>, StorageError> {
        let event = &target.event;
        let is_edit = hearth_protocol::relation_of(event).is_some_and(|relation| relation.rel_type == "m.replace");
        if event.is_state() || is_edit || target.redacted_by.is_some() {
            return Ok(Vec::new());
        }
        let prefix = (self.room.key, EventKey::of(&event.id), UserKey::of(&event.sender), "m.replace".to_owned());
        let page = Page::last(EDITS_LOOKED_AT_MAX);
        let rows = self.reader.store().scan::<RelationsBySender, _>(&prefix, page).await?.rows;
        let nums: Vec<EventNum> =
            rows.iter().filter(|(_, row)| row.kind == event.kind).map(|((.., num), _)| *num).collect();
        let mut edits = self.events(&nums).await?;
        edits.retain(|edit| !edit.event.is_state() && has_new_content(edit));
        edits.sort_by(|a, b| (b.event.origin_server_ts, &b.event.id).cmp(&(a.event.origin_server_ts, &a.event.id)));
        Ok(edits)
    }

    /// Those of some events to which others relate in the way that the filter asks for; all when it asks for none.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn list_related_by(
        &self,
        events: Vec<Arc<StoredEvent>>,
        filter: &EventFilter,
    ) -> Result<Vec<Arc<StoredEvent>>, StorageError> {
        let Some(related_by) = &filter.related_by else { return Ok(events) };
        let totals = self.list_totals(&events).await?;
        let mut wanted = Vec::new();
        for (stored, total) in events.into_iter().zip(totals) {
            if total.is_some() && self.is_related_by(&stored, related_by).await? {
                wanted.push(stored);
            }
        }
        Ok(wanted)
    }

    /// Whether something relates to an event in the way that a filter asks for.
    ///
    /// # Errors
    /// When reading fails.
    async fn is_related_by(&self, target: &StoredEvent, wanted: &RelatedBy) -> Result<bool, StorageError> {
        let (key, types) = (EventKey::of(&target.event.id), wanted.rel_types.as_deref());
        // One read for each wanted type, or one for all types.
        let types = types.map_or_else(|| vec![None], |types| types.iter().map(|one| Some(one.as_str())).collect());
        for rel_type in types {
            let filter = RelationFilter { rel_type, kind: None };
            let limit = if wanted.senders.is_none() { 1 } else { RELATED_BY_LOOKED_AT_MAX };
            let place = (HistoryPos::END, None);
            let page = self.list_related(key, filter, place, Direction::Backward, limit).await?;
            if page.related.iter().any(|related| wanted.matches_sender(&related.row.sender)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// How many events of a type of relation a user has sent to a target, up to a limit.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn count_related_of(
        &self,
        target: &EventId,
        sender: &UserId,
        rel_type: &str,
    ) -> Result<usize, StorageError> {
        let prefix = (self.room.key, EventKey::of(target), UserKey::of(sender), rel_type.to_owned());
        let page = Page::first(OF_SENDER_COUNTED_MAX);
        Ok(self.reader.store().scan::<RelationsBySender, _>(&prefix, page).await?.rows.len())
    }

    /// The threads whose newest events are before a place in history, the newest first, and whether there are more.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn list_threads(
        &self,
        before: HistoryPos,
        limit: usize,
    ) -> Result<(Vec<ThreadPlace>, bool), StorageError> {
        let room = self.room.key;
        let page = Page::last(limit).before((room, before.depth, before.order));
        let rows = self.reader.store().scan::<Threads, _>(&room, page).await?;
        let place = |((_, depth, order), row): ((_, u64, i64), hearth_storage::schema::relations::ThreadRow)| {
            ThreadPlace { newest: HistoryPos { depth, order }, root: row.root }
        };
        Ok((rows.rows.into_iter().map(place).collect(), rows.more))
    }
}

fn page_of<K>(direction: Direction, limit: usize) -> Page<K> {
    match direction {
        Direction::Forward => Page::first(limit),
        Direction::Backward => Page::last(limit),
    }
}

fn beyond(pos: HistoryPos, direction: Direction) -> HistoryPos {
    match direction {
        Direction::Forward => super::timeline::after(pos),
        Direction::Backward => pos,
    }
}

/// Of an encrypted edit nobody but its readers can know.
fn has_new_content(edit: &StoredEvent) -> bool {
    #[derive(serde::Deserialize)]
    struct Content {
        #[serde(rename = "m.new_content")]
        new_content: Option<serde::de::IgnoredAny>,
    }
    edit.event.kind == "m.room.encrypted"
        || edit.event.content_as::<Content>().is_ok_and(|content| content.new_content.is_some())
}
