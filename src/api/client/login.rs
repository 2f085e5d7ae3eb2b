//! Beginning sessions. [Client-Server API, "Login"]
//!
//! [Client-Server API, "Login"]: https://spec.matrix.org/v1.19/client-server-api/#login

use std::time::Duration;

use axum::extract::State;
use hearth_homeserver::{
    appservice::AppServices,
    users::{LoginError, NewDevice, NewSession, PasswordLogin, Users},
};
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
    caller::ServiceToken,
    client_address::ClientAddress,
    config::ApiConfig,
    extract::Ruma,
    rate_limit::{Operation, RateLimits},
    reply::{Reply, Result},
};

const PASSWORD: &str = "m.login.password";
const TOKEN: &str = "m.login.token";
const SERVICE: &str = "m.login.application_service";

/// `GET /_matrix/client/v3/login`
pub async fn get_login_flows(
    State(users): State<Users>,
    State(services): State<AppServices>,
    Ruma(_): Ruma<flows::Request>,
) -> Result<flows::Response> {
    let mut ways = vec![flows::LoginType::Password(flows::PasswordLoginType::new())];
    if users.config().login_tokens {
        let mut token = flows::TokenLoginType::new();
        token.get_login_token = true;
        ways.push(flows::LoginType::Token(token));
    }
    if !services.is_empty() {
        ways.push(flows::LoginType::ApplicationService(flows::ApplicationServiceLoginType::new()));
    }
    Ok(Reply(flows::Response::new(ways)))
}

/// `POST /_matrix/client/v3/login`
pub async fn login(
    State(users): State<Users>,
    State(limits): State<RateLimits>,
    State(config): State<ApiConfig>,
    ClientAddress(address): ClientAddress,
    service: ServiceToken,
    Ruma(body): Ruma<LoginRequest>,
) -> Result<Response> {
    if body.kind == SERVICE {
        let session = service.login(body.require_user()?, body.device()).await?;
        return Ok(Reply(answer(session, config)));
    }
    limits.check_address(Operation::LoginAddress, address)?;
    let session = match body.kind.as_str() {
        PASSWORD => {
            let login = body.into_password_login()?;
            let account = localpart_of(&login.user).to_owned();
            limits.check_account(Operation::LoginAccount, &account)?;
            limits.check_left_for_account(Operation::LoginFailed, &account)?;
            let outcome = users.login_password(login).await;
            if matches!(outcome, Err(LoginError::Forbidden)) {
                limits.count_account(Operation::LoginFailed, &account);
            }
            outcome?
        }
        TOKEN if users.config().login_tokens => {
            let token = body.token.as_deref().ok_or_else(|| ApiError::bad_json("missing field `token`"))?;
            users.login_token(token, body.device()).await?
        }
        _ => {
            let message = "This way to log in is not offered.";
            return Err(ApiError::new(StatusCode::BAD_REQUEST, "M_UNKNOWN", message));
        }
    };
    users.record_begun(&session, address);
    Ok(Reply(answer(session, config)))
}

fn answer(session: NewSession, config: ApiConfig) -> Response {
    let mut response = Response::new(session.user_id, session.access_token, session.device_id);
    response.expires_in = session.expires_in_ms.map(Duration::from_millis);
    response.refresh_token = session.refresh_token;
    response.well_known = config.public_base_url.map(|url| DiscoveryInfo::new(HomeserverInfo::new(url)));
    response
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
    /// A login token.
    token: Option<String>,
    device_id: Option<OwnedDeviceId>,
    initial_device_display_name: Option<String>,
    /// The client can refresh its access token.
    #[serde(default)]
    refresh_token: bool,
}

impl LoginRequest {
    fn device(&self) -> NewDevice {
        NewDevice {
            device_id: self.device_id.clone(),
            display_name: self.initial_device_display_name.clone(),
            can_refresh: self.refresh_token,
        }
    }

    /// Who is meant; only Matrix ids are known here.
    fn require_user(&self) -> std::result::Result<&str, ApiError> {
        match (&self.identifier, &self.user) {
            (Some(UserIdentifier::Matrix(identifier)), _) => Ok(&identifier.user),
            (Some(_), _) => Err(ApiError::forbidden("Wrong user name or password")),
            (None, Some(user)) => Ok(user),
            (None, None) => Err(ApiError::bad_json("missing field `identifier`")),
        }
    }

    fn into_password_login(self) -> std::result::Result<PasswordLogin, ApiError> {
        let device = self.device();
        let user = self.require_user()?.to_owned();
        let password = self.password.ok_or_else(|| ApiError::bad_json("missing field `password`"))?;
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
