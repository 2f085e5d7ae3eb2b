//! HMAC-SHA1 (RFC 2104), as TURN servers and tools of administrators still ask for it.
//!
//! Never for anything new: what this server signs for itself it signs with SHA-256 or Ed25519.

use sha1::{Digest as _, Sha1};

/// Bytes that SHA-1 takes at once.
const BLOCK_BYTES: usize = 64;

/// The MAC of the parts, one behind the other.
pub fn hmac_sha1(key: &[u8], parts: &[&[u8]]) -> [u8; 20] {
    let mut block = [0; BLOCK_BYTES];
    if key.len() > BLOCK_BYTES {
        block[..20].copy_from_slice(&Sha1::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let mut inner = Sha1::new_with_prefix(block.map(|byte| byte ^ 0x36));
    for part in parts {
        inner.update(part);
    }
    Sha1::new_with_prefix(block.map(|byte| byte ^ 0x5c)).chain_update(inner.finalize()).finalize().into()
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::hmac_sha1;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().fold(String::new(), |mut out, byte| {
            write!(out, "{byte:02x}").unwrap();
            out
        })
    }

    /// A key, the parts of a message, and the code.
    type Vector = (&'static [u8], &'static [&'static [u8]], &'static str);

    #[test]
    fn the_vectors_of_rfc_2202_hold() {
        let cases: [Vector; 4] = [
            (&[0x0b; 20], &[b"Hi There"], "b617318655057264e28bc0b6fb378c8ef146be00"),
            (b"Jefe", &[b"what do ya want ", b"for nothing?"], "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
            (&[0xaa; 20], &[&[0xdd; 50]], "125d7342b9ac11cd91a39af48aa17b4f63f175d3"),
            (
                &[0xaa; 80],
                &[b"Test Using Larger Than Block-Size Key - Hash Key First"],
                "aa4ae5e15272d00e95705637ce8a3b55ed402112",
            ),
        ];
        for (key, parts, expected) in cases {
            assert_eq!(hex(&hmac_sha1(key, parts)), expected);
        }
    }
}
