//! Who calls: a handler that takes one of these is only reached by a user with a valid access token.
//! [Client-Server API, "Using access tokens"]
//!
//! | argument | guests | suspended users |
//! |---|---|---|
//! | [`Caller`] | no | yes: reads, and what concerns the account itself |
//! | [`ActiveCaller`] | no | no: whatever others see |
//! | [`GuestCaller`] | yes | yes |
//! | [`ActiveGuestCaller`] | yes | no |
//! | [`AdminCaller`] | no | yes; administrators only |
//! | [`LockedCaller`] | yes | yes, and locked users too: logging out |
//!
//! [Client-Server API, "Using access tokens"]: https://spec.matrix.org/v1.19/client-server-api/#using-access-tokens

use std::sync::Arc;

use axum::extract::{FromRequestParts, OptionalFromRequestParts, Query};
use hearth_homeserver::{
    appservice::{AppServices, Service},
    users::{LocalUser, ModerationError, NewDevice, NewSession, Registered, Users},
};
use http::{HeaderMap, header::AUTHORIZATION, request::Parts};
use ruma::{OwnedDeviceId, OwnedUserId};

use crate::{
    api_error::ApiError,
    client_address::{client_address, user_agent},
    state::AppState,
};

/// A user with an account of their own.
///
/// As `Option<Caller>` a token may be absent, but one that is there has to be valid.
#[derive(Clone, Debug)]
pub struct Caller(pub LocalUser);

/// A user with an account of their own who may act on others.
#[derive(Clone, Debug)]
pub struct ActiveCaller(pub LocalUser);

/// A user or a guest. As `Option<GuestCaller>` a token may be absent, but one that is there has to be valid.
#[derive(Clone, Debug)]
pub struct GuestCaller(pub LocalUser);

/// A user or a guest who may act on others.
#[derive(Clone, Debug)]
pub struct ActiveGuestCaller(pub LocalUser);

/// An administrator of this server; for what does not depend on which one.
#[derive(Clone, Copy, Debug)]
pub struct AdminCaller;

/// A user or a guest, even when locked out.
#[derive(Clone, Debug)]
pub struct LockedCaller(pub LocalUser);

impl Caller {
    fn check(user: LocalUser) -> Result<Self, ApiError> {
        if user.is_guest { Err(ApiError::guest_forbidden()) } else { Ok(Self(user)) }
    }
}

impl ActiveGuestCaller {
    fn check(user: LocalUser) -> Result<Self, ApiError> {
        if user.is_suspended { Err(ApiError::suspended()) } else { Ok(Self(user)) }
    }
}

impl FromRequestParts<AppState> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        Self::check(require_user(parts, state).await?)
    }
}

impl OptionalFromRequestParts<AppState> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Option<Self>, ApiError> {
        load_user(parts, state).await?.map(Self::check).transpose()
    }
}

impl FromRequestParts<AppState> for ActiveCaller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let Caller(user) = Caller::check(require_user(parts, state).await?)?;
        ActiveGuestCaller::check(user).map(|ActiveGuestCaller(user)| Self(user))
    }
}

impl FromRequestParts<AppState> for AdminCaller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let user = require_user(parts, state).await?;
        if user.is_admin { Ok(Self) } else { Err(ModerationError::NotAdmin.into()) }
    }
}

impl FromRequestParts<AppState> for GuestCaller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        require_user(parts, state).await.map(Self)
    }
}

impl OptionalFromRequestParts<AppState> for GuestCaller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Option<Self>, ApiError> {
        Ok(load_user(parts, state).await?.map(Self))
    }
}

impl FromRequestParts<AppState> for ActiveGuestCaller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        Self::check(require_user(parts, state).await?)
    }
}

