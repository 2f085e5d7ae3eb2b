//! A user's devices. [Client-Server API, "Device Management"]
//!
//! [Client-Server API, "Device Management"]: https://spec.matrix.org/v1.19/client-server-api/#device-management

use axum::extract::State;
use hearth_homeserver::users::{DeviceInfo, Users};
use http::StatusCode;
use ruma::{
    OwnedDeviceId,
    api::client::device::{
        delete_device as delete_one, delete_devices as delete_several, get_device as get_one, get_devices as list,
        update_device as update,
    },
};
use serde::Serialize;
use serde_json::json;

use crate::{
    api_error::ApiError,
    caller::{Caller, GuestCaller},
    extract::{Ruma, RumaAuth},
    interactive::reauthenticate,
    rate_limit::{Operation, RateLimits},
    reply::{JsonText, Reply, Result},
};

/// How many devices one request may delete.
const DELETED_DEVICES_MAX: usize = 1_000;

/// `GET /_matrix/client/v3/devices`
pub async fn get_devices(
    State(users): State<Users>,
    GuestCaller(user): GuestCaller,
    Ruma(_): Ruma<list::v3::Request>,
) -> std::result::Result<JsonText, ApiError> {
    let devices = users.list_devices(&user.key).await.map_err(ApiError::internal)?;
    let devices: Vec<DeviceJson> = devices.into_iter().map(DeviceJson::from).collect();
    JsonText::of(&json!({ "devices": devices }))
}

/// `GET /_matrix/client/v3/devices/{deviceId}`
pub async fn get_device(
    State(users): State<Users>,
    GuestCaller(user): GuestCaller,
    Ruma(body): Ruma<get_one::v3::Request>,
) -> std::result::Result<JsonText, ApiError> {
    let device = users.load_device(&user.key, &body.device_id).await.map_err(ApiError::internal)?;
    let device = device.ok_or_else(|| ApiError::not_found("Unknown device."))?;
    JsonText::of(&DeviceJson::from(device))
}

/// `PUT /_matrix/client/v3/devices/{deviceId}`. An application service makes devices by it, which is told by 201.
pub async fn update_device(
    State(users): State<Users>,
    State(limits): State<RateLimits>,
    GuestCaller(user): GuestCaller,
    Ruma(body): Ruma<update::v3::Request>,
) -> std::result::Result<(StatusCode, JsonText), ApiError> {
    let was_made = if user.service.is_some() {
        limits.check_user(Operation::DeviceCreation, &user)?;
        users.put_device(&user, &body.device_id, body.display_name).await?
    } else {
        users.update_device(&user.key, &body.device_id, body.display_name).await?;
        false
    };
    Ok((if was_made { StatusCode::CREATED } else { StatusCode::OK }, JsonText::of(&json!({}))?))
}

/// `DELETE /_matrix/client/v3/devices/{deviceId}`
pub async fn delete_device(
    State(users): State<Users>,
    State(limits): State<RateLimits>,
    Caller(user): Caller,
    RumaAuth(body): RumaAuth<delete_one::v3::Request>,
) -> Result<delete_one::v3::Response> {
    let path = format!("/devices/{}", body.device_id);
    limits.check_reauthentication(Operation::Reauthentication, &user, body.auth.is_some())?;
    reauthenticate(&users, &user, "deleteDevice", &path, body.auth.as_ref()).await?;
    users.delete_devices(&user, &[body.device_id]).await?;
    Ok(Reply(delete_one::v3::Response::new()))
}

/// `POST /_matrix/client/v3/delete_devices`
pub async fn delete_devices(
    State(users): State<Users>,
    State(limits): State<RateLimits>,
    Caller(user): Caller,
    RumaAuth(body): RumaAuth<delete_several::v3::Request>,
) -> Result<delete_several::v3::Response> {
    if body.devices.len() > DELETED_DEVICES_MAX {
        return Err(ApiError::invalid_param("Too many devices at once."));
    }
    limits.check_reauthentication(Operation::Reauthentication, &user, body.auth.is_some())?;
    reauthenticate(&users, &user, "deleteDevices", "/delete_devices", body.auth.as_ref()).await?;
    users.delete_devices(&user, &body.devices).await?;
    Ok(Reply(delete_several::v3::Response::new()))
}

/// A device as clients see it. What is not known is empty text: the specification knows no `null` here, which ruma's
/// type writes, and matrix-nio reads no list in which a device lacks a field.
#[derive(Serialize)]
struct DeviceJson {
    device_id: OwnedDeviceId,
    display_name: String,
    last_seen_ip: String,
    last_seen_ts: u64,
}

impl From<DeviceInfo> for DeviceJson {
    fn from(info: DeviceInfo) -> Self {
        Self {
            device_id: info.device_id,
            display_name: info.display_name.unwrap_or_default(),
            last_seen_ip: info.last_seen_ip.unwrap_or_default(),
            last_seen_ts: info.last_seen_ms,
        }
    }
}
