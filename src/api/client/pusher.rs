//! Where a user's notifications are pushed to. [Client-Server API, "Push Notifications"]
//!
//! Nowhere yet: no pusher can be set, so nobody has one.
//!
//! [Client-Server API, "Push Notifications"]: https://spec.matrix.org/v1.19/client-server-api/#push-notifications

use ruma::api::client::push::get_pushers::v3::{Request, Response};

use crate::{
    caller::Caller,
    extract::Ruma,
    reply::{Reply, Result},
};

/// `GET /_matrix/client/v3/pushers`
pub async fn get_pushers(Caller(_): Caller, Ruma(_): Ruma<Request>) -> Result<Response> {
    Ok(Reply(Response::new(Vec::new())))
}
