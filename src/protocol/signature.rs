//! Ed25519 signatures of JSON objects: ours, and the checking of others'.
//!
//! Spec: appendices, "Signing JSON". Private keys stay inside [`Signer`] and are never printed.

use std::collections::BTreeMap;
use std::fmt;

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use ruma::{OwnedServerName, ServerName};

use crate::hash::{base64_standard, decode_base64};
use crate::json::{BadJson, FEDERATION_JSON_DEPTH_MAX};
use crate::json_canonical::{write_object, write_value};
use crate::json_parse::{Json, Object, parse};

/// The most bytes of our key's id, `ed25519:` included.
pub const KEY_ID_BYTES_MAX: usize = 64;

/// The start of the ids of the keys that we understand.
pub(crate) const ALGORITHM: &str = "ed25519:";

/// Signs for our server.
pub struct Signer {
    server_name: OwnedServerName,
    key_id: String,
    key: SigningKey,
}

impl Signer {
    /// The signer of a server's key, from the key's 32 secret bytes.
    ///
    /// # Errors
    /// [`BadKeyId`] when the id is not `ed25519:` and one or more letters, digits or underscores, at most
    /// [`KEY_ID_BYTES_MAX`] bytes in all.
    pub fn from_seed(server_name: OwnedServerName, seed: [u8; 32], key_id: &str) -> Result<Self, BadKeyId> {
        let version = key_id.strip_prefix(ALGORITHM).unwrap_or_default();
        let is_plain = version.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if version.is_empty() || !is_plain || key_id.len() > KEY_ID_BYTES_MAX {
            return Err(BadKeyId(key_id.chars().take(KEY_ID_BYTES_MAX).collect()));
        }
        let key = SigningKey::from_bytes(&seed);
        Ok(Self { server_name, key_id: key_id.to_owned(), key })
    }

    /// The server that it signs for.
    pub fn server_name(&self) -> &ServerName {
        &self.server_name
    }

    /// The key's id, such as `ed25519:a1`.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The public key.
    pub fn public_key(&self) -> [u8; 32] {
        self.key.verifying_key().to_bytes()
    }

    /// The public key in unpadded base64, as `/_matrix/key/v2/server` shows it.
    pub fn public_key_base64(&self) -> String {
        base64_standard(&self.public_key())
    }

    /// The signature of some bytes.
    pub fn sign_bytes(&self, bytes: &[u8]) -> [u8; 64] {
        self.key.sign(bytes).to_bytes()
    }

    /// The signature of some bytes in unpadded base64.
    pub fn sign_base64(&self, bytes: &[u8]) -> String {
        base64_standard(&self.sign_bytes(bytes))
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({} {})", self.server_name, self.key_id)
    }
}

/// The id of a signing key is not of the form `ed25519:name`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key id {0:?} is not `ed25519:` and letters, digits or underscores")]
pub struct BadKeyId(String);

/// A server's public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifyKey {
    /// The key.
    pub key: [u8; 32],
    /// Until when it is valid, in milliseconds since 1970; of an old key, when it expired.
    pub valid_until_ts: u64,
}

/// The known public keys of servers, by key id.
pub type PublicKeys = BTreeMap<OwnedServerName, BTreeMap<String, VerifyKey>>;

/// Why signatures do not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSignature {
    /// The server has not signed with an algorithm that we understand.
    #[error("no signature of {server}")]
    Missing {
        /// Whose signature is missing.
        server: OwnedServerName,
    },
    /// None of the keys that the server signed with is known.
    #[error("unknown keys of {server}: {key_ids:?}")]
    UnknownKeys {
        /// Whose keys.
        server: OwnedServerName,
        /// The keys to fetch.
        key_ids: Vec<String>,
    },
    /// The keys that are known had expired when the event says that it was sent (from version 5).
    #[error("expired keys of {server}: {key_ids:?}")]
    ExpiredKeys {
        /// Whose keys.
        server: OwnedServerName,
        /// The keys that may be fetched again.
        key_ids: Vec<String>,
    },
    /// A signature does not fit what it should cover.
    #[error("wrong signature of {server} by {key_id}")]
    Wrong {
        /// Whose signature.
        server: OwnedServerName,
        /// By which key.
        key_id: String,
    },
    /// It is no JSON object with signatures.
    #[error(transparent)]
    Json(#[from] BadJson),
}

/// Whether a base64 signature fits the bytes. Strict, as libsodium is: no weak keys, no second forms.
fn is_signature(key: &[u8; 32], bytes: &[u8], base64: &str) -> bool {
    let signature = decode_base64(base64).and_then(|raw| Signature::from_slice(&raw).ok());
    let key = VerifyingKey::from_bytes(key).ok();
    matches!((key, signature), (Some(key), Some(signature))
        if key.verify_strict(bytes, &signature).is_ok())
}

