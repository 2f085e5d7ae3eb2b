//! The ids of interactive-auth sessions.
//!
//! An id is signed and says what it may be used for and until when, so that beginning a session writes nothing:
//! who asks for a thousand sessions costs a thousand hashes. A row is written only when a stage was completed
//! and others are left.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hearth_protocol::Rng;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

const MAC_BYTES: usize = 16;
const ID_BYTES: usize = 16 + 8 + MAC_BYTES;
/// Number of shelves that the rows of sessions are spread over.
pub(super) const SHELVES: u8 = 16;

/// A session that this server gave out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct UiaSessionId {
    /// What makes it the only one.
    pub(super) nonce: [u8; 16],
    /// From when on it is void, in milliseconds since 1970.
    pub(super) expires_ms: u64,
}

impl UiaSessionId {
    pub(super) fn new(expires_ms: u64, rng: &dyn Rng) -> Self {
        let mut nonce = [0; 16];
        rng.fill(&mut nonce);
        Self { nonce, expires_ms }
    }

    /// The id as clients send it back; good for `purpose` only.
    pub(super) fn encode(&self, secret: &[u8; 32], purpose: &[u8; 32]) -> String {
        let mut id = Vec::with_capacity(ID_BYTES);
        id.extend_from_slice(&self.nonce);
        id.extend_from_slice(&self.expires_ms.to_be_bytes());
        id.extend_from_slice(&self.mac(secret, purpose));
        URL_SAFE_NO_PAD.encode(id)
    }

    /// The session of an id, unless it is not ours, void, or meant for something else.
    pub(super) fn decode(id: &str, secret: &[u8; 32], purpose: &[u8; 32], now_ms: u64) -> Option<Self> {
        if id.len() > 2 * ID_BYTES {
            return None;
        }
        let id = URL_SAFE_NO_PAD.decode(id).ok()?;
        let id: &[u8; ID_BYTES] = id.as_slice().try_into().ok()?;
        let (nonce, rest) = id.split_first_chunk()?;
        let (expires, mac) = rest.split_first_chunk()?;
        let session = Self { nonce: *nonce, expires_ms: u64::from_be_bytes(*expires) };
        let is_ours: bool = session.mac(secret, purpose).ct_eq(mac).into();
        (is_ours && now_ms < session.expires_ms).then_some(session)
    }

    fn mac(&self, secret: &[u8; 32], purpose: &[u8; 32]) -> [u8; MAC_BYTES] {
        let inner = Sha256::new()
            .chain_update(secret)
            .chain_update(self.nonce)
            .chain_update(self.expires_ms.to_be_bytes())
            .chain_update(purpose);
        // Hashed twice under the secret, so that no longer message can be signed from a shorter one.
        let outer = Sha256::new().chain_update(secret).chain_update(inner.finalize()).finalize();
        let mut mac = [0; MAC_BYTES];
        mac.copy_from_slice(&outer[..MAC_BYTES]);
        mac
    }
}

/// The key of a session's row.
pub(super) fn session_row(nonce: [u8; 16]) -> (u8, [u8; 16]) {
    (nonce[0] % SHELVES, nonce)
}

/// What a session may be used for: an operation, on a path, by a user (none before there is one).
pub(super) fn build_purpose(operation: &str, path: &str, user: Option<&[u8; 16]>) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in [operation.as_bytes(), path.as_bytes(), user.map_or(&[][..], |user| &user[..])] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use hearth_protocol::SeededRng;

    use super::{UiaSessionId, build_purpose, session_row};

    const SECRET: [u8; 32] = [7; 32];

    #[test]
    fn an_id_reads_back_until_it_expires() {
        let purpose = build_purpose("register", "/register", None);
        let session = UiaSessionId::new(5_000, &SeededRng::new(1));
        let id = session.encode(&SECRET, &purpose);
        assert_eq!(UiaSessionId::decode(&id, &SECRET, &purpose, 4_999), Some(session));
        assert_eq!(UiaSessionId::decode(&id, &SECRET, &purpose, 5_000), None);
    }

    #[test]
    fn an_id_is_good_for_its_purpose_only() {
        let session = UiaSessionId::new(5_000, &SeededRng::new(1));
        let purpose = build_purpose("deleteDevice", "/devices/A", Some(&[1; 16]));
        let id = session.encode(&SECRET, &purpose);
        let others = [
            build_purpose("deleteDevice", "/devices/B", Some(&[1; 16])),
            build_purpose("deleteDevice", "/devices/A", Some(&[2; 16])),
            build_purpose("deleteDevice/devices", "/A", Some(&[1; 16])),
            build_purpose("deactivateAccount", "/devices/A", Some(&[1; 16])),
        ];
        for other in others {
            assert_eq!(UiaSessionId::decode(&id, &SECRET, &other, 0), None);
        }
    }

    #[test]
    fn a_changed_id_is_not_ours() {
        let purpose = build_purpose("register", "/register", None);
        let id = UiaSessionId::new(5_000, &SeededRng::new(1)).encode(&SECRET, &purpose);
        for at in 0..id.len() - 1 {
            let mut changed = id.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(UiaSessionId::decode(&changed, &SECRET, &purpose, 0), None, "at {at}");
        }
        assert_eq!(UiaSessionId::decode(&id, &[8; 32], &purpose, 0), None);
        for bad in ["", "x", &"A".repeat(10_000)] {
            assert_eq!(UiaSessionId::decode(bad, &SECRET, &purpose, 0), None);
        }
        assert!(session_row([255; 16]).0 < super::SHELVES);
    }
}
