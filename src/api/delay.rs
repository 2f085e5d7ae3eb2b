//! Whether an event is to be sent later: the parameter `org.matrix.msc4140.delay` of the send and state endpoints.

use axum::extract::{FromRequestParts, Query};
use http::request::Parts;
use serde::Deserialize;

use crate::{api_error::ApiError, state::AppState};

/// The delay that a request asks for, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Delay(pub Option<u64>);

#[derive(Deserialize)]
struct Parameters {
    #[serde(rename = "org.matrix.msc4140.delay")]
    delay: Option<u64>,
}

impl FromRequestParts<AppState> for Delay {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, ApiError> {
        let parameters = Query::<Parameters>::try_from_uri(&parts.uri);
        let Query(Parameters { delay }) =
            parameters.map_err(|_| ApiError::invalid_param("The delay is a whole number of milliseconds."))?;
        Ok(Self(delay))
    }
}
