//! Whom a user does not want to hear of (C-S API, "Ignoring Users").

use std::collections::{HashMap, HashSet};

use hearth_storage::StorageError;
use ruma::{OwnedUserId, UserId};
use serde::Deserialize;

use super::handle::Users;

/// Ignored users that are heeded.
const IGNORED_MAX: usize = 10_000;

/// The users that somebody ignores.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IgnoredUsers(HashSet<OwnedUserId>);

impl IgnoredUsers {
    /// The users of an `m.ignored_user_list`; what is not one is passed over.
    fn parse(content: &str) -> Self {
        #[derive(Deserialize)]
        struct Content {
            ignored_users: HashMap<String, serde_json::Value>,
        }
        let content: Result<Content, _> = serde_json::from_str(content);
        let users = content.map(|content| content.ignored_users).unwrap_or_default();
        Self(users.into_keys().take(IGNORED_MAX).filter_map(|user| UserId::parse(user).ok()).collect())
    }

    /// Whether nothing is to be heard of a user.
    #[must_use]
    pub fn contains(&self, user: &UserId) -> bool {
        !self.0.is_empty() && self.0.contains(user)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &OwnedUserId> {
        self.0.iter()
    }
}

impl Users {
    /// Whom a user ignores.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn load_ignored(&self, user: &UserId) -> Result<IgnoredUsers, StorageError> {
        let content = self.load_account_data(user, None, "m.ignored_user_list").await?;
        Ok(content.map(|content| IgnoredUsers::parse(content.get())).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::IgnoredUsers;

    #[test]
    fn only_users_are_ignored() {
        let found = IgnoredUsers::parse(r#"{"ignored_users":{"@a:b":{},"nobody":{},"@c:d":5}}"#);
        assert_eq!(found.iter().count(), 2);
        assert_eq!(IgnoredUsers::parse(r#"{"ignored_users":["@a:b"]}"#), IgnoredUsers::default());
        assert_eq!(IgnoredUsers::parse("{}"), IgnoredUsers::default());
    }
}
