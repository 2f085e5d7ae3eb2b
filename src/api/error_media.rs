//! What files and previews of pages go wrong with, in the one table's form (`error.rs`).
//!
//! A lower layer's text never reaches a client, unless it speaks of the client's own request.

use hearth_homeserver::media::{MediaError, PreviewError};
use http::StatusCode;

use crate::api_error::ApiError;
use crate::error::bad_request;

/// How long a client is sent away when too many thumbnails wait to be made.
const THUMBNAILS_RETRY_AFTER_MS: u64 = 2_000;

/// How long a client is sent away when too many pages are being fetched.
const PREVIEWS_RETRY_AFTER_MS: u64 = 2_000;

impl From<MediaError> for ApiError {
    fn from(error: MediaError) -> Self {
        match error {
            MediaError::Unknown => Self::not_found("Unknown media."),
            MediaError::NotYetUploaded => {
                Self::new(StatusCode::GATEWAY_TIMEOUT, "M_NOT_YET_UPLOADED", "The content was not uploaded yet.")
            }
            MediaError::AlreadyUploaded => {
                Self::new(StatusCode::CONFLICT, "M_CANNOT_OVERWRITE_MEDIA", "There is content at this URI already.")
            }
            error @ (MediaError::NotYours | MediaError::QuotaReached) => Self::forbidden(error.to_string()),
            error @ (MediaError::TooLarge { .. } | MediaError::ImageTooLarge) => Self::too_large(error.to_string()),
            MediaError::TooManyPending { retry_after_ms } => Self::limit_exceeded(retry_after_ms),
            error @ MediaError::CutOff => bad_request("M_UNKNOWN", &error),
            error @ MediaError::BadSize => Self::invalid_param(error.to_string()),
            error @ MediaError::NoThumbnail => bad_request("M_UNKNOWN", &error),
            MediaError::Busy => Self::limit_exceeded(THUMBNAILS_RETRY_AFTER_MS),
            error @ MediaError::FileMissing(_) => Self::internal(error),
            error @ MediaError::Io(_) => Self::cannot_store(error),
            MediaError::Store(error) => error.into(),
        }
    }
}

impl From<PreviewError> for ApiError {
    fn from(error: PreviewError) -> Self {
        match error {
            error @ (PreviewError::SwitchedOff | PreviewError::Denied) => Self::forbidden(error.to_string()),
            error @ PreviewError::BadUrl => Self::invalid_param(error.to_string()),
            PreviewError::Busy => Self::limit_exceeded(PREVIEWS_RETRY_AFTER_MS),
            PreviewError::Unreachable(error) => {
                tracing::debug!(%error, "no preview");
                Self::not_found("The page could not be fetched.")
            }
            PreviewError::Media(error) => error.into(),
        }
    }
}
