//! What happens to an account after it was made: a new password, another standing, its end.

use hearth_protocol::UserKey;
use hearth_storage::StorageError;
use hearth_storage::schema::users::{Account, Accounts, Profiles};
use ruma::UserId;
use thiserror::Error;

use super::error::StoreFailure;
use super::handle::Users;
use super::local_user::LocalUser;
use super::password::PasswordFailure;
use super::register::BadPassword;
use super::sessions::LogOut;

/// What an administrator sees of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountInfo {
    /// When it was made, in milliseconds since 1970.
    pub created_ms: u64,
    /// A guest account.
    pub is_guest: bool,
    /// May use the administration endpoints.
    pub is_admin: bool,
    /// Every request but logging out is refused.
    pub is_locked: bool,
    /// Most changes are refused.
    pub is_suspended: bool,
    /// Never to be used again.
    pub is_deactivated: bool,
    /// On deactivation the user asked for erasure.
    pub is_erased: bool,
    /// How many devices are logged in.
    pub devices: u32,
}

/// Which sessions a new password ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndSessions {
    /// None.
    Keep,
    /// All.
    All,
}

/// Why an account was not changed.
#[derive(Debug, Error)]
pub enum AccountError {
    /// No such account on this server.
    #[error("unknown user")]
    Unknown,
    /// The settings keep users from changing their password.
    #[error("this server does not let its users change their password")]
    PasswordFixed,
    /// The account is deactivated.
    #[error("the account is deactivated")]
    Deactivated,
    /// The password may not be set.
    #[error(transparent)]
    BadPassword(#[from] BadPassword),
    /// The password could not be hashed; when busy, the client may come back.
    #[error(transparent)]
    Password(#[from] PasswordFailure),
    /// The tables.
    #[error(transparent)]
    Store(#[from] StoreFailure),
}

pub(super) fn build_info(account: &Account) -> AccountInfo {
    AccountInfo {
        created_ms: account.created_ms,
        is_guest: account.is_guest,
        is_admin: account.is_admin,
        is_locked: account.is_locked,
        is_suspended: account.is_suspended,
        is_deactivated: account.is_deactivated,
        is_erased: account.is_erased,
        devices: account.devices,
    }
}

impl Users {
    /// Whether there is such an account, and how it stands.
    pub async fn load_account(&self, user: &UserId) -> Result<Option<AccountInfo>, StorageError> {
        let Some(key) = self.local_key(user) else { return Ok(None) };
        Ok(self.0.env.store.get::<Accounts>(&key).await?.map(|account| build_info(&account)))
    }

    /// Whether users may change their password here; to be asked before they are asked for the old one.
    ///
    /// # Errors
    /// [`AccountError::PasswordFixed`] when the settings are against it.
    pub fn check_may_change_password(&self) -> Result<(), AccountError> {
        if self.0.config.password_changes { Ok(()) } else { Err(AccountError::PasswordFixed) }
    }

    /// Sets the caller's own password (C-S API, `POST /account/password`); the caller's session stays.
    pub async fn change_password(
        &self,
        user: &LocalUser,
        password: String,
        others: EndSessions,
    ) -> Result<(), AccountError> {
        let log_out = match others {
            EndSessions::Keep => LogOut::Nobody,
            EndSessions::All => LogOut::AllBut(&user.device_id),
        };
        self.set_password(user.key, password, log_out).await
    }

    /// Sets a user's password by the word of an administrator.
    pub async fn reset_password(
        &self,
        user: &UserId,
        password: String,
        sessions: EndSessions,
    ) -> Result<(), AccountError> {
        let log_out = match sessions {
            EndSessions::Keep => LogOut::Nobody,
            EndSessions::All => LogOut::All,
        };
        self.set_password(self.local_key(user).ok_or(AccountError::Unknown)?, password, log_out).await
    }

    async fn set_password(&self, user: UserKey, password: String, log_out: LogOut<'_>) -> Result<(), AccountError> {
        self.check_new_password(Some(&password))?;
        let phc = self.0.passwords.hash(password, &*self.0.env.rng).await?;
        self.edit_account(user, log_out, |account| account.password = Some(phc.clone())).await
    }

    /// Ends an account for ever: its sessions, its password and its profile go in one commit, which also notes that
    /// its rooms have to be left. Its name stays taken. `erase` asks that messages be hidden from new members.
    pub async fn deactivate(&self, user: &UserId, erase: bool) -> Result<(), AccountError> {
        let key = self.local_key(user).ok_or(AccountError::Unknown)?;
        let edit = |account: &mut Account| {
            account.password = None;
            account.is_deactivated = true;
            account.is_admin = false;
            account.is_erased |= erase;
            Ok::<_, AccountError>(())
        };
        let done = self.change_account(key, LogOut::All, edit, |txn| {
            txn.delete::<Profiles>(&key);
            self.put_departure(txn, user);
        });
        let done = done.await?;
        self.0.presence.forget(user);
        done.map(drop).ok_or(AccountError::Unknown)
    }

    /// Makes a user an administrator, or no longer one.
    pub async fn set_admin(&self, user: &UserId, is_admin: bool) -> Result<(), AccountError> {
        self.set_standing(user, |account| account.is_admin = is_admin).await
    }

    /// Locks or unlocks an account (C-S API, "Account locking").
    pub async fn set_locked(&self, user: &UserId, is_locked: bool) -> Result<(), AccountError> {
        self.set_standing(user, |account| account.is_locked = is_locked).await
    }

    /// Suspends an account or ends its suspension (C-S API, "Account suspension").
    pub async fn set_suspended(&self, user: &UserId, is_suspended: bool) -> Result<(), AccountError> {
        self.set_standing(user, |account| account.is_suspended = is_suspended).await
    }

    async fn set_standing(&self, user: &UserId, edit: impl Fn(&mut Account)) -> Result<(), AccountError> {
        self.edit_account(self.local_key(user).ok_or(AccountError::Unknown)?, LogOut::Nobody, edit).await
    }

    async fn edit_account(
        &self,
        user: UserKey,
        log_out: LogOut<'_>,
        edit: impl Fn(&mut Account),
    ) -> Result<(), AccountError> {
        let edit = |account: &mut Account| {
            if account.is_deactivated {
                return Err(AccountError::Deactivated);
            }
            edit(account);
            Ok(())
        };
        self.change_account(user, log_out, edit, |_| ()).await?.map(drop).ok_or(AccountError::Unknown)
    }
}

#[cfg(test)]
#[path = "accounts_tests.rs"]
mod tests;
