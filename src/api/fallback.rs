//! Answers for what is not served: an unknown path, or a known path with another method.
//! [Client-Server API, "API Standards"]
//!
//! [Client-Server API, "API Standards"]: https://spec.matrix.org/v1.19/client-server-api/#api-standards

use http::StatusCode;

use crate::api_error::ApiError;

/// No endpoint has this path.
pub async fn unknown_path() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "M_UNRECOGNIZED", "Unrecognized request")
}

/// Endpoints have this path, but none with this method.
pub async fn unknown_method() -> ApiError {
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "M_UNRECOGNIZED", "Unrecognized request")
}
