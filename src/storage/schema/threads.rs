//! What users think of threads, and the events that they have put off. In the lane of the user.
//! Only `homeserver/rooms` writes here.

use hearth_protocol::{Lane, LanePos, RoomKey, UserKey};
use serde::{Deserialize, Serialize};

use crate::{Place, Profile, ScanBy, Table, value};

/// Threads that a user follows, or has stopped following. Owner: rooms.
pub struct ThreadSubscriptions;
impl Table for ThreadSubscriptions {
    const NUMBER: u16 = 390;
    const NAME: &'static str = "thread_subscription";
    const PROFILE: Profile = Profile::Point;
    const PLACE: Place = Place::ByUser;
    /// User, room, the thread's first event.
    type Key = (UserKey, RoomKey, String);
    type Value = ThreadSubscription;
}
impl ScanBy<(UserKey, RoomKey)> for ThreadSubscriptions {}

/// Whether a user follows a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ThreadSubscription {
    /// The user said so.
    Manual,
    /// A client said so, because of an event in the thread.
    Automatic,
    /// Not any more, since the room's lane stood here: no event from before makes it automatic again.
    Ended(LanePos),
}
value!(ThreadSubscription, 1);

/// Events that are to be sent later. Owner: rooms.
pub struct DelayedEvents;
impl Table for DelayedEvents {
    const NUMBER: u16 = 391;
    const NAME: &'static str = "delayed_event";
    const PROFILE: Profile = Profile::Point;
    const PLACE: Place = Place::ByUser;
    /// User, a number that cannot be guessed.
    type Key = (UserKey, [u8; 16]);
    type Value = DelayedEvent;
}
impl ScanBy<UserKey> for DelayedEvents {}

/// An event that was put off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DelayedEvent {
    /// Who sends it.
    pub user_id: String,
    /// Into which room.
    pub room_id: String,
    /// Its type.
    pub kind: String,
    /// Some for state events.
    pub state_key: Option<String>,
    /// Its content, as JSON.
    pub content: String,
    /// The target of a redaction.
    pub redacts: Option<String>,
    /// The device that put it off.
    pub device_id: String,
    /// The device's transaction id, where the endpoint has one.
    pub txn_id: Option<String>,
    /// How long it is put off, in milliseconds.
    pub delay_ms: u64,
    /// From when on that counts, in milliseconds since 1970.
    pub since_ms: u64,
    /// When it was sent, cancelled or refused, in milliseconds since 1970; none while it waits.
    pub ended_ms: Option<u64>,
}
value!(DelayedEvent, 1);

/// The waiting ones of a lane, by the time when they are due. Owner: rooms.
pub struct DelayedEventsDue;
impl Table for DelayedEventsDue {
    const NUMBER: u16 = 392;
    const NAME: &'static str = "delayed_event_due";
    const PROFILE: Profile = Profile::Queue;
    const PLACE: Place = Place::ByLane;
    /// Lane, milliseconds since 1970, user, number: the rest is the key of [`DelayedEvents`].
    type Key = (Lane, u64, UserKey, [u8; 16]);
    type Value = DelayedEventDue;
}
impl ScanBy<Lane> for DelayedEventsDue {}

/// Nothing that the key does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DelayedEventDue {
    /// How long it was put off, in milliseconds.
    pub delay_ms: u64,
}
value!(DelayedEventDue, 1);
