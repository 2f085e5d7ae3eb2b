//! What a user may change here, and which room versions there are.
//! [Client-Server API, "Capabilities negotiation"]
//!
//! [Client-Server API, "Capabilities negotiation"]: https://spec.matrix.org/v1.19/client-server-api/#capabilities-negotiation

use axum::extract::State;
use hearth_homeserver::users::{LocalUser, Users, UsersConfig};
use hearth_protocol::{OWNED_STATE_VERSION, rules_of};
use ruma::{RoomVersionId, api::client::discovery::get_capabilities::v3::Request};
use serde_json::{Map, Value, json};

use crate::{
    api_error::ApiError,
    caller::GuestCaller,
    extract::Ruma,
    reply::JsonText,
    state::DefaultRoomVersion,
    ws::{self, Sockets},
};

/// All versions of the specification; each that has rules here is offered as stable.
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
///
/// Written out in full: ruma's type leaves out what has its default, and clients look for it.
pub async fn get_capabilities(
    State(default): State<DefaultRoomVersion>,
    State(users): State<Users>,
    State(sockets): State<Sockets>,
    GuestCaller(user): GuestCaller,
    Ruma(_): Ruma<Request>,
) -> Result<JsonText, ApiError> {
    let known = ROOM_VERSIONS.iter().filter(|version| rules_of(version).is_some());
    let mut available: Map<String, Value> = known.map(|version| (version.to_string(), "stable".into())).collect();
    available.insert(OWNED_STATE_VERSION.to_owned(), "unstable".into());
    let mut capabilities = json!({
        "m.room_versions": { "default": default.0.as_str(), "available": available },
        "m.change_password": { "enabled": users.config().password_changes && !user.is_guest },
        "m.profile_fields": profile_fields(users.config(), &user),
        "m.set_displayname": { "enabled": may_change(users.config(), &user, "displayname") },
        "m.set_avatar_url": { "enabled": may_change(users.config(), &user, "avatar_url") },
        "m.3pid_changes": { "enabled": false },
        "m.get_login_token": { "enabled": users.config().login_tokens && !user.is_guest },
        "m.forget_forced_upon_leave": { "enabled": false },
        "m.account_moderation": { "suspend": user.is_admin, "lock": user.is_admin },
    });
    if sockets.config().enabled {
        capabilities[ws::IDENTIFIER] = sockets.limits();
    }
    JsonText::of(&json!({ "capabilities": capabilities }))
}

/// A name of a profile field that stands for all that have no rule of their own.
const ANY_OTHER_FIELD: &str = "m.tz";

/// Whether the user may change a field of their profile. Guests have a display name and nothing else.
fn may_change(config: &UsersConfig, user: &LocalUser, field: &str) -> bool {
    config.may_change_field(field) && (!user.is_guest || field == "displayname")
}

/// What may be changed of a profile: all, all but some, some, or nothing.
fn profile_fields(config: &UsersConfig, user: &LocalUser) -> Value {
    let (allowed, disallowed): (Vec<_>, Vec<_>) =
        ["displayname", "avatar_url"].into_iter().partition(|field| may_change(config, user, field));
    if may_change(config, user, ANY_OTHER_FIELD) {
        let mut all = json!({ "enabled": true });
        if !disallowed.is_empty() {
            all["disallowed"] = disallowed.into();
        }
        return all;
    }
    if allowed.is_empty() { json!({ "enabled": false }) } else { json!({ "enabled": true, "allowed": allowed }) }
}
