//! Replacing a room by one of another version (C-S API, "Room Upgrades").
//!
//! The new room is made first, whole; then the old one says so, and names and place in the directory move along. Which
//! room replaces which is written down before: who asks again, after an answer that was lost or a crash, goes on where
//! it broke off, and gets the same room.

use hearth_protocol::{RoomKey, RoomRules, rules_of};
use hearth_storage::CommitError;
use hearth_storage::schema::directory::{RoomUpgrade, RoomUpgrades};
use hearth_storage::schema::users::Membership;
use ruma::{OwnedRoomId, OwnedUserId, RoomId, RoomVersionId, UserId};
use serde_json::{Map, Value, json};

use super::commands::{NewEvent, Rooms};
use super::create::{FIRST_EVENTS_MAX, SAME_TIME_MAX, as_room_state};
use super::error::RoomError;
use super::first_events::name_version;
use super::membership::raw;
use super::pipeline::Submission;
use super::view::RoomView;
use crate::users::LocalUser;

/// Users who can be made creators beside the one who upgrades.
const ADDITIONAL_CREATORS_MAX: usize = 100;
/// The level that writing and inviting in a replaced room needs at least.
const REPLACED_LEVEL_MIN: i64 = 50;

/// What an upgrade is to make.
pub struct UpgradeRoom {
    /// The version of the new room.
    pub version: RoomVersionId,
    /// Who becomes a creator beside the user, where the version knows of that.
    pub additional_creators: Vec<OwnedUserId>,
}

impl Rooms {
    /// Replaces a room by a new one, and gives that one. May be repeated: the same user gets the same room.
    ///
    /// # Errors
    /// When the version is unknown, or the user may not send `m.room.tombstone`; nothing is made then.
    pub async fn upgrade(
        &self,
        user: &LocalUser,
        room: &RoomId,
        request: &UpgradeRoom,
    ) -> Result<OwnedRoomId, RoomError> {
        let rules = rules_of(&request.version).ok_or(RoomError::UnsupportedVersion)?;
        if request.additional_creators.len() > ADDITIONAL_CREATORS_MAX {
            return Err(RoomError::Invalid("too many additional creators"));
        }
        let view = self.require_view(room).await?;
        if view.membership(&user.user_id) != Some(Membership::Join) {
            return Err(RoomError::UnknownRoom);
        }
        let new_room = match self.load_begun(user, &view, rules).await? {
            Some(begun) => self.resume_successor(user, &view, rules, begun).await?,
            None => {
                let levels = view.power_levels().await?.ok_or(RoomError::UnknownRoom)?;
                if !levels.may_send(&user.user_id, "m.room.tombstone", true) {
                    return Err(RoomError::Forbidden("upgrading needs the power to send m.room.tombstone".to_owned()));
                }
                self.make_successor(user, &view, rules, &request.additional_creators).await?
            }
        };
        self.close_old_room(user, &view, &new_room).await?;
        Ok(new_room)
    }

    /// The room that an earlier request of the same user made in place of this one.
    async fn load_begun(
        &self,
        user: &LocalUser,
        view: &RoomView,
        rules: &RoomRules,
    ) -> Result<Option<OwnedRoomId>, RoomError> {
        let row = self.inner().env.store.get::<RoomUpgrades>(&view.room.key).await?;
        let same = row.filter(|row| row.by == user.user_id.as_str() && row.version == rules.version.as_str());
        let Some(new_room) = same.and_then(|row| RoomId::parse(row.new_room_id).ok()) else { return Ok(None) };
        Ok(self.load_view(&new_room).await?.map(|_| new_room))
    }

