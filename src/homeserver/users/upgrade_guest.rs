//! A guest who becomes a user: the account stays, with all that it has (C-S API, "Guest Access").

use hearth_protocol::UserKey;
use hearth_storage::schema::users::Account;
use thiserror::Error;

use super::error::StoreFailure;
use super::handle::Users;
use super::local_user::LocalUser;
use super::login::LoginError;
use super::register::{RegisterError, RegisterRequest, Registered, end_authentication};
use super::sessions::LogOut;
use super::uia_registration::RegistrationPassed;

/// Why a guest did not become a user.
#[derive(Debug, Error)]
pub enum UpgradeError {
    /// The token is no guest's.
    #[error("the token is no guest's")]
    NotAGuest,
    /// The name is not the guest's own.
    #[error("a guest keeps the name")]
    OtherName,
    /// As for a new account.
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// The new session could not begin.
    #[error(transparent)]
    Login(#[from] LoginError),
}

impl From<StoreFailure> for UpgradeError {
    fn from(error: StoreFailure) -> Self {
        Self::Register(error.into())
    }
}

impl Users {
    /// The guest whose token this is, when `username` is the guest's own name.
    ///
    /// # Errors
    /// When the token is not a guest's, or the name another one's.
    pub async fn require_guest(&self, token: &str, username: Option<&str>) -> Result<LocalUser, UpgradeError> {
        let guest = self.authenticate(token).await.map_err(|_| UpgradeError::NotAGuest)?;
        if !guest.is_guest {
            return Err(UpgradeError::NotAGuest);
        }
        match username {
            Some(name) if name.eq_ignore_ascii_case(guest.user_id.localpart()) => Ok(guest),
            _ => Err(UpgradeError::OtherName),
        }
    }

    /// Makes a guest a user, with a password and a session more, in one commit with the end of the authentication.
    /// The guest's own sessions go on.
    ///
    /// # Errors
    /// As when an account is made.
    pub async fn upgrade_guest(
        &self,
        guest: &LocalUser,
        request: RegisterRequest,
        passed: RegistrationPassed,
    ) -> Result<Registered, UpgradeError> {
        self.check_new_password(request.password.as_deref()).map_err(RegisterError::from)?;
        let password = match request.password {
            Some(password) => {
                Some(self.0.passwords.hash(password, &*self.0.env.rng).await.map_err(RegisterError::from)?)
            }
            None => None,
        };
        let claimed = self.claim_token_use(&passed, &guest.user_id).await.map_err(RegisterError::from)?;
        let edit = |account: &mut Account| {
            if !account.is_guest || account.is_deactivated || account.is_locked {
                return Err(UpgradeError::NotAGuest);
            }
            account.is_guest = false;
            account.password.clone_from(&password);
            Ok(())
        };
        let key = UserKey::of(&guest.user_id);
        let changed = self.change_account(key, LogOut::Nobody, edit, |txn| end_authentication(txn, &passed, claimed));
        let account = changed.await?.ok_or(UpgradeError::NotAGuest)?;
        tracing::info!(user_id = %guest.user_id, "a guest became a user");
        let session = match request.device {
            Some(device) => Some(self.open_session(&guest.user_id, account, device, |_| ()).await?),
            None => None,
        };
        Ok(Registered { user_id: guest.user_id.clone(), session })
    }
}
