//! Making a room: all its first events in one submission (C-S API, `POST /createRoom`).

use hearth_protocol::{EventDraft, Placement, RoomRules, UnsignedEvent, build_event, random_string, rules_of};
use ruma::{OwnedRoomAliasId, OwnedRoomId, OwnedUserId, RoomId, RoomVersionId};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::canonical_alias::{CANONICAL_ALIAS, list_named};
use super::commands::Rooms;
use super::error::RoomError;
use super::first_events::create_content;
use super::membership::raw;
use super::pipeline::{LocalDraft, Submission};
use crate::users::LocalUser;

/// Events of the first commit; invites beyond it follow in commits of their own.
pub(super) const FIRST_EVENTS_MAX: usize = 48;
/// Events of `initial_state` that are taken.
const INITIAL_STATE_MAX: usize = 36;
/// Users that are invited at once.
const INVITES_MAX: usize = 500;
/// Rooms that one user makes in one millisecond.
pub(super) const SAME_TIME_MAX: u64 = 100;
/// Length of the random part of a room id (room versions 1 to 11).
const ROOM_ID_LENGTH: usize = 18;

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
    /// The local part of an alias that it gets.
    pub alias_localpart: Option<String>,
    /// Whether it stands in the directory.
    pub is_listed: bool,
}

impl Rooms {
    /// Makes a room with its creator in it.
    ///
    /// # Errors
    /// When the version is unknown, an invited user lets nobody invite them, or what was asked for makes no valid room; nothing is made then.
    pub async fn create(&self, user: &LocalUser, mut request: CreateRoom) -> Result<OwnedRoomId, RoomError> {
        check_sizes(&request)?;
        let version = request.version.clone().unwrap_or_else(|| self.inner().config.default_version.clone());
        let rules = rules_of(&version).ok_or(RoomError::UnsupportedVersion)?;
        let alias = request.alias_localpart.as_deref().map(|localpart| self.build_alias(localpart)).transpose()?;
        check_initial_alias(&request, alias.as_ref())?;
        if self.inner().users.any_blocks_invites(&request.invite).await? {
            return Err(RoomError::InviteBlocked);
        }
        let content = create_content(user, rules, &mut request);
        for _ in 0..SAME_TIME_MAX {
            let (create, now) = self.build_create(user, rules, &content).await?;
            let room_id = create.event.room_id.clone();
            if request.is_listed {
                self.check_may_list(user, &room_id, alias.as_slice())?;
            }
            let (drafts, later) = self.list_first_drafts(user, rules, &request, (alias.as_deref(), now)).await?;
            if let Some(alias) = &alias {
                self.reserve_alias(user, alias, &room_id).await.map_err(as_room_in_use)?;
            }
            let create = Submission::Create { rules, create: Box::new(create), drafts };
            if let Err(error) = self.submit(&room_id, create).await.map_err(as_room_state) {
                if let Some(alias) = &alias {
                    self.release_alias(alias, &room_id).await;
                }
                match error {
                    // Another request of the same millisecond was faster.
                    RoomError::RoomExists => continue,
                    error => return Err(error),
                }
            }
            if request.is_listed {
                self.put_listed(user, &room_id, true).await?;
            }
            self.send_later(&room_id, later).await?;
            return Ok(room_id);
        }
        Err(RoomError::Overloaded)
    }

    /// The create event, and the time of the room's first events. Where its hash is the room's id, two rooms made by
    /// one user in one millisecond would be the same: the second one is made a little later.
    pub(super) async fn build_create(
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

    pub(super) async fn send_later(&self, room: &RoomId, mut later: Vec<LocalDraft>) -> Result<(), RoomError> {
        while !later.is_empty() {
            let rest = later.split_off(later.len().min(FIRST_EVENTS_MAX));
            self.submit(room, Submission::Local(std::mem::replace(&mut later, rest))).await.map_err(as_room_state)?;
        }
        Ok(())
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

/// A canonical alias among the initial state has to be the one that the room gets.
fn check_initial_alias(request: &CreateRoom, alias: Option<&OwnedRoomAliasId>) -> Result<(), RoomError> {
    for event in request.initial_state.iter().filter(|event| event.kind == CANONICAL_ALIAS) {
        if list_named(&event.content)?.iter().any(|named| Some(named) != alias) {
            return Err(RoomError::BadAlias);
        }
    }
    Ok(())
}

/// To who makes a room, an alias that is taken is a room that is there already.
fn as_room_in_use(error: RoomError) -> RoomError {
    match error {
        RoomError::AliasInUse => RoomError::RoomInUse,
        other => other,
    }
}

/// The rules refuse what `createRoom` was asked for: to the client that is an invalid room, not a forbidden one.
pub(super) fn as_room_state(error: RoomError) -> RoomError {
    match error {
        RoomError::Refused(rejection) => RoomError::InvalidRoomState(rejection.to_string()),
        other => other,
    }
}
