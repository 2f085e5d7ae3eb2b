//! Accounts made by whoever knows the operator's shared secret, as tools that were written for Synapse make them.
//!
//! A nonce is signed and says until when it is good, so that handing one out writes nothing. It is bound to one name by
//! the MAC, and a name can be taken once only: so a request that is heard and repeated makes no second account.

use std::fmt::Write as _;

use subtle::ConstantTimeEq as _;
use thiserror::Error;

use super::handle::Users;
use super::register::{NewUser, RegisterError, Registered};
use super::sessions::NewDevice;
use super::uia_session::{UiaSessionId, build_purpose};
use crate::hmac::hmac_sha1;

/// How long a nonce is good for, in milliseconds.
const NONCE_LIFETIME_MS: u64 = 60_000;
/// Characters of a MAC in hexadecimal.
const MAC_CHARS: usize = 40;

/// A wish for an account, with the proof that its maker knows the secret.
#[derive(Clone, Default)]
pub struct SharedSecretRequest {
    /// From [`Users::create_registration_nonce`].
    pub nonce: String,
    /// The localpart.
    pub username: String,
    /// As typed.
    pub password: String,
    /// What the account is called at first; left out, what the settings say. Not part of the MAC.
    pub display_name: Option<String>,
    /// What kind of user the tool asks for; part of the MAC, and otherwise without meaning here.
    pub user_type: Option<String>,
    /// May use the administration endpoints.
    pub is_admin: bool,
    /// HMAC-SHA1 of the above under the secret, in hexadecimal.
    pub mac: String,
    /// The device to log in with, if any.
    pub device: Option<NewDevice>,
}

/// Why no account was made.
#[derive(Debug, Error)]
pub enum SharedSecretError {
    /// No secret is configured.
    #[error("registration by a shared secret is off")]
    Off,
    /// The nonce is not ours, or too old.
    #[error("the nonce is unknown or too old")]
    Nonce,
    /// A field holds the character that separates the fields of the MAC.
    #[error("a NUL character is not allowed")]
    Nul,
    /// The MAC is wrong.
    #[error("the MAC is wrong")]
    Mac,
    /// The account cannot be made.
    #[error(transparent)]
    Register(#[from] RegisterError),
}

impl Users {
    /// A nonce for one request.
    ///
    /// # Errors
    /// When no secret is configured.
    pub fn create_registration_nonce(&self) -> Result<String, SharedSecretError> {
        self.shared_secret()?;
        let session = UiaSessionId::new(self.now_ms().saturating_add(NONCE_LIFETIME_MS), &*self.0.env.rng);
        Ok(session.encode(&self.0.uia_secret, &nonce_purpose()))
    }

    /// Makes the account. Names that are reserved are allowed.
    ///
    /// # Errors
    /// When the nonce is void, the MAC wrong, or the account cannot be made; nothing is made then.
    pub async fn register_by_secret(&self, request: SharedSecretRequest) -> Result<Registered, SharedSecretError> {
        let secret = self.shared_secret()?;
        let nonce = UiaSessionId::decode(&request.nonce, &self.0.uia_secret, &nonce_purpose(), self.now_ms());
        nonce.ok_or(SharedSecretError::Nonce)?;
        let user_type = request.user_type.as_deref().unwrap_or_default();
        if [&*request.username, &*request.password, user_type].iter().any(|field| field.contains('\0')) {
            return Err(SharedSecretError::Nul);
        }
        if !is_right_mac(secret, &request) {
            return Err(SharedSecretError::Mac);
        }
        let new = NewUser {
            username: request.username,
            password: Some(request.password),
            is_admin: request.is_admin,
            display_name: request.display_name,
            device: request.device,
        };
        Ok(self.create_user(new).await?)
    }

    fn shared_secret(&self) -> Result<&str, SharedSecretError> {
        let secret = self.0.config.registration_shared_secret.as_deref();
        secret.filter(|secret| !secret.is_empty()).ok_or(SharedSecretError::Off)
    }
}

/// Whether the maker of the request knows the secret. The time that this takes says nothing of the right MAC.
fn is_right_mac(secret: &str, request: &SharedSecretRequest) -> bool {
    let standing = if request.is_admin { "admin" } else { "notadmin" };
    let mut fields = vec![&*request.nonce, &*request.username, &*request.password, standing];
    fields.extend(request.user_type.as_deref());
    let signed = fields.join("\0");
    let mac: String = hmac_sha1(secret.as_bytes(), &[signed.as_bytes()]).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    let shown = request.mac.to_ascii_lowercase();
    shown.len() == MAC_CHARS && bool::from(shown.as_bytes().ct_eq(mac.as_bytes()))
}

fn nonce_purpose() -> [u8; 32] {
    build_purpose("registerBySharedSecret", "/admin/v1/register", None)
}
