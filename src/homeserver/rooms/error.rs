//! What can go wrong with a command on a room.

use hearth_protocol::{BadEvent, BadSignature, Rejection};
use hearth_storage::{CommitError, StorageError};
use ruma::OwnedEventId;
use thiserror::Error;

use crate::users::StoreFailure;

/// The closed list of ways in which a command on a room fails.
#[derive(Clone, Debug, Error)]
pub enum RoomError {
    /// No such room here, or the caller may not know of it.
    #[error("unknown room")]
    UnknownRoom,
    /// No such event in the room, or the caller may not see it.
    #[error("unknown event")]
    UnknownEvent,
    /// The caller is not in the room, or may not do this in it.
    #[error("forbidden: {0}")]
    Forbidden(String),
    /// The caller's account is suspended, and this is not what it may do all the same.
    #[error("the account is suspended")]
    Suspended,
    /// Who is to be invited lets nobody invite them.
    #[error("the user does not let others invite them")]
    InviteBlocked,
    /// The auth rules of the room version refuse the event.
    #[error("refused by the auth rules: {0}")]
    Refused(#[from] Rejection),
    /// The event cannot be built: not canonical, too large, a field missing.
    #[error("bad event: {0}")]
    BadEvent(#[from] BadEvent),
    /// A signature that the event needs is missing or wrong.
    #[error("bad signature: {0}")]
    BadSignature(#[from] BadSignature),
    /// The invite to the room of the server's notices cannot be declined.
    #[error("the invite to the server's notices cannot be declined")]
    NoticeRoom,
    /// A room of this id was made before.
    #[error("the room exists already")]
    RoomExists,
    /// The request is well formed, but a value in it is not allowed.
    #[error("invalid: {0}")]
    Invalid(&'static str),
    /// The same annotation by the same user a second time.
    #[error("the event is annotated so already")]
    DuplicateAnnotation,
    /// A relation to an event to which nothing may relate in this way.
    #[error("bad relation: {0}")]
    BadRelation(&'static str),
    /// The alias names no room that is known here.
    #[error("unknown alias")]
    UnknownAlias,
    /// The alias names a room already.
    #[error("the alias is in use")]
    AliasInUse,
    /// The alias lies in a namespace that an application service has for itself, or out of those of the caller's.
    #[error("the alias belongs to an application service, or not to this one")]
    ExclusiveAlias,
    /// The alias that a new room was to get names a room already.
    #[error("the alias of the new room is in use")]
    RoomInUse,
    /// A room would show an alias that does not lead to it.
    #[error("an alias does not lead to the room")]
    BadAlias,
    /// `initial_state` or `power_level_content_override` makes a room that the auth rules refuse.
    #[error("invalid room state: {0}")]
    InvalidRoomState(String),
    /// The room version is not one that this server knows.
    #[error("unsupported room version")]
    UnsupportedVersion,
    /// Only a room that the user has left can be forgotten.
    #[error("the user has not left the room")]
    NotLeft,
    /// The event cites others that are not known here, and that nobody gave.
    #[error("{} events are missing", .0.len())]
    Missing(Vec<OwnedEventId>),
    /// The stored state cannot be resolved: the database is damaged.
    #[error("unresolvable state: {0}")]
    Unresolvable(String),
    /// The room's queue is full.
    #[error("too many requests are waiting for this room")]
    Overloaded,
    /// The server is stopping.
    #[error("the server is stopping")]
    Stopping,
    /// Reading failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Writing failed; nothing was changed.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

impl From<StoreFailure> for RoomError {
    fn from(error: StoreFailure) -> Self {
        match error {
            StoreFailure::Read(error) => Self::Storage(error),
            StoreFailure::Write(error) => Self::Commit(error),
            StoreFailure::Contended => Self::Overloaded,
        }
    }
}
