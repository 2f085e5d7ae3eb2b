//! Where a user has read to. [Client-Server API, "Fully read markers"]
//!
//! [Client-Server API, "Fully read markers"]: https://spec.matrix.org/v1.19/client-server-api/#fully-read-markers

use axum::extract::State;
use hearth_homeserver::{
    rooms::{ReceiptKind, Receipts, Rooms},
    users::Users,
};
use ruma::api::client::read_marker::set_read_marker::v3::{Request, Response};

use super::receipts::require_joined;
use crate::{
    caller::Caller,
    extract::Ruma,
    reply::{Reply, Result},
};

/// `POST /_matrix/client/v3/rooms/{roomId}/read_markers`
pub async fn set_read_marker(
    State(rooms): State<Rooms>,
    State(receipts): State<Receipts>,
    State(users): State<Users>,
    Caller(user): Caller,
    Ruma(body): Ruma<Request>,
) -> Result<Response> {
    let view = rooms.require_view(&body.room_id).await?;
    require_joined(&view, &user)?;
    if let Some(event_id) = &body.fully_read {
        users.set_fully_read(&user, &body.room_id, event_id).await?;
    }
    let given = [(ReceiptKind::Read, &body.read_receipt), (ReceiptKind::ReadPrivate, &body.private_read_receipt)];
    for (kind, event_id) in given {
        if let Some(event_id) = event_id {
            receipts.record(&user, &view, kind, event_id, None).await?;
        }
    }
    if body.read_receipt.is_some() {
        users.presence().record_activity(&user.user_id);
    }
    Ok(Reply(Response::new()))
}
