//! Locking and suspending accounts by the word of an administrator (C-S API, "Account moderation").

use hearth_protocol::UserKey;
use ruma::UserId;
use thiserror::Error;

use super::accounts::{AccountError, AccountInfo};
use super::devices::DeviceInfo;
use super::error::StoreFailure;
use super::handle::Users;
use super::local_user::LocalUser;

/// What an administrator may do to an account, and undo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restriction {
    /// Nothing that others see.
    Suspended,
    /// Nothing but logging out.
    Locked,
}

/// Why an account was not restricted, or not looked at.
#[derive(Debug, Error)]
pub enum ModerationError {
    /// Whoever asks is no administrator.
    #[error("only an administrator may do this")]
    NotAdmin,
    /// The user is not of this server: `M_INVALID_PARAM`.
    #[error("the user is not of this server")]
    NotLocal,
    /// There is no such account, or it is deactivated.
    #[error("there is no such user")]
    Unknown,
    /// The account is one's own, or another administrator's.
    #[error("an administrator's account cannot be restricted")]
    Protected,
    /// The tables.
    #[error(transparent)]
    Store(#[from] StoreFailure),
}

impl Users {
    /// How an account stands, as an administrator may see it. Who is no administrator learns nothing of the account.
    pub async fn load_moderated(&self, by: &LocalUser, target: &UserId) -> Result<AccountInfo, ModerationError> {
        if !by.is_admin {
            return Err(ModerationError::NotAdmin);
        }
        if !self.is_local(target) {
            return Err(ModerationError::NotLocal);
        }
        let account = self.load_account(target).await.map_err(StoreFailure::from)?;
        let account = account.filter(|account| !account.is_deactivated).ok_or(ModerationError::Unknown)?;
        if account.is_admin && target != by.user_id { Err(ModerationError::Protected) } else { Ok(account) }
    }

    /// The devices of a user, as the user or an administrator may see them (C-S API, `GET /admin/whois/{userId}`).
    pub async fn list_devices_of(&self, by: &LocalUser, target: &UserId) -> Result<Vec<DeviceInfo>, ModerationError> {
        if target != by.user_id {
            if !by.is_admin {
                return Err(ModerationError::NotAdmin);
            }
            let account = self.load_account(target).await.map_err(StoreFailure::from)?;
            account.ok_or(ModerationError::Unknown)?;
        }
        Ok(self.list_devices(&UserKey::of(target)).await.map_err(StoreFailure::from)?)
    }

    /// Restricts an account, or ends the restriction.
    pub async fn restrict(
        &self,
        by: &LocalUser,
        target: &UserId,
        restriction: Restriction,
        is_on: bool,
    ) -> Result<(), ModerationError> {
        self.load_moderated(by, target).await?;
        if target == by.user_id {
            return Err(ModerationError::Protected);
        }
        let done = match restriction {
            Restriction::Suspended => self.set_suspended(target, is_on).await,
            Restriction::Locked => self.set_locked(target, is_on).await,
        };
        done.map_err(|error| match error {
            AccountError::Store(error) => error.into(),
            _ => ModerationError::Unknown,
        })
    }
}
