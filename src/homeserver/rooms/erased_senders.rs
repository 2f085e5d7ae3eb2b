//! Messages of users who asked to be forgotten when they gave their account up: hidden from whoever was not in the room
//! when they were sent (C-S API, `POST /account/deactivate`, `erase`).

use std::sync::Arc;

use hearth_protocol::UserKey;
use hearth_storage::StorageError;
use hearth_storage::schema::users::{Accounts, Membership};

use super::stored_event::StoredEvent;
use super::view::RoomView;

impl RoomView {
    /// Whether it may matter that an event's sender was erased, for a reader who was not in the room then. State stays:
    /// the room does not work without it. Whoever is in the room was not erased.
    pub(super) fn may_be_erased(&self, stored: &StoredEvent) -> bool {
        stored.event.state_pair().is_none() && self.membership(&stored.event.sender) != Some(Membership::Join)
    }

    /// The events without those at the places `suspects` whose senders were erased.
    ///
    /// # Errors
    /// When reading fails.
    pub(super) async fn without_erased(
        &self,
        events: Vec<Arc<StoredEvent>>,
        suspects: &[usize],
    ) -> Result<Vec<Arc<StoredEvent>>, StorageError> {
        if suspects.is_empty() {
            return Ok(events);
        }
        let mut senders: Vec<UserKey> = suspects.iter().map(|at| UserKey::of(&events[*at].event.sender)).collect();
        senders.sort_unstable();
        senders.dedup();
        // Users of other servers have no accounts here, and are never found.
        let accounts = self.reader.store().multi_get::<Accounts>(&senders).await?;
        let erased = senders.into_iter().zip(accounts);
        let erased: Vec<UserKey> = erased
            .filter(|(_, account)| account.as_ref().is_some_and(|account| account.is_erased))
            .map(|(key, _)| key)
            .collect();
        if erased.is_empty() {
            return Ok(events);
        }
        let is_hidden = |at: usize, stored: &StoredEvent| {
            suspects.binary_search(&at).is_ok() && erased.contains(&UserKey::of(&stored.event.sender))
        };
        let kept = events.into_iter().enumerate().filter(|(at, stored)| !is_hidden(*at, stored));
        Ok(kept.map(|(_, stored)| stored).collect())
    }
}
