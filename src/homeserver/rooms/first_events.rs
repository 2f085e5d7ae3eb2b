//! The first events of a room, as `createRoom` asks for them (C-S API, `POST /createRoom`).

use hearth_protocol::{EventDraft, RoomRules};
use hearth_storage::schema::users::Membership;
use ruma::RoomAliasId;
use serde_json::{Map, Value, json};

use super::commands::Rooms;
use super::create::{CreateRoom, FIRST_EVENTS_MAX, InitialState, Preset};
use super::error::RoomError;
use super::membership::member_draft;
use super::pipeline::LocalDraft;
use crate::users::LocalUser;

/// Spec, room version 12: what the creator may do and nobody else, unless the power levels say so.
const TOMBSTONE_LEVEL_V12: i64 = 150;

impl Rooms {
    /// The events after the create event, in the order that the specification gives: those of the first commit, and the rest.
    pub(super) async fn list_first_drafts(
        &self,
        user: &LocalUser,
        rules: &RoomRules,
        request: &CreateRoom,
        (alias, now): (Option<&RoomAliasId>, u64),
    ) -> Result<(Vec<LocalDraft>, Vec<LocalDraft>), RoomError> {
        let state = |kind: &str, content: Value| state_draft(user, kind, "", &content, now);
        let given =
            |kind: &str| request.initial_state.iter().any(|event| event.kind == kind && event.state_key.is_empty());
        let join = self.member_content(&user.user_id, Membership::Join, None).await?;
        let mut drafts = vec![local(member_draft(&user.user_id, &user.user_id, &join, now)?)];
        if !given("m.room.power_levels") {
            drafts.push(state("m.room.power_levels", power_levels(user, rules, request))?);
        }
        for event in request
            .initial_state
            .iter()
            .filter(|event| event.kind == "m.room.power_levels" && event.state_key.is_empty())
        {
            drafts.push(initial_draft(user, event, now));
        }
        if let Some(alias) = alias {
            drafts.push(state("m.room.canonical_alias", json!({"alias": alias}))?);
        }
        let public = request.preset == Preset::PublicChat;
        if !given("m.room.join_rules") {
            drafts.push(state("m.room.join_rules", json!({"join_rule": if public { "public" } else { "invite" }}))?);
        }
        if !given("m.room.history_visibility") {
            drafts.push(state("m.room.history_visibility", json!({"history_visibility": "shared"}))?);
        }
        if !given("m.room.guest_access") && !public {
            drafts.push(state("m.room.guest_access", json!({"guest_access": "can_join"}))?);
        }
        for event in request
            .initial_state
            .iter()
            .filter(|event| event.kind != "m.room.power_levels" || !event.state_key.is_empty())
        {
            drafts.push(initial_draft(user, event, now));
        }
        if let Some(name) = &request.name {
            drafts.push(state("m.room.name", json!({"name": name}))?);
        }
        if let Some(topic) = &request.topic {
            drafts.push(state("m.room.topic", json!({"topic": topic, "m.topic": {"m.text": [{"body": topic}]}}))?);
        }
        for target in &request.invite {
            let mut content = self.member_content(target, Membership::Invite, None).await?;
            if request.is_direct {
                content.insert("is_direct".to_owned(), true.into());
            }
            drafts.push(local(member_draft(&user.user_id, target, &content, now)?));
        }
        let later = drafts.split_off(drafts.len().min(FIRST_EVENTS_MAX - 1));
        Ok((drafts, later))
    }
}

/// What every create event says of itself.
pub(super) fn name_version(user: &LocalUser, rules: &RoomRules, content: &mut Map<String, Value>) {
    content.insert("room_version".to_owned(), rules.version.as_str().into());
    if rules.ruma.authorization.use_room_create_sender {
        content.remove("creator");
    } else {
        content.insert("creator".to_owned(), user.user_id.as_str().into());
    }
}

pub(super) fn create_content(user: &LocalUser, rules: &RoomRules, request: &mut CreateRoom) -> Map<String, Value> {
    let mut content = std::mem::take(&mut request.creation_content);
    name_version(user, rules, &mut content);
    if rules.ruma.authorization.additional_room_creators && request.preset == Preset::TrustedPrivateChat {
        let mut creators: Vec<Value> =
            content.get("additional_creators").and_then(Value::as_array).cloned().unwrap_or_default();
        for invited in request.invite.iter().map(|user| Value::from(user.as_str())) {
            if !creators.contains(&invited) {
                creators.push(invited);
            }
        }
        content.insert("additional_creators".to_owned(), creators.into());
    }
    content
}

fn power_levels(user: &LocalUser, rules: &RoomRules, request: &CreateRoom) -> Value {
    let has_creators = rules.ruma.authorization.explicitly_privilege_room_creators;
    let mut users = Map::new();
    if !has_creators {
        users.insert(user.user_id.to_string(), 100.into());
        if request.preset == Preset::TrustedPrivateChat {
            users.extend(request.invite.iter().map(|user| (user.to_string(), 100.into())));
        }
    }
    let mut levels = json!({
        "users": users,
        "users_default": 0,
        "events": {
            "m.room.name": 50,
            "m.room.power_levels": 100,
            "m.room.history_visibility": 100,
            "m.room.canonical_alias": 50,
            "m.room.avatar": 50,
            "m.room.tombstone": if has_creators { TOMBSTONE_LEVEL_V12 } else { 100 },
            "m.room.server_acl": 100,
            "m.room.encryption": 100,
        },
        "events_default": 0,
        "state_default": 50,
        "ban": 50,
        "kick": 50,
        "redact": 50,
        "invite": if request.preset == Preset::PublicChat { 50 } else { 0 },
        "historical": 100,
    });
    if let (Some(changes), Some(levels)) = (&request.power_levels, levels.as_object_mut()) {
        levels.extend(changes.clone());
    }
    levels
}

pub(super) fn state_draft(
    user: &LocalUser,
    kind: &str,
    state_key: &str,
    content: &Value,
    now: u64,
) -> Result<LocalDraft, RoomError> {
    let content = serde_json::value::to_raw_value(content)
        .map_err(|_| RoomError::Invalid("the content cannot be written as JSON"))?;
    Ok(initial_draft(user, &InitialState { kind: kind.to_owned(), state_key: state_key.to_owned(), content }, now))
}

fn initial_draft(user: &LocalUser, event: &InitialState, now: u64) -> LocalDraft {
    local(EventDraft {
        kind: event.kind.clone(),
        state_key: Some(event.state_key.clone()),
        sender: user.user_id.clone(),
        content: event.content.clone(),
        redacts: None,
        origin_server_ts: now,
    })
}

pub(super) fn local(draft: EventDraft) -> LocalDraft {
    LocalDraft { draft, target: None, transaction: None }
}
