//! The reader's own settings that shape an answer: push rules and ignored users. Read once, and again when account data changes.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use hearth_protocol::LanePos;
use hearth_storage::StorageError;
use ruma::push::Ruleset;
use ruma::{OwnedUserId, UserId};
use serde::Deserialize;

use super::hub::Hub;
use super::sessions::Session;
use super::token::Positions;
use crate::users::{LocalUser, Users};

/// Ignored users that are heeded.
const IGNORED_MAX: usize = 10_000;

/// A reader's settings.
pub struct Personal {
    /// When something notifies them.
    pub push_rules: Ruleset,
    ignored: HashSet<OwnedUserId>,
    /// What had been applied in the user's lane when they were read.
    read_at: LanePos,
}

impl Personal {
    /// The settings, from the session where they are as new as `to`.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn load(
        hub: &Hub,
        users: &Users,
        session: &Session,
        who: &LocalUser,
        to: &Positions,
    ) -> Result<Arc<Self>, StorageError> {
        if let Some(known) = session.personal()
            && !hub.account_changed(who.key, known.read_at)
        {
            return Ok(known);
        }
        let read_at = to.of(hub.lane_of_user(who.key));
        let push_rules = users.load_push_rules(&who.user_id).await?;
        let ignored = users.load_account_data(&who.user_id, None, "m.ignored_user_list").await?;
        let ignored = ignored.map(|content| parse_ignored(content.get())).unwrap_or_default();
        let personal = Arc::new(Self { push_rules, ignored, read_at });
        session.keep_personal(personal.clone());
        Ok(personal)
    }

    /// Whether the reader does not want to hear of a user.
    pub fn ignores(&self, user: &UserId) -> bool {
        !self.ignored.is_empty() && self.ignored.contains(user)
    }
}

/// The users of an `m.ignored_user_list`; what is not one is passed over.
fn parse_ignored(content: &str) -> HashSet<OwnedUserId> {
    #[derive(Deserialize)]
    struct Content {
        ignored_users: HashMap<String, serde_json::Value>,
    }
    let content: Result<Content, _> = serde_json::from_str(content);
    let users = content.map(|content| content.ignored_users).unwrap_or_default();
    users.into_keys().take(IGNORED_MAX).filter_map(|user| UserId::parse(user).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::parse_ignored;

    #[test]
    fn only_users_are_ignored() {
        let found = parse_ignored(r#"{"ignored_users":{"@a:b":{},"nobody":{},"@c:d":5}}"#);
        assert_eq!(found.len(), 2);
        assert!(parse_ignored(r#"{"ignored_users":["@a:b"]}"#).is_empty());
        assert!(parse_ignored("{}").is_empty());
    }
}