    /// Adds what a room that was made lacks still. As long as the old room does not point to it nobody else is in it,
    /// and what is there already is not written again.
    async fn resume_successor(
        &self,
        user: &LocalUser,
        view: &RoomView,
        rules: &'static RoomRules,
        new_room: OwnedRoomId,
    ) -> Result<OwnedRoomId, RoomError> {
        if load_replacement(view).await?.as_ref() == Some(&new_room) {
            return Ok(new_room);
        }
        let new_view = self.require_view(&new_room).await?;
        let create = new_view.state_event("m.room.create", "").await?.ok_or(RoomError::UnknownRoom)?;
        let creators = additional_creators_of(&create.event);
        let now = self.inner().env.clock.now().0;
        let drafts = self.list_successor_drafts(user, view, rules, (&creators, now)).await?;
        self.send_later(&new_room, drafts).await?;
        Ok(new_room)
    }

    async fn make_successor(
        &self,
        user: &LocalUser,
        view: &RoomView,
        rules: &'static RoomRules,
        creators: &[OwnedUserId],
    ) -> Result<OwnedRoomId, RoomError> {
        let content = self.successor_create_content(user, view, rules, creators).await?;
        for _ in 0..SAME_TIME_MAX {
            let (create, now) = self.build_create(user, rules, &content).await?;
            let new_room = create.event.room_id.clone();
            let mut drafts = self.list_successor_drafts(user, view, rules, (creators, now)).await?;
            let later = drafts.split_off(drafts.len().min(FIRST_EVENTS_MAX - 1));
            self.record_upgrade(user, view.room.key, &new_room, rules).await?;
            let create = Submission::Create { rules, create: Box::new(create), drafts };
            match self.submit(&new_room, create).await.map_err(as_room_state) {
                Ok(_) => {}
                Err(RoomError::RoomExists) => continue,
                Err(error) => return Err(error),
            }
            self.send_later(&new_room, later).await?;
            return Ok(new_room);
        }
        Err(RoomError::Overloaded)
    }

    async fn record_upgrade(
        &self,
        user: &LocalUser,
        old: RoomKey,
        new_room: &RoomId,
        rules: &RoomRules,
    ) -> Result<(), RoomError> {
        let store = &self.inner().env.store;
        let row = RoomUpgrade {
            new_room_id: new_room.to_string(),
            version: rules.version.to_string(),
            by: user.user_id.to_string(),
            at_ms: self.inner().env.clock.now().0,
        };
        let mut txn = store.txn();
        match store.get::<RoomUpgrades>(&old).await? {
            Some(earlier) => drop(txn.assert_eq::<RoomUpgrades>(&old, &earlier)),
            None => drop(txn.assert_absent::<RoomUpgrades>(&old)),
        }
        txn.put::<RoomUpgrades>(&old, &row);
        match store.commit(txn).await {
            Ok(_) => Ok(()),
            // Another request upgrades the room at this moment; repeated, this one finds its outcome.
            Err(CommitError::Conflict { .. }) => Err(RoomError::Overloaded),
            Err(error) => Err(error.into()),
        }
    }

    async fn successor_create_content(
        &self,
        user: &LocalUser,
        view: &RoomView,
        rules: &RoomRules,
        creators: &[OwnedUserId],
    ) -> Result<Map<String, Value>, RoomError> {
        let old = view.state_event("m.room.create", "").await?;
        let old: Map<String, Value> = old.and_then(|old| old.event.content_as().ok()).unwrap_or_default();
        let mut content = Map::new();
        for field in ["type", "m.federate"] {
            if let Some(value) = old.get(field) {
                content.insert(field.to_owned(), value.clone());
            }
        }
        name_version(user, rules, &mut content);
        let authorization = &rules.ruma.authorization;
        let mut predecessor = json!({ "room_id": view.room.room_id });
        if !authorization.room_create_event_id_as_room_id {
            let newest = view.room.head.extremities.iter().max_by_key(|end| end.depth);
            predecessor["event_id"] = newest.map_or(Value::Null, |end| end.event_id.as_str().into());
        }
        content.insert("predecessor".to_owned(), predecessor);
        if authorization.additional_room_creators && !creators.is_empty() {
            content.insert("additional_creators".to_owned(), json!(creators));
        }
        Ok(content)
    }

