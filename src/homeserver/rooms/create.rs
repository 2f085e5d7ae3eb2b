//! Making a room: all its first events in one submission (C-S API, `POST /createRoom`).

use hearth_protocol::{EventDraft, Placement, RoomRules, UnsignedEvent, build_event, random_string, rules_of};
use hearth_storage::schema::users::Membership;
use ruma::{OwnedRoomId, OwnedUserId, RoomId, RoomVersionId};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::commands::Rooms;
use super::error::RoomError;
use super::membership::{member_draft, raw};
use super::pipeline::{LocalDraft, Submission};
use crate::users::LocalUser;

/// Events of the first commit; invites beyond it follow in commits of their own.
const FIRST_EVENTS_MAX: usize = 48;
/// Events of `initial_state` that are taken.
const INITIAL_STATE_MAX: usize = 36;
/// Users that are invited at once.
const INVITES_MAX: usize = 500;
/// Rooms that one user makes in one millisecond.
const SAME_TIME_MAX: u64 = 100;
/// Length of the random part of a room id (room versions 1 to 11).
const ROOM_ID_LENGTH: usize = 18;
/// Spec, room version 12: what the creator may do and nobody else, unless the power levels say so.
const TOMBSTONE_LEVEL_V12: i64 = 150;

/// A preset of `createRoom`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    PrivateChat,
    TrustedPrivateChat,
    PublicChat,
}

/// A state event that the room begins with.
pub struct InitialState {
    pub kind: String,
    pub state_key: String,
    pub content: Box<RawValue>,
}

/// What a room is to be.
pub struct CreateRoom {
    pub version: Option<RoomVersionId>,
    pub preset: Preset,
    pub name: Option<String>,
    pub topic: Option<String>,
    pub invite: Vec<OwnedUserId>,
    pub is_direct: bool,
    pub initial_state: Vec<InitialState>,
    pub creation_content: Map<String, Value>,
    pub power_levels: Option<Map<String, Value>>,
}

impl Rooms {
    /// Makes a room with its creator in it.
    ///
    /// # Errors
    /// When the version is unknown, or what was asked for makes no valid room; nothing is made then.
    pub async fn create(&self, user: &LocalUser, mut request: CreateRoom) -> Result<OwnedRoomId, RoomError> {
        check_sizes(&request)?;
        let version = request.version.clone().unwrap_or_else(|| self.inner().config.default_version.clone());
        let rules = rules_of(&version).ok_or(RoomError::UnsupportedVersion)?;
        let content = create_content(user, rules, &mut request);
        for _ in 0..SAME_TIME_MAX {
            let (create, now) = self.build_create(user, rules, &content).await?;
            let room_id = create.event.room_id.clone();
            let (drafts, later) = self.list_first_drafts(user, rules, &request, now).await?;
            let create = Submission::Create { rules, create: Box::new(create), drafts };
            match self.submit(&room_id, create).await.map_err(as_room_state) {
                Ok(_) => {}
                // Another request of the same millisecond was faster.
                Err(RoomError::RoomExists) => continue,
                Err(error) => return Err(error),
            }
            self.send_later(&room_id, later).await?;
            return Ok(room_id);
        }
        Err(RoomError::Overloaded)
    }

    /// The create event, and the time of the room's first events. Where its hash is the room's id, two rooms made by
    /// one user in one millisecond would be the same: the second one is made a little later.
    async fn build_create(
        &self,
        user: &LocalUser,
        rules: &'static RoomRules,
        content: &Map<String, Value>,
    ) -> Result<(UnsignedEvent, u64), RoomError> {
        let now = self.inner().env.clock.now().0;
        for later_ms in 0..SAME_TIME_MAX {
            let draft = EventDraft {
                kind: "m.room.create".to_owned(),
                state_key: Some(String::new()),
                sender: user.user_id.clone(),
                content: raw(content)?,
                redacts: None,
                origin_server_ts: now + later_ms,
            };
            let room_id = (!rules.room_id_is_create_hash).then(|| self.random_room_id()).transpose()?;
            let placement = Placement { room_id, prev_events: Vec::new(), auth_events: Vec::new(), depth: 1 };
            let create = build_event(rules, draft, placement)?;
            if self.load_view(&create.event.room_id).await?.is_none() {
                return Ok((create, now + later_ms));
            }
        }
        Err(RoomError::Overloaded)
    }

    fn random_room_id(&self) -> Result<OwnedRoomId, RoomError> {
        let env = &self.inner().env;
        let id = format!("!{}:{}", random_string(&*env.rng, ROOM_ID_LENGTH), env.server_name);
        RoomId::parse(id).map_err(|_| RoomError::Invalid("the server's name makes no room id"))
    }

    async fn send_later(&self, room: &RoomId, mut later: Vec<LocalDraft>) -> Result<(), RoomError> {
        while !later.is_empty() {
            let rest = later.split_off(later.len().min(FIRST_EVENTS_MAX));
            self.submit(room, Submission::Local(std::mem::replace(&mut later, rest))).await.map_err(as_room_state)?;
        }
        Ok(())
    }

    /// The events after the create event, in the order that the specification gives: those of the first commit, and the rest.
    async fn list_first_drafts(
        &self,
        user: &LocalUser,
        rules: &RoomRules,
        request: &CreateRoom,
        now: u64,
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

fn check_sizes(request: &CreateRoom) -> Result<(), RoomError> {
    if request.initial_state.len() > INITIAL_STATE_MAX {
        return Err(RoomError::Invalid("too many events in initial_state"));
    }
    if request.invite.len() > INVITES_MAX {
        return Err(RoomError::Invalid("too many invites"));
    }
    Ok(())
}

/// The rules refuse what `createRoom` was asked for: to the client that is an invalid room, not a forbidden one.
fn as_room_state(error: RoomError) -> RoomError {
    match error {
        RoomError::Refused(rejection) => RoomError::InvalidRoomState(rejection.to_string()),
        other => other,
    }
}

fn create_content(user: &LocalUser, rules: &RoomRules, request: &mut CreateRoom) -> Map<String, Value> {
    let mut content = std::mem::take(&mut request.creation_content);
    content.insert("room_version".to_owned(), rules.version.as_str().into());
    if rules.ruma.authorization.use_room_create_sender {
        content.remove("creator");
    } else {
        content.insert("creator".to_owned(), user.user_id.as_str().into());
    }
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

fn state_draft(
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

fn local(draft: EventDraft) -> LocalDraft {
    LocalDraft { draft, target: None, transaction: None }
}
