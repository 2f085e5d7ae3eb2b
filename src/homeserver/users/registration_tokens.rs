//! Tokens that allow registration, and their uses.
//!
//! A use is reserved for an interactive-auth session, claimed for a user id, and done with the account's own commit,
//! which says so through the outbox. What was reserved or claimed and came to nothing falls back to the token after
//! its time. So a token that allows ten accounts makes ten, whatever runs at the same time or crashes in between.

use hearth_protocol::random_string;
use hearth_storage::schema::users::{
    RegistrationToken, RegistrationTokenUse, RegistrationTokenUses, RegistrationTokens, TokenUseState,
};
use hearth_storage::{CommitError, StorageError};
use ruma::UserId;
use thiserror::Error;

use super::error::{COMMIT_ATTEMPTS_MAX, Settled, StoreFailure, settle};
use super::handle::Users;
use super::pages::scan_all;
use super::uia_registration::RegistrationPassed;
use super::uia_session::UiaSessionId;

/// All tokens lie on one shelf, so that they can be listed.
pub(super) const SHELF: u8 = 0;
/// The longest token (C-S API, "Token-authenticated registration").
const TOKEN_LEN_MAX: usize = 64;
/// Length of a token made here.
const NEW_TOKEN_LEN: usize = 16;
/// How many tokens there may be.
pub(super) const TOKENS_MAX: usize = 10_000;
/// How many uses of a token are looked through for ones that fell back.
pub(super) const USES_MAX: usize = 10_000;
/// How many uses fall back in one transaction.
const FALL_BACK_MAX: usize = 200;
/// A use falls back this long after its session ran out, so that an account that is being made is never overtaken.
const GRACE_MS: u64 = 60 * 60 * 1_000;

/// A wish for a registration token.
#[derive(Clone, Debug, Default)]
pub struct NewRegistrationToken {
    /// The token; made up when left out.
    pub token: Option<String>,
    /// How long a token is that is made up, 1 to 64 characters; left out, 16.
    pub length: Option<usize>,
    /// How many accounts it may make; none for any number.
    pub uses_allowed: Option<u32>,
    /// From when on it is void, in milliseconds since 1970; none for never.
    pub expires_ms: Option<u64>,
}

/// Why a registration token was not made.
#[derive(Debug, Error)]
pub enum RegistrationTokenError {
    /// It is not 1 to 64 of `A-Za-z0-9._~-`.
    #[error("a registration token has 1 to 64 of A-Z a-z 0-9 . _ ~ -")]
    Grammar,
    /// It exists.
    #[error("the registration token exists")]
    Taken,
    /// There is none of this name.
    #[error("there is no such registration token")]
    Unknown,
    /// It would be void at once.
    #[error("a registration token expires in the future")]
    Past,
    /// There are as many as allowed.
    #[error("there are too many registration tokens")]
    TooMany,
    /// The tables.
    #[error(transparent)]
    Store(#[from] StoreFailure),
}

/// Why a use could not be had.
#[derive(Debug, Error)]
pub(super) enum TokenUseError {
    #[error("unknown, expired or used up")]
    Void,
    #[error(transparent)]
    Store(#[from] StoreFailure),
}

impl From<StorageError> for TokenUseError {
    fn from(error: StorageError) -> Self {
        Self::Store(error.into())
    }
}

/// What claiming a use came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenClaimed {
    /// There is a row for the use.
    Held,
    /// The token has no limit (or none was needed): there is no row.
    Free,
}

type UseKey = (u8, String, [u8; 16]);

/// The key of the use of a token by a session.
pub(super) fn token_use_key(token: &str, session: [u8; 16]) -> UseKey {
    (SHELF, token.to_owned(), session)
}

fn is_grammatical(token: &str) -> bool {
    (1..=TOKEN_LEN_MAX).contains(&token.len())
        && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte))
}

