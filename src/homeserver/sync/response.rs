//! The answer to a sync, in the form in which it is sent. Empty sections are left out.

use std::collections::BTreeMap;

use ruma::{OwnedEventId, OwnedRoomId, OwnedUserId};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// An event, written out already.
pub type Piece = Box<RawValue>;

/// A list of events under the name `events`.
#[derive(Debug, Default, Serialize)]
pub struct Events {
    pub events: Vec<Piece>,
}

impl Events {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }
}

impl From<Vec<Piece>> for Events {
    fn from(events: Vec<Piece>) -> Self {
        Self { events }
    }
}

/// What is new.
#[derive(Debug, Serialize)]
pub struct SyncResponse {
    /// The token of the next request.
    #[serde(serialize_with = "as_text")]
    pub next_batch: super::token::SyncToken,
    #[serde(skip_serializing_if = "Events::is_empty")]
    pub account_data: Events,
    #[serde(skip_serializing_if = "Events::is_empty")]
    pub presence: Events,
    #[serde(skip_serializing_if = "RoomSections::is_empty")]
    pub rooms: RoomSections,
    /// Always there, so that clients know that this server speaks of keys.
    pub device_one_time_keys_count: BTreeMap<String, u64>,
    /// Required by the specification, and to clients a sign that there may be such keys.
    pub device_unused_fallback_key_types: Vec<String>,
}

impl SyncResponse {
    /// Nothing is new since a position.
    pub fn nothing(next_batch: super::token::SyncToken) -> Self {
        Self {
            next_batch,
            account_data: Events::default(),
            presence: Events::default(),
            rooms: RoomSections::default(),
            device_one_time_keys_count: BTreeMap::new(),
            device_unused_fallback_key_types: Vec::new(),
        }
    }

    /// Whether it says more than who types, reads, comes and goes.
    pub fn has_urgent(&self) -> bool {
        let RoomSections { join, invite, knock, leave } = &self.rooms;
        let others = invite.is_empty() && knock.is_empty() && leave.is_empty();
        !self.account_data.is_empty() || !others || join.values().any(JoinedRoom::has_urgent)
    }

    /// Whether it says who types, reads, comes or goes, among other things.
    pub fn tells_quietly(&self) -> bool {
        !self.presence.is_empty() || self.rooms.join.values().any(|room| !room.ephemeral.is_empty())
    }

    /// Whether it says nothing but where the client is.
    pub fn is_empty(&self) -> bool {
        self.account_data.is_empty() && self.presence.is_empty() && self.rooms.is_empty()
    }
}

fn as_text<S: Serializer>(token: &super::token::SyncToken, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(token)
}

/// The rooms, by what the reader is in them.
#[derive(Debug, Default, Serialize)]
pub struct RoomSections {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub join: BTreeMap<OwnedRoomId, JoinedRoom>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub invite: BTreeMap<OwnedRoomId, InvitedRoom>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub knock: BTreeMap<OwnedRoomId, KnockedRoom>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub leave: BTreeMap<OwnedRoomId, LeftRoom>,
}

impl RoomSections {
    /// Whether there is no room at all.
    pub fn is_empty(&self) -> bool {
        self.join.is_empty() && self.invite.is_empty() && self.knock.is_empty() && self.leave.is_empty()
    }
}

/// State changes beside the timeline: one of the three is there, or none.
#[derive(Debug, Default, Serialize)]
pub struct StateChanges {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<Events>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_after: Option<Events>,
    #[serde(rename = "org.matrix.msc4222.state_after", skip_serializing_if = "Option::is_none")]
    pub state_after_unstable: Option<Events>,
}

impl StateChanges {
    /// Whether it holds no event.
    pub fn is_empty(&self) -> bool {
        [&self.state, &self.state_after, &self.state_after_unstable].into_iter().flatten().all(Events::is_empty)
    }
}

/// The newest events of a room.
#[derive(Debug, Default, Serialize)]
pub struct Timeline {
    pub events: Vec<Piece>,
    pub limited: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prev_batch: Option<String>,
}

impl Timeline {
    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty() && !self.limited
    }
}

/// A room that the reader is in.
#[derive(Debug, Default, Serialize)]
pub struct JoinedRoom {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<Summary>,
    #[serde(flatten)]
    pub state: StateChanges,
    #[serde(skip_serializing_if = "Timeline::is_empty")]
    pub timeline: Timeline,
    #[serde(skip_serializing_if = "Events::is_empty")]
    pub ephemeral: Events,
    /// Written also when there is none: clients look into it without asking whether it is there.
    pub account_data: Events,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread_notifications: Option<Unread>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub unread_thread_notifications: BTreeMap<OwnedEventId, Unread>,
}

impl JoinedRoom {
    fn has_urgent(&self) -> bool {
        self.summary.is_some() || !self.state.is_empty() || !self.timeline.is_empty() || !self.account_data.is_empty()
    }
}

/// What the client needs to name a room.
#[derive(Debug, Serialize)]
pub struct Summary {
    #[serde(rename = "m.heroes", skip_serializing_if = "Option::is_none")]
    pub heroes: Option<Vec<OwnedUserId>>,
    #[serde(rename = "m.joined_member_count")]
    pub joined: u32,
    #[serde(rename = "m.invited_member_count")]
    pub invited: u32,
}

/// How much is unread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Unread {
    pub highlight_count: u64,
    pub notification_count: u64,
}

/// A room that the reader is invited to.
#[derive(Debug, Default, Serialize)]
pub struct InvitedRoom {
    pub invite_state: Events,
}

/// A room that the reader has asked to be let into.
#[derive(Debug, Default, Serialize)]
pub struct KnockedRoom {
    pub knock_state: Events,
}

/// A room that the reader has left or was thrown out of.
#[derive(Debug, Default, Serialize)]
pub struct LeftRoom {
    #[serde(flatten)]
    pub state: StateChanges,
    pub timeline: Timeline,
    #[serde(skip_serializing_if = "Events::is_empty")]
    pub account_data: Events,
}
