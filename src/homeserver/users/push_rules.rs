//! A user's push rules (C-S API, "Push Rules"): account data of the type `m.push_rules`, with endpoints of its own.
//!
//! What is stored is brought up to date with the server's default rules when it is read, so that a new default rule
//! reaches everybody.

use hearth_protocol::default_rules;
use hearth_storage::StorageError;
use ruma::push::{
    Action, AnyPushRuleRef, InsertPushRuleError, NewPushRule, PushCondition, RemovePushRuleError, RuleKind, Ruleset,
};
use ruma::{UserId, events::push_rules::PushRulesEventContent};
use serde::Serialize;
use serde_json::{Map, Value};
use thiserror::Error;

use super::account_data::{AccountDataError, Edit};
use super::error::StoreFailure;
use super::handle::Users;
use super::local_user::LocalUser;

/// The type of account data that holds the rules.
pub(super) const PUSH_RULES: &str = "m.push_rules";
/// All kinds of rules, in the order in which they are tried.
const KINDS: [&str; 5] = ["override", "content", "room", "sender", "underride"];
/// The longest id of a rule, in bytes.
pub const RULE_ID_BYTES_MAX: usize = 300;
/// The longest rule besides its id, in bytes of JSON.
pub const RULE_BYTES_MAX: usize = 1_024;

/// How many patterns with wildcards (`*`, `?`) all rules of a user may have together. Each is tried on each message that
/// the user is told, and takes as long as a hundred without; somebody could keep the server busy with them.
pub const WILDCARD_PATTERNS_MAX: usize = 64;

/// Why push rules were not changed.
#[derive(Debug, Error)]
pub enum PushRuleError {
    /// There is no such rule: `M_NOT_FOUND`.
    #[error("no such push rule")]
    Unknown,
    /// The rule that it should stand before or after does not exist: `M_UNKNOWN`.
    #[error("no such push rule to stand before or after")]
    UnknownNeighbour,
    /// The server's own rules can be switched off, but neither made nor deleted: `M_INVALID_PARAM`.
    #[error("this is a push rule of the server")]
    ServerDefault,
    /// `M_INVALID_PARAM`: the id begins with a dot, holds a slash or backslash, or is too long.
    #[error("not an id of a push rule")]
    Id,
    /// `M_INVALID_PARAM`: it cannot stand both after the one and before the other.
    #[error("the push rule cannot stand there")]
    Order,
    /// The rule has more than 1024 bytes: `M_TOO_LARGE`.
    #[error("the push rule is too long")]
    TooLarge,
    /// The user has as many rules as allowed: `M_RESOURCE_LIMIT_EXCEEDED`.
    #[error("there are too many push rules")]
    TooMany,
    /// The user has as many patterns with wildcards as allowed: `M_RESOURCE_LIMIT_EXCEEDED`.
    #[error("there are too many push rules with wildcards in their patterns")]
    TooManyWildcards,
    /// The account data that holds the rules.
    #[error(transparent)]
    AccountData(#[from] AccountDataError),
}

impl From<StorageError> for PushRuleError {
    fn from(error: StorageError) -> Self {
        Self::AccountData(StoreFailure::from(error).into())
    }
}

/// The content of `m.push_rules` for who never changed a rule.
pub(super) fn build_default_content(user: &UserId) -> String {
    encode(default_rules(user)).unwrap_or_else(|| "{\"global\":{}}".to_owned())
}

/// The content of `m.push_rules`.
pub(super) fn encode(rules: Ruleset) -> Option<String> {
    serde_json::to_string(&PushRulesJson::new(rules)).ok()
}

/// Push rules as clients expect them: with every kind, where ruma's type leaves out those that have no rules.
#[derive(Clone, Debug, Serialize)]
pub struct PushRulesJson {
    /// The rules by their kind, each a list.
    pub global: Map<String, Value>,
}

impl PushRulesJson {
    fn new(rules: Ruleset) -> Self {
        let written = serde_json::to_value(rules).unwrap_or_default();
        let mut global = Map::new();
        if let Value::Object(written) = written {
            global.extend(written);
        }
        for kind in KINDS {
            global.entry(kind).or_insert_with(|| Value::Array(Vec::new()));
        }
        Self { global }
    }
}

/// Stored content with the server's default rules as they are today.
pub(super) fn renew_content(user: &UserId, content: String) -> String {
    encode(decode(user, Some(&content))).unwrap_or(content)
}

/// The rules that stored content stands for, with the server's default rules as they are today.
pub(super) fn decode(user: &UserId, content: Option<&str>) -> Ruleset {
    let defaults = default_rules(user);
    let stored = content.and_then(|content| serde_json::from_str::<PushRulesEventContent>(content).ok());
    match stored {
        Some(stored) => {
            let mut rules = stored.global;
            rules.update_with_server_default(defaults);
            rules
        }
        None => defaults,
    }
}

impl Users {
    /// The push rules of a user.
    pub async fn load_push_rules(&self, user: &UserId) -> Result<Ruleset, StorageError> {
        let content = self.load_account_data(user, None, PUSH_RULES).await?;
        Ok(decode(user, content.as_ref().map(|content| content.get())))
    }

