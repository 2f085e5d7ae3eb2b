//! User-interactive authentication at the edge: from the request's `auth` to a proof, or to the
//! question that is the answer. [Client-Server API, "User-Interactive Authentication API"]
//!
//! [Client-Server API, "User-Interactive Authentication API"]: https://spec.matrix.org/v1.19/client-server-api/#user-interactive-authentication-api

use bytes::Bytes;
use hearth_homeserver::users::{Auth, LocalUser, Reauthenticated, UiaOutcome, Users};
use ruma::api::client::uiaa::AuthData;
use serde_json::{Map, Value, json};

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

/// Gives the `auth` of a request its present form: the old one has `user` for the password's owner where there is an
/// `identifier` now. Every other body comes back as it is.
pub fn with_identifier(body: Bytes) -> Bytes {
    let Ok(mut request) = serde_json::from_slice::<Map<String, Value>>(&body) else { return body };
    let Some(auth) = request.get_mut("auth").and_then(Value::as_object_mut) else { return body };
    if auth.get("type").is_none_or(|kind| kind != "m.login.password") || auth.contains_key("identifier") {
        return body;
    }
    let Some(user) = auth.remove("user").filter(Value::is_string) else { return body };
    auth.insert("identifier".to_owned(), json!({ "type": "m.id.user", "user": user }));
    serde_json::to_vec(&request).map_or(body, Bytes::from)
}
