//! Whose token this is. [Client-Server API, "Current account information"]
//!
//! [Client-Server API, "Current account information"]: https://spec.matrix.org/v1.19/client-server-api/#current-account-information

use ruma::api::client::account::whoami::v3::{Request, Response};

use crate::{
    caller::GuestCaller,
    extract::Ruma,
    reply::{Reply, Result},
};

/// `GET /_matrix/client/v3/account/whoami`
pub async fn get_token_owner(GuestCaller(user): GuestCaller, Ruma(_): Ruma<Request>) -> Result<Response> {
    let mut response = Response::new(user.user_id, user.is_guest);
    let has_device = user.service.is_none_or(|service| service.has_device);
    response.device_id = has_device.then_some(user.device_id);
    Ok(Reply(response))
}
