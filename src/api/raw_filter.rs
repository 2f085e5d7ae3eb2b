//! A filter in a query as the client wrote it: ruma's type leaves out what the specification says of relations.

use hearth_protocol::EventFilter;
use serde::Deserialize;

use crate::api_error::ApiError;

/// The parameter `filter`.
#[derive(Debug, Deserialize)]
pub struct RawFilter {
    filter: Option<String>,
}

impl RawFilter {
    /// The filter of room events; one that lets everything through when there is none.
    ///
    /// # Errors
    /// 400 `M_INVALID_PARAM` for what is no filter.
    pub fn compile(&self) -> Result<EventFilter, ApiError> {
        match self.filter.as_deref() {
            None | Some("") => Ok(EventFilter::all()),
            Some(text) => EventFilter::compile_text(text)
                .map_err(|error| ApiError::invalid_param(format!("`filter` is not valid: {error}"))),
        }
    }
}
