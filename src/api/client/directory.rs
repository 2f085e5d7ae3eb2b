//! Room aliases. [Client-Server API, "Room Aliases"]
//!
//! [Client-Server API, "Room Aliases"]: https://spec.matrix.org/v1.19/client-server-api/#room-aliases

use axum::extract::State;
use hearth_homeserver::rooms::Rooms;
use ruma::api::client::{
    alias::{create_alias, delete_alias, get_alias},
    room::aliases,
};

use crate::{
    caller::{ActiveCaller, GuestCaller},
    extract::Ruma,
    reply::{Reply, Result},
};

/// `PUT /_matrix/client/v3/directory/room/{roomAlias}`
pub async fn set_room_alias(
    State(rooms): State<Rooms>,
    ActiveCaller(user): ActiveCaller,
    Ruma(body): Ruma<create_alias::v3::Request>,
) -> Result<create_alias::v3::Response> {
    rooms.set_alias(&user, &body.room_alias, &body.room_id).await?;
    Ok(Reply(create_alias::v3::Response::new()))
}

/// `GET /_matrix/client/v3/directory/room/{roomAlias}`
pub async fn get_room_id_by_alias(
    State(rooms): State<Rooms>,
    Ruma(body): Ruma<get_alias::v3::Request>,
) -> Result<get_alias::v3::Response> {
    let target = rooms.load_alias_target(&body.room_alias).await?;
    Ok(Reply(get_alias::v3::Response::new(target.room_id, target.servers)))
}

/// `DELETE /_matrix/client/v3/directory/room/{roomAlias}`
pub async fn delete_room_alias(
    State(rooms): State<Rooms>,
    ActiveCaller(user): ActiveCaller,
    Ruma(body): Ruma<delete_alias::v3::Request>,
) -> Result<delete_alias::v3::Response> {
    rooms.delete_alias(&user, &body.room_alias).await?;
    Ok(Reply(delete_alias::v3::Response::new()))
}

/// `GET /_matrix/client/v3/rooms/{roomId}/aliases`
pub async fn get_local_aliases(
    State(rooms): State<Rooms>,
    GuestCaller(user): GuestCaller,
    Ruma(body): Ruma<aliases::v3::Request>,
) -> Result<aliases::v3::Response> {
    let aliases = rooms.list_aliases_for(&user, &body.room_id).await?;
    Ok(Reply(aliases::v3::Response::new(aliases)))
}
