//! How requests are read for which ruma has no type, so that they are extracted as ruma's are.

use ruma::{api::error::DeserializationError, exports::serde_html_form};
use serde::de::DeserializeOwned;

/// The only variable of a path.
pub fn variable(path: &[&str]) -> String {
    path.first().copied().unwrap_or_default().to_owned()
}

/// All that stands in the query.
///
/// # Errors
/// When a field is missing or is not of its type.
pub fn query<T: DeserializeOwned>(request: &http::Request<&[u8]>) -> Result<T, DeserializationError> {
    Ok(serde_html_form::from_str(request.uri().query().unwrap_or_default())?)
}

/// How each type is read from the request and the variables of its path. What they answer with is written by their
/// handlers.
macro_rules! incoming {
    ($($type:ty: |$request:pat_param, $path:pat_param| $read:expr;)*) => {$(
        impl ruma::api::IncomingRequest for $type {
            type EndpointError = ruma::api::error::Error;
            type OutgoingResponse = ruma::api::client::peeking::get_current_state::v3::Response;

            fn try_from_http_request_inner(
                $request: http::Request<&[u8]>,
                $path: &[&str],
            ) -> Result<Self, ruma::api::error::DeserializationError> {
                Ok($read)
            }
        }
    )*};
}
pub(crate) use incoming;
