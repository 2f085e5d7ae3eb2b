//! Sync: what changed for a reader since a position. One function, [`Sync::next`], of which every way to sync is an adapter.
//!
//! An answer first takes the positions up to which everything is applied and known here ([`Positions`]), then the list
//! of the reader's rooms, then the rooms up to those positions and never beyond. Whether the reader is in a room is
//! judged in the room's own lane over the very range that is told, so that what ends a membership also ends the data.
//!
//! Nothing here writes a table (but clears old rows of the change log), and nothing here is the only place of a truth: a restart costs
//! repeated reading, and typing.

mod account_data;
mod answer;
mod candidates;
mod ephemeral;
mod error;
mod event_stream;
mod filters;
mod follower;
mod glance;
mod hub;
mod lazy_members;
mod moment;
mod notifications;
mod pace;
mod personal;
mod presence;
mod request;
mod response;
mod ring;
mod room;
mod scope;
mod sessions;
mod shared;
mod state_changes;
mod summary;
mod token;
mod unread;
mod window;

#[cfg(test)]
mod fold_tests;
#[cfg(test)]
mod shared_tests;
#[cfg(test)]
mod sync_tests;
#[cfg(test)]
mod testing;

pub use answer::Sync;
pub use error::SyncError;
pub use event_stream::{EventStream, InitialMessages, InitialRoom, InitialSync};
pub use follower::SyncFollower;
pub use notifications::{NOTIFICATIONS_MAX, Notification, NotificationsPage, NotificationsRequest};
pub use request::{StateForm, SyncRequest, TIMEOUT_MS_MAX};
pub use response::{
    Events, InvitedRoom, JoinedRoom, KnockedRoom, LeftRoom, Piece, RoomSections, StateChanges, Summary, SyncResponse,
    Timeline, Unread,
};
pub use token::{InvalidToken, PageToken, Positions, SyncToken, history_token};
