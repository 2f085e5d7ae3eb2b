//! Failures that every operation of this folder shares.

use hearth_storage::{CommitError, StorageError};
use thiserror::Error;

/// The tables could not be read or written; nothing was changed, unless the write's outcome is unknown.
#[derive(Debug, Error)]
pub enum StoreFailure {
    /// Reading failed.
    #[error(transparent)]
    Read(#[from] StorageError),
    /// Writing failed.
    #[error(transparent)]
    Write(CommitError),
    /// Others changed the same rows each time; the request may be repeated.
    #[error("too many changes of the same rows at the same time")]
    Contended,
}

/// How often a change is read again and built again after others changed the same rows.
pub(super) const COMMIT_ATTEMPTS_MAX: usize = 16;

/// What a commit came to, for a loop that reads and builds again after a conflict.
pub(super) enum Settled {
    /// The change is on disk.
    Done,
    /// An assertion did not hold: read again.
    Again,
}

/// Tells a conflict, after which one reads again, from a failure.
pub(super) fn settle<T>(outcome: Result<T, CommitError>) -> Result<Settled, StoreFailure> {
    match outcome {
        Ok(_) => Ok(Settled::Done),
        Err(CommitError::Conflict { .. }) => Ok(Settled::Again),
        Err(error) => Err(StoreFailure::Write(error)),
    }
}
