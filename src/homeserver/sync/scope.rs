//! What the parts of one answer share: who asks for what, from where to where.

use hearth_protocol::{Lane, LanePos, RoomKey, UnixMs};

use super::hub::Hub;
use super::lazy_members::SentMembers;
use super::personal::Personal;
use super::request::{StateForm, SyncRequest};
use super::response::Piece;
use super::shared::SharedWords;
use super::token::{Ephemeral, Positions};
use super::unread::UnreadCounter;
use crate::rooms::{Audience, Form, Receipts, Rooms, Typing};
use crate::users::{LocalUser, Users};

/// One attempt to answer one request.
pub struct Scope<'a> {
    pub hub: &'a Hub,
    pub rooms: &'a Rooms,
    pub users: &'a Users,
    pub typing: &'a Typing,
    pub receipts: &'a Receipts,
    pub unread: &'a UnreadCounter,
    pub shared: &'a SharedWords,
    pub sent_members: &'a SentMembers,
    pub who: &'a LocalUser,
    pub request: &'a SyncRequest,
    pub personal: &'a Personal,
    /// Up to where the answer reads.
    pub to: &'a Positions,
    /// The counters of typing and presence from which the answer goes on.
    pub ephemeral: &'a Ephemeral,
    /// The reader was told of typing and presence just now: the answer leaves their counters where they are.
    pub is_held: bool,
    pub now: UnixMs,
}

/// What one room is asked for.
pub struct RoomTask {
    pub room: RoomKey,
    /// The user's own data of the room that is new.
    pub account_data: Vec<Piece>,
}

impl Scope<'_> {
    /// Where the client is in a lane; none in a first sync.
    pub fn since(&self, lane: Lane) -> Option<LanePos> {
        Some(self.request.since.as_ref()?.lanes.of(lane))
    }

    /// For whom events are written out.
    pub fn audience(&self) -> Audience<'_> {
        let filter = &self.request.filter;
        let form = if filter.federation_format { Form::Federation } else { self.request.event_form };
        let (user, device) = (&*self.who.user_id, &*self.who.device_id);
        Audience { user, device, now: self.now, form, fields: filter.event_fields.as_ref() }
    }

    /// Whether state is told as of the end of the timeline.
    pub fn tells_state_after(&self) -> bool {
        self.request.state_form != StateForm::Before
    }
}
