//! Networks that application services bridge to. [Client-Server API, "Third-party networks"]
//!
//! There are no application services yet, so that no network is known: the specification's answer to that is "not found".
//!
//! [Client-Server API, "Third-party networks"]: https://spec.matrix.org/v1.19/client-server-api/#third-party-networks

use std::collections::BTreeMap;

use ruma::api::client::thirdparty::{
    get_location_for_protocol, get_location_for_room_alias, get_protocol, get_protocols, get_user_for_protocol,
    get_user_for_user_id,
};

use crate::{
    api_error::ApiError,
    caller::Caller,
    extract::Ruma,
    reply::{Reply, Result},
};

/// `GET /_matrix/client/v3/thirdparty/protocols`
pub async fn get_protocols(
    Caller(_): Caller,
    Ruma(_): Ruma<get_protocols::v3::Request>,
) -> Result<get_protocols::v3::Response> {
    Ok(Reply(get_protocols::v3::Response::new(BTreeMap::new())))
}

/// `GET /_matrix/client/v3/thirdparty/protocol/{protocol}`
pub async fn get_protocol_metadata(
    Caller(_): Caller,
    Ruma(_): Ruma<get_protocol::v3::Request>,
) -> Result<get_protocol::v3::Response> {
    Err(unknown_protocol())
}

/// `GET /_matrix/client/v3/thirdparty/location/{protocol}`
pub async fn query_location_by_protocol(
    Caller(_): Caller,
    Ruma(_): Ruma<get_location_for_protocol::v3::Request>,
) -> Result<get_location_for_protocol::v3::Response> {
    Err(unknown_protocol())
}

/// `GET /_matrix/client/v3/thirdparty/user/{protocol}`
pub async fn query_user_by_protocol(
    Caller(_): Caller,
    Ruma(_): Ruma<get_user_for_protocol::v3::Request>,
) -> Result<get_user_for_protocol::v3::Response> {
    Err(unknown_protocol())
}

/// `GET /_matrix/client/v3/thirdparty/location`
pub async fn query_location_by_alias(
    Caller(_): Caller,
    Ruma(_): Ruma<get_location_for_room_alias::v3::Request>,
) -> Result<get_location_for_room_alias::v3::Response> {
    Err(ApiError::not_found("The alias is not one of a bridged room."))
}

/// `GET /_matrix/client/v3/thirdparty/user`
pub async fn query_user_by_id(
    Caller(_): Caller,
    Ruma(_): Ruma<get_user_for_user_id::v3::Request>,
) -> Result<get_user_for_user_id::v3::Response> {
    Err(ApiError::not_found("The user is not a bridged one."))
}

fn unknown_protocol() -> ApiError {
    ApiError::not_found("No such protocol.")
}
