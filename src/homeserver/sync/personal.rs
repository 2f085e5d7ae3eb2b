//! The reader's own settings that shape an answer: push rules and ignored users. Read once, and again when account data changes.

use std::collections::HashSet;
use std::sync::Arc;

use hearth_protocol::{LanePos, UserKey, default_rules};
use hearth_storage::StorageError;
use ruma::UserId;
use ruma::push::Ruleset;

use super::hub::Hub;
use super::sessions::Session;
use super::token::Positions;
use crate::users::{IgnoredUsers, LocalUser, Users};

/// A reader's settings.
pub struct Personal {
    /// When something notifies them.
    pub push_rules: Ruleset,
    /// The rules are those of a user who never changed one.
    pub has_default_rules: bool,
    /// Whom they do not want to hear of.
    pub ignored: Arc<IgnoredUsers>,
    ignored_keys: HashSet<UserKey>,
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
        let has_default_rules = is_same(&push_rules, &default_rules(&who.user_id));
        let ignored = users.load_ignored(&who.user_id).await?;
        let personal = Arc::new(Self {
            push_rules,
            has_default_rules,
            ignored_keys: ignored.iter().map(|user| UserKey::of(user)).collect(),
            ignored,
            read_at,
        });
        session.keep_personal(personal.clone());
        Ok(personal)
    }

    /// The keys of the ignored users.
    pub fn ignored_keys(&self) -> &HashSet<UserKey> {
        &self.ignored_keys
    }

    /// Whether the reader does not want to hear of a user.
    pub fn ignores(&self, user: &UserId) -> bool {
        self.ignored.contains(user)
    }
}

/// Whether two sets of rules say the same; ruma compares rules by their names alone.
fn is_same(one: &Ruleset, other: &Ruleset) -> bool {
    matches!((serde_json::to_string(one), serde_json::to_string(other)), (Ok(one), Ok(other)) if one == other)
}
