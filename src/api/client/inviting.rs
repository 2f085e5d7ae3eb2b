//! Inviting users. [Client-Server API, "Joining rooms"]
//!
//! [Client-Server API, "Joining rooms"]: https://spec.matrix.org/v1.19/client-server-api/#joining-rooms

use axum::extract::State;
use hearth_homeserver::rooms::Rooms;
use http::StatusCode;
use ruma::api::client::membership::invite_user::v3::{InvitationRecipient, Request, Response};

use crate::{
    api_error::ApiError,
    caller::ActiveCaller,
    extract::Ruma,
    rate_limit::{Operation, RateLimits},
    reply::{Reply, Result},
};

/// `POST /_matrix/client/v3/rooms/{roomId}/invite`
pub async fn invite_user(
    State(rooms): State<Rooms>,
    State(limits): State<RateLimits>,
    ActiveCaller(user): ActiveCaller,
    Ruma(body): Ruma<Request>,
) -> Result<Response> {
    let InvitationRecipient::UserId(invited) = body.recipient else {
        let message = "Invites by e-mail address or telephone number are not offered.";
        return Err(ApiError::new(StatusCode::FORBIDDEN, "M_THREEPID_DENIED", message));
    };
    limits.check_user(Operation::Invite, &user)?;
    let invitee = invited.user_id.as_str();
    limits.check_left_for_room(Operation::RoomInvite, &user, &body.room_id)?;
    limits.check_left_for_account(Operation::UserInvited, invitee)?;
    rooms.invite(&user, &body.room_id, &invited.user_id, invited.reason.as_deref()).await?;
    limits.count_room(Operation::RoomInvite, &user, &body.room_id);
    limits.count_account(Operation::UserInvited, invitee);
    Ok(Reply(Response::new()))
}
