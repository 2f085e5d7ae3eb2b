//! Logging in at an identity provider. None can be configured yet, so nobody is sent anywhere.
//! [Client-Server API, "Client login via SSO"]
//!
//! [Client-Server API, "Client login via SSO"]: https://spec.matrix.org/v1.19/client-server-api/#client-login-via-sso

use ruma::api::client::session::{sso_login::v3 as any, sso_login_with_provider::v3 as one};

use crate::{api_error::ApiError, extract::Ruma, reply::Result};

/// `GET /_matrix/client/v3/login/sso/redirect`
pub async fn redirect_to_sso(Ruma(_): Ruma<any::Request>) -> Result<any::Response> {
    Err(no_provider())
}

/// `GET /_matrix/client/v3/login/sso/redirect/{idpId}`
pub async fn redirect_to_id_p(Ruma(_): Ruma<one::Request>) -> Result<one::Response> {
    Err(no_provider())
}

fn no_provider() -> ApiError {
    ApiError::not_found("This server has no identity provider; log in with a password.")
}
