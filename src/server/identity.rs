//! The signing key of this server: made at the first start, kept in the data folder.
//!
//! Whoever loses it cannot speak for the server any more, so it is written so that a crash
//! leaves either no file or a whole one, and it is part of every backup.
//! The form is the one of other homeservers: `ed25519 <key version> <seed in base64>`.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use hearth_protocol::{Rng, Signer, random_string};
use ruma::ServerName;

/// Its name within the data folder.
pub const KEY_FILE: &str = "signing.key";

/// Letters and digits of a new key's version.
const KEY_VERSION_LENGTH: usize = 6;

/// The longest key file that is read, in bytes.
const KEY_FILE_BYTES_MAX: u64 = 4_096;

/// Why there is no signing key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or written.
    #[error("cannot read or write the signing key {path}: {error}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: std::io::Error,
    },
    /// The file is not a key.
    #[error("{path} is not a signing key: it must be one line `ed25519 VERSION SEED`")]
    Malformed {
        /// The file.
        path: PathBuf,
    },
}

/// The key in `data`, made now if there is none.
///
/// # Errors
///
/// When the file cannot be read or written, or is not a key.
pub fn load_or_make_key(data: &Path, server_name: &ServerName, rng: &dyn Rng) -> Result<Signer, KeyError> {
    let path = data.join(KEY_FILE);
    let io = |error| KeyError::Io { path: path.clone(), error };
    let text = match fs::metadata(&path) {
        Ok(found) if found.len() > KEY_FILE_BYTES_MAX => {
            return Err(KeyError::Malformed { path });
        }
        Ok(_) => fs::read_to_string(&path).map_err(io)?,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let text = new_key(rng);
            write_key(data, &path, text.as_bytes()).map_err(io)?;
            text
        }
        Err(error) => return Err(io(error)),
    };
    let malformed = || KeyError::Malformed { path: path.clone() };
    let (version, seed) = parse_key(&text).ok_or_else(malformed)?;
    Signer::from_seed(server_name.to_owned(), seed, &format!("ed25519:{version}")).map_err(|_| malformed())
}

fn new_key(rng: &dyn Rng) -> String {
    let mut seed = [0; 32];
    rng.fill(&mut seed);
    let version = random_string(rng, KEY_VERSION_LENGTH);
    format!("ed25519 {version} {}\n", STANDARD_NO_PAD.encode(seed))
}

fn parse_key(text: &str) -> Option<(&str, [u8; 32])> {
    let mut words = text.split_ascii_whitespace();
    let (algorithm, version, seed) = (words.next()?, words.next()?, words.next()?);
    if algorithm != "ed25519" || words.next().is_some() {
        return None;
    }
    let seed = STANDARD_NO_PAD.decode(seed.trim_end_matches('=')).ok()?;
    Some((version, seed.try_into().ok()?))
}

/// Writes a key file so that there is a whole one or none, for its owner only.
///
/// # Errors
///
/// When the folder cannot be written.
pub fn write_key(data: &Path, path: &Path, text: &[u8]) -> std::io::Result<()> {
    let unfinished = path.with_extension("key.new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    file.write_all(text)?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    File::open(data)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use hearth_protocol::SeededRng;
    use ruma::server_name;

    use super::{KEY_FILE, KeyError, load_or_make_key, parse_key};

    #[test]
    fn a_key_is_made_once_and_kept_private() {
        let data = tempfile::tempdir().unwrap();
        let name = server_name!("h.example");
        let made = load_or_make_key(data.path(), name, &SeededRng::new(1)).unwrap();
        let again = load_or_make_key(data.path(), name, &SeededRng::new(2)).unwrap();
        assert_eq!(made.key_id(), again.key_id());
        assert_eq!(made.public_key_base64(), again.public_key_base64());
        let mode = std::fs::metadata(data.path().join(KEY_FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_broken_key_is_refused_and_never_overwritten() {
        let data = tempfile::tempdir().unwrap();
        let path = data.path().join(KEY_FILE);
        for text in ["", "ed25519 a_b", "rsa x AAAA", "ed25519 v AAAA", "ed25519 a:b AAAA extra"] {
            std::fs::write(&path, text).unwrap();
            let result = load_or_make_key(data.path(), server_name!("h.example"), &SeededRng::new(1));
            assert!(matches!(result, Err(KeyError::Malformed { .. })), "{text:?}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[test]
    fn keys_of_other_homeservers_are_read() {
        let seed = format!("ed25519 a_AbCd {}=\n", "A".repeat(43));
        assert_eq!(parse_key(&seed), Some(("a_AbCd", [0; 32])));
    }
}
