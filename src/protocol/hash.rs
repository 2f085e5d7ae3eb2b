//! The hashes of events, what is made of them (event ids, the room ids of version 12), and base64.
//!
//! Spec: server-server API, "Calculating the content hash for an event" and "Calculating the reference hash
//! for an event".

use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use ruma::{OwnedEventId, OwnedRoomId};
use sha2::{Digest, Sha256};

use crate::event::BadEvent;
use crate::json_canonical::write_object;
use crate::json_parse::Object;
use crate::version::{EventIdFormat, RoomRules};

/// Writes no padding; reads with and without, as the specification advises.
const UNPADDED: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_encode_padding(false)
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);

const STANDARD_UNPADDED: GeneralPurpose = GeneralPurpose::new(&STANDARD, UNPADDED);
const URL_SAFE_UNPADDED: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, UNPADDED);

/// Unpadded base64 of the standard alphabet.
pub fn base64_standard(bytes: &[u8]) -> String {
    STANDARD_UNPADDED.encode(bytes)
}

/// Unpadded base64 of the URL-safe alphabet.
pub fn base64_url_safe(bytes: &[u8]) -> String {
    URL_SAFE_UNPADDED.encode(bytes)
}

/// The bytes of standard base64, with or without padding; `None` when it is no base64.
pub fn decode_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD_UNPADDED.decode(text).ok()
}

/// The SHA-256 of a text.
pub(crate) fn sha256(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// The SHA-256 of two texts, one after the other.
pub(crate) fn sha256_of_two(first: &str, second: &str) -> [u8; 32] {
    Sha256::new().chain_update(first).chain_update(second).finalize().into()
}

/// The hash over all of an event, that says whether it was changed or redacted on the way.
pub(crate) fn content_hash(event: &Object<'_>) -> [u8; 32] {
    let mut text = String::with_capacity(1024);
    write_object(&mut text, event, |key| !matches!(key, "hashes" | "signatures" | "unsigned"));
    sha256(&text)
}

/// Whether two hashes are equal, the one given in base64.
pub(crate) fn is_hash(base64: &str, hash: &[u8; 32]) -> bool {
    decode_base64(base64).is_some_and(|decoded| decoded == hash)
}

/// The event id that a reference hash makes in versions 3 and later.
///
/// # Errors
/// [`BadEvent::MissingField`] in versions 1 and 2, whose events carry their ids.
pub(crate) fn event_id_of(rules: &RoomRules, hash: &[u8; 32]) -> Result<OwnedEventId, BadEvent> {
    let id = match rules.event_id_format {
        EventIdFormat::Opaque => return Err(BadEvent::MissingField("event_id")),
        EventIdFormat::Base64 => format!("${}", base64_standard(hash)),
        EventIdFormat::UrlSafe => format!("${}", base64_url_safe(hash)),
    };
    OwnedEventId::try_from(id).map_err(|_| BadEvent::InvalidField("event_id"))
}

/// The room id that a create event makes in version 12: its own id with another sigil.
pub(crate) fn room_id_of_create(create: &OwnedEventId) -> Result<OwnedRoomId, BadEvent> {
    let id = create.as_str().replacen('$', "!", 1);
    OwnedRoomId::try_from(id).map_err(|_| BadEvent::InvalidField("room_id"))
}

#[cfg(test)]
#[path = "hash_tests.rs"]
mod tests;
