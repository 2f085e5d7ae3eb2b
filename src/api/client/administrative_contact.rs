//! Third-party identifiers of an account. [Client-Server API, "Adding Account Administrative Contact Information"]
//!
//! [Client-Server API, "Adding Account Administrative Contact Information"]:
//! https://spec.matrix.org/v1.19/client-server-api/#adding-account-administrative-contact-information

use ruma::api::client::account::get_3pids::v3::Request;
use serde_json::json;

use crate::{api_error::ApiError, caller::Caller, extract::Ruma, reply::JsonText};

/// `GET /_matrix/client/v3/account/3pid`
///
/// Always none: this server takes no e-mail addresses and phone numbers, as the capability `m.3pid_changes` tells.
/// Written out here: ruma's type leaves out an empty list.
pub async fn get_account3pids(Caller(_): Caller, Ruma(_): Ruma<Request>) -> Result<JsonText, ApiError> {
    JsonText::of(&json!({ "threepids": [] }))
}
