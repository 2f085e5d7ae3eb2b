//! Rooms that two users share. [Client-Server API, "Mutual rooms"]
//!
//! [Client-Server API, "Mutual rooms"]: https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1mutual_rooms

use axum::extract::State;
use hearth_homeserver::flows::Flows;
use ruma::api::client::membership::get_mutual_rooms::v1::Request;
use serde_json::json;

use crate::{api_error::ApiError, caller::Caller, extract::Ruma, reply::JsonText};

/// `GET /_matrix/client/v1/mutual_rooms`
pub async fn get_mutual_rooms(
    State(flows): State<Flows>,
    Caller(user): Caller,
    Ruma(body): Ruma<Request>,
) -> Result<JsonText, ApiError> {
    let shared = flows.list_shared_rooms(&user, &body.user_id, body.from.as_deref()).await?;
    let mut answer = json!({ "joined": shared.rooms, "count": shared.total });
    if let Some(next) = shared.next_batch {
        answer["next_batch"] = next.into();
    }
    JsonText::of(&answer)
}
