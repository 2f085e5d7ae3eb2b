//! The current state of a room, for readers.

use std::sync::Arc;

use hearth_protocol::{EventKey, EventNum, PowerLevels, StateSetNum};
use hearth_storage::StorageError;
use hearth_storage::schema::users::Membership;
use ruma::{OwnedUserId, UserId};

use super::reader::RoomReader;
use super::snapshot::RoomSnapshot;
use super::state_map::StateMap;
use super::stored_event::StoredEvent;

/// One moment of a room: everything read from it fits together.
#[derive(Clone)]
pub struct RoomView {
    pub(super) reader: Arc<RoomReader>,
    /// The room as it stood when the view was taken.
    pub room: Arc<RoomSnapshot>,
}

impl RoomView {
    /// The event of a pair in the current state.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn state_event(&self, kind: &str, state_key: &str) -> Result<Option<Arc<StoredEvent>>, StorageError> {
        let Some(num) = self.room.state_num(kind, state_key) else {
            return Ok(None);
        };
        Ok(self.events(&[num]).await?.pop())
    }

    /// All current state events, in order of their first use in the room.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn list_state(&self) -> Result<Vec<Arc<StoredEvent>>, StorageError> {
        let nums: Vec<_> = self.room.state.values().copied().collect();
        self.events(&nums).await
    }

    /// The current state events of one type.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn list_state_of(&self, kind: &str) -> Result<Vec<Arc<StoredEvent>>, StorageError> {
        let nums = nums_of_kind(&self.room, &self.room.state, kind);
        self.events(&nums).await
    }

    /// The state of a numbered set: at a past event, say.
    ///
    /// # Errors
    /// When reading fails, or there is no such set.
    pub async fn state_at(&self, set: StateSetNum) -> Result<StateMap, StorageError> {
        if set == self.room.head.state {
            return Ok(self.room.state.clone());
        }
        self.reader.load_set(self.room.key, set).await
    }

    /// The events of a state map, of one type where one is given.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn list_events_of(
        &self,
        state: &StateMap,
        kind: Option<&str>,
    ) -> Result<Vec<Arc<StoredEvent>>, StorageError> {
        let nums = match kind {
            Some(kind) => nums_of_kind(&self.room, state, kind),
            None => state.values().copied().collect(),
        };
        self.events(&nums).await
    }

    /// One pair of a state map.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn event_of(
        &self,
        state: &StateMap,
        kind: &str,
        state_key: &str,
    ) -> Result<Option<Arc<StoredEvent>>, StorageError> {
        let num = self.room.keys.find(kind, state_key).and_then(|key| state.get(&key).copied());
        let Some(num) = num else { return Ok(None) };
        Ok(self.events(&[num]).await?.pop())
    }

    /// Events by number, in that order.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn events(&self, nums: &[EventNum]) -> Result<Vec<Arc<StoredEvent>>, StorageError> {
        self.reader.list_events(&self.room, nums).await
    }

    /// Events by their keys, in that order; none for those that the room does not have.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn list_by_keys(&self, keys: &[EventKey]) -> Result<Vec<Option<Arc<StoredEvent>>>, StorageError> {
        let nums = self.reader.list_nums_of(self.room.key, keys).await?;
        let known: Vec<EventNum> = nums.iter().flatten().copied().collect();
        let mut events = self.events(&known).await?.into_iter();
        Ok(nums.into_iter().map(|num| num.and_then(|_| events.next())).collect())
    }

    /// An event by id, whatever was decided about it; the caller passes it through the access gate.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn load_event(&self, id: &ruma::EventId) -> Result<Option<Arc<StoredEvent>>, StorageError> {
        self.reader.load_event(&self.room, id).await
    }

    /// The users with a membership, in no order.
    #[must_use]
    pub fn list_users(&self, membership: Membership) -> Vec<OwnedUserId> {
        let users = self.room.members.values().filter(|row| row.membership == membership);
        users.filter_map(|row| UserId::parse(row.user_id.as_str()).ok()).collect()
    }

    /// What the user's membership is now.
    #[must_use]
    pub fn membership(&self, user: &UserId) -> Option<Membership> {
        self.room.membership(user)
    }

    /// The power levels in force.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn power_levels(&self) -> Result<Option<PowerLevels>, StorageError> {
        let Some(create) = self.state_event("m.room.create", "").await? else {
            return Ok(None);
        };
        let levels = self.state_event("m.room.power_levels", "").await?;
        Ok(Some(PowerLevels::from_state(self.room.rules, &create.event, levels.as_ref().map(|stored| &*stored.event))))
    }
}

fn nums_of_kind(room: &RoomSnapshot, state: &StateMap, kind: &str) -> Vec<EventNum> {
    let mut nums: Vec<_> =
        room.keys.list_of_kind(kind).into_iter().filter_map(|(_, key)| Some((key, *state.get(&key)?))).collect();
    nums.sort_unstable();
    nums.into_iter().map(|(_, num)| num).collect()
}
