//! The one gate of read access: what of a room may be read by whom. Every read endpoint passes it.
//!
//! C-S API, "Room history visibility"; keyed by (room, event, reader).

use std::collections::HashMap;
use std::sync::Arc;

use hearth_protocol::{EventNum, Sight, StateSetNum, Visibility, may_see};
use hearth_storage::StorageError;
use hearth_storage::schema::users::Membership;
use ruma::UserId;

use super::stored_event::StoredEvent;
use super::view::RoomView;

/// Earlier memberships that are looked at for the last time that a user was in the room.
const MEMBERSHIPS_WALK_MAX: usize = 10;

/// What a user may read of a room's state and members.
#[derive(Clone, Debug)]
pub enum Access {
    /// A member: everything as it is now.
    Joined,
    /// Was a member: everything as it was when they left.
    Left {
        /// The state with which they left.
        state: StateSetNum,
        /// The event by which they left.
        event: Arc<StoredEvent>,
    },
    /// Never a member, but the room is open to all.
    Peek,
    /// Nothing.
    None,
}

impl RoomView {
    /// What a user may read of the room.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn reader_access(&self, user: &UserId) -> Result<Access, StorageError> {
        if self.membership(user) == Some(Membership::Join) {
            return Ok(Access::Joined);
        }
        if let Some(left) = self.load_leaving(user).await? {
            return Ok(Access::Left { state: left.after, event: left });
        }
        let visibility = self.state_event("m.room.history_visibility", "").await?;
        let visibility = Visibility::of(visibility.as_ref().map(|stored| &*stored.event));
        Ok(if visibility == Visibility::WorldReadable { Access::Peek } else { Access::None })
    }

    /// The event that ended a user's last time in the room.
    async fn load_leaving(&self, user: &UserId) -> Result<Option<Arc<StoredEvent>>, StorageError> {
        let mut event = self.state_event("m.room.member", user.as_str()).await?;
        for _ in 0..MEMBERSHIPS_WALK_MAX {
            let Some(left) = event else { return Ok(None) };
            let before = self.state_at(left.before).await?;
            let Some(earlier) = self.event_of(&before, "m.room.member", user.as_str()).await? else {
                return Ok(None);
            };
            if membership_in(&earlier) == Membership::Join {
                return Ok(Some(left));
            }
            event = Some(earlier);
        }
        Ok(None)
    }

    /// Whether a reader may see an event.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn check_access(&self, event: &Arc<StoredEvent>, reader: &UserId) -> Result<bool, StorageError> {
        Ok(!self.list_visible(vec![event.clone()], reader).await?.is_empty())
    }

    /// Those of the events that a reader may see, in their order.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn list_visible(
        &self,
        events: Vec<Arc<StoredEvent>>,
        reader: &UserId,
    ) -> Result<Vec<Arc<StoredEvent>>, StorageError> {
        let access = self.reader_access(reader).await?;
        let mut sights: HashMap<StateSetNum, (Visibility, Membership)> = HashMap::new();
        let mut visible = Vec::with_capacity(events.len());
        let mut suspects = Vec::new();
        for stored in events {
            if !stored.is_shown() {
                continue;
            }
            let (visibility, membership) = match sights.get(&stored.before) {
                Some(known) => *known,
                None => {
                    let known = self.load_sight(stored.before, reader).await?;
                    sights.insert(stored.before, known);
                    known
                }
            };
            let joined_since = match &access {
                Access::Joined => true,
                Access::Left { event, .. } => stored.order <= event.order,
                Access::Peek | Access::None => false,
            };
            if may_see(&Sight::of(&stored.event, reader, visibility, to_rule(membership), joined_since)) {
                if membership != Membership::Join && self.may_be_erased(&stored) {
                    suspects.push(visible.len());
                }
                visible.push(stored);
            }
        }
        self.without_erased(visible, &suspects).await
    }

    async fn load_sight(&self, set: StateSetNum, reader: &UserId) -> Result<(Visibility, Membership), StorageError> {
        let state = self.state_at(set).await?;
        let visibility = self.event_of(&state, "m.room.history_visibility", "").await?;
        let member = self.event_of(&state, "m.room.member", reader.as_str()).await?;
        let visibility = Visibility::of(visibility.as_ref().map(|stored| &*stored.event));
        Ok((visibility, member.map_or(Membership::Leave, |stored| membership_in(&stored))))
    }

    /// The reader's membership by a numbered set.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn membership_at(&self, set: StateSetNum, reader: &UserId) -> Result<Membership, StorageError> {
        let state = self.state_at(set).await?;
        let member = self.event_of(&state, "m.room.member", reader.as_str()).await?;
        Ok(member.map_or(Membership::Leave, |stored| membership_in(&stored)))
    }

    /// Which event set a pair in a numbered set.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn num_at(
        &self,
        set: StateSetNum,
        kind: &str,
        state_key: &str,
    ) -> Result<Option<EventNum>, StorageError> {
        let state = self.state_at(set).await?;
        Ok(self.room.keys.find(kind, state_key).and_then(|key| state.get(&key).copied()))
    }
}

fn membership_in(stored: &StoredEvent) -> Membership {
    super::pipeline::membership_of(&stored.event).unwrap_or(Membership::Leave)
}

fn to_rule(membership: Membership) -> hearth_protocol::Membership {
    match membership {
        Membership::Invite => hearth_protocol::Membership::Invite,
        Membership::Join => hearth_protocol::Membership::Join,
        Membership::Leave => hearth_protocol::Membership::Leave,
        Membership::Ban => hearth_protocol::Membership::Ban,
        Membership::Knock => hearth_protocol::Membership::Knock,
    }
}