    /// The push rules of a user, as they are written for clients.
    pub async fn load_push_rules_json(&self, user: &UserId) -> Result<PushRulesJson, StorageError> {
        self.load_push_rules(user).await.map(PushRulesJson::new)
    }

    /// Makes or replaces a rule of the caller; `after` and `before` are ids of rules of the same kind.
    pub async fn set_push_rule(
        &self,
        user: &LocalUser,
        rule: NewPushRule,
        after: Option<&str>,
        before: Option<&str>,
    ) -> Result<(), PushRuleError> {
        if rule.rule_id().is_empty() || rule.rule_id().len() > RULE_ID_BYTES_MAX {
            return Err(PushRuleError::Id);
        }
        let rules_max = self.0.config.push_rules_max;
        self.edit_push_rules(user, |rules| {
            place(rules, &rule, after, before)?;
            let own = rules.iter().filter(|rule| !rule.is_server_default()).count();
            if own > rules_max {
                return Err(PushRuleError::TooMany);
            }
            if count_wildcard_patterns(rules) > WILDCARD_PATTERNS_MAX {
                return Err(PushRuleError::TooManyWildcards);
            }
            check_size(rules, &rule.kind(), rule.rule_id())
        })
        .await
    }

    /// Deletes a rule that the caller made.
    pub async fn delete_push_rule(
        &self,
        user: &LocalUser,
        kind: &RuleKind,
        rule_id: &str,
    ) -> Result<(), PushRuleError> {
        self.edit_push_rules(user, |rules| {
            rules.remove(kind.clone(), rule_id).map_err(|error| match error {
                RemovePushRuleError::ServerDefault => PushRuleError::ServerDefault,
                _ => PushRuleError::Unknown,
            })
        })
        .await
    }

    /// Switches a rule on or off.
    pub async fn set_push_rule_enabled(
        &self,
        user: &LocalUser,
        kind: &RuleKind,
        rule_id: &str,
        is_enabled: bool,
    ) -> Result<(), PushRuleError> {
        self.edit_push_rules(user, |rules| {
            rules.set_enabled(kind.clone(), rule_id, is_enabled).map_err(|_| PushRuleError::Unknown)
        })
        .await
    }

    /// Changes what a rule does.
    pub async fn set_push_rule_actions(
        &self,
        user: &LocalUser,
        kind: &RuleKind,
        rule_id: &str,
        actions: Vec<Action>,
    ) -> Result<(), PushRuleError> {
        self.edit_push_rules(user, |rules| {
            rules.set_actions(kind.clone(), rule_id, actions.clone()).map_err(|_| PushRuleError::Unknown)?;
            check_size(rules, kind, rule_id)
        })
        .await
    }

