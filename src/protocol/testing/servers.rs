//! The keys of made-up servers: each server has one, which follows from its name.

use ruma::ServerName;
use sha2::{Digest, Sha256};

use crate::{PublicKeys, Signer, VerifyKey};

const KEY_ID: &str = "ed25519:test";

/// The signer of a made-up server.
pub fn signer_of(server: &ServerName) -> Signer {
    let seed = Sha256::digest(server.as_bytes()).into();
    Signer::from_seed(server.to_owned(), seed, KEY_ID).expect("a key id")
}

/// The public keys of made-up servers, valid for ever.
pub fn public_keys_of<'a>(servers: impl IntoIterator<Item = &'a ServerName>) -> PublicKeys {
    let key = |server: &ServerName| {
        let key = VerifyKey { key: signer_of(server).public_key(), valid_until_ts: u64::MAX };
        (server.to_owned(), [(KEY_ID.to_owned(), key)].into())
    };
    servers.into_iter().map(key).collect()
}
