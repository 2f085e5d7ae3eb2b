//! Tokens by which a user proves to others who they are (C-S API, "OpenID").

use hearth_storage::schema::accounts::OpenIdTokens;
use hearth_storage::schema::users::Accounts;
use ruma::{OwnedUserId, UserId};

use super::error::StoreFailure;
use super::handle::Users;
use super::local_user::LocalUser;
use super::token::TokenKind;

/// Such a token.
#[derive(Clone, PartialEq, Eq)]
pub struct OpenIdToken {
    /// The secret, to be given to whom one wants to prove it.
    pub token: String,
    /// How long it is good for, in seconds.
    pub expires_in_s: u64,
}

impl Users {
    /// A token that says to whoever is given it who the caller is.
    pub async fn create_openid_token(&self, user: &LocalUser) -> Result<OpenIdToken, StoreFailure> {
        let expires_in_s = self.0.config.openid_token_lifetime_s;
        let token = self.create_short_token::<OpenIdTokens>(TokenKind::OpenId, user.key, expires_in_s).await?;
        Ok(OpenIdToken { token, expires_in_s })
    }

    /// Whose token this is (S-S API, `GET /openid/userinfo`); none when it is not good, or the account is closed.
    pub async fn load_openid_user(&self, token: &str) -> Result<Option<OwnedUserId>, StoreFailure> {
        let Some((key, _)) = self.load_short_token::<OpenIdTokens>(TokenKind::OpenId, token).await? else {
            return Ok(None);
        };
        let account = self.0.env.store.get::<Accounts>(&key.0).await?;
        let open = account.filter(|account| !account.is_deactivated && !account.is_locked);
        Ok(open.and_then(|account| UserId::parse(&account.user_id).ok()))
    }
}
