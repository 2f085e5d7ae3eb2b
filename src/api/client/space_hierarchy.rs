//! The rooms of a space. [Client-Server API, "Spaces"]
//!
//! [Client-Server API, "Spaces"]: https://spec.matrix.org/v1.19/client-server-api/#spaces

use axum::extract::State;
use hearth_homeserver::flows::{Flows, HierarchyRequest, HierarchyRoom};
use ruma::{UInt, api::client::space::get_hierarchy::v1::Request};
use serde_json::{Value, json};

use crate::{api_error::ApiError, caller::GuestCaller, extract::Ruma, reply::JsonText};

/// `GET /_matrix/client/v1/rooms/{roomId}/hierarchy`
pub async fn get_space_hierarchy(
    State(flows): State<Flows>,
    GuestCaller(user): GuestCaller,
    Ruma(body): Ruma<Request>,
) -> Result<JsonText, ApiError> {
    let request = HierarchyRequest {
        limit: body.limit.map(saturate),
        depth_max: body.max_depth.map(saturate),
        is_suggested_only: body.suggested_only,
        from: body.from.as_deref(),
    };
    let page = flows.list_hierarchy(&user, &body.room_id, &request).await?;
    let rooms: Result<Vec<_>, _> = page.rooms.iter().map(write_room).collect();
    let mut answer = json!({ "rooms": rooms? });
    if let Some(next) = page.next_batch {
        answer["next_batch"] = next.into();
    }
    JsonText::of(&answer)
}

/// A number of rooms or steps; more than there can be is as good as all.
fn saturate(limit: UInt) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

fn write_room(room: &HierarchyRoom) -> Result<Value, ApiError> {
    let mut json = serde_json::to_value(&room.card).map_err(ApiError::internal)?;
    json["children_state"] = serde_json::to_value(&room.children).map_err(ApiError::internal)?;
    Ok(json)
}
