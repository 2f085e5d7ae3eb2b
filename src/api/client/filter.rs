//! Filters that clients store once and then name. [Client-Server API, "Filtering"]
//!
//! [Client-Server API, "Filtering"]: https://spec.matrix.org/v1.19/client-server-api/#filtering

use axum::extract::State;
use hearth_homeserver::users::Users;
use ruma::api::client::filter::{create_filter, get_filter as get_stored};
use serde_json::value::to_raw_value;

use super::account_data::check_own;
use crate::{
    api_error::ApiError,
    caller::GuestCaller,
    extract::Ruma,
    reply::{JsonText, Reply, Result},
};

/// `POST /_matrix/client/v3/user/{userId}/filter`
pub async fn define_filter(
    State(users): State<Users>,
    GuestCaller(user): GuestCaller,
    Ruma(body): Ruma<create_filter::v3::Request>,
) -> Result<create_filter::v3::Response> {
    check_own(&user, &body.user_id)?;
    let filter = to_raw_value(&body.filter).map_err(ApiError::internal)?;
    let filter_id = users.create_filter(&user, &filter).await?;
    Ok(Reply(create_filter::v3::Response::new(filter_id)))
}

/// `GET /_matrix/client/v3/user/{userId}/filter/{filterId}`
pub async fn get_filter(
    State(users): State<Users>,
    GuestCaller(user): GuestCaller,
    Ruma(body): Ruma<get_stored::v3::Request>,
) -> std::result::Result<JsonText, ApiError> {
    check_own(&user, &body.user_id)?;
    let filter = users.load_filter(&user.user_id, &body.filter_id).await.map_err(ApiError::internal)?;
    JsonText::of(&filter.ok_or_else(|| ApiError::not_found("Unknown filter."))?)
}
