//! What of a room goes into the one that replaces it (C-S API, "Room Upgrades").
//!
//! Until the room has power levels its creator may send everything, so they come late, and before the join rules: nobody
//! else gets in before the room is whole, however many commits that takes.

use hearth_protocol::RoomRules;
use hearth_storage::schema::users::Membership;
use ruma::{OwnedUserId, UserId};
use serde_json::{Map, Value};

use super::canonical_alias::{CANONICAL_ALIAS, keep_aliases};
use super::commands::Rooms;
use super::error::RoomError;
use super::first_events::{local, state_draft};
use super::membership::member_draft;
use super::pipeline::LocalDraft;
use super::stored_event::StoredEvent;
use super::view::RoomView;
use crate::users::LocalUser;

/// State that is taken over as it is.
const COPIED_KINDS: [&str; 7] = [
    "m.room.server_acl",
    "m.room.encryption",
    "m.room.name",
    "m.room.avatar",
    "m.room.topic",
    "m.room.guest_access",
    "m.room.history_visibility",
];
/// State with state keys that is taken over: the rooms of a space, and the spaces that a room is in.
const COPIED_LISTS: [&str; 2] = ["m.space.child", "m.space.parent"];
/// Entries of such a list.
const LIST_MAX: usize = 2_000;
/// Bans that are taken over.
const BANS_MAX: usize = 5_000;
/// The level of a creator where power levels name creators.
const CREATOR_LEVEL: i64 = 100;

impl Rooms {
    /// The events after the create event.
    pub(super) async fn list_successor_drafts(
        &self,
        user: &LocalUser,
        view: &RoomView,
        rules: &RoomRules,
        (creators, now): (&[OwnedUserId], u64),
    ) -> Result<Vec<LocalDraft>, RoomError> {
        let join = self.member_content(&user.user_id, Membership::Join, None).await?;
        let mut drafts = vec![local(member_draft(&user.user_id, &user.user_id, &join, now)?)];
        for kind in COPIED_KINDS {
            if let Some(content) = content_of(view, kind).await? {
                drafts.push(state_draft(user, kind, "", &Value::Object(content), now)?);
            }
        }
        for kind in COPIED_LISTS {
            for stored in view.list_state_of(kind).await?.into_iter().take(LIST_MAX) {
                drafts.extend(copy_list_entry(user, &stored, now)?);
            }
        }
        if let Some(content) = content_of(view, CANONICAL_ALIAS).await? {
            // Only what will lead to the new room: the aliases of this server move.
            let moving = self.list_aliases(&view.room.room_id).await?;
            let content = keep_aliases(content, |alias| moving.iter().any(|moving| moving.as_str() == alias));
            if let Some(content) = content {
                drafts.push(state_draft(user, CANONICAL_ALIAS, "", &Value::Object(content), now)?);
            }
        }
        for banned in view.list_users(Membership::Ban).into_iter().take(BANS_MAX) {
            drafts.extend(copy_ban(user, view, &banned, now).await?);
        }
        let levels = successor_levels(user, view, rules, creators).await?;
        drafts.push(state_draft(user, "m.room.power_levels", "", &Value::Object(levels), now)?);
        if let Some(content) = content_of(view, "m.room.join_rules").await? {
            drafts.push(state_draft(user, "m.room.join_rules", "", &Value::Object(content), now)?);
        }
        Ok(drafts)
    }
}

async fn content_of(view: &RoomView, kind: &str) -> Result<Option<Map<String, Value>>, RoomError> {
    let event = view.state_event(kind, "").await?;
    let content = event.and_then(|event| event.event.content_as::<Map<String, Value>>().ok());
    Ok(content.filter(|content| !content.is_empty()))
}

/// An entry without servers is one that was taken out.
fn copy_list_entry(user: &LocalUser, stored: &StoredEvent, now: u64) -> Result<Option<LocalDraft>, RoomError> {
    let content = stored.event.content_as::<Map<String, Value>>().unwrap_or_default();
    let is_entry = content.get("via").and_then(Value::as_array).is_some_and(|via| !via.is_empty());
    match stored.event.state_key.as_deref().filter(|_| is_entry) {
        Some(key) => state_draft(user, &stored.event.kind, key, &Value::Object(content), now).map(Some),
        None => Ok(None),
    }
}

async fn copy_ban(
    user: &LocalUser,
    view: &RoomView,
    banned: &UserId,
    now: u64,
) -> Result<Option<LocalDraft>, RoomError> {
    let Some(old) = view.state_event("m.room.member", banned.as_str()).await? else { return Ok(None) };
    let old = old.event.content_as::<Map<String, Value>>().unwrap_or_default();
    let mut content = Map::new();
    content.insert("membership".to_owned(), Membership::Ban.as_str().into());
    if let Some(reason) = old.get("reason").filter(|reason| reason.is_string()) {
        content.insert("reason".to_owned(), reason.clone());
    }
    Ok(Some(local(member_draft(&user.user_id, banned, &content, now)?)))
}

/// The old power levels as the new version wants them: creators are named where it has no other word for them, and not
/// named where it has (room version 12).
async fn successor_levels(
    user: &LocalUser,
    view: &RoomView,
    rules: &RoomRules,
    creators: &[OwnedUserId],
) -> Result<Map<String, Value>, RoomError> {
    let authorization = &rules.ruma.authorization;
    let mut levels = content_of(view, "m.room.power_levels").await?;
    let had_levels = levels.is_some();
    let mut content = levels.take().unwrap_or_default();
    if authorization.integer_power_levels {
        make_integers(&mut content);
    }
    let mut users = match content.remove("users") {
        Some(Value::Object(users)) => users,
        _ => Map::new(),
    };
    if authorization.explicitly_privilege_room_creators {
        users.remove(user.user_id.as_str());
        for creator in creators {
            users.remove(creator.as_str());
        }
    } else {
        let old = view.power_levels().await?.ok_or(RoomError::UnknownRoom)?;
        let named = old.infinite_users().map(ToString::to_string);
        let own = (!had_levels).then(|| user.user_id.to_string());
        for creator in named.chain(own) {
            users.insert(creator, CREATOR_LEVEL.into());
        }
    }
    content.insert("users".to_owned(), Value::Object(users));
    Ok(content)
}

/// Older versions let levels be texts; since version 10 they are numbers.
fn make_integers(content: &mut Map<String, Value>) {
    for value in content.values_mut() {
        match value {
            Value::String(text) => {
                if let Ok(level) = text.trim().parse::<i64>() {
                    *value = level.into();
                }
            }
            Value::Number(number) if number.is_f64() => {
                // Before room version 6 a level could have a fraction, which counted for nothing.
                #[expect(clippy::cast_possible_truncation, reason = "levels are small, and saturate otherwise")]
                let level = number.as_f64().unwrap_or(0.0) as i64;
                *value = level.into();
            }
            Value::Object(inner) => make_integers(inner),
            _ => {}
        }
    }
}