/// Checks what one server signed: every signature by a known, valid key must fit, and there must be one.
///
/// `signatures` are pairs of key id and signature; keys must be valid at `valid_at_ts` (0: at any time).
pub(crate) fn check_server<'a>(
    server: &ServerName,
    signatures: impl Iterator<Item = (&'a str, &'a str)>,
    keys: &PublicKeys,
    bytes: &[u8],
    valid_at_ts: u64,
) -> Result<(), BadSignature> {
    let server = || server.to_owned();
    let known = keys.get(&server());
    let (mut unknown, mut expired, mut fitting) = (Vec::new(), Vec::new(), 0_usize);
    for (key_id, signature) in signatures.filter(|(key_id, _)| key_id.starts_with(ALGORITHM)) {
        match known.and_then(|keys| keys.get(key_id)) {
            None => unknown.push(key_id.to_owned()),
            Some(key) if key.valid_until_ts < valid_at_ts => expired.push(key_id.to_owned()),
            Some(key) if is_signature(&key.key, bytes, signature) => fitting += 1,
            Some(_) => {
                return Err(BadSignature::Wrong { server: server(), key_id: key_id.to_owned() });
            }
        }
    }
    match (fitting, unknown.is_empty(), expired.is_empty()) {
        (1.., _, _) => Ok(()),
        (0, true, true) => Err(BadSignature::Missing { server: server() }),
        (0, true, false) => Err(BadSignature::ExpiredKeys { server: server(), key_ids: expired }),
        (0, false, _) => Err(BadSignature::UnknownKeys { server: server(), key_ids: unknown }),
    }
}

/// The pairs of key id and signature of one server, as a JSON object has them.
pub(crate) fn signatures_of<'a>(object: &'a Object<'_>, server: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let of_server = object
        .get("signatures")
        .and_then(Json::as_object)
        .and_then(|signatures| signatures.get(server))
        .and_then(Json::as_object);
    let entries = of_server.into_iter().flat_map(Object::iter);
    entries.filter_map(|(key_id, signature)| Some((key_id, signature.as_str()?)))
}

/// Puts a signature beside those that an object has already.
pub(crate) fn insert_signature(object: &mut Object<'_>, signer: &Signer, signature: String) {
    let server = signer.server_name().to_string();
    let mut all = match object.remove("signatures") {
        Some(Json::Object(all)) => all,
        _ => Object::default(),
    };
    let mut ours = match all.remove(&server) {
        Some(Json::Object(ours)) => ours,
        _ => Object::default(),
    };
    ours.insert(signer.key_id().to_owned(), Json::String(signature.into()));
    all.insert(server, Json::Object(ours));
    object.insert("signatures", Json::Object(all));
}

fn signed_text(object: &Object<'_>) -> String {
    let mut text = String::with_capacity(1024);
    write_object(&mut text, object, |key| !matches!(key, "signatures" | "unsigned"));
    text
}

fn parse_lenient(text: &str) -> Result<Object<'_>, BadJson> {
    let mut value = parse(text, FEDERATION_JSON_DEPTH_MAX)?;
    value.settle_numbers(false)?;
    match value {
        Json::Object(object) => Ok(object),
        _ => Err(BadJson::Shape("not an object".to_owned())),
    }
}

/// Signs a JSON object that is no event (a request, a set of keys), and gives it back in canonical form.
///
/// # Errors
/// [`BadJson`] when `text` is no JSON object.
pub fn sign_json(signer: &Signer, text: &str) -> Result<String, BadJson> {
    let mut object = parse_lenient(text)?;
    let signature = signer.sign_base64(signed_text(&object).as_bytes());
    insert_signature(&mut object, signer, signature);
    let mut out = String::with_capacity(text.len() + 256);
    write_value(&mut out, &Json::Object(object));
    Ok(out)
}

/// Checks that `server` has signed a JSON object that is no event, by keys valid at `valid_at_ts`
/// (milliseconds since 1970; 0: at any time).
///
/// # Errors
/// [`BadSignature`].
pub fn verify_json(text: &str, server: &ServerName, keys: &PublicKeys, valid_at_ts: u64) -> Result<(), BadSignature> {
    let object = parse_lenient(text)?;
    let bytes = signed_text(&object);
    let signatures = signatures_of(&object, server.as_str());
    check_server(server, signatures, keys, bytes.as_bytes(), valid_at_ts)
}

#[cfg(test)]
#[path = "signature_tests.rs"]
mod tests;
