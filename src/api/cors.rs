//! Web clients come from anywhere, so every answer allows every origin.
//! [Client-Server API, "Web Browser Clients"]
//!
//! [Client-Server API, "Web Browser Clients"]: https://spec.matrix.org/v1.19/client-server-api/#web-browser-clients

use std::time::Duration;

use http::{
    HeaderName, Method,
    header::{AUTHORIZATION, CONTENT_TYPE, DATE, RETRY_AFTER},
};
use tower_http::cors::{Any, CorsLayer};

/// How long a browser may remember the answer to its preflight question.
const PREFLIGHT_AGE: Duration = Duration::from_hours(24);

/// The layer that writes the headers, and answers every `OPTIONS` request by itself.
pub fn allow_every_origin() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS])
        .allow_headers([HeaderName::from_static("x-requested-with"), CONTENT_TYPE, AUTHORIZATION, DATE])
        .expose_headers([RETRY_AFTER])
        .max_age(PREFLIGHT_AGE)
        .vary([])
}