impl FromRequestParts<AppState> for LockedCaller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let token = access_token(parts, state.config().token_in_query).ok_or_else(ApiError::missing_token)?;
        if let Some(service) = state.services().find_by_token(&token) {
            return act_as(parts, state, &service).await.map(Self);
        }
        Ok(Self(state.users().authenticate_locked_too(&token).await?))
    }
}

async fn require_user(parts: &Parts, state: &AppState) -> Result<LocalUser, ApiError> {
    load_user(parts, state).await?.ok_or_else(ApiError::missing_token)
}

/// The user of the request's token; none when it has no token.
async fn load_user(parts: &Parts, state: &AppState) -> Result<Option<LocalUser>, ApiError> {
    let Some(token) = access_token(parts, state.config().token_in_query) else { return Ok(None) };
    if let Some(service) = state.services().find_by_token(&token) {
        return act_as(parts, state, &service).await.map(Some);
    }
    let user = state.users().authenticate(&token).await?;
    state.users().record_seen(&user, client_address(parts, state.config()), user_agent(&parts.headers));
    Ok(Some(user))
}

/// The user as whom an application service calls (Application Service API, "Identity assertion").
async fn act_as(parts: &Parts, state: &AppState, service: &Service) -> Result<LocalUser, ApiError> {
    let Query(asserted) = Query::<Asserted>::try_from_uri(&parts.uri)
        .map_err(|_| ApiError::invalid_param("The user id or device id in the query is none."))?;
    let (user, device) = (asserted.user_id.as_deref(), asserted.device_id.as_deref());
    Ok(state.services().act_as(state.users(), service, user, device).await?)
}

/// Whom an application service means to be.
#[derive(serde::Deserialize)]
struct Asserted {
    user_id: Option<OwnedUserId>,
    #[serde(alias = "org.matrix.msc3202.device_id")]
    device_id: Option<OwnedDeviceId>,
}

/// The token of an application service, for the operations that make its users and their sessions.
pub struct ServiceToken {
    users: Users,
    services: AppServices,
    token: Option<String>,
}

impl ServiceToken {
    /// Makes one of the service's users.
    ///
    /// # Errors
    /// 401 without a service's token; else as the homeserver says.
    pub async fn register(&self, username: &str, device: Option<NewDevice>) -> Result<Registered, ApiError> {
        Ok(self.services.register(&self.users, &*self.require()?, username, device).await?)
    }

    /// Logs one of the service's users in.
    ///
    /// # Errors
    /// 401 without a service's token; else as the homeserver says.
    pub async fn login(&self, name: &str, device: NewDevice) -> Result<NewSession, ApiError> {
        Ok(self.services.login(&self.users, &*self.require()?, name, device).await?)
    }

    fn require(&self) -> Result<Arc<Service>, ApiError> {
        let token = self.token.as_deref().ok_or_else(ApiError::missing_token)?;
        self.services.find_by_token(token).ok_or_else(|| ApiError::unknown_token(false))
    }
}

impl FromRequestParts<AppState> for ServiceToken {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let token = access_token(parts, state.config().token_in_query);
        Ok(Self { users: state.users().clone(), services: state.services().clone(), token })
    }
}

/// The token from the `Authorization` header, else from the query if that is allowed.
pub fn access_token(parts: &Parts, in_query: bool) -> Option<String> {
    if parts.headers.get(AUTHORIZATION).is_some_and(|value| value.as_bytes().contains(&b' ')) {
        return bearer_token(&parts.headers);
    }
    if !in_query {
        return None;
    }
    let Query(query) = Query::<Parameters>::try_from_uri(&parts.uri).ok()?;
    query.access_token.filter(|token| !token.is_empty())
}

/// The token from the `Authorization` header.
pub fn bearer_token(headers: &HeaderMap) -> Option<String> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then(|| token.to_owned())
}

/// The one parameter that matters here.
#[derive(serde::Deserialize)]
struct Parameters {
    access_token: Option<String>,
}

#[cfg(test)]
#[path = "caller_tests.rs"]
mod tests;
