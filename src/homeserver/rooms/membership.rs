//! Commands on memberships: join, invite, leave, kick, ban, unban, knock, forget.

use hearth_protocol::{EventDraft, RoomKey};
use hearth_storage::schema::accounts::NoticeRooms;
use hearth_storage::schema::users::{Membership, UserRooms};
use ruma::{OwnedEventId, RoomId, UserId};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};

use super::commands::Rooms;
use super::error::RoomError;
use super::join_rule::JoinRule;
use super::pipeline::LocalDraft;
use super::view::RoomView;
use crate::users::LocalUser;

const ANY: &[Option<Membership>] = &[
    None,
    Some(Membership::Invite),
    Some(Membership::Join),
    Some(Membership::Leave),
    Some(Membership::Ban),
    Some(Membership::Knock),
];
const PRESENT: &[Option<Membership>] = &[Some(Membership::Invite), Some(Membership::Join), Some(Membership::Knock)];
const BANNED: &[Option<Membership>] = &[Some(Membership::Ban)];

/// What a join says beside who joins what.
#[derive(Default)]
pub struct JoinWish {
    /// Why, for the room to read.
    pub reason: Option<String>,
    /// The answer to an invite by third-party identifier.
    pub third_party_signed: Option<Value>,
    /// Fields of the client's own for the member event. What the specification defines there is not taken from here.
    pub custom: Map<String, Value>,
}

impl Rooms {
    /// Joins a room that this server is in (C-S API, `POST /rooms/{roomId}/join`).
    ///
    /// # Errors
    /// When the room is unknown here, or its rules do not let the user in.
    pub async fn join(&self, user: &LocalUser, room: &RoomId, wish: JoinWish) -> Result<OwnedEventId, RoomError> {
        let view = self.require_view(room).await?;
        let mut content = wish.custom;
        content.extend(self.member_content(&user.user_id, Membership::Join, wish.reason.as_deref()).await?);
        let authoriser = self.find_authoriser(&view, &user.user_id).await?;
        if let Some(authoriser) = authoriser {
            content.insert("join_authorised_via_users_server".to_owned(), authoriser.into());
        }
        if let Some(signed) = wish.third_party_signed {
            content.insert("third_party_signed".to_owned(), signed);
        }
        self.submit_member(&user.user_id, room, &user.user_id, content, (ANY, "")).await
    }

    /// Invites a user (C-S API, `POST /rooms/{roomId}/invite`).
    ///
    /// # Errors
    /// When the caller may not invite, the target is in the room or banned from it, or lets nobody invite them.
    pub async fn invite(
        &self,
        user: &LocalUser,
        room: &RoomId,
        target: &UserId,
        reason: Option<&str>,
    ) -> Result<OwnedEventId, RoomError> {
        self.check_lets_invite(target).await?;
        let content = self.member_content(target, Membership::Invite, reason).await?;
        self.submit_member(&user.user_id, room, target, content, (ANY, "")).await
    }

    /// Whether the user may be invited at all (C-S API, "Invite permission").
    ///
    /// # Errors
    /// [`RoomError::InviteBlocked`] when they let nobody.
    pub(super) async fn check_lets_invite(&self, target: &UserId) -> Result<(), RoomError> {
        let blocks = self.inner().users.blocks_invites(target).await?;
        if blocks { Err(RoomError::InviteBlocked) } else { Ok(()) }
    }

    /// Leaves a room, or declines an invite (C-S API, `POST /rooms/{roomId}/leave`). Leaving twice is no error.
    ///
    /// # Errors
    /// When the user was never in the room, or declines the invite to the room of the server's notices (C-S API,
    /// "Server Notices").
    pub async fn leave(&self, user: &LocalUser, room: &RoomId, reason: Option<&str>) -> Result<(), RoomError> {
        let view = self.require_view(room).await?;
        if view.membership(&user.user_id) == Some(Membership::Invite) {
            let notices = self.inner().env.store.get::<NoticeRooms>(&user.key).await?;
            if notices.is_some_and(|notices| notices.room_id == room.as_str()) {
                return Err(RoomError::NoticeRoom);
            }
        }
        self.end_membership(user, room, reason).await
    }

    /// Leaves a room or declines an invite, whichever room it is.
    pub(super) async fn end_membership(
        &self,
        user: &LocalUser,
        room: &RoomId,
        reason: Option<&str>,
    ) -> Result<(), RoomError> {
        let view = self.require_view(room).await?;
        if view.membership(&user.user_id) == Some(Membership::Leave) {
            return Ok(());
        }
        let content = plain_content(Membership::Leave, reason);
        self.submit_member(&user.user_id, room, &user.user_id, content, (PRESENT, "the user is not in the room"))
            .await?;
        Ok(())
    }

    /// Takes another user out of the room (C-S API, `POST /rooms/{roomId}/kick`).
    ///
    /// # Errors
    /// When the target is not in the room, or the caller may not kick.
    pub async fn kick(
        &self,
        user: &LocalUser,
        room: &RoomId,
        target: &UserId,
        reason: Option<&str>,
    ) -> Result<OwnedEventId, RoomError> {
        let content = plain_content(Membership::Leave, reason);
        self.submit_member(&user.user_id, room, target, content, (PRESENT, "the target is not in the room")).await
    }

