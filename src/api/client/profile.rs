//! What users show of themselves. [Client-Server API, "Profiles"]
//!
//! [Client-Server API, "Profiles"]: https://spec.matrix.org/v1.19/client-server-api/#profiles

use axum::extract::State;
use hearth_homeserver::{
    flows::Flows,
    users::{LocalUser, Profile, Users},
};
use ruma::{
    UserId,
    api::client::profile::{
        delete_profile_field as delete_field, get_profile, get_profile_field as get_field,
        set_profile_field as set_field,
    },
};
use serde_json::{Map, Value};

use super::account_data::check_own;
use crate::{
    api_error::ApiError,
    caller::ActiveGuestCaller,
    extract::Ruma,
    reply::{JsonText, Reply, Result},
};

/// `PUT /_matrix/client/v3/profile/{userId}/{keyName}`
pub async fn set_profile_field(
    State(flows): State<Flows>,
    ActiveGuestCaller(user): ActiveGuestCaller,
    Ruma(body): Ruma<set_field::v3::Request>,
) -> Result<set_field::v3::Response> {
    check_own(&user, &body.user_id)?;
    let field = body.value.field_name();
    check_guest(&user, field.as_str())?;
    flows.set_profile_field(&user, field.as_str(), &body.value.value()).await?;
    Ok(Reply(set_field::v3::Response::new()))
}

/// `GET /_matrix/client/v3/profile/{userId}/{keyName}`
pub async fn get_profile_field(
    State(users): State<Users>,
    Ruma(body): Ruma<get_field::v3::Request>,
) -> std::result::Result<JsonText, ApiError> {
    let mut profile = require_profile(&users, &body.user_id).await?;
    let field = body.field.as_str();
    let value = profile.fields.remove(field);
    let value = value.ok_or_else(|| ApiError::not_found("The profile has no such field."))?;
    JsonText::of(&Map::from_iter([(field.to_owned(), value)]))
}

/// `DELETE /_matrix/client/v3/profile/{userId}/{keyName}`
pub async fn delete_profile_field(
    State(flows): State<Flows>,
    ActiveGuestCaller(user): ActiveGuestCaller,
    Ruma(body): Ruma<delete_field::v3::Request>,
) -> Result<delete_field::v3::Response> {
    check_own(&user, &body.user_id)?;
    check_guest(&user, body.field.as_str())?;
    flows.delete_profile_field(&user, body.field.as_str()).await?;
    Ok(Reply(delete_field::v3::Response::new()))
}

/// `GET /_matrix/client/v3/profile/{userId}`
pub async fn get_user_profile(
    State(users): State<Users>,
    Ruma(body): Ruma<get_profile::v3::Request>,
) -> std::result::Result<JsonText, ApiError> {
    let profile = require_profile(&users, &body.user_id).await?;
    JsonText::of(&Value::Object(profile.fields))
}

async fn require_profile(users: &Users, user: &UserId) -> std::result::Result<Profile, ApiError> {
    let profile = users.load_profile(user).await.map_err(ApiError::internal)?;
    profile.ok_or_else(|| ApiError::not_found("Unknown user."))
}

/// Guests have a display name and nothing else (C-S API, "Guest Access").
fn check_guest(user: &LocalUser, field: &str) -> std::result::Result<(), ApiError> {
    if user.is_guest && field != "displayname" { Err(ApiError::guest_forbidden()) } else { Ok(()) }
}