    /// Tells the old room what replaces it, and lets names and the place in the directory follow.
    async fn close_old_room(&self, user: &LocalUser, view: &RoomView, new_room: &RoomId) -> Result<(), RoomError> {
        let old_room = &view.room.room_id;
        let tombstone = json!({ "body": "This room has been replaced", "replacement_room": new_room });
        self.send(user, old_room, state_event("m.room.tombstone", &tombstone)?).await?;
        self.move_aliases(old_room, new_room).await?;
        if view.state_event(super::canonical_alias::CANONICAL_ALIAS, "").await?.is_some() {
            self.set_canonical_alias(user, old_room, &Map::new()).await;
        }
        if self.is_listed(old_room).await? == Some(true) {
            self.put_listed(user, new_room, true).await?;
            self.put_listed(user, old_room, false).await?;
        }
        self.restrict_old_room(user, view).await
    }

    /// Keeps others from writing into the old room and inviting there, where the user may do so.
    async fn restrict_old_room(&self, user: &LocalUser, view: &RoomView) -> Result<(), RoomError> {
        let levels = view.state_event("m.room.power_levels", "").await?;
        let levels = levels.and_then(|levels| levels.event.content_as::<Map<String, Value>>().ok());
        let Some(levels) = levels.and_then(restricted_levels) else { return Ok(()) };
        let event = state_event("m.room.power_levels", &Value::Object(levels))?;
        match self.send(user, &view.room.room_id, event).await {
            Ok(_) | Err(RoomError::Refused(_) | RoomError::Forbidden(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

impl RoomView {
    /// The room that this one says it replaces.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn load_predecessor(&self) -> Result<Option<OwnedRoomId>, RoomError> {
        let create = self.state_event("m.room.create", "").await?;
        let content = create.and_then(|create| create.event.content_as::<Value>().ok());
        let id = content.and_then(|content| RoomId::parse(content["predecessor"]["room_id"].as_str()?).ok());
        Ok(id)
    }

    /// The room that this one says it is replaced by.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn load_replacement(&self) -> Result<Option<OwnedRoomId>, RoomError> {
        load_replacement(self).await
    }
}

async fn load_replacement(view: &RoomView) -> Result<Option<OwnedRoomId>, RoomError> {
    let tombstone = view.state_event("m.room.tombstone", "").await?;
    let content = tombstone.and_then(|tombstone| tombstone.event.content_as::<Value>().ok());
    Ok(content.and_then(|content| RoomId::parse(content["replacement_room"].as_str()?).ok()))
}

fn additional_creators_of(create: &hearth_protocol::Event) -> Vec<OwnedUserId> {
    let content = create.content_as::<Value>().unwrap_or_default();
    let creators = content["additional_creators"].as_array().cloned().unwrap_or_default();
    creators.iter().filter_map(|user| UserId::parse(user.as_str()?).ok()).collect()
}

fn state_event(kind: &str, content: &Value) -> Result<NewEvent, RoomError> {
    let content = content.as_object().cloned().unwrap_or_default();
    Ok(NewEvent {
        kind: kind.to_owned(),
        state_key: Some(String::new()),
        content: raw(&content)?,
        redacts: None,
        txn_id: None,
        timestamp: None,
    })
}

/// Power levels in which writing and inviting needs more than who is not named has; none when they are so already.
fn restricted_levels(mut levels: Map<String, Value>) -> Option<Map<String, Value>> {
    let level = |levels: &Map<String, Value>, field: &str| levels.get(field).and_then(Value::as_i64).unwrap_or(0);
    let needed = REPLACED_LEVEL_MIN.max(level(&levels, "users_default").saturating_add(1));
    let mut changed = false;
    for field in ["events_default", "invite"] {
        if level(&levels, field) < needed {
            levels.insert(field.to_owned(), needed.into());
            changed = true;
        }
    }
    changed.then_some(levels)
}
