//! What the follower of the output log makes of it: the index.

use std::collections::{BTreeMap, BTreeSet};

use hearth_protocol::{EventNum, RoomKey};
use hearth_storage::Store;
use hearth_storage::schema::search::{SearchedEvent, SearchedEvents};

use super::entry::{edited_by, load_entry};
use super::postings::{Change, New, write};
use super::query::Field;
use crate::log_follower::{LogReader, LogStep};
use crate::rooms::{RoomError, RoomView, Rooms};

/// Keeps the index.
pub struct SearchReader {
    pub(super) store: Store,
    pub(super) rooms: Rooms,
}

impl LogReader for SearchReader {
    type Error = RoomError;

    fn name(&self) -> &'static str {
        "search"
    }

    async fn take_in(&self, step: LogStep) -> Result<(), RoomError> {
        let mut changes = Vec::new();
        for (room, touched) in step.list_touched() {
            if let Some(view) = self.rooms.load_published(room, touched.up_to).await? {
                self.list_changes(&view, touched.events, &mut changes).await?;
            }
        }
        write(&self.store, &step, changes).await
    }
}

impl SearchReader {
    /// What the events of a room change in the index, each at the event that it shows at.
    async fn list_changes(
        &self,
        view: &RoomView,
        events: BTreeSet<EventNum>,
        changes: &mut Vec<Change>,
    ) -> Result<(), RoomError> {
        let nums: Vec<EventNum> = events.into_iter().collect();
        let (mut shown, mut edits) = (BTreeSet::new(), BTreeMap::new());
        for stored in view.events(&nums).await? {
            if let Some(target) = stored.event.redacts.as_deref() {
                if let Some(target) = view.load_event(target).await? {
                    shown.insert(target.num);
                }
            } else if let Some(original) = edited_by(&stored.event) {
                if let Some(original) = view.load_event(&original).await? {
                    shown.insert(original.num);
                    edits.insert(stored.num, original.num);
                }
            } else if Field::of(&stored.event).is_some() {
                shown.insert(stored.num);
            }
        }
        self.add_originals(view.room.key, &mut shown).await?;
        for (event, original) in edits {
            changes.push(Change { room: view.room.key, event, old: None, new: New::EditOf(original) });
        }
        let shown: Vec<EventNum> = shown.into_iter().collect();
        let keys: Vec<_> = shown.iter().map(|event| (view.room.key, *event)).collect();
        let known = self.store.multi_get::<SearchedEvents>(&keys).await?;
        for (event, old) in shown.into_iter().zip(known) {
            if matches!(old, Some(SearchedEvent::EditOf(_))) {
                continue;
            }
            let new = load_entry(view, event).await?.map_or(New::Nothing, New::Entry);
            if old.is_some() || !matches!(new, New::Nothing) {
                changes.push(Change { room: view.room.key, event, old, new });
            }
        }
        Ok(())
    }

    /// Where one of the events is known as an edit (it was redacted, say), what it edits has to be looked at as well.
    async fn add_originals(&self, room: RoomKey, shown: &mut BTreeSet<EventNum>) -> Result<(), RoomError> {
        let keys: Vec<_> = shown.iter().map(|event| (room, *event)).collect();
        for known in self.store.multi_get::<SearchedEvents>(&keys).await?.into_iter().flatten() {
            if let SearchedEvent::EditOf(original) = known {
                shown.insert(original);
            }
        }
        Ok(())
    }
}