    /// Bans a user, in the room or not (C-S API, `POST /rooms/{roomId}/ban`).
    ///
    /// # Errors
    /// When the caller may not ban.
    pub async fn ban(
        &self,
        user: &LocalUser,
        room: &RoomId,
        target: &UserId,
        reason: Option<&str>,
    ) -> Result<OwnedEventId, RoomError> {
        let content = plain_content(Membership::Ban, reason);
        self.submit_member(&user.user_id, room, target, content, (ANY, "")).await
    }

    /// Lifts a ban (C-S API, `POST /rooms/{roomId}/unban`).
    ///
    /// # Errors
    /// When the target is not banned, or the caller may not lift it.
    pub async fn unban(
        &self,
        user: &LocalUser,
        room: &RoomId,
        target: &UserId,
        reason: Option<&str>,
    ) -> Result<OwnedEventId, RoomError> {
        let content = plain_content(Membership::Leave, reason);
        self.submit_member(&user.user_id, room, target, content, (BANNED, "the target is not banned")).await
    }

    /// Asks to be invited (C-S API, `POST /knock/{roomIdOrAlias}`).
    ///
    /// # Errors
    /// When the room is unknown here, or does not take knocks.
    pub async fn knock(
        &self,
        user: &LocalUser,
        room: &RoomId,
        reason: Option<&str>,
    ) -> Result<OwnedEventId, RoomError> {
        let content = self.member_content(&user.user_id, Membership::Knock, reason).await?;
        self.submit_member(&user.user_id, room, &user.user_id, content, (ANY, "")).await
    }

    /// Takes a room that the user left out of their list (C-S API, `POST /rooms/{roomId}/forget`).
    ///
    /// # Errors
    /// When the user is still in the room, or never was.
    pub async fn forget(&self, user: &LocalUser, room: &RoomId) -> Result<(), RoomError> {
        let store = &self.inner().env.store;
        let key = (user.key, RoomKey::of(room));
        let row = store.get::<UserRooms>(&key).await?.ok_or(RoomError::UnknownRoom)?;
        if matches!(row.membership, Membership::Join | Membership::Invite | Membership::Knock) {
            return Err(RoomError::NotLeft);
        }
        let mut txn = store.txn();
        txn.assert_eq::<UserRooms>(&key, &row);
        let slot = txn.next_pos(store.lane_of(&user.key.0));
        let forgotten = hearth_storage::schema::users::UserRoom { forgotten: true, stripped: Vec::new(), ..row };
        txn.put_stamped::<UserRooms>(&key, slot, &forgotten);
        store.commit(txn).await?;
        Ok(())
    }

    pub(super) async fn submit_member(
        &self,
        sender: &UserId,
        room: &RoomId,
        target: &UserId,
        content: Map<String, Value>,
        allowed: (&'static [Option<Membership>], &'static str),
    ) -> Result<OwnedEventId, RoomError> {
        let draft = member_draft(sender, target, &content, self.inner().env.clock.now().0)?;
        self.submit_one(room, LocalDraft { draft, target: Some(allowed), transaction: None }).await
    }

    /// The content of a membership event of a user of this server, with their profile.
    pub(super) async fn member_content(
        &self,
        user: &UserId,
        membership: Membership,
        reason: Option<&str>,
    ) -> Result<Map<String, Value>, RoomError> {
        let mut content = plain_content(membership, reason);
        if user.server_name() == self.inner().env.server_name {
            let profile = self.inner().users.load_profile(user).await?;
            let fields = profile.map(|profile| profile.fields).unwrap_or_default();
            for field in ["displayname", "avatar_url"] {
                if let Some(value) = fields.get(field).filter(|value| value.is_string()) {
                    content.insert(field.to_owned(), value.clone());
                }
            }
        }
        Ok(content)
    }

    /// For a restricted room: a local member who may invite, when the user meets one of the conditions
    /// (room version 8, "restricted"). None when the join needs no such help, or cannot have it.
    async fn find_authoriser(&self, view: &RoomView, user: &UserId) -> Result<Option<String>, RoomError> {
        if matches!(view.membership(user), Some(Membership::Join | Membership::Invite)) {
            return Ok(None);
        }
        let rule = JoinRule::of(view.state_event("m.room.join_rules", "").await?.as_deref());
        let meets = rule.is_restricted() && self.is_in_any(&rule.allowed_rooms, user).await?;
        let Some(levels) = view.power_levels().await?.filter(|_| meets) else {
            return Ok(None);
        };
        let server = &self.inner().env.server_name;
        let members = view.list_users(Membership::Join);
        let able = members
            .iter()
            .filter(|member| member.server_name() == server && levels.user_level(member) >= levels.invite());
        Ok(able.min().map(ToString::to_string))
    }
}

/// A membership event that is about to be built.
pub(super) fn member_draft(
    sender: &UserId,
    target: &UserId,
    content: &Map<String, Value>,
    now_ms: u64,
) -> Result<EventDraft, RoomError> {
    Ok(EventDraft {
        kind: "m.room.member".to_owned(),
        state_key: Some(target.to_string()),
        sender: sender.to_owned(),
        content: raw(content)?,
        redacts: None,
        origin_server_ts: now_ms,
    })
}

/// A JSON object as it goes into an event.
pub(super) fn raw(content: &Map<String, Value>) -> Result<Box<RawValue>, RoomError> {
    to_raw_value(content).map_err(|_| RoomError::Invalid("the content cannot be written as JSON"))
}

fn plain_content(membership: Membership, reason: Option<&str>) -> Map<String, Value> {
    let mut content = Map::new();
    content.insert("membership".to_owned(), membership.as_str().into());
    if let Some(reason) = reason {
        content.insert("reason".to_owned(), reason.into());
    }
    content
}