impl Users {
    /// Makes a registration token.
    pub async fn create_registration_token(&self, new: NewRegistrationToken) -> Result<String, RegistrationTokenError> {
        let store = &self.0.env.store;
        let length = new.length.unwrap_or(NEW_TOKEN_LEN);
        if !(1..=TOKEN_LEN_MAX).contains(&length) {
            return Err(RegistrationTokenError::Grammar);
        }
        let token = new.token.unwrap_or_else(|| random_string(&*self.0.env.rng, length));
        if !is_grammatical(&token) {
            return Err(RegistrationTokenError::Grammar);
        }
        if new.expires_ms.is_some_and(|expires_ms| expires_ms <= self.now_ms()) {
            return Err(RegistrationTokenError::Past);
        }
        let tokens = scan_all::<RegistrationTokens, _>(store, &SHELF, TOKENS_MAX).await.map_err(StoreFailure::from)?;
        if tokens.len() >= TOKENS_MAX {
            return Err(RegistrationTokenError::TooMany);
        }
        let row = RegistrationToken {
            uses_allowed: new.uses_allowed,
            uses: 0,
            expires_ms: new.expires_ms,
            created_ms: self.now_ms(),
        };
        let key = (SHELF, token);
        let mut txn = store.txn();
        txn.assert_absent::<RegistrationTokens>(&key);
        txn.put::<RegistrationTokens>(&key, &row);
        match store.commit(txn).await {
            Ok(_) => Ok(key.1),
            Err(CommitError::Conflict { .. }) => Err(RegistrationTokenError::Taken),
            Err(error) => Err(StoreFailure::Write(error).into()),
        }
    }

    /// Makes a registration token void; says whether it existed.
    pub async fn delete_registration_token(&self, token: &str) -> Result<bool, StoreFailure> {
        let store = &self.0.env.store;
        let key = (SHELF, token.to_owned());
        if store.get::<RegistrationTokens>(&key).await?.is_none() {
            return Ok(false);
        }
        let mut txn = store.txn();
        txn.delete::<RegistrationTokens>(&key);
        store.commit(txn).await.map_err(StoreFailure::Write)?;
        Ok(true)
    }

    /// Whether one could register with the token now (C-S API, `GET /register/m.login.registration_token/validity`).
    pub async fn is_registration_token_valid(&self, token: &str) -> Result<bool, StorageError> {
        if !is_grammatical(token) {
            return Ok(false);
        }
        let row = self.0.env.store.get::<RegistrationTokens>(&(SHELF, token.to_owned())).await?;
        Ok(row.is_some_and(|row| self.is_alive(&row) && row.uses_allowed.is_none_or(|allowed| row.uses < allowed)))
    }

    fn is_alive(&self, row: &RegistrationToken) -> bool {
        row.expires_ms.is_none_or(|expires_ms| self.now_ms() < expires_ms)
    }

    /// Holds a use of the token for a session. A token without a limit is only looked at.
    pub(super) async fn reserve_token_use(&self, token: &str, session: UiaSessionId) -> Result<(), TokenUseError> {
        if !is_grammatical(token) {
            return Err(TokenUseError::Void);
        }
        let store = &self.0.env.store;
        let (token_key, use_key) = ((SHELF, token.to_owned()), token_use_key(token, session.nonce));
        let _turn = self.0.turns.take(token.as_bytes()).await;
        for _ in 0..COMMIT_ATTEMPTS_MAX {
            let (row, held) = futures_util::future::try_join(
                store.get::<RegistrationTokens>(&token_key),
                store.get::<RegistrationTokenUses>(&use_key),
            )
            .await?;
            let row = row.filter(|row| self.is_alive(row)).ok_or(TokenUseError::Void)?;
            let Some(allowed) = row.uses_allowed else { return Ok(()) };
            match held.map(|held| held.state) {
                Some(TokenUseState::Done) => return Err(TokenUseError::Void),
                Some(_) => return Ok(()),
                None => {}
            }
            let mut txn = store.txn();
            txn.assert_eq::<RegistrationTokens>(&token_key, &row);
            let mut uses = row.uses;
            if uses >= allowed {
                for (key, fallen) in self.list_fallen_uses(token).await? {
                    txn.assert_eq::<RegistrationTokenUses>(&key, &fallen);
                    txn.delete::<RegistrationTokenUses>(&key);
                    uses = uses.saturating_sub(1);
                }
            }
            if uses >= allowed {
                return Err(TokenUseError::Void);
            }
            let held = RegistrationTokenUse {
                state: TokenUseState::Reserved,
                expires_ms: session.expires_ms.saturating_add(GRACE_MS),
            };
            txn.put::<RegistrationTokens>(&token_key, &RegistrationToken { uses: uses + 1, ..row });
            txn.assert_absent::<RegistrationTokenUses>(&use_key);
            txn.put::<RegistrationTokenUses>(&use_key, &held);
            if let Settled::Done = settle(store.commit(txn).await)? {
                return Ok(());
            }
        }
        Err(StoreFailure::Contended.into())
    }

