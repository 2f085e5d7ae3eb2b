//! Making accounts. [Client-Server API, "Account registration"]
//!
//! [Client-Server API, "Account registration"]: https://spec.matrix.org/v1.19/client-server-api/#account-registration

use std::net::IpAddr;

use axum::extract::State;
use hearth_homeserver::users::{
    NewDevice, RegisterError, RegisterRequest, Registered, Registration, UiaOutcome, Users,
};
use ruma::api::client::account::{
    get_username_availability::v3 as availability,
    register::{LoginType, RegistrationKind, v3::Request},
};
use serde_json::json;

use crate::{
    api_error::ApiError,
    caller::ServiceToken,
    client_address::ClientAddress,
    extract::Ruma,
    interactive::to_auth,
    rate_limit::{Operation, RateLimits},
    reply::{JsonText, Reply, Result},
};

/// `POST /_matrix/client/v3/register`
pub async fn register(
    State(users): State<Users>,
    State(limits): State<RateLimits>,
    ClientAddress(address): ClientAddress,
    service: ServiceToken,
    Ruma(body): Ruma<Request>,
) -> std::result::Result<JsonText, ApiError> {
    let device = NewDevice {
        device_id: body.device_id,
        display_name: body.initial_device_display_name,
        can_refresh: body.refresh_token,
    };
    match body.kind {
        RegistrationKind::Guest => {
            limits.check_address(Operation::Registration, address)?;
            return answer(&users, users.register_guest(device).await?, address);
        }
        RegistrationKind::User => {}
        _ => return Err(ApiError::invalid_param("Unknown kind of account.")),
    }
    let device = (!body.inhibit_login).then_some(device);
    if body.login_type == Some(LoginType::ApplicationService) {
        let username = body.username.ok_or_else(|| ApiError::missing_param("missing field `username`"))?;
        return answer(&users, service.register(&username, device).await?, None);
    }
    check_open(&users)?;
    let request = RegisterRequest { username: body.username, password: body.password, device };
    let auth = to_auth(body.auth.as_ref())?;
    if let Some(auth) = &auth {
        limits.check_address(Operation::Registration, address)?;
        if let Some(registered) = users.repeat_registration(auth, &request).await? {
            return answer(&users, registered, address);
        }
    }
    let guest = match (&body.guest_access_token, &request.username) {
        (Some(token), name) => Some(users.require_guest(token, name.as_deref()).await?),
        (None, Some(name)) => match (users.check_username(name).await, &auth) {
            // Perhaps by this very request, which was sent twice at once.
            (Err(RegisterError::Taken), Some(auth)) => {
                let registered = users.repeat_registration(auth, &request).await?;
                return answer(&users, registered.ok_or(RegisterError::Taken)?, address);
            }
            (checked, _) => checked.map(|_| None)?,
        },
        (None, None) => None,
    };
    users.check_new_password(request.password.as_deref())?;
    match users.check_registration_auth(auth.as_ref()).await? {
        UiaOutcome::Challenge(challenge) => Err(challenge.into()),
        UiaOutcome::Passed(passed) => {
            let registered = match guest {
                Some(guest) => users.upgrade_guest(&guest, request, passed).await?,
                None => users.register(request, passed).await?,
            };
            answer(&users, registered, address)
        }
    }
}

/// Where nobody may register, nobody learns which names are taken, or which tokens there are.
pub(super) fn check_open(users: &Users) -> std::result::Result<(), ApiError> {
    let is_closed = users.config().registration == Registration::Closed;
    if is_closed { Err(ApiError::forbidden("Registration is closed.")) } else { Ok(()) }
}

/// Written out here: ruma's type says `null` for a device that there is not.
fn answer(users: &Users, registered: Registered, address: Option<IpAddr>) -> std::result::Result<JsonText, ApiError> {
    let mut answer = json!({ "user_id": registered.user_id });
    if let Some(session) = registered.session {
        users.record_begun(&session, address);
        answer["device_id"] = session.device_id.as_str().into();
        answer["access_token"] = session.access_token.into();
        if let Some(expires_in_ms) = session.expires_in_ms {
            answer["expires_in_ms"] = expires_in_ms.into();
        }
        if let Some(refresh_token) = session.refresh_token {
            answer["refresh_token"] = refresh_token.into();
        }
    }
    JsonText::of(&answer)
}

/// `GET /_matrix/client/v3/register/available`
pub async fn check_username_availability(
    State(users): State<Users>,
    State(limits): State<RateLimits>,
    ClientAddress(address): ClientAddress,
    Ruma(body): Ruma<availability::Request>,
) -> Result<availability::Response> {
    limits.check_address(Operation::Registration, address)?;
    check_open(&users)?;
    users.check_username(&body.username).await?;
    Ok(Reply(availability::Response::new(true)))
}
