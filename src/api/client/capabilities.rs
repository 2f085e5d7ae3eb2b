//! What a user may change here, and which room versions there are.
//! [Client-Server API, "Capabilities negotiation"]
//!
//! [Client-Server API, "Capabilities negotiation"]: https://spec.matrix.org/v1.19/client-server-api/#capabilities-negotiation

use axum::extract::State;
use hearth_protocol::rules_of;
use ruma::{
    RoomVersionId,
    api::client::discovery::get_capabilities::v3::{
        Capabilities, ProfileFieldsCapability, Request, Response, RoomVersionStability, RoomVersionsCapability,
        ThirdPartyIdChangesCapability,
    },
};

use crate::{
    caller::GuestCaller,
    extract::Ruma,
    reply::{Reply, Result},
    state::DefaultRoomVersion,
};

/// All versions of the specification; each that has rules here is offered, and all are stable.
const ROOM_VERSIONS: [RoomVersionId; 12] = [
    RoomVersionId::V1,
    RoomVersionId::V2,
    RoomVersionId::V3,
    RoomVersionId::V4,
    RoomVersionId::V5,
    RoomVersionId::V6,
    RoomVersionId::V7,
    RoomVersionId::V8,
    RoomVersionId::V9,
    RoomVersionId::V10,
    RoomVersionId::V11,
    RoomVersionId::V12,
];

/// `GET /_matrix/client/v3/capabilities`
pub async fn get_capabilities(
    State(default): State<DefaultRoomVersion>,
    GuestCaller(_): GuestCaller,
    Ruma(_): Ruma<Request>,
) -> Result<Response> {
    let known = ROOM_VERSIONS.into_iter().filter(|version| rules_of(version).is_some());
    let available = known.map(|version| (version, RoomVersionStability::Stable)).collect();
    let mut capabilities = Capabilities::new();
    capabilities.room_versions = RoomVersionsCapability::new(default.0, available);
    capabilities.thirdparty_id_changes = ThirdPartyIdChangesCapability::new(false);
    capabilities.profile_fields = Some(ProfileFieldsCapability::new(true));
    Ok(Reply(Response::new(capabilities)))
}