    async fn list_fallen_uses(&self, token: &str) -> Result<Vec<(UseKey, RegistrationTokenUse)>, StorageError> {
        let now_ms = self.now_ms();
        let rows =
            scan_all::<RegistrationTokenUses, _>(&self.0.env.store, &(SHELF, token.to_owned()), USES_MAX).await?;
        let fallen = rows.into_iter().filter(|(_, row)| row.state != TokenUseState::Done && row.expires_ms <= now_ms);
        Ok(fallen.take(FALL_BACK_MAX).collect())
    }

    /// Binds the session's use to the account that is being made with it: two requests of one session make one account.
    pub(super) async fn claim_token_use(
        &self,
        passed: &RegistrationPassed,
        user: &UserId,
    ) -> Result<TokenClaimed, TokenUseError> {
        let Some(token) = &passed.registration_token else { return Ok(TokenClaimed::Free) };
        let store = &self.0.env.store;
        let use_key = token_use_key(token, passed.session.nonce);
        let _turn = self.0.turns.take(token.as_bytes()).await;
        for _ in 0..COMMIT_ATTEMPTS_MAX {
            let Some(held) = store.get::<RegistrationTokenUses>(&use_key).await? else {
                return self.count_free_use(token).await;
            };
            match &held.state {
                TokenUseState::Claimed(by) if by == user.as_str() => return Ok(TokenClaimed::Held),
                TokenUseState::Claimed(_) | TokenUseState::Done => return Err(TokenUseError::Void),
                TokenUseState::Reserved => {}
            }
            let mut txn = store.txn();
            txn.assert_eq::<RegistrationTokenUses>(&use_key, &held);
            txn.put::<RegistrationTokenUses>(
                &use_key,
                &RegistrationTokenUse { state: TokenUseState::Claimed(user.to_string()), ..held },
            );
            if let Settled::Done = settle(store.commit(txn).await)? {
                return Ok(TokenClaimed::Held);
            }
        }
        Err(StoreFailure::Contended.into())
    }

    /// A use of a token without a limit is only counted, by whoever has the token's turn.
    async fn count_free_use(&self, token: &str) -> Result<TokenClaimed, TokenUseError> {
        let store = &self.0.env.store;
        let key = (SHELF, token.to_owned());
        for _ in 0..COMMIT_ATTEMPTS_MAX {
            let row = store.get::<RegistrationTokens>(&key).await?;
            let row = row.filter(|row| row.uses_allowed.is_none() && self.is_alive(row)).ok_or(TokenUseError::Void)?;
            let mut txn = store.txn();
            txn.assert_eq::<RegistrationTokens>(&key, &row);
            txn.put::<RegistrationTokens>(&key, &RegistrationToken { uses: row.uses.saturating_add(1), ..row });
            if let Settled::Done = settle(store.commit(txn).await)? {
                return Ok(TokenClaimed::Free);
            }
        }
        Err(StoreFailure::Contended.into())
    }
}

#[cfg(test)]
#[path = "registration_tokens_tests.rs"]
mod tests;
