//! Jumping to a time. [Client-Server API, `timestamp_to_event`]
//!
//! [Client-Server API, `timestamp_to_event`]: https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidtimestamp_to_event

use axum::extract::State;
use hearth_homeserver::{flows::Flows, rooms::Direction};
use ruma::{
    MilliSecondsSinceUnixEpoch, UInt,
    api::{
        Direction as Dir,
        client::room::get_event_by_timestamp::v1::{Request, Response},
    },
};

use crate::{
    caller::GuestCaller,
    extract::Ruma,
    reply::{Reply, Result},
};

/// `GET /_matrix/client/v1/rooms/{roomId}/timestamp_to_event`
pub async fn get_event_by_timestamp(
    State(flows): State<Flows>,
    GuestCaller(user): GuestCaller,
    Ruma(body): Ruma<Request>,
) -> Result<Response> {
    let direction = match body.dir {
        Dir::Forward => Direction::Forward,
        Dir::Backward => Direction::Backward,
    };
    let (event_id, at_ms) = flows.find_by_time(&user, &body.room_id, body.ts.get().into(), direction).await?;
    let at = MilliSecondsSinceUnixEpoch(UInt::new_saturating(at_ms));
    Ok(Reply(Response::new(event_id, at)))
}
