//! What a room shows from outside. [Client-Server API, "Room summary"]
//!
//! [Client-Server API, "Room summary"]: https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1room_summaryroomidoralias

use axum::extract::State;
use hearth_homeserver::flows::Flows;
use ruma::api::client::room::get_summary::v1::Request;
use serde_json::Value;

use crate::{api_error::ApiError, caller::GuestCaller, extract::Ruma, reply::JsonText};

/// `GET /_matrix/client/v1/room_summary/{roomIdOrAlias}`
pub async fn get_room_summary(
    State(flows): State<Flows>,
    user: Option<GuestCaller>,
    Ruma(body): Ruma<Request>,
) -> Result<JsonText, ApiError> {
    let user = user.map(|GuestCaller(user)| user);
    let preview = flows.preview(user.as_ref(), &body.room_id_or_alias).await?;
    let mut answer = serde_json::to_value(&preview.card).map_err(ApiError::internal)?;
    if let Some(membership) = preview.membership {
        answer["membership"] = Value::from(membership);
    }
    JsonText::of(&answer)
}
