//! Beginning sessions. [Client-Server API, "Login"]
//!
//! [Client-Server API, "Login"]: https://spec.matrix.org/v1.19/client-server-api/#login

use std::time::Duration;

use axum::extract::State;
use hearth_homeserver::users::{NewDevice, PasswordLogin, Users};
use http::{Method, StatusCode};
use ruma::{
    OwnedDeviceId,
    api::{
        IncomingRequest, Metadata,
        client::{
            session::{
                get_login_types::v3 as flows,
                login::v3::{DiscoveryInfo, HomeserverInfo, Request, Response},
            },
            uiaa::UserIdentifier,
        },
        error::{DeserializationError, Error},
    },
};
use serde::Deserialize;

use crate::{
    api_error::ApiError,
    client_address::ClientAddress,
    config::ApiConfig,
    extract::Ruma,
    rate_limit::{Operation, RateLimits},
    reply::{Reply, Result},
};

/// The one way to log in that is offered.
const PASSWORD: &str = "m.login.password";

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
    Ruma(body): Ruma<LoginRequest>,
) -> Result<Response> {
    if body.kind != PASSWORD {
        let message = "This way to log in is not offered.";
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "M_UNKNOWN", message));
    }
    limits.check_address(Operation::LoginAddress, address)?;
    let login = body.into_password_login()?;
    limits.check_account(Operation::LoginAccount, localpart_of(&login.user))?;
    let session = users.login_password(login).await?;
    let mut response = Response::new(session.user_id, session.access_token, session.device_id);
    response.expires_in = session.expires_in_ms.map(Duration::from_millis);
    response.well_known = config.public_base_url.map(|url| DiscoveryInfo::new(HomeserverInfo::new(url)));
    Ok(Reply(response))
}

/// A login as far as it is looked at. ruma's own type panics on a body without `type`.
#[derive(Deserialize)]
pub struct LoginRequest {
    #[serde(rename = "type")]
    kind: String,
    identifier: Option<UserIdentifier>,
    /// The user as old clients name it.
    user: Option<String>,
    password: Option<String>,
    device_id: Option<OwnedDeviceId>,
    initial_device_display_name: Option<String>,
}

impl LoginRequest {
    fn into_password_login(self) -> std::result::Result<PasswordLogin, ApiError> {
        let user = match (self.identifier, self.user) {
            (Some(UserIdentifier::Matrix(identifier)), _) => identifier.user,
            (Some(_), _) => return Err(ApiError::forbidden("Wrong user name or password")),
            (None, Some(user)) => user,
            (None, None) => return Err(ApiError::bad_json("missing field `identifier`")),
        };
        let password = self.password.ok_or_else(|| ApiError::bad_json("missing field `password`"))?;
        let device = NewDevice { device_id: self.device_id, display_name: self.initial_device_display_name };
        Ok(PasswordLogin { user, password, device })
    }
}

impl Metadata for LoginRequest {
    const METHOD: Method = Request::METHOD;
    const RATE_LIMITED: bool = Request::RATE_LIMITED;
    type Authentication = <Request as Metadata>::Authentication;
    type PathBuilder = <Request as Metadata>::PathBuilder;
    const PATH_BUILDER: Self::PathBuilder = Request::PATH_BUILDER;
}

impl IncomingRequest for LoginRequest {
    type EndpointError = Error;
    type OutgoingResponse = Response;

    fn try_from_http_request_inner(
        request: http::Request<&[u8]>,
        _: &[&str],
    ) -> std::result::Result<Self, DeserializationError> {
        Ok(serde_json::from_slice(request.body())?)
    }
}

/// What is counted as one account, however it is written.
fn localpart_of(user: &str) -> &str {
    let user = user.strip_prefix('@').unwrap_or(user);
    user.split_once(':').map_or(user, |(localpart, _)| localpart)
}
