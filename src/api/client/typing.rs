//! Who is typing. [Client-Server API, "Typing Notifications"]
//!
//! [Client-Server API, "Typing Notifications"]: https://spec.matrix.org/v1.19/client-server-api/#typing-notifications

use axum::extract::State;
use hearth_homeserver::{
    rooms::{Rooms, TYPING_MS_DEFAULT, Typing},
    users::Users,
};
use http::Method;
use ruma::{
    OwnedRoomId, OwnedUserId,
    api::{
        IncomingRequest, Metadata,
        client::typing::create_typing_event::v3::{Request, Response},
        error::{DeserializationError, Error},
    },
};
use serde::Deserialize;

use super::account_data::check_own;
use crate::{
    caller::ActiveGuestCaller,
    extract::Ruma,
    reply::{Reply, Result},
};

/// `PUT /_matrix/client/v3/rooms/{roomId}/typing/{userId}`
pub async fn set_typing(
    State(rooms): State<Rooms>,
    State(typing): State<Typing>,
    State(users): State<Users>,
    ActiveGuestCaller(user): ActiveGuestCaller,
    Ruma(body): Ruma<TypingRequest>,
) -> Result<Response> {
    check_own(&user, &body.user_id)?;
    let view = rooms.require_view(&body.room_id).await?;
    let for_ms = body.is_typing.then(|| body.timeout_ms.unwrap_or(TYPING_MS_DEFAULT));
    typing.set(&user, &view, for_ms)?;
    if body.is_typing {
        users.presence().record_activity(&user.user_id);
    }
    Ok(Reply(Response::new()))
}

/// ruma's request, but for the time, which the specification lets one leave out.
#[derive(Debug)]
pub struct TypingRequest {
    room_id: OwnedRoomId,
    user_id: OwnedUserId,
    is_typing: bool,
    timeout_ms: Option<u64>,
}

impl Metadata for TypingRequest {
    const METHOD: Method = Request::METHOD;
    const RATE_LIMITED: bool = Request::RATE_LIMITED;
    type Authentication = <Request as Metadata>::Authentication;
    type PathBuilder = <Request as Metadata>::PathBuilder;
    const PATH_BUILDER: Self::PathBuilder = Request::PATH_BUILDER;
}

impl IncomingRequest for TypingRequest {
    type EndpointError = Error;
    type OutgoingResponse = Response;

    fn try_from_http_request_inner(
        request: http::Request<&[u8]>,
        path: &[&str],
    ) -> std::result::Result<Self, DeserializationError> {
        #[derive(Deserialize)]
        struct Body {
            typing: bool,
            timeout: Option<u64>,
        }
        let Body { typing, timeout } = serde_json::from_slice(request.body())?;
        let [room_id, user_id] = [0, 1].map(|n| path.get(n).copied().unwrap_or_default());
        Ok(Self { room_id: room_id.try_into()?, user_id: user_id.try_into()?, is_typing: typing, timeout_ms: timeout })
    }
}
