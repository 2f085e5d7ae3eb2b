//! Whom a user ignores (C-S API, "Ignoring Users"): the account data `m.ignored_user_list`, read the same way by everything
//! that shows something to somebody.
//!
//! What is cached goes by the position of its row, which is read each time: it is never older than the row.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use hearth_protocol::{Event, LanePos, UserKey};
use hearth_storage::StorageError;
use hearth_storage::schema::users::AccountDataIndex;
use quick_cache::sync::Cache;
use ruma::{OwnedUserId, UserId};
use serde::Deserialize;

use super::handle::Users;

/// The type of account data that names them.
pub(super) const IGNORED_USERS: &str = "m.ignored_user_list";
/// Ignored users that are heeded.
const IGNORED_MAX: usize = 10_000;
/// Users whose list is kept.
const LISTS_MAX: usize = 10_000;

/// The users whom one user ignores.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IgnoredUsers(HashSet<OwnedUserId>);

impl IgnoredUsers {
    /// The users of an `m.ignored_user_list`; what is not one is passed over.
    pub fn parse(content: &str) -> Self {
        #[derive(Deserialize)]
        struct Content {
            ignored_users: HashMap<String, serde_json::Value>,
        }
        let content: Result<Content, _> = serde_json::from_str(content);
        let users = content.map(|content| content.ignored_users).unwrap_or_default();
        Self(users.into_keys().take(IGNORED_MAX).filter_map(|user| UserId::parse(user).ok()).collect())
    }

    /// Whether nobody is ignored.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &OwnedUserId> {
        self.0.iter()
    }

    /// Whether nothing of a user is to be told: typing, receipts, presence, invitations, notifications.
    pub fn contains(&self, user: &UserId) -> bool {
        !self.0.is_empty() && self.0.contains(user)
    }

    /// Whether an event is not to be told. State is: without it the reader would have a wrong picture of the room.
    pub fn hides(&self, event: &Event) -> bool {
        !event.is_state() && self.contains(&event.sender)
    }
}

/// The lists that were read lately.
pub(super) struct IgnoredCache(Cache<UserKey, (LanePos, Arc<IgnoredUsers>)>);

impl Default for IgnoredCache {
    fn default() -> Self {
        Self(Cache::new(LISTS_MAX))
    }
}

impl Users {
    /// Whom a user ignores. One read of one row as long as the list does not change.
    pub async fn load_ignored(&self, user: &UserId) -> Result<Arc<IgnoredUsers>, StorageError> {
        let key = UserKey::of(user);
        let row = (key, String::new(), IGNORED_USERS.to_owned());
        let Some(entry) = self.0.env.store.get::<AccountDataIndex>(&row).await? else { return Ok(Arc::default()) };
        if let Some((_, known)) = self.0.ignored.0.get(&key).filter(|(pos, _)| *pos == entry.pos) {
            return Ok(known);
        }
        let content = self.load_account_data(user, None, IGNORED_USERS).await?;
        let users = Arc::new(content.map(|content| IgnoredUsers::parse(content.get())).unwrap_or_default());
        // Changed between the two reads: what was read is newer than the position says, and is read again next time.
        self.0.ignored.0.insert(key, (entry.pos, users.clone()));
        Ok(users)
    }
}

#[cfg(test)]
#[path = "ignored_tests.rs"]
mod tests;
