//! The aliases that a room shows of itself, `m.room.canonical_alias`: only such as lead to the room.

use hearth_storage::schema::directory::RoomAliases;
use ruma::{OwnedRoomAliasId, RoomAliasId, RoomId};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::commands::{NewEvent, Rooms};
use super::error::RoomError;
use super::view::RoomView;
use crate::users::LocalUser;

/// The type of the event.
pub(super) const CANONICAL_ALIAS: &str = "m.room.canonical_alias";
/// Aliases that one event may name.
const NAMED_ALIASES_MAX: usize = 100;

impl Rooms {
    /// Refuses an event that newly names an alias that is none, or leads elsewhere (C-S API,
    /// `PUT /rooms/{roomId}/state/{eventType}/{stateKey}`, `M_BAD_ALIAS`). What the room names already may stay.
    pub(super) async fn check_canonical_alias(&self, room: &RoomId, content: &RawValue) -> Result<(), RoomError> {
        let named = list_named(content)?;
        if named.is_empty() {
            return Ok(());
        }
        let view = self.require_view(room).await?;
        let old = view.state_event(CANONICAL_ALIAS, "").await?;
        let old = old.and_then(|old| list_named(&old.event.content).ok()).unwrap_or_default();
        let fresh: Vec<_> = named.into_iter().filter(|alias| !old.contains(alias)).collect();
        let rows = self.inner().env.store.multi_get::<RoomAliases>(&fresh).await?;
        let leads_here = rows.iter().all(|row| row.as_ref().is_some_and(|row| row.room_id == room.as_str()));
        if leads_here { Ok(()) } else { Err(RoomError::BadAlias) }
    }

    /// Takes a deleted alias out of the room's canonical alias, where the user may: the alias is gone in any case.
    pub(super) async fn drop_from_canonical_alias(&self, user: &LocalUser, view: &RoomView, alias: &RoomAliasId) {
        let room = &view.room.room_id;
        let content = match view.state_event(CANONICAL_ALIAS, "").await {
            Ok(Some(event)) => event.event.content_as::<Map<String, Value>>().ok(),
            Ok(None) => None,
            Err(error) => return tracing::warn!(%room, %error, "the canonical alias cannot be read"),
        };
        let Some(content) = content.and_then(|content| without_alias(content, alias)) else { return };
        self.set_canonical_alias(user, room, &content).await;
    }

    /// Sends a canonical alias; a room that does not let the user do so keeps the old one.
    pub(super) async fn set_canonical_alias(&self, user: &LocalUser, room: &RoomId, content: &Map<String, Value>) {
        let Ok(content) = super::membership::raw(content) else { return };
        let event = NewEvent {
            kind: CANONICAL_ALIAS.to_owned(),
            state_key: Some(String::new()),
            content,
            redacts: None,
            txn_id: None,
            timestamp: None,
        };
        match self.send(user, room, event).await {
            Ok(_) | Err(RoomError::Refused(_) | RoomError::Forbidden(_)) => {}
            Err(error) => tracing::warn!(%room, %error, "the canonical alias is not up to date"),
        }
    }
}

/// All aliases that a content names.
pub(super) fn list_named(content: &RawValue) -> Result<Vec<OwnedRoomAliasId>, RoomError> {
    const INVALID: RoomError = RoomError::Invalid("alias and alt_aliases hold room aliases");
    let content: Map<String, Value> = serde_json::from_str(content.get()).map_err(|_| INVALID)?;
    let mut named = Vec::new();
    match content.get("alias") {
        None | Some(Value::Null) => {}
        // Some clients empty the field instead of taking it out.
        Some(Value::String(alias)) if alias.is_empty() => {}
        Some(alias) => named.push(parse_alias(alias).ok_or(INVALID)?),
    }
    match content.get("alt_aliases") {
        None | Some(Value::Null) => {}
        Some(Value::Array(aliases)) if aliases.len() <= NAMED_ALIASES_MAX => {
            for alias in aliases {
                named.push(parse_alias(alias).ok_or(INVALID)?);
            }
        }
        Some(_) => return Err(INVALID),
    }
    Ok(named)
}

fn parse_alias(value: &Value) -> Option<OwnedRoomAliasId> {
    OwnedRoomAliasId::try_from(value.as_str()?).ok()
}

/// The content without an alias; none when it does not name it.
fn without_alias(mut content: Map<String, Value>, alias: &RoomAliasId) -> Option<Map<String, Value>> {
    let is_it = |value: &Value| value.as_str() == Some(alias.as_str());
    let mut changed = false;
    if content.get("alias").is_some_and(is_it) {
        content.remove("alias");
        changed = true;
    }
    if let Some(Value::Array(aliases)) = content.get_mut("alt_aliases") {
        let before = aliases.len();
        aliases.retain(|value| !is_it(value));
        changed = changed || aliases.len() != before;
        if aliases.is_empty() {
            content.remove("alt_aliases");
        }
    }
    changed.then_some(content)
}

/// What is left of a content when only some aliases are kept.
pub(super) fn keep_aliases(
    mut content: Map<String, Value>,
    is_kept: impl Fn(&str) -> bool,
) -> Option<Map<String, Value>> {
    let keep = |value: &Value| value.as_str().is_some_and(&is_kept);
    content.retain(|key, value| match (key.as_str(), value) {
        ("alias", value) => keep(value),
        ("alt_aliases", Value::Array(aliases)) => {
            aliases.retain(keep);
            !aliases.is_empty()
        }
        ("alt_aliases", _) => false,
        _ => true,
    });
    (content.contains_key("alias") || content.contains_key("alt_aliases")).then_some(content)
}
