//! The public directory of rooms. [Client-Server API, "Published room directory"]
//!
//! [Client-Server API, "Published room directory"]: https://spec.matrix.org/v1.19/client-server-api/#published-room-directory

use axum::extract::State;
use hearth_homeserver::{
    rooms::{DirectoryPage, DirectoryQuery, RoomCard, RoomKinds, Rooms},
    users::Users,
};
use ruma::{
    ServerName, UInt,
    api::client::{
        directory::{get_public_rooms, get_public_rooms_filtered, get_room_visibility, set_room_visibility},
        room::Visibility,
    },
    directory::RoomNetwork,
};
use serde_json::{Map, Value, json};

use crate::{
    api_error::ApiError,
    caller::{ActiveCaller, GuestCaller},
    config::ApiConfig,
    extract::Ruma,
    reply::{JsonText, Reply, Result},
};

/// What a card tells in summaries and spaces, and the specification's list of public rooms does not.
const SUMMARY_FIELDS: [&str; 3] = ["allowed_room_ids", "encryption", "room_version"];

/// `GET /_matrix/client/v3/directory/list/room/{roomId}`
pub async fn get_room_visibility_on_directory(
    State(rooms): State<Rooms>,
    Ruma(body): Ruma<get_room_visibility::v3::Request>,
) -> Result<get_room_visibility::v3::Response> {
    let is_listed = rooms.is_listed(&body.room_id).await?.ok_or_else(unknown_room)?;
    let visibility = if is_listed { Visibility::Public } else { Visibility::Private };
    Ok(Reply(get_room_visibility::v3::Response::new(visibility)))
}

/// `PUT /_matrix/client/v3/directory/list/room/{roomId}`
pub async fn set_room_visibility_on_directory(
    State(rooms): State<Rooms>,
    ActiveCaller(user): ActiveCaller,
    Ruma(body): Ruma<set_room_visibility::v3::Request>,
) -> Result<set_room_visibility::v3::Response> {
    let is_listed = match body.visibility {
        Visibility::Public => true,
        Visibility::Private => false,
        _ => return Err(ApiError::invalid_param("visibility is public or private.")),
    };
    rooms.set_listed(&user, &body.room_id, is_listed).await?.ok_or_else(unknown_room)?;
    Ok(Reply(set_room_visibility::v3::Response::new()))
}

/// `GET /_matrix/client/v3/publicRooms`
pub async fn get_public_rooms(
    State(rooms): State<Rooms>,
    State(users): State<Users>,
    State(config): State<ApiConfig>,
    user: Option<GuestCaller>,
    Ruma(body): Ruma<get_public_rooms::v3::Request>,
) -> std::result::Result<JsonText, ApiError> {
    if user.is_none() && config.public_rooms_need_login {
        return Err(ApiError::missing_token());
    }
    check_server(&users, body.server.as_deref())?;
    let query = DirectoryQuery {
        limit: body.limit.map(saturate),
        since: body.since.as_deref(),
        search: None,
        kinds: RoomKinds::Any,
    };
    write_page(&rooms.list_public_rooms(&query).await?)
}

/// `POST /_matrix/client/v3/publicRooms`
pub async fn query_public_rooms(
    State(rooms): State<Rooms>,
    State(users): State<Users>,
    GuestCaller(_): GuestCaller,
    Ruma(body): Ruma<get_public_rooms_filtered::v3::Request>,
) -> std::result::Result<JsonText, ApiError> {
    check_server(&users, body.server.as_deref())?;
    if let RoomNetwork::ThirdParty(_) = body.room_network {
        // No application service lists rooms of its network here.
        return write_page(&DirectoryPage::default());
    }
    let kinds: Vec<_> = body.filter.room_types.iter().map(|kind| kind.as_str().map(str::to_owned)).collect();
    let query = DirectoryQuery {
        limit: body.limit.map(saturate),
        since: body.since.as_deref(),
        search: body.filter.generic_search_term.as_deref(),
        kinds: if kinds.is_empty() { RoomKinds::Any } else { RoomKinds::Of(kinds) },
    };
    write_page(&rooms.list_public_rooms(&query).await?)
}

/// A number of rooms; more than there can be is as good as all.
fn saturate(limit: UInt) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

/// The directories of other servers are not asked for.
fn check_server(users: &Users, server: Option<&ServerName>) -> std::result::Result<(), ApiError> {
    match server {
        Some(server) if !users.is_own_server(server) => {
            Err(ApiError::not_found("The directory of that server cannot be had."))
        }
        _ => Ok(()),
    }
}

fn unknown_room() -> ApiError {
    ApiError::not_found("Room not found.")
}

fn write_page(page: &DirectoryPage) -> std::result::Result<JsonText, ApiError> {
    let chunk = page.rooms.iter().map(|room| write_card(&room.card)).collect::<std::result::Result<Vec<_>, _>>()?;
    let mut answer = Map::new();
    answer.insert("chunk".to_owned(), chunk.into());
    for (field, token) in [("next_batch", &page.next_batch), ("prev_batch", &page.prev_batch)] {
        if let Some(token) = token {
            answer.insert(field.to_owned(), token.as_str().into());
        }
    }
    answer.insert("total_room_count_estimate".to_owned(), json!(page.total));
    JsonText::of(&Value::Object(answer))
}

/// A room of the list, without what only summaries and spaces tell: matrix-nio takes no room with a field more.
fn write_card(card: &RoomCard) -> std::result::Result<Value, ApiError> {
    let mut room = serde_json::to_value(card).map_err(ApiError::internal)?;
    if let Some(fields) = room.as_object_mut() {
        fields.retain(|field, _| !SUMMARY_FIELDS.contains(&field.as_str()));
    }
    Ok(room)
}
