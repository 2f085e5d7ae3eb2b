//! User-interactive authentication at the edge: from the request's `auth` to a proof, or to the
//! question that is the answer. [Client-Server API, "User-Interactive Authentication API"]
//!
//! [Client-Server API, "User-Interactive Authentication API"]: https://spec.matrix.org/v1.19/client-server-api/#user-interactive-authentication-api

use hearth_homeserver::users::{Auth, LocalUser, Reauthenticated, UiaOutcome, Users};
use ruma::api::client::uiaa::AuthData;

use crate::api_error::ApiError;

/// The `auth` of a request as the homeserver takes it.
///
/// # Errors
/// `M_BAD_JSON` when a stage lacks what belongs to it.
pub fn to_auth(auth: Option<&AuthData>) -> Result<Option<Auth>, ApiError> {
    let Some(auth) = auth else { return Ok(None) };
    let auth = Auth::from_data(auth).ok_or_else(|| ApiError::bad_json("`auth` is incomplete"))?;
    Ok(Some(auth))
}

/// Asks the caller for the password again; what the proof is good for is `operation` at `path`.
///
/// # Errors
/// 401 with the question, until it is answered.
pub async fn reauthenticate(
    users: &Users,
    user: &LocalUser,
    operation: &str,
    path: &str,
    auth: Option<&AuthData>,
) -> Result<Reauthenticated, ApiError> {
    let auth = to_auth(auth)?;
    match users.check_user_auth(user, operation, path, auth.as_ref()).await? {
        UiaOutcome::Passed(proof) => Ok(proof),
        UiaOutcome::Challenge(challenge) => Err(challenge.into()),
    }
}
