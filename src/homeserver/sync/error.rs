//! What can go wrong with a sync.

use hearth_storage::StorageError;

use crate::rooms::RoomError;

/// The closed list of ways in which a sync fails. A token that is ahead or behind is none of them.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// Reading failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Reading a room failed.
    #[error(transparent)]
    Room(#[from] RoomError),
}
