//! Beginning sessions. [Client-Server API, "Login"]
//!
//! [Client-Server API, "Login"]: https://spec.matrix.org/v1.19/client-server-api/#login

use std::time::Duration;

use axum::extract::State;
use hearth_homeserver::users::{NewDevice, PasswordLogin, Users};
use http::StatusCode;
use ruma::api::client::{
    session::{
        get_login_types::v3 as flows,
        login::v3::{self as login_v3, DiscoveryInfo, HomeserverInfo, LoginInfo, Password},
    },
    uiaa::UserIdentifier,
};

use crate::{
    api_error::ApiError,
    client_address::ClientAddress,
    config::ApiConfig,
    extract::Ruma,
    rate_limit::{Operation, RateLimits},
    reply::{Reply, Result},
};

/// `GET /_matrix/client/v3/login`
pub async fn get_login_flows(Ruma(_): Ruma<flows::Request>) -> Result<flows::Response> {
    let password = flows::LoginType::Password(flows::PasswordLoginType::new());
    Ok(Reply(flows::Response::new(vec![password])))
}

/// `POST /_matrix/client/v3/login`
pub async fn login(
    State(users): State<Users>,
    State(limits): State<RateLimits>,
    State(config): State<ApiConfig>,
    ClientAddress(address): ClientAddress,
    Ruma(body): Ruma<login_v3::Request>,
) -> Result<login_v3::Response> {
    let LoginInfo::Password(password) = body.login_info else {
        let message = "This way to log in is not offered.";
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "M_UNKNOWN", message));
    };
    limits.check_address(Operation::LoginAddress, address)?;
    let user = user_of(&password)?;
    limits.check_account(Operation::LoginAccount, localpart_of(&user))?;
    let device = NewDevice { device_id: body.device_id, display_name: body.initial_device_display_name };
    let login = PasswordLogin { user, password: password.password, device };
    let session = users.login_password(login).await?;
    let mut response = login_v3::Response::new(session.user_id, session.access_token, session.device_id);
    response.expires_in = session.expires_in_ms.map(Duration::from_millis);
    response.well_known = config.public_base_url.map(|url| DiscoveryInfo::new(HomeserverInfo::new(url)));
    Ok(Reply(response))
}

/// What is counted as one account, however it is written.
fn localpart_of(user: &str) -> &str {
    let user = user.strip_prefix('@').unwrap_or(user);
    user.split_once(':').map_or(user, |(localpart, _)| localpart)
}

/// The user that somebody wants to log in as: an identifier, or as old clients say it.
fn user_of(password: &Password) -> std::result::Result<String, ApiError> {
    #[expect(deprecated, reason = "old clients name the user so")]
    let old = password.user.clone();
    match (&password.identifier, old) {
        (Some(UserIdentifier::Matrix(identifier)), _) => Ok(identifier.user.clone()),
        (Some(_), _) => Err(ApiError::forbidden("Wrong user name or password")),
        (None, Some(user)) => Ok(user),
        (None, None) => Err(ApiError::bad_json("missing field `identifier`")),
    }
}
