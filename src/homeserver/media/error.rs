//! Why something was not stored or not served.

use hearth_storage::{CommitError, StorageError};
use thiserror::Error;

use crate::outbound::FetchError;
use crate::users::StoreFailure;

/// Why an operation on media failed.
#[derive(Debug, Error)]
pub enum MediaError {
    /// There is no such item, or the caller may not see that there is.
    #[error("unknown media")]
    Unknown,
    /// The item's URI was given out, and its content is not there yet.
    #[error("the content was not uploaded yet")]
    NotYetUploaded,
    /// There is something behind the URI already.
    #[error("there is content at this URI already")]
    AlreadyUploaded,
    /// The URI was given to somebody else.
    #[error("this URI was given to another user")]
    NotYours,
    /// The upload is larger than allowed.
    #[error("an upload may have {bytes_max} bytes")]
    TooLarge {
        /// The limit.
        bytes_max: u64,
    },
    /// The user has uploaded as much as allowed.
    #[error("the quota for uploads is used up")]
    QuotaReached,
    /// The user has too many URIs to which nothing was uploaded.
    #[error("too many uploads are pending")]
    TooManyPending {
        /// When the first of them runs out, in milliseconds from now.
        retry_after_ms: u64,
    },
    /// The body ended before its end.
    #[error("the upload was cut off")]
    CutOff,
    /// No thumbnail has such a size.
    #[error("a thumbnail has a width and a height")]
    BadSize,
    /// No thumbnail can be made of this.
    #[error("cannot make a thumbnail of this content")]
    NoThumbnail,
    /// The image has too many pixels or bytes for a thumbnail.
    #[error("the image is too large for a thumbnail")]
    ImageTooLarge,
    /// Too many thumbnails wait to be made.
    #[error("too many thumbnails wait to be made")]
    Busy,
    /// The file that a row names is not there: somebody has removed it from the disk.
    #[error("the file {0} is missing")]
    FileMissing(String),
    /// The disk.
    #[error("media file: {0}")]
    Io(#[from] std::io::Error),
    /// The tables.
    #[error(transparent)]
    Store(#[from] StoreFailure),
}

impl From<StorageError> for MediaError {
    fn from(error: StorageError) -> Self {
        Self::Store(StoreFailure::Read(error))
    }
}

impl From<CommitError> for MediaError {
    fn from(error: CommitError) -> Self {
        Self::Store(StoreFailure::Write(error))
    }
}

/// Why there is no preview of a URL.
#[derive(Debug, Error)]
pub enum PreviewError {
    /// The setting `url_previews.enabled` is off.
    #[error("this server makes no previews of URLs")]
    SwitchedOff,
    /// Not an `http` or `https` URL.
    #[error("not a URL of the web")]
    BadUrl,
    /// The URL, or where it leads, is out of bounds.
    #[error("this URL is not previewed")]
    Denied,
    /// Too many pages are being fetched.
    #[error("too many pages are being fetched")]
    Busy,
    /// The page could not be fetched.
    #[error("the page cannot be fetched: {0}")]
    Unreachable(FetchError),
    /// The preview could not be stored.
    #[error(transparent)]
    Media(#[from] MediaError),
}

impl From<FetchError> for PreviewError {
    fn from(error: FetchError) -> Self {
        match error {
            FetchError::Denied => Self::Denied,
            error => Self::Unreachable(error),
        }
    }
}
