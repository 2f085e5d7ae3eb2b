//! Acting for a user without a token of theirs: by the word of the operator, or as their application service.

use std::sync::Arc;

use hearth_protocol::UserKey;
use hearth_storage::StorageError;
use hearth_storage::schema::users::{Accounts, Devices};
use ruma::{DeviceId, OwnedDeviceId, OwnedUserId, UserId};
use thiserror::Error;

use super::accounts::{AccountInfo, build_info};
use super::handle::Users;
use super::local_user::{LocalUser, ServiceCaller};

/// Stands where a device's id would.
const OPERATOR_DEVICE: &str = "OPERATOR";

/// Why an application service may not act as a user.
#[derive(Debug, Error)]
pub enum ActError {
    /// There is no such account, or it was given up.
    #[error("there is no such user")]
    UnknownUser,
    /// The user has no such device (`M_UNKNOWN_DEVICE`).
    #[error("the user has no such device")]
    UnknownDevice,
    /// The account is locked.
    #[error("the account is locked")]
    Locked,
    /// Reading failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Users {
    /// The user as if one of their devices had asked; none when there is no such account. A deactivated account counts,
    /// so that a deactivation that was cut short can be brought to its end.
    ///
    /// Only what the server does by its operator's word may call this: it is the one way to a [`LocalUser`] without
    /// any token.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn act_for(&self, user: &UserId) -> Result<Option<LocalUser>, StorageError> {
        let account = self.load_account(user).await?;
        Ok(account.map(|account| build_user(user, account, OPERATOR_DEVICE.into(), None)))
    }

    /// Those of the users who are guests of this server, for the rooms that have to be without them.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn list_guests_among(&self, users: &[OwnedUserId]) -> Result<Vec<LocalUser>, StorageError> {
        let keys: Vec<UserKey> = users.iter().map(|user| UserKey::of(user)).collect();
        let accounts = self.0.env.store.multi_get::<Accounts>(&keys).await?;
        let guests = users.iter().zip(accounts).filter_map(|(user, account)| {
            let account = account.filter(|account| account.is_guest)?;
            Some(build_user(user, build_info(&account), OPERATOR_DEVICE.into(), None))
        });
        Ok(guests.collect())
    }

    /// The user as their application service acts for them, which has shown its own token. Without a device, what is
    /// remembered by device is remembered by the service.
    ///
    /// Only `appservice` may call this, after it has looked whether the user is one of the service's.
    ///
    /// # Errors
    /// When the user or the device does not exist, the account is locked, or reading fails.
    pub async fn act_for_service(
        &self,
        user: &UserId,
        device: Option<&DeviceId>,
        service: ServiceCaller,
    ) -> Result<LocalUser, ActError> {
        let account = self.load_account(user).await?.filter(|account| !account.is_deactivated);
        let account = account.ok_or(ActError::UnknownUser)?;
        if account.is_locked {
            return Err(ActError::Locked);
        }
        let device_id = match device {
            Some(device) => {
                let row = self.0.env.store.get::<Devices>(&(UserKey::of(user), device.to_string())).await?;
                row.map(|_| device.to_owned()).ok_or(ActError::UnknownDevice)?
            }
            None => format!("appservice:{}", service.id).into(),
        };
        Ok(build_user(user, account, device_id, Some(service)))
    }
}

fn build_user(
    user: &UserId,
    account: AccountInfo,
    device_id: OwnedDeviceId,
    service: Option<ServiceCaller>,
) -> LocalUser {
    LocalUser {
        user_id: user.to_owned(),
        key: UserKey::of(user),
        device_id,
        is_guest: account.is_guest,
        is_admin: account.is_admin,
        is_suspended: account.is_suspended,
        service,
        seen_ms: Arc::default(),
    }
}

#[cfg(test)]
#[path = "act_for_tests.rs"]
mod tests;
