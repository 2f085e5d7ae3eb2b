//! The content of a power levels event, field by field, as each room version reads it.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use ruma::{OwnedUserId, UserId, room_version_rules::AuthorizationRules};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::Rejection;

/// The largest power level in magnitude: what canonical JSON can hold.
const LEVEL_MAX: i64 = (1 << 53) - 1;

/// The properties of a power levels event that hold one level each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LevelField {
    /// The level of users that are not named.
    UsersDefault,
    /// The level needed for message events that are not named.
    EventsDefault,
    /// The level needed for state events that are not named.
    StateDefault,
    /// The level needed to ban.
    Ban,
    /// The level needed to redact other users' events.
    Redact,
    /// The level needed to remove a user.
    Kick,
    /// The level needed to invite.
    Invite,
}

impl LevelField {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::UsersDefault,
        Self::EventsDefault,
        Self::StateDefault,
        Self::Ban,
        Self::Redact,
        Self::Kick,
        Self::Invite,
    ];

    /// The name of the property.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::UsersDefault => "users_default",
            Self::EventsDefault => "events_default",
            Self::StateDefault => "state_default",
            Self::Ban => "ban",
            Self::Redact => "redact",
            Self::Kick => "kick",
            Self::Invite => "invite",
        }
    }

    /// The level when the property, or the whole event, is absent.
    #[must_use]
    pub fn default_level(self) -> i64 {
        match self {
            Self::UsersDefault | Self::EventsDefault | Self::Invite => 0,
            Self::StateDefault | Self::Ban | Self::Redact | Self::Kick => 50,
        }
    }
}

impl fmt::Display for LevelField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A property that cannot be read. It refuses what needs it, and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unreadable;

type Field<T> = Result<Option<T>, Unreadable>;

/// Parsed power levels.
#[derive(Debug, Clone)]
pub(crate) struct Levels {
    fields: [Field<i64>; 7],
    users: Field<BTreeMap<OwnedUserId, i64>>,
    events: Field<BTreeMap<String, i64>>,
    notifications: Field<BTreeMap<String, i64>>,
}

impl Levels {
    /// Reads the content of a power levels event.
    pub(crate) fn of(rules: &AuthorizationRules, content: &RawValue) -> Self {
        type Properties<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;
        let Ok(properties) = serde_json::from_str::<Properties<'_>>(content.get()) else {
            return Self {
                fields: [Err(Unreadable); 7],
                users: Err(Unreadable),
                events: Err(Unreadable),
                notifications: Err(Unreadable),
            };
        };
        let field = |field: LevelField| properties.get(field.name()).map(|raw| read_level(rules, raw)).transpose();
        Self {
            fields: LevelField::ALL.map(field),
            users: read_map(rules, properties.get("users").copied()),
            events: read_map(rules, properties.get("events").copied()),
            notifications: read_map(rules, properties.get("notifications").copied()),
        }
    }

    /// A property that holds one level; `None` when absent.
    pub(crate) fn field(&self, field: LevelField) -> Result<Option<i64>, Rejection> {
        self.fields[field as usize].map_err(|_| Rejection::PowerFieldMalformed(field))
    }

    /// The level of a user, named or not.
    pub(crate) fn user(&self, user: &UserId) -> Result<i64, Rejection> {
        match self.users()?.and_then(|users| users.get(user)) {
            Some(level) => Ok(*level),
            None => self.field_or_default(LevelField::UsersDefault),
        }
    }

    /// The level needed for a type of event, named or not.
    pub(crate) fn required(&self, kind: &str, is_state: bool) -> Result<i64, Rejection> {
        match self.events()?.and_then(|events| events.get(kind)) {
            Some(level) => Ok(*level),
            None => self.field_or_default(default_field(is_state)),
        }
    }

    /// A property that holds one level, or its default.
    pub(crate) fn field_or_default(&self, field: LevelField) -> Result<i64, Rejection> {
        Ok(self.field(field)?.unwrap_or_else(|| field.default_level()))
    }

    pub(crate) fn users(&self) -> Result<Option<&BTreeMap<OwnedUserId, i64>>, Rejection> {
        self.users.as_ref().map(Option::as_ref).map_err(|_| Rejection::PowerUsersMalformed)
    }

    pub(crate) fn events(&self) -> Result<Option<&BTreeMap<String, i64>>, Rejection> {
        self.events.as_ref().map(Option::as_ref).map_err(|_| Rejection::PowerMapMalformed)
    }

    pub(crate) fn notifications(&self) -> Result<Option<&BTreeMap<String, i64>>, Rejection> {
        self.notifications.as_ref().map(Option::as_ref).map_err(|_| Rejection::PowerMapMalformed)
    }
}

/// The property that holds for types of events that are not named.
pub(crate) fn default_field(is_state: bool) -> LevelField {
    if is_state { LevelField::StateDefault } else { LevelField::EventsDefault }
}

fn read_map<K: DeserializeOwned + Ord>(rules: &AuthorizationRules, raw: Option<&RawValue>) -> Field<BTreeMap<K, i64>> {
    let Some(raw) = raw else { return Ok(None) };
    serde_json::from_str::<BTreeMap<K, &RawValue>>(raw.get())
        .map_err(|_| Unreadable)?
        .into_iter()
        .map(|(key, raw)| Ok((key, read_level(rules, raw)?)))
        .collect::<Result<_, _>>()
        .map(Some)
}

/// Reads one level: an integer; up to version 9 also a string of one; and up to version 5, where JSON
/// is not canonical, any number, cut at the decimal point.
fn read_level(rules: &AuthorizationRules, raw: &RawValue) -> Result<i64, Unreadable> {
    let text = raw.get();
    if let Ok(level) = text.parse::<i64>()
        && (-LEVEL_MAX..=LEVEL_MAX).contains(&level)
    {
        return Ok(level);
    }
    if rules.integer_power_levels {
        return Err(Unreadable);
    }
    if text.starts_with('"') {
        return read_text(text);
    }
    if rules.strict_canonical_json {
        return Err(Unreadable);
    }
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && text != "inf" && text != "nan" => Ok(cut(number)),
        _ => Err(Unreadable),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "cutting at the decimal point is the rule")]
fn cut(number: f64) -> i64 {
    (number.trunc() as i64).clamp(-LEVEL_MAX, LEVEL_MAX)
}

/// Reads an integer in a string: spaces around it, one sign and leading zeros are allowed.
fn read_text(text: &str) -> Result<i64, Unreadable> {
    let text: Cow<'_, str> = serde_json::from_str(text).map_err(|_| Unreadable)?;
    match text.trim().parse::<i64>() {
        Ok(level) if (-LEVEL_MAX..=LEVEL_MAX).contains(&level) => Ok(level),
        _ => Err(Unreadable),
    }
}
