//! Making rooms. [Client-Server API, "Creation"]
//!
//! [Client-Server API, "Creation"]: https://spec.matrix.org/v1.19/client-server-api/#creation

use axum::extract::State;
use hearth_homeserver::{
    flows::Flows,
    rooms::{CreateRoom, InitialState, Preset},
};
use http::StatusCode;
use ruma::{
    api::client::room::{
        Visibility,
        create_room::v3::{Request, Response, RoomPreset},
    },
    serde::Raw,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::{
    api_error::ApiError,
    caller::ActiveCaller,
    extract::Ruma,
    rate_limit::{Operation, RateLimits},
    reply::{Reply, Result},
};

/// `POST /_matrix/client/v3/createRoom`
pub async fn create_room(
    State(flows): State<Flows>,
    State(limits): State<RateLimits>,
    ActiveCaller(user): ActiveCaller,
    Ruma(body): Ruma<Request>,
) -> Result<Response> {
    limits.check_user(Operation::RoomCreation, &user)?;
    let room_id = flows.create_room(&user, to_command(body)?).await?;
    Ok(Reply(Response::new(room_id)))
}

fn to_command(body: Request) -> std::result::Result<CreateRoom, ApiError> {
    if !body.invite_3pid.is_empty() {
        let message = "Invites by e-mail address or telephone number are not offered.";
        return Err(ApiError::new(StatusCode::FORBIDDEN, "M_THREEPID_DENIED", message));
    }
    let initial_state = body.initial_state.iter().map(to_initial_state);
    Ok(CreateRoom {
        version: body.room_version,
        preset: to_preset(body.preset.as_ref(), &body.visibility)?,
        name: body.name,
        topic: body.topic,
        invite: body.invite,
        is_direct: body.is_direct,
        initial_state: initial_state.collect::<std::result::Result<_, _>>()?,
        creation_content: body.creation_content.as_ref().map(parse).transpose()?.unwrap_or_default(),
        power_levels: body.power_level_content_override.as_ref().map(parse).transpose()?,
        alias_localpart: body.room_alias_name,
        is_listed: body.visibility == Visibility::Public,
    })
}

/// Without a preset the visibility says which one it is.
fn to_preset(preset: Option<&RoomPreset>, visibility: &Visibility) -> std::result::Result<Preset, ApiError> {
    match preset {
        Some(RoomPreset::PrivateChat) => Ok(Preset::PrivateChat),
        Some(RoomPreset::PublicChat) => Ok(Preset::PublicChat),
        Some(RoomPreset::TrustedPrivateChat) => Ok(Preset::TrustedPrivateChat),
        Some(_) => Err(ApiError::invalid_param("Unknown preset.")),
        None if *visibility == Visibility::Public => Ok(Preset::PublicChat),
        None => Ok(Preset::PrivateChat),
    }
}

fn to_initial_state<T>(event: &Raw<T>) -> std::result::Result<InitialState, ApiError> {
    #[derive(Deserialize)]
    struct Event {
        #[serde(rename = "type")]
        kind: String,
        #[serde(default)]
        state_key: String,
        content: Box<RawValue>,
    }
    let Event { kind, state_key, content } = parse(event)?;
    Ok(InitialState { kind, state_key, content })
}

fn parse<A, T: DeserializeOwned>(raw: &Raw<A>) -> std::result::Result<T, ApiError> {
    serde_json::from_str(raw.json().get()).map_err(|error| ApiError::bad_json(error.to_string()))
}
