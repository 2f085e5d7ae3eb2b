//! What relates to an event, summed up for one reader (C-S API, "Aggregations of child events").
//!
//! Everything in it has passed the gate for the reader; what the users sent whom the reader ignores is left out.

use std::collections::HashMap;
use std::sync::Arc;

use hearth_protocol::{EventKey, EventNum};
use hearth_storage::StorageError;
use hearth_storage::schema::relations::RelationTotal;
use ruma::{OwnedEventId, UserId};

use super::relations::{Related, RelationFilter};
use super::stored_event::StoredEvent;
use super::timeline::{Direction, HistoryPos};
use super::view::RoomView;
use crate::users::IgnoredUsers;

/// References that are listed of an event: the newest.
const REFERENCES_MAX: usize = 100;
/// Events of a thread that are looked at for the newest that the reader may see.
const REPLIES_LOOKED_AT_MAX: usize = 200;
/// Relations that are looked at in one step.
const STEP: usize = 20;
/// Ignored users whose part in a thread is taken out of its count.
const IGNORED_COUNTED_MAX: usize = 100;

/// Who is shown what relates to an event.
#[derive(Clone, Copy)]
pub struct BundleReader<'a> {
    pub user: &'a UserId,
    pub ignored: &'a IgnoredUsers,
}

/// What relates to an event.
#[derive(Clone, Debug, Default)]
pub struct Bundle {
    /// The most recent valid edit.
    pub edit: Option<Arc<StoredEvent>>,
    /// The thread that starts from it.
    pub thread: Option<ThreadBundle>,
    /// Events that refer to it.
    pub references: Vec<OwnedEventId>,
}

/// A thread, summed up.
#[derive(Clone, Debug)]
pub struct ThreadBundle {
    /// Its newest event.
    pub latest: Arc<StoredEvent>,
    /// The most recent valid edit of that.
    pub latest_edit: Option<Arc<StoredEvent>>,
    /// How many events are in it.
    pub count: u32,
    /// Whether the reader started it or sent one of them.
    pub participated: bool,
}

impl Bundle {
    /// Whether there is nothing to tell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.edit.is_none() && self.thread.is_none() && self.references.is_empty()
    }
}

impl RoomView {
    /// What relates to each of some events. An event to which nothing relates costs at most its part of one read.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn load_bundles(
        &self,
        events: &[Arc<StoredEvent>],
        totals: &[Option<RelationTotal>],
        reader: BundleReader<'_>,
    ) -> Result<HashMap<EventNum, Bundle>, StorageError> {
        let mut bundles = HashMap::new();
        for (stored, total) in events.iter().zip(totals) {
            let Some(total) = total else { continue };
            let bundle = self.load_bundle(stored, total, reader).await?;
            if !bundle.is_empty() {
                bundles.insert(stored.num, bundle);
            }
        }
        Ok(bundles)
    }

    async fn load_bundle(
        &self,
        stored: &Arc<StoredEvent>,
        total: &RelationTotal,
        reader: BundleReader<'_>,
    ) -> Result<Bundle, StorageError> {
        Ok(Bundle {
            edit: if total.edits > 0 { self.load_edit(stored, reader).await? } else { None },
            thread: if total.replies > 0 { self.load_thread(stored, total, reader).await? } else { None },
            references: if total.references > 0 { self.list_references(stored, reader).await? } else { Vec::new() },
        })
    }

    async fn load_edit(
        &self,
        stored: &Arc<StoredEvent>,
        reader: BundleReader<'_>,
    ) -> Result<Option<Arc<StoredEvent>>, StorageError> {
        if reader.ignored.contains(&stored.event.sender) {
            return Ok(None);
        }
        let edits = self.list_edits(stored).await?;
        Ok(self.list_visible(edits, reader.user).await?.into_iter().next())
    }

    async fn load_thread(
        &self,
        root: &Arc<StoredEvent>,
        total: &RelationTotal,
        reader: BundleReader<'_>,
    ) -> Result<Option<ThreadBundle>, StorageError> {
        let Some(latest) = self.find_newest(root, "m.thread", reader, 1).await?.into_iter().next() else {
            return Ok(None);
        };
        let totals = self.list_totals(std::slice::from_ref(&latest)).await?;
        let is_edited = totals.into_iter().flatten().any(|total| total.edits > 0);
        let latest_edit = if is_edited { self.load_edit(&latest, reader).await? } else { None };
        let mut count = total.replies;
        for user in reader.ignored.iter().take(IGNORED_COUNTED_MAX) {
            let theirs = self.count_related_of(&root.event.id, user, "m.thread").await?;
            count = count.saturating_sub(u32::try_from(theirs).unwrap_or(u32::MAX));
        }
        let participated = root.event.sender == reader.user
            || self.count_related_of(&root.event.id, reader.user, "m.thread").await? > 0;
        Ok(Some(ThreadBundle { latest, latest_edit, count: count.max(1), participated }))
    }

    async fn list_references(
        &self,
        target: &Arc<StoredEvent>,
        reader: BundleReader<'_>,
    ) -> Result<Vec<OwnedEventId>, StorageError> {
        let mut found = self.find_newest(target, "m.reference", reader, REFERENCES_MAX).await?;
        found.reverse();
        Ok(found.into_iter().map(|stored| stored.event.id.clone()).collect())
    }

    /// The newest events of a type of relation that the reader may see and wants to, the newest first.
    async fn find_newest(
        &self,
        target: &Arc<StoredEvent>,
        rel_type: &str,
        reader: BundleReader<'_>,
        limit: usize,
    ) -> Result<Vec<Arc<StoredEvent>>, StorageError> {
        let filter = RelationFilter { rel_type: Some(rel_type), kind: None };
        let (key, step) = (EventKey::of(&target.event.id), STEP.max(limit));
        let (mut found, mut from, mut looked_at) = (Vec::new(), HistoryPos::END, 0);
        while looked_at < REPLIES_LOOKED_AT_MAX {
            // Most often the newest one is the one.
            let step = if looked_at == 0 { limit } else { step };
            let page = self.list_related(key, filter, (from, None), Direction::Backward, step).await?;
            looked_at += page.related.len().max(1);
            let events = self.list_wanted(&page.related, reader).await?;
            found.extend(events);
            match page.more {
                Some(next) if found.len() < limit => from = next,
                _ => break,
            }
        }
        found.truncate(limit);
        Ok(found)
    }

    /// Those of some related events that a reader may see and wants to.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn list_wanted(
        &self,
        related: &[Related],
        reader: BundleReader<'_>,
    ) -> Result<Vec<Arc<StoredEvent>>, StorageError> {
        let nums: Vec<EventNum> = related.iter().map(|related| related.row.num).collect();
        let mut events = self.events(&nums).await?;
        events.retain(|stored| stored.event.is_state() || !reader.ignored.contains(&stored.event.sender));
        self.list_visible(events, reader.user).await
    }
}
