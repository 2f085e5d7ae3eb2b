//! Password hashes: argon2id, worked out on blocking threads, few at a time, with a bounded queue.
//!
//! It must never log or keep a password, and never take less time for an account that does not exist.

use std::sync::Arc;

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use hearth_protocol::Rng;
use subtle::ConstantTimeEq as _;
use thiserror::Error;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

use super::config::UsersConfig;

/// The longest password, in bytes: hashing takes time in proportion to it.
pub const PASSWORD_BYTES_MAX: usize = 512;

const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;
/// Bounds for the settings, so that a slip of the pen does not stop every login.
const PASSES_MAX: u32 = 100;
const MEMORY_KIB_MIN: u32 = 8;
const MEMORY_KIB_MAX: u32 = 4 * 1024 * 1024;

/// Why a password could not be hashed or compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PasswordFailure {
    /// Too many passwords are waiting already; the client may come back.
    #[error("too many passwords wait to be hashed")]
    Busy,
    /// The hash function failed: out of memory, or a stored hash is not one of ours.
    #[error("a password could not be hashed")]
    Broken,
}

/// Hashes and compares passwords.
pub(super) struct Passwords {
    params: Params,
    /// Whoever holds a permit hashes.
    jobs: Arc<Semaphore>,
    /// Whoever holds a permit hashes or waits to.
    places: Arc<Semaphore>,
}

impl Passwords {
    pub(super) fn new(config: &UsersConfig) -> Self {
        let memory_kib = config.password_hash_kib.clamp(MEMORY_KIB_MIN, MEMORY_KIB_MAX);
        let passes = config.password_hash_passes.clamp(1, PASSES_MAX);
        let jobs = config.password_hash_jobs_max.max(1);
        Self {
            params: Params::new(memory_kib, passes, 1, Some(HASH_BYTES)).unwrap_or(Params::DEFAULT),
            jobs: Arc::new(Semaphore::new(jobs)),
            places: Arc::new(Semaphore::new(jobs.saturating_add(config.password_hash_waiting_max))),
        }
    }

    /// The hash of a new password, in PHC string format.
    pub(super) async fn hash(&self, password: String, rng: &dyn Rng) -> Result<String, PasswordFailure> {
        let mut salt = [0; SALT_BYTES];
        rng.fill(&mut salt);
        let params = self.params.clone();
        self.run(move || {
            let hash = hash_with(&params, password.as_bytes(), &salt, HASH_BYTES)?;
            Ok(encode_phc(&params, &salt, &hash))
        })
        .await
    }

    /// Whether `password` is the one that `phc` was made of. Without a hash it is not, after the same work.
    pub(super) async fn verify(&self, password: String, phc: Option<String>) -> Result<bool, PasswordFailure> {
        let params = self.params.clone();
        self.run(move || {
            let Some(phc) = phc else {
                hash_with(&params, password.as_bytes(), &[0; SALT_BYTES], HASH_BYTES)?;
                return Ok(false);
            };
            let stored = decode_phc(&phc).ok_or(PasswordFailure::Broken)?;
            let hash = hash_with(&stored.params, password.as_bytes(), &stored.salt, stored.hash.len())?;
            Ok(hash.ct_eq(&stored.hash).into())
        })
        .await
    }

    /// Runs `work` when it is its turn. The permits go with the work, so that a caller that gives up frees no place early.
    async fn run<T, F>(&self, work: F) -> Result<T, PasswordFailure>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T, PasswordFailure> + Send + 'static,
    {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| PasswordFailure::Busy)?;
        let turn: Result<OwnedSemaphorePermit, AcquireError> = Arc::clone(&self.jobs).acquire_owned().await;
        let turn = turn.map_err(|_| PasswordFailure::Broken)?;
        let job = tokio::task::spawn_blocking(move || {
            let result = work();
            drop((turn, place));
            result
        });
        job.await.map_err(|_| PasswordFailure::Broken)?
    }
}

fn hash_with(params: &Params, password: &[u8], salt: &[u8], len: usize) -> Result<Vec<u8>, PasswordFailure> {
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
    let mut hash = vec![0; len];
    argon.hash_password_into(password, salt, &mut hash).map_err(|_| PasswordFailure::Broken)?;
    Ok(hash)
}

struct Phc {
    params: Params,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

fn encode_phc(params: &Params, salt: &[u8], hash: &[u8]) -> String {
    format!(
        "$argon2id$v=19$m={},t={},p={}${}${}",
        params.m_cost(),
        params.t_cost(),
        params.p_cost(),
        STANDARD_NO_PAD.encode(salt),
        STANDARD_NO_PAD.encode(hash)
    )
}

fn decode_phc(phc: &str) -> Option<Phc> {
    let mut parts = phc.strip_prefix("$argon2id$v=19$")?.split('$');
    let (costs, salt, hash) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let mut costs = costs.split(',');
    let mut cost = |name: &str| costs.next()?.strip_prefix(name)?.strip_prefix('=')?.parse::<u32>().ok();
    let (memory_kib, passes, lanes) = (cost("m")?, cost("t")?, cost("p")?);
    let salt = STANDARD_NO_PAD.decode(salt).ok()?;
    let hash = STANDARD_NO_PAD.decode(hash).ok()?;
    let params = Params::new(memory_kib, passes, lanes, Some(hash.len())).ok()?;
    Some(Phc { params, salt, hash })
}

#[cfg(test)]
#[path = "password_tests.rs"]
mod tests;
