//! Registration tokens, managed by an administrator.

use axum::extract::State;
use hearth_homeserver::users::{NewRegistrationToken, RegistrationTokenEdit, RegistrationTokenInfo, Users};
use serde_json::{Value, json};

use crate::{
    api_error::ApiError,
    caller::AdminCaller,
    extract::Ruma,
    reply::JsonText,
    synapse_requests::{DeleteToken, GetToken, ListTokens, NewToken, UpdateToken},
};

/// `GET /_synapse/admin/v1/registration_tokens`
pub async fn list_registration_tokens(
    State(users): State<Users>,
    _: AdminCaller,
    Ruma(body): Ruma<ListTokens>,
) -> Result<JsonText, ApiError> {
    let tokens = users.list_registration_tokens().await.map_err(ApiError::internal)?;
    let wanted = tokens.iter().filter(|token| body.valid.is_none_or(|valid| valid == token.is_valid));
    JsonText::of(&json!({ "registration_tokens": wanted.map(write).collect::<Vec<_>>() }))
}

/// `POST /_synapse/admin/v1/registration_tokens/new`
pub async fn create_registration_token(
    State(users): State<Users>,
    _: AdminCaller,
    Ruma(body): Ruma<NewToken>,
) -> Result<JsonText, ApiError> {
    let NewToken { token, length, uses_allowed, expiry_time } = body;
    let new = NewRegistrationToken { token, length, uses_allowed, expires_ms: expiry_time };
    let token = users.create_registration_token(new).await?;
    load(&users, &token).await
}

/// `GET /_synapse/admin/v1/registration_tokens/{token}`
pub async fn get_registration_token(
    State(users): State<Users>,
    _: AdminCaller,
    Ruma(GetToken(token)): Ruma<GetToken>,
) -> Result<JsonText, ApiError> {
    load(&users, &token).await
}

/// `PUT /_synapse/admin/v1/registration_tokens/{token}`
pub async fn update_registration_token(
    State(users): State<Users>,
    _: AdminCaller,
    Ruma(body): Ruma<UpdateToken>,
) -> Result<JsonText, ApiError> {
    let edit = RegistrationTokenEdit { uses_allowed: body.uses_allowed, expires_ms: body.expiry_time };
    JsonText::of(&write(&users.update_registration_token(&body.token, edit).await?))
}

/// `DELETE /_synapse/admin/v1/registration_tokens/{token}`
pub async fn delete_registration_token(
    State(users): State<Users>,
    _: AdminCaller,
    Ruma(DeleteToken(token)): Ruma<DeleteToken>,
) -> Result<JsonText, ApiError> {
    if users.delete_registration_token(&token).await? { JsonText::of(&json!({})) } else { Err(unknown()) }
}

async fn load(users: &Users, token: &str) -> Result<JsonText, ApiError> {
    let info = users.load_registration_token(token).await.map_err(ApiError::internal)?;
    JsonText::of(&write(&info.ok_or_else(unknown)?))
}

fn write(token: &RegistrationTokenInfo) -> Value {
    json!({
        "token": token.token,
        "uses_allowed": token.uses_allowed,
        "pending": token.pending,
        "completed": token.completed,
        "expiry_time": token.expires_ms,
    })
}

fn unknown() -> ApiError {
    ApiError::not_found("Unknown registration token.")
}
