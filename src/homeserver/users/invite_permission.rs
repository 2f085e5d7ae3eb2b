//! Whether a user lets others invite them (C-S API, "Invite permission"): the account data
//! `m.invite_permission_config`.
//!
//! Only this server's users are asked here; those of others are by their own server.

use hearth_protocol::UserKey;
use hearth_storage::StorageError;
use hearth_storage::schema::users::AccountDataIndex;
use ruma::{OwnedUserId, UserId};
use serde::Deserialize;

use super::handle::Users;

/// The type of account data that says it.
const INVITE_PERMISSION: &str = "m.invite_permission_config";

impl Users {
    /// Whether the user lets nobody invite them.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn blocks_invites(&self, user: &UserId) -> Result<bool, StorageError> {
        #[derive(Deserialize)]
        struct Content {
            default_action: String,
        }
        if !self.is_local(user) {
            return Ok(false);
        }
        let content = self.load_account_data(user, None, INVITE_PERMISSION).await?;
        let content = content.and_then(|content| serde_json::from_str::<Content>(content.get()).ok());
        Ok(content.is_some_and(|content| content.default_action == "block"))
    }

    /// Whether one of the users lets nobody invite them.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn any_blocks_invites(&self, users: &[OwnedUserId]) -> Result<bool, StorageError> {
        if users.is_empty() {
            return Ok(false);
        }
        let key = |user: &OwnedUserId| (UserKey::of(user), String::new(), INVITE_PERMISSION.to_owned());
        let keys: Vec<_> = users.iter().map(key).collect();
        let entries = self.0.env.store.multi_get::<AccountDataIndex>(&keys).await?;
        for (user, _) in users.iter().zip(entries).filter(|(_, entry)| entry.is_some()) {
            if self.blocks_invites(user).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
