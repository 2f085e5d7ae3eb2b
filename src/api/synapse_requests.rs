//! The requests of `synapse_admin`, as ruma's types are for those of the specification.

use ruma::{
    OwnedUserId,
    api::auth_scheme::{AccessToken, NoAccessToken},
    metadata,
};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::incoming::{incoming, query, variable};

/// `GET /register`.
#[derive(Debug)]
pub struct Nonce {}

metadata! {
    @for Nonce,
    method: GET,
    rate_limited: false,
    authentication: NoAccessToken,
    path: "/_synapse/admin/v1/register",
}

/// `POST /register`.
#[derive(Deserialize)]
pub struct Register {
    /// From the `GET`.
    pub nonce: String,
    /// The localpart.
    pub username: String,
    /// The display name.
    #[serde(default)]
    pub displayname: Option<String>,
    /// As typed.
    pub password: String,
    /// May it use the administration endpoints?
    #[serde(default)]
    pub admin: bool,
    /// Part of the MAC.
    #[serde(default)]
    pub user_type: Option<String>,
    /// No session.
    #[serde(default)]
    pub inhibit_login: bool,
    /// HMAC-SHA1 in hexadecimal.
    pub mac: String,
}

metadata! {
    @for Register,
    method: POST,
    rate_limited: true,
    authentication: NoAccessToken,
    path: "/_synapse/admin/v1/register",
}

/// `GET /registration_tokens`.
#[derive(Debug, Deserialize)]
pub struct ListTokens {
    /// Only those that are good, or only those that are not.
    pub valid: Option<bool>,
}

metadata! {
    @for ListTokens,
    method: GET,
    rate_limited: false,
    authentication: AccessToken,
    path: "/_synapse/admin/v1/registration_tokens",
}

/// `POST /registration_tokens/new`.
#[derive(Debug, Deserialize)]
pub struct NewToken {
    /// The token.
    #[serde(default)]
    pub token: Option<String>,
    /// Its length, when it is made up.
    #[serde(default)]
    pub length: Option<usize>,
    /// How many accounts.
    #[serde(default)]
    pub uses_allowed: Option<u32>,
    /// In milliseconds since 1970.
    #[serde(default)]
    pub expiry_time: Option<u64>,
}

metadata! {
    @for NewToken,
    method: POST,
    rate_limited: false,
    authentication: AccessToken,
    path: "/_synapse/admin/v1/registration_tokens/new",
}

/// `GET /registration_tokens/{token}`.
#[derive(Debug)]
pub struct GetToken(pub String);

metadata! {
    @for GetToken,
    method: GET,
    rate_limited: false,
    authentication: AccessToken,
    path: "/_synapse/admin/v1/registration_tokens/{token}",
}

/// `PUT /registration_tokens/{token}`.
#[derive(Debug, Deserialize)]
pub struct UpdateToken {
    /// From the path.
    #[serde(skip)]
    pub token: String,
    /// How many accounts; null for any number.
    #[expect(clippy::option_option, reason = "left out, null and a number are three things")]
    #[serde(default, deserialize_with = "present")]
    pub uses_allowed: Option<Option<u32>>,
    /// In milliseconds since 1970; null for never.
    #[expect(clippy::option_option, reason = "left out, null and a number are three things")]
    #[serde(default, deserialize_with = "present")]
    pub expiry_time: Option<Option<u64>>,
}

metadata! {
    @for UpdateToken,
    method: PUT,
    rate_limited: false,
    authentication: AccessToken,
    path: "/_synapse/admin/v1/registration_tokens/{token}",
}

/// `DELETE /registration_tokens/{token}`.
#[derive(Debug)]
pub struct DeleteToken(pub String);

metadata! {
    @for DeleteToken,
    method: DELETE,
    rate_limited: false,
    authentication: AccessToken,
    path: "/_synapse/admin/v1/registration_tokens/{token}",
}

/// `POST /send_server_notice`.
#[derive(Debug, Deserialize)]
pub struct Notice {
    /// To whom.
    pub user_id: OwnedUserId,
    /// The event's content.
    pub content: Box<RawValue>,
    /// The event's type.
    #[serde(rename = "type", default)]
    pub kind: Option<String>,
    /// Makes the event state.
    #[serde(default)]
    pub state_key: Option<String>,
}

metadata! {
    @for Notice,
    method: POST,
    rate_limited: false,
    authentication: AccessToken,
    path: "/_synapse/admin/v1/send_server_notice",
}

/// `PUT /send_server_notice/{txnId}`.
#[derive(Debug)]
pub struct NoticeOnce {
    /// What makes a repeat known.
    pub txn_id: String,
    /// The notice.
    pub notice: Notice,
}

metadata! {
    @for NoticeOnce,
    method: PUT,
    rate_limited: false,
    authentication: AccessToken,
    path: "/_synapse/admin/v1/send_server_notice/{txn_id}",
}

/// A field that is there, be it null.
#[expect(clippy::option_option, reason = "left out, null and a number are three things")]
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

incoming! {
    Nonce: |_, _| Self {};
    Register: |request, _| serde_json::from_slice(request.body())?;
    ListTokens: |request, _| query(&request)?;
    NewToken: |request, _| serde_json::from_slice(request.body())?;
    GetToken: |_, path| Self(variable(path));
    UpdateToken: |request, path| Self { token: variable(path), ..serde_json::from_slice(request.body())? };
    DeleteToken: |_, path| Self(variable(path));
    Notice: |request, _| serde_json::from_slice(request.body())?;
    NoticeOnce: |request, path| Self {
        txn_id: variable(path),
        notice: serde_json::from_slice(request.body())?,
    };
}
