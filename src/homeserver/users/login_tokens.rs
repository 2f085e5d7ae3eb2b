//! Tokens by which a user who is logged in lets another device in (C-S API, `POST /login/get_token`, and
//! "Token-based user login").

use hearth_storage::schema::accounts::LoginTokens;
use hearth_storage::schema::users::Accounts;
use ruma::UserId;
use thiserror::Error;

use super::error::StoreFailure;
use super::handle::Users;
use super::local_user::LocalUser;
use super::login::LoginError;
use super::sessions::{NewDevice, NewSession};
use super::token::TokenKind;
use super::uia::Reauthenticated;

/// A token that is good for one login.
#[derive(Clone, PartialEq, Eq)]
pub struct LoginToken {
    /// The secret.
    pub token: String,
    /// How long it is good for, in milliseconds.
    pub expires_in_ms: u64,
}

/// Why there is no login token.
#[derive(Debug, Error)]
pub enum LoginTokenError {
    /// The settings do not allow it.
    #[error("login tokens are not offered")]
    NotOffered,
    /// The tables.
    #[error(transparent)]
    Store(#[from] StoreFailure),
}

impl Users {
    /// A token that logs the caller in once, on another device.
    pub async fn create_login_token(
        &self,
        user: &LocalUser,
        _proof: Reauthenticated,
    ) -> Result<LoginToken, LoginTokenError> {
        if !self.0.config.login_tokens {
            return Err(LoginTokenError::NotOffered);
        }
        let lifetime_s = self.0.config.login_token_lifetime_s;
        let token = self.create_short_token::<LoginTokens>(TokenKind::Login, user.key, lifetime_s).await?;
        Ok(LoginToken { token, expires_in_ms: lifetime_s.saturating_mul(1_000) })
    }

    /// Begins a session of whom the token was made for; in the same commit the token ends.
    pub async fn login_token(&self, token: &str, device: NewDevice) -> Result<NewSession, LoginError> {
        let found = self.load_short_token::<LoginTokens>(TokenKind::Login, token).await?;
        let Some((key, row)) = found.filter(|_| self.0.config.login_tokens) else { return Err(LoginError::Forbidden) };
        let account = self.0.env.store.get::<Accounts>(&key.0).await.map_err(StoreFailure::from)?;
        let Some(account) = account.filter(|account| !account.is_deactivated) else {
            return Err(LoginError::Forbidden);
        };
        if account.is_locked {
            return Err(LoginError::Locked);
        }
        let user_id = UserId::parse(&account.user_id).map_err(|_| LoginError::Forbidden)?;
        let opened = self.open_session(&user_id, account, device, |txn| {
            txn.assert_eq::<LoginTokens>(&key, &row);
            txn.delete::<LoginTokens>(&key);
        });
        match opened.await {
            // Somebody else was faster: the token is gone however often one tries.
            Err(LoginError::Store(StoreFailure::Contended)) => Err(LoginError::Forbidden),
            other => other,
        }
    }
}
