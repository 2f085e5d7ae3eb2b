//! What an administrator does to accounts. [Client-Server API, "Server Administration"]
//!
//! [Client-Server API, "Server Administration"]: https://spec.matrix.org/v1.19/client-server-api/#server-administration

use axum::extract::State;
use hearth_homeserver::users::{DeviceInfo, Restriction, Users};
use ruma::{
    MilliSecondsSinceUnixEpoch, UInt,
    api::client::admin::{
        get_user_info::v3 as whois, is_user_locked::v1 as is_locked, is_user_suspended::v1 as is_suspended,
        lock_user::v1 as lock, suspend_user::v1 as suspend,
    },
};

use crate::{
    caller::Caller,
    extract::Ruma,
    reply::{Reply, Result},
};

/// `GET /_matrix/client/v3/admin/whois/{userId}`
///
/// Administrators ask for anybody of this server, others for themselves.
pub async fn get_who_is(
    State(users): State<Users>,
    Caller(user): Caller,
    Ruma(body): Ruma<whois::Request>,
) -> Result<whois::Response> {
    let devices = users.list_devices_of(&user, &body.user_id).await?;
    let mut response = whois::Response::new();
    response.devices = devices.into_iter().map(|device| (device.device_id.to_string(), sessions_of(device))).collect();
    response.user_id = Some(body.user_id);
    Ok(Reply(response))
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

/// A device has one session, of which the last request is known.
fn sessions_of(device: DeviceInfo) -> whois::DeviceInfo {
    let mut connection = whois::ConnectionInfo::new();
    connection.ip = device.last_seen_ip;
    connection.last_seen = Some(MilliSecondsSinceUnixEpoch(UInt::new_saturating(device.last_seen_ms)));
    let mut session = whois::SessionInfo::new();
    session.connections = vec![connection];
    let mut info = whois::DeviceInfo::new();
    info.sessions = vec![session];
    info
}
