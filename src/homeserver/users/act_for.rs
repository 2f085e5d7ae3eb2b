//! Acting for a user by the word of the operator, who has shown no token of theirs.

use std::sync::Arc;

use hearth_protocol::UserKey;
use hearth_storage::StorageError;
use ruma::UserId;

use super::handle::Users;
use super::local_user::LocalUser;

/// Stands where a device's id would.
const OPERATOR_DEVICE: &str = "OPERATOR";

impl Users {
    /// The user as if one of their devices had asked; none when there is no such account. A deactivated account counts,
    /// so that a deactivation that was cut short can be brought to its end.
    ///
    /// Only the operator's commands may call this: it is the one way to a [`LocalUser`] without a token.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn act_for(&self, user: &UserId) -> Result<Option<LocalUser>, StorageError> {
        Ok(self.load_account(user).await?.map(|account| LocalUser {
            user_id: user.to_owned(),
            key: UserKey::of(user),
            device_id: OPERATOR_DEVICE.into(),
            is_guest: account.is_guest,
            is_admin: account.is_admin,
            is_suspended: account.is_suspended,
            seen_ms: Arc::default(),
        }))
    }
}

#[cfg(test)]
#[path = "act_for_tests.rs"]
mod tests;
