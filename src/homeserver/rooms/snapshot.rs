//! What is known of a room at one moment: immutable, cheap to clone, shared by readers and the room's queue.

use std::sync::Arc;

use hearth_protocol::{AuthCache, EventNum, RoomKey, RoomRules, StateSetNum, UserKey};
use hearth_storage::schema::rooms::{MembershipRow, RoomHead};
use hearth_storage::schema::users::Membership;
use imbl::HashMap;
use ruma::{OwnedRoomId, RoomId, UserId};

use super::state_map::{StateKeyTable, StateMap};

/// The number of the set that holds nothing; it has no row.
pub const EMPTY_SET: StateSetNum = StateSetNum(0);

/// The room after its last commit.
#[derive(Clone, Debug)]
pub struct RoomSnapshot {
    pub key: RoomKey,
    pub room_id: OwnedRoomId,
    pub rules: &'static RoomRules,
    pub head: RoomHead,
    pub keys: StateKeyTable,
    /// The current state.
    pub state: StateMap,
    /// Everyone whom the current state names, whatever the membership.
    pub members: HashMap<UserKey, Arc<MembershipRow>>,
    /// The parsed create event and power levels, for the auth rules.
    pub auth_cache: Arc<AuthCache>,
    /// How many members are joined.
    pub joined: u32,
    /// How many members are invited.
    pub invited: u32,
}

impl RoomSnapshot {
    /// A room without events, before its create event.
    #[must_use]
    pub fn empty(room_id: &RoomId, rules: &'static RoomRules) -> Self {
        Self {
            key: RoomKey::of(room_id),
            room_id: room_id.to_owned(),
            rules,
            head: RoomHead {
                last_pos: hearth_protocol::LanePos(0),
                room_id: room_id.to_string(),
                version: rules.version.to_string(),
                extremities: Vec::new(),
                state: EMPTY_SET,
                state_distance: 0,
                next: hearth_storage::schema::rooms::NextNumbers {
                    state_set: EMPTY_SET.0 + 1,
                    order_up: 1,
                    order_down: -1,
                    ..Default::default()
                },
            },
            keys: StateKeyTable::default(),
            state: StateMap::new(),
            members: HashMap::new(),
            auth_cache: Arc::new(AuthCache::new()),
            joined: 0,
            invited: 0,
        }
    }

    /// The event of a pair in the current state.
    #[must_use]
    pub fn state_num(&self, kind: &str, state_key: &str) -> Option<EventNum> {
        self.state.get(&self.keys.find(kind, state_key)?).copied()
    }

    /// What the current state says of a user; none when it never named them.
    #[must_use]
    pub fn membership(&self, user: &UserId) -> Option<Membership> {
        self.member(UserKey::of(user)).map(|member| member.membership)
    }

    /// The row of a member.
    #[must_use]
    pub fn member(&self, user: UserKey) -> Option<&Arc<MembershipRow>> {
        self.members.get(&user)
    }

    /// Puts a member's new row in, and keeps the counts.
    pub fn apply_member(&mut self, user: UserKey, row: Arc<MembershipRow>) {
        let count = |membership: Membership| {
            (u32::from(membership == Membership::Join), u32::from(membership == Membership::Invite))
        };
        let (joined, invited) = count(row.membership);
        let (was_joined, was_invited) = self.members.get(&user).map_or((0, 0), |old| count(old.membership));
        self.joined = self.joined + joined - was_joined;
        self.invited = self.invited + invited - was_invited;
        self.members.insert(user, row);
    }

    /// Takes a member out (state resolution may drop a membership altogether), and keeps the counts.
    pub fn remove_member(&mut self, user: UserKey) {
        if let Some(old) = self.members.remove(&user) {
            self.joined -= u32::from(old.membership == Membership::Join);
            self.invited -= u32::from(old.membership == Membership::Invite);
        }
    }
}
