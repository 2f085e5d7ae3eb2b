//! Read receipts. [Client-Server API, "Receipts"]
//!
//! [Client-Server API, "Receipts"]: https://spec.matrix.org/v1.19/client-server-api/#receipts

use axum::extract::State;
use hearth_homeserver::{
    rooms::{ReceiptKind, Receipts, RoomView, Rooms},
    users::{LocalUser, Users},
};
use ruma::{
    api::client::receipt::create_receipt::v3::{ReceiptType, Request, Response},
    events::receipt::ReceiptThread,
};

use crate::{
    api_error::ApiError,
    caller::Caller,
    extract::Ruma,
    reply::{Reply, Result},
};

/// `POST /_matrix/client/v3/rooms/{roomId}/receipt/{receiptType}/{eventId}`
pub async fn post_receipt(
    State(rooms): State<Rooms>,
    State(receipts): State<Receipts>,
    State(users): State<Users>,
    Caller(user): Caller,
    Ruma(body): Ruma<Request>,
) -> Result<Response> {
    let view = rooms.require_view(&body.room_id).await?;
    let kind = match body.receipt_type {
        ReceiptType::Read => ReceiptKind::Read,
        ReceiptType::ReadPrivate => ReceiptKind::ReadPrivate,
        ReceiptType::FullyRead if body.thread == ReceiptThread::Unthreaded => {
            require_joined(&view, &user)?;
            users.set_fully_read(&user, &body.room_id, &body.event_id).await?;
            return Ok(Reply(Response::new()));
        }
        ReceiptType::FullyRead => {
            return Err(ApiError::invalid_param("m.fully_read is not for threads."));
        }
        _ => return Err(ApiError::invalid_param("Unknown kind of receipt.")),
    };
    receipts.record(&user, &view, kind, &body.event_id, body.thread.as_str()).await?;
    // Of a private receipt others see nothing.
    if kind == ReceiptKind::Read {
        users.presence().record_activity(&user.user_id);
    }
    Ok(Reply(Response::new()))
}

/// Only who is in a room has read something in it.
pub(super) fn require_joined(view: &RoomView, user: &LocalUser) -> std::result::Result<(), ApiError> {
    let membership = view.membership(&user.user_id);
    let is_joined = membership.is_some_and(|membership| membership.as_str() == "join");
    if is_joined { Ok(()) } else { Err(ApiError::not_in_room()) }
}
