//! What an administrator does to accounts. [Client-Server API, "Server Administration"]
//!
//! [Client-Server API, "Server Administration"]: https://spec.matrix.org/v1.19/client-server-api/#server-administration

use axum::extract::State;
use hearth_homeserver::users::{DeviceInfo, Restriction, Users};
use ruma::api::client::admin::{
    get_user_info::v3 as whois, is_user_locked::v1 as is_locked, is_user_suspended::v1 as is_suspended,
    lock_user::v1 as lock, suspend_user::v1 as suspend,
};
use serde_json::{Map, Value, json};

use crate::{
    api_error::ApiError,
    caller::Caller,
    extract::Ruma,
    reply::{JsonText, Reply, Result},
};

/// `GET /_matrix/client/v3/admin/whois/{userId}`
///
/// Administrators ask for anybody of this server, others for themselves.
pub async fn get_who_is(
    State(users): State<Users>,
    Caller(user): Caller,
    Ruma(body): Ruma<whois::Request>,
) -> std::result::Result<JsonText, ApiError> {
    let devices = users.list_devices_of(&user, &body.user_id).await?;
    let devices = devices.into_iter().map(|device| (device.device_id.to_string(), sessions_of(device)));
    JsonText::of(&json!({ "user_id": body.user_id, "devices": devices.collect::<Map<String, Value>>() }))
}

/// `GET /_matrix/client/v1/admin/suspend/{userId}`
pub async fn get_admin_suspend_user(
    State(users): State<Users>,
    Caller(user): Caller,
    Ruma(body): Ruma<is_suspended::Request>,
) -> Result<is_suspended::Response> {
    let account = users.load_moderated(&user, &body.user_id).await?;
    Ok(Reply(is_suspended::Response::new(account.is_suspended)))
}

/// `PUT /_matrix/client/v1/admin/suspend/{userId}`
pub async fn set_admin_suspend_user(
    State(users): State<Users>,
    Caller(user): Caller,
    Ruma(body): Ruma<suspend::Request>,
) -> Result<suspend::Response> {
    users.restrict(&user, &body.user_id, Restriction::Suspended, body.suspended).await?;
    Ok(Reply(suspend::Response::new(body.suspended)))
}

/// `GET /_matrix/client/v1/admin/lock/{userId}`
pub async fn get_admin_lock_user(
    State(users): State<Users>,
    Caller(user): Caller,
    Ruma(body): Ruma<is_locked::Request>,
) -> Result<is_locked::Response> {
    let account = users.load_moderated(&user, &body.user_id).await?;
    Ok(Reply(is_locked::Response::new(account.is_locked)))
}

/// `PUT /_matrix/client/v1/admin/lock/{userId}`
pub async fn set_admin_lock_user(
    State(users): State<Users>,
    Caller(user): Caller,
    Ruma(body): Ruma<lock::Request>,
) -> Result<lock::Response> {
    users.restrict(&user, &body.user_id, Restriction::Locked, body.locked).await?;
    Ok(Reply(lock::Response::new(body.locked)))
}

/// A device has one session, of which the last request is known; what is not known is left out (ruma's type writes
/// `null`).
fn sessions_of(device: DeviceInfo) -> Value {
    let mut connection = json!({ "last_seen": device.last_seen_ms });
    if let Some(ip) = device.last_seen_ip {
        connection["ip"] = ip.into();
    }
    if let Some(user_agent) = device.user_agent {
        connection["user_agent"] = user_agent.into();
    }
    json!({ "sessions": [{ "connections": [connection] }] })
}
