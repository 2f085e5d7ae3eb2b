//! What handlers answer with: a ruma response, or JSON text that is already written.
//!
//! Nothing here parses what it sends: an event's JSON is written once, far below, and copied out.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderValue, header::CONTENT_TYPE};
use ruma::api::{OutgoingResponse, OutgoingResponseExt as _};

use crate::api_error::ApiError;

/// The result of a handler whose answer is a ruma response type.
pub type Result<T> = std::result::Result<Reply<T>, ApiError>;

/// A ruma response, written out as HTTP.
#[derive(Debug)]
pub struct Reply<T>(pub T);

impl<T: OutgoingResponse> IntoResponse for Reply<T> {
    fn into_response(self) -> Response {
        match self.0.try_into_http_response::<Vec<u8>>() {
            Ok(response) => response.map(Body::from),
            Err(error) => ApiError::internal(error).into_response(),
        }
    }
}

/// The room that an answer begins with, in bytes: most fit, and need not be moved while they grow.
const WRITTEN_BYTES: usize = 1_024;

/// JSON text that is sent as it is.
#[derive(Debug)]
pub struct JsonText(Bytes);

impl JsonText {
    /// Takes text that its writer vouches for: it must be one whole JSON value.
    pub fn new(text: impl Into<Bytes>) -> Self {
        Self(text.into())
    }

    /// Writes any value out as JSON.
    ///
    /// # Errors
    /// When the value cannot be JSON (a map with keys that are no strings): a mistake in the code.
    pub fn of(value: &impl serde::Serialize) -> std::result::Result<Self, ApiError> {
        let mut text = Vec::with_capacity(WRITTEN_BYTES);
        serde_json::to_writer(&mut text, value).map(|()| Self::new(text)).map_err(ApiError::internal)
    }
}

impl IntoResponse for JsonText {
    fn into_response(self) -> Response {
        let json = HeaderValue::from_static("application/json");
        ([(CONTENT_TYPE, json)], self.0).into_response()
    }
}