    async fn edit_push_rules(
        &self,
        user: &LocalUser,
        edit: impl Fn(&mut Ruleset) -> Result<(), PushRuleError>,
    ) -> Result<(), PushRuleError> {
        self.edit_account_data(user.key, None, PUSH_RULES, |content| {
            let mut rules = decode(&user.user_id, content);
            edit(&mut rules)?;
            Ok(encode(rules).map_or(Edit::Keep, Edit::Set))
        })
        .await
    }
}

fn count_wildcard_patterns(rules: &Ruleset) -> usize {
    let is_wild = |pattern: &str| pattern.contains(['*', '?']);
    let in_conditions = |conditions: &[PushCondition]| {
        let is_wild =
            |condition: &&PushCondition| matches!(condition, PushCondition::EventMatch(data) if is_wild(&data.pattern));
        conditions.iter().filter(is_wild).count()
    };
    let own = rules.iter().filter(|rule| !rule.is_server_default());
    own.map(|rule| match rule {
        AnyPushRuleRef::Override(rule) | AnyPushRuleRef::Underride(rule) => in_conditions(&rule.conditions),
        AnyPushRuleRef::Content(rule) => usize::from(is_wild(&rule.pattern)),
        _ => 0,
    })
    .sum()
}

/// Puts a rule where it belongs. One that moves is taken out first: it may stand neither before nor after itself, and the
/// places of the others are to be those without it.
fn place(
    rules: &mut Ruleset,
    rule: &NewPushRule,
    after: Option<&str>,
    before: Option<&str>,
) -> Result<(), PushRuleError> {
    let (kind, id) = (rule.kind(), rule.rule_id());
    // ruma would look for the place behind itself, which is beyond the end, and panic.
    if after == Some(id) || before == Some(id) {
        return Err(PushRuleError::UnknownNeighbour);
    }
    let mut was_enabled = None;
    if after.is_some() || before.is_some() {
        let old = rules.get(kind.clone(), id).filter(|old| !old.is_server_default());
        was_enabled = old.map(AnyPushRuleRef::enabled);
        if was_enabled.is_some() {
            rules.remove(kind.clone(), id).map_err(|_| PushRuleError::ServerDefault)?;
        }
    }
    rules.insert(rule.clone(), after, before).map_err(|error| match error {
        InsertPushRuleError::ServerDefaultRuleId => PushRuleError::ServerDefault,
        InsertPushRuleError::InvalidRuleId => PushRuleError::Id,
        InsertPushRuleError::RelativeToServerDefaultRule | InsertPushRuleError::UnknownRuleId => {
            PushRuleError::UnknownNeighbour
        }
        _ => PushRuleError::Order,
    })?;
    match was_enabled {
        Some(is_enabled) => rules.set_enabled(kind, id, is_enabled).map_err(|_| PushRuleError::Unknown),
        None => Ok(()),
    }
}

/// A rule's JSON may be as long as the limit, besides its id.
fn check_size(rules: &Ruleset, kind: &RuleKind, rule_id: &str) -> Result<(), PushRuleError> {
    let json = match rules.get(kind.clone(), rule_id) {
        Some(AnyPushRuleRef::Override(rule) | AnyPushRuleRef::Underride(rule)) => serde_json::to_string(rule),
        Some(AnyPushRuleRef::Content(rule)) => serde_json::to_string(rule),
        Some(AnyPushRuleRef::Room(rule)) => serde_json::to_string(rule),
        Some(AnyPushRuleRef::Sender(rule)) => serde_json::to_string(rule),
        _ => return Err(PushRuleError::Unknown),
    };
    let is_short = json.is_ok_and(|json| json.len() <= RULE_BYTES_MAX + rule_id.len());
    if is_short { Ok(()) } else { Err(PushRuleError::TooLarge) }
}

#[cfg(test)]
#[path = "push_rules_tests.rs"]
mod tests;
