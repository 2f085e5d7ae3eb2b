//! From an access token to the user who calls.

use std::sync::Arc;

use hearth_protocol::UnixMs;
use hearth_storage::schema::users::{AccessToken, AccessTokens, Account, Accounts};
use hearth_storage::{StorageError, Table};
use ruma::UserId;
use subtle::ConstantTimeEq as _;
use thiserror::Error;

use super::handle::Users;
use super::local_user::LocalUser;
use super::token::{TokenClaim, TokenKind};
use super::token_cache::CachedToken;

/// Why a token does not prove who calls.
#[derive(Debug, Error)]
pub enum AuthError {
    /// `M_UNKNOWN_TOKEN`.
    #[error("unknown access token")]
    UnknownToken {
        /// The token ran out; the device is still there, and the client may log in to it again without losing its keys.
        soft_logout: bool,
    },
    /// `M_USER_LOCKED`; only logging out is allowed (C-S API, "Account locking").
    #[error("the account is locked")]
    Locked,
    /// The tables could not be read.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Users {
    /// Who calls with this token. Reads nothing when the token was seen lately.
    pub async fn authenticate(&self, token: &str) -> Result<LocalUser, AuthError> {
        let known = self.load_token(token).await?;
        if known.is_locked { Err(AuthError::Locked) } else { Ok(known.user.clone()) }
    }

    /// Who holds a connection with this token, and until when it is good. For connections that outlive a request:
    /// [`Users::subscribe_sessions`] says when to ask again.
    pub async fn authenticate_connection(&self, token: &str) -> Result<(LocalUser, Option<UnixMs>), AuthError> {
        let known = self.load_token(token).await?;
        let expires = known.expires_ms.map(UnixMs);
        if known.is_locked { Err(AuthError::Locked) } else { Ok((known.user.clone(), expires)) }
    }

    /// Who calls, also when the account is locked: for logging out.
    pub async fn authenticate_locked_too(&self, token: &str) -> Result<LocalUser, AuthError> {
        Ok(self.load_token(token).await?.user.clone())
    }

    async fn load_token(&self, token: &str) -> Result<Arc<CachedToken>, AuthError> {
        let unknown = AuthError::UnknownToken { soft_logout: false };
        let Some(claim) = TokenClaim::read(TokenKind::Access, token) else { return Err(unknown) };
        let known = match self.0.tokens.load(&claim) {
            Some(known) => known,
            None => self.read_token(&claim).await?.ok_or(unknown)?,
        };
        match known.expires_ms {
            Some(expires_ms) if expires_ms <= self.now_ms() => Err(AuthError::UnknownToken { soft_logout: true }),
            _ => Ok(known),
        }
    }

    async fn read_token(&self, claim: &TokenClaim) -> Result<Option<Arc<CachedToken>>, StorageError> {
        let ticket = self.0.tokens.begin_read(claim.user);
        let store = &self.0.env.store;
        let key = (claim.user, claim.row());
        let reads = (store.get::<AccessTokens>(&key), store.get::<Accounts>(&claim.user));
        let (row, account) = futures_util::future::try_join(reads.0, reads.1).await?;
        let (Some(row), Some(account)) = (row, account) else { return Ok(None) };
        if account.is_deactivated || !bool::from(row.hash.ct_eq(&claim.hash)) {
            return Ok(None);
        }
        let replaces = row.replaces;
        let known = Arc::new(build_cached_token(claim, row, &account)?);
        // Not before the old tokens are gone is the new one remembered, so that a failure is made good by the next use.
        match replaces {
            None => self.0.tokens.insert(ticket, claim, &known),
            Some(old) if !account.is_locked => self.end_replaced_tokens(claim, old).await,
            Some(_) => {}
        }
        Ok(Some(known))
    }
}

fn build_cached_token(claim: &TokenClaim, row: AccessToken, account: &Account) -> Result<CachedToken, StorageError> {
    let user_id = UserId::parse(&account.user_id).map_err(|error| StorageError::Corrupt {
        table: Accounts::NAME,
        key: format!("{:?}", claim.user),
        reason: error.to_string(),
    })?;
    let user = LocalUser {
        user_id,
        key: claim.user,
        device_id: row.device_id.into(),
        is_guest: account.is_guest,
        is_admin: account.is_admin,
        is_suspended: account.is_suspended,
        service: None,
        seen_ms: Arc::default(),
    };
    Ok(CachedToken { user, is_locked: account.is_locked, expires_ms: row.expires_ms })
}

#[cfg(test)]
#[path = "authenticate_tests.rs"]
mod tests;
