//! Power levels of a room: who may do what (client-server API, `m.room.power_levels`).

use std::{collections::BTreeMap, sync::Arc};

use ruma::{OwnedUserId, UserId, room_version_rules::AuthorizationRules};

use crate::{
    Event, RoomRules,
    auth::{CreateFacts, LevelField, Levels, Rejection, default_field},
};

/// The level of a creator of a room that has no power levels event, up to version 11.
const CREATOR_LEVEL: i64 = 100;

/// The level of a user. Levels compare with what is needed: `level >= 50`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum UserLevel {
    /// As the room says.
    Finite(i64),
    /// A creator's, since version 12.
    Infinite,
}

impl PartialEq<i64> for UserLevel {
    fn eq(&self, other: &i64) -> bool {
        *self == Self::Finite(*other)
    }
}

impl PartialOrd<i64> for UserLevel {
    fn partial_cmp(&self, other: &i64) -> Option<std::cmp::Ordering> {
        Some(self.cmp(&Self::Finite(*other)))
    }
}

/// The power levels of a room at some state.
///
/// A property that cannot be read counts as absent here; where the authorisation rules need it, they
/// refuse instead.
#[derive(Debug, Clone)]
pub struct PowerLevels {
    create: Arc<CreateFacts>,
    levels: Option<Arc<Levels>>,
    creators_infinite: bool,
}

impl PowerLevels {
    /// The power levels of a state that has these two events.
    pub fn from_state(rules: &RoomRules, create: &Event, levels: Option<&Event>) -> Self {
        let rules = &rules.ruma.authorization;
        Self::new(
            rules,
            Arc::new(CreateFacts::of(rules, create)),
            levels.map(|event| Arc::new(Levels::of(rules, &event.content))),
        )
    }

    pub(crate) fn new(rules: &AuthorizationRules, create: Arc<CreateFacts>, levels: Option<Arc<Levels>>) -> Self {
        let creators_infinite = rules.explicitly_privilege_room_creators;
        Self { create, levels, creators_infinite }
    }

    /// The level of a user.
    pub fn user_level(&self, user: &UserId) -> UserLevel {
        self.require_user(user)
            .or_else(|_| self.field_of_users_default())
            .unwrap_or(UserLevel::Finite(LevelField::UsersDefault.default_level()))
    }

    /// The level needed to send a type of event.
    pub fn required_for_event(&self, kind: &str, is_state: bool) -> i64 {
        self.require_event(kind, is_state).unwrap_or_else(|_| self.field(default_field(is_state)))
    }

    /// Whether a user has the level needed to send a type of event. The other rules (being in the
    /// room above all) are not looked at.
    pub fn may_send(&self, user: &UserId, kind: &str, is_state: bool) -> bool {
        self.user_level(user) >= self.required_for_event(kind, is_state)
    }

    /// The level needed to invite.
    pub fn invite(&self) -> i64 {
        self.field(LevelField::Invite)
    }

    /// The level needed to remove a user of a lower level.
    pub fn kick(&self) -> i64 {
        self.field(LevelField::Kick)
    }

    /// The level needed to ban a user of a lower level.
    pub fn ban(&self) -> i64 {
        self.field(LevelField::Ban)
    }

    /// The level needed to redact other users' events.
    pub fn redact(&self) -> i64 {
        self.field(LevelField::Redact)
    }

    /// The level of users that are not named.
    pub fn users_default(&self) -> i64 {
        self.field(LevelField::UsersDefault)
    }

    /// The level needed to trigger a kind of notification (`room`), 50 unless the room says other.
    pub fn notification(&self, key: &str) -> i64 {
        const DEFAULT: i64 = 50;
        let named = self.levels.as_ref().and_then(|levels| levels.notifications().ok().flatten());
        named.and_then(|levels| levels.get(key)).copied().unwrap_or(DEFAULT)
    }

    /// Users with a level of their own, and their levels; creators of version 12 are not among them.
    pub fn users(&self) -> BTreeMap<OwnedUserId, i64> {
        match &self.levels {
            Some(levels) => levels.users().ok().flatten().cloned().unwrap_or_default(),
            None if self.creators_infinite => BTreeMap::new(),
            None => self.create.creators().map(|user| (user.to_owned(), CREATOR_LEVEL)).collect(),
        }
    }

    /// The users whose level is infinite: none before version 12.
    pub fn infinite_users(&self) -> impl Iterator<Item = &UserId> {
        self.create.creators().filter(|_| self.creators_infinite)
    }

    fn field(&self, field: LevelField) -> i64 {
        self.require_field(field).unwrap_or_else(|_| field.default_level())
    }

    fn field_of_users_default(&self) -> Result<UserLevel, Rejection> {
        self.require_field(LevelField::UsersDefault).map(UserLevel::Finite)
    }

    pub(crate) fn levels(&self) -> Option<&Levels> {
        self.levels.as_deref()
    }

    pub(crate) fn require_user(&self, user: &UserId) -> Result<UserLevel, Rejection> {
        if self.creators_infinite && self.create.is_creator(user) {
            return Ok(UserLevel::Infinite);
        }
        let level = match &self.levels {
            Some(levels) => levels.user(user)?,
            None if self.create.is_creator(user) => CREATOR_LEVEL,
            None => LevelField::UsersDefault.default_level(),
        };
        Ok(UserLevel::Finite(level))
    }

    pub(crate) fn require_field(&self, field: LevelField) -> Result<i64, Rejection> {
        match &self.levels {
            Some(levels) => levels.field_or_default(field),
            None => Ok(field.default_level()),
        }
    }

    pub(crate) fn require_event(&self, kind: &str, is_state: bool) -> Result<i64, Rejection> {
        match &self.levels {
            Some(levels) => levels.required(kind, is_state),
            None => Ok(default_field(is_state).default_level()),
        }
    }
}

#[cfg(test)]
#[path = "power_tests.rs"]
mod tests;
