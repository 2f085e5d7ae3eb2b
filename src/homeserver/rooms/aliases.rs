//! Names of rooms: aliases of this server (C-S API, "Room Aliases").
//!
//! An alias is a row by its own hash, so that a name is given once. The list of a room's aliases lies with the room and
//! follows it by the outbox: both are the same commit where the lanes are one.

use std::collections::BTreeSet;

use hearth_protocol::RoomKey;
use hearth_storage::schema::directory::{AliasesOfRoom, RoomAlias, RoomAliases};
use hearth_storage::schema::users::Membership;
use hearth_storage::{CommitError, Page, Placed, StorageError, Txn};
use ruma::{OwnedRoomAliasId, OwnedRoomId, OwnedServerName, RoomAliasId, RoomId, RoomOrAliasId};

use super::commands::Rooms;
use super::error::RoomError;
use super::view::RoomView;
use crate::users::LocalUser;

/// Aliases of this server that a room may have.
const ALIASES_PER_ROOM_MAX: usize = 1_000;
/// How long a name is kept for a room that is about to be made, in milliseconds.
const RESERVED_MS: u64 = 60 * 1_000;
/// Servers that are named to who looks an alias up.
const SERVERS_MAX: usize = 100;

/// What an alias leads to.
#[derive(Clone, Debug)]
pub struct AliasTarget {
    /// The room.
    pub room_id: OwnedRoomId,
    /// Servers that are in it, this one first.
    pub servers: Vec<OwnedServerName>,
}

impl Rooms {
    /// The room that is meant by an id or an alias.
    ///
    /// # Errors
    /// [`RoomError::UnknownAlias`] when the alias names no room that is known here.
    pub async fn resolve(&self, room: &RoomOrAliasId) -> Result<OwnedRoomId, RoomError> {
        if let Ok(room) = <&RoomId>::try_from(room) {
            return Ok(room.to_owned());
        }
        let alias = <&RoomAliasId>::try_from(room).map_err(|_| RoomError::UnknownAlias)?;
        Ok(self.require_alias_view(alias).await?.room.room_id.clone())
    }

    /// What an alias leads to (C-S API, `GET /directory/room/{roomAlias}`).
    ///
    /// # Errors
    /// [`RoomError::UnknownAlias`] when it names no room that is known here.
    pub async fn load_alias_target(&self, alias: &RoomAliasId) -> Result<AliasTarget, RoomError> {
        let view = self.require_alias_view(alias).await?;
        let own = &self.inner().env.server_name;
        let joined = view.list_users(Membership::Join);
        let others: BTreeSet<_> = joined.iter().map(|user| user.server_name()).filter(|name| name != own).collect();
        let others = others.into_iter().map(ToOwned::to_owned);
        let servers = std::iter::once(own.clone()).chain(others).take(SERVERS_MAX).collect();
        Ok(AliasTarget { room_id: view.room.room_id.clone(), servers })
    }

    /// The aliases of this server that name a room, in order.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn list_aliases(&self, room: &RoomId) -> Result<Vec<OwnedRoomAliasId>, RoomError> {
        let page = Page::first(ALIASES_PER_ROOM_MAX);
        let rows = self.inner().env.store.scan::<AliasesOfRoom, _>(&RoomKey::of(room), page).await?;
        Ok(rows.rows.into_iter().map(|((_, alias), ())| alias).collect())
    }

    /// The aliases of a room, for its members and where the room is open to the world
    /// (C-S API, `GET /rooms/{roomId}/aliases`).
    ///
    /// # Errors
    /// [`RoomError::UnknownRoom`] for everybody else.
    pub async fn list_aliases_for(&self, user: &LocalUser, room: &RoomId) -> Result<Vec<OwnedRoomAliasId>, RoomError> {
        let view = self.require_view(room).await?;
        if view.membership(&user.user_id) != Some(Membership::Join) && !view.is_world_readable().await? {
            return Err(RoomError::UnknownRoom);
        }
        self.list_aliases(room).await
    }

    /// Gives a room a name (C-S API, `PUT /directory/room/{roomAlias}`). Every member may.
    ///
    /// # Errors
    /// When the alias is not one of this server's or taken, the user is not in the room, the rules of the server
    /// do not let them have it, or the room has too many.
    pub async fn set_alias(&self, user: &LocalUser, alias: &RoomAliasId, room: &RoomId) -> Result<(), RoomError> {
        self.check_alias(alias)?;
        let view = self.require_view(room).await?;
        if view.membership(&user.user_id) != Some(Membership::Join) {
            return Err(RoomError::UnknownRoom);
        }
        self.reserve_alias(user, alias, room).await
    }

    /// An alias of this server by the part before the colon.
    ///
    /// # Errors
    /// [`RoomError::Invalid`] when it makes none.
    pub fn build_alias(&self, localpart: &str) -> Result<OwnedRoomAliasId, RoomError> {
        const INVALID: RoomError = RoomError::Invalid("room_alias_name is not the local part of an alias");
        if localpart.contains(':') {
            return Err(INVALID);
        }
        let alias = format!("#{localpart}:{}", self.inner().env.server_name);
        let alias = OwnedRoomAliasId::try_from(alias).map_err(|_| INVALID)?;
        self.check_alias(&alias).map_err(|_| INVALID)?;
        Ok(alias)
    }

    fn check_alias(&self, alias: &RoomAliasId) -> Result<(), RoomError> {
        if alias.server_name() != self.inner().env.server_name {
            return Err(RoomError::Invalid("the alias is one of another server"));
        }
        let localpart = alias.alias();
        if localpart.is_empty() || localpart.chars().any(|letter| letter.is_whitespace() || letter.is_control()) {
            return Err(RoomError::Invalid("an alias has no spaces and no control characters"));
        }
        Ok(())
    }

    /// Takes an alias for a room that exists, or that is about to be made.
    ///
    /// # Errors
    /// [`RoomError::AliasInUse`] when it names another room; what the server's rules and limits say.
    pub(super) async fn reserve_alias(
        &self,
        user: &LocalUser,
        alias: &RoomAliasId,
        room: &RoomId,
    ) -> Result<(), RoomError> {
        let inner = self.inner();
        if !inner.users.may_make_alias(user, alias) {
            return Err(RoomError::ExclusiveAlias);
        }
        if !inner.alias_rules.allow(&user.user_id, room, &[alias]) {
            return Err(RoomError::Forbidden("the rules of this server do not allow this alias".to_owned()));
        }
        if self.list_aliases(room).await?.len() >= ALIASES_PER_ROOM_MAX {
            return Err(RoomError::Forbidden("the room has as many aliases as it may have".to_owned()));
        }
        let (now, store) = (inner.env.clock.now().0, &inner.env.store);
        let key = alias.to_owned();
        let mut txn = store.txn();
        match store.get::<RoomAliases>(&key).await? {
            None => drop(txn.assert_absent::<RoomAliases>(&key)),
            Some(old) if self.is_abandoned(&old, now).await? => drop(txn.assert_eq::<RoomAliases>(&key, &old)),
            Some(_) => return Err(RoomError::AliasInUse),
        }
        let row = RoomAlias { room_id: room.to_string(), creator: user.user_id.to_string(), at_ms: now };
        txn.put::<RoomAliases>(&key, &row);
        txn.outbox_put::<AliasesOfRoom>(&(RoomKey::of(room), key.clone()), &());
        match self.commit_aliases(txn, alias).await {
            // Somebody else was quicker.
            Err(RoomError::Commit(CommitError::Conflict { .. })) => Err(RoomError::AliasInUse),
            outcome => outcome,
        }
    }

    /// Whether a name was kept for a room that then was not made.
    async fn is_abandoned(&self, alias: &RoomAlias, now_ms: u64) -> Result<bool, RoomError> {
        let Ok(room) = RoomId::parse(alias.room_id.as_str()) else { return Ok(true) };
        Ok(now_ms >= alias.at_ms.saturating_add(RESERVED_MS) && self.load_view(&room).await?.is_none())
    }

    /// Gives back an alias that was kept for a room that could not be made.
    pub(super) async fn release_alias(&self, alias: &RoomAliasId, room: &RoomId) {
        match self.remove_alias(alias, room).await {
            Ok(()) | Err(RoomError::UnknownAlias) => {}
            Err(error) => tracing::warn!(%alias, %error, "an alias is kept for a room that was not made"),
        }
    }

    /// Takes a name from its room (C-S API, `DELETE /directory/room/{roomAlias}`): by who made it, or who has the power
    /// to change the room's canonical alias, or an application service whose alias it is. Where the user may, the
    /// canonical alias is changed with it.
    ///
    /// # Errors
    /// When the alias is unknown or not one of this server's, or the user may not delete it.
    pub async fn delete_alias(&self, user: &LocalUser, alias: &RoomAliasId) -> Result<(), RoomError> {
        if alias.server_name() != self.inner().env.server_name {
            return Err(RoomError::Invalid("the alias is one of another server"));
        }
        let row = self.inner().env.store.get::<RoomAliases>(&alias.to_owned()).await?;
        let row = row.ok_or(RoomError::UnknownAlias)?;
        let room = RoomId::parse(row.room_id.as_str()).map_err(|_| RoomError::UnknownAlias)?;
        let view = self.load_view(&room).await?;
        if row.creator != user.user_id.as_str() && !self.inner().users.owns_alias(user, alias) {
            let is_able = match &view {
                Some(view) => view.may_change_names(&user.user_id).await?,
                None => false,
            };
            if !is_able {
                let reason = "only who made an alias, or has power over the room's canonical alias, may delete it";
                return Err(RoomError::Forbidden(reason.to_owned()));
            }
        }
        self.remove_alias(alias, &room).await?;
        if let Some(view) = view {
            self.drop_from_canonical_alias(user, &view, alias).await;
        }
        Ok(())
    }

    async fn remove_alias(&self, alias: &RoomAliasId, room: &RoomId) -> Result<(), RoomError> {
        let (store, key) = (&self.inner().env.store, alias.to_owned());
        let row = store.get::<RoomAliases>(&key).await?.filter(|row| row.room_id == room.as_str());
        let row = row.ok_or(RoomError::UnknownAlias)?;
        let mut txn = store.txn();
        txn.assert_eq::<RoomAliases>(&key, &row);
        txn.delete::<RoomAliases>(&key);
        txn.outbox_delete::<AliasesOfRoom>(&(RoomKey::of(room), key.clone()));
        match self.commit_aliases(txn, alias).await {
            Err(RoomError::Commit(CommitError::Conflict { .. })) => Err(RoomError::UnknownAlias),
            outcome => outcome,
        }
    }

    /// Lets the aliases of one room name another one, each in a commit of its own; to be repeated at will.
    ///
    /// # Errors
    /// When reading or writing fails; those that moved stay moved.
    pub(super) async fn move_aliases(&self, from: &RoomId, to: &RoomId) -> Result<(), RoomError> {
        let (store, now) = (&self.inner().env.store, self.inner().env.clock.now().0);
        let aliases = self.list_aliases(from).await?;
        let rows = store.multi_get::<RoomAliases>(&aliases).await?;
        for (alias, row) in aliases.into_iter().zip(rows) {
            let Some(row) = row.filter(|row| row.room_id == from.as_str()) else { continue };
            let moved = RoomAlias { room_id: to.to_string(), at_ms: now, ..row.clone() };
            let mut txn = store.txn();
            txn.assert_eq::<RoomAliases>(&alias, &row);
            txn.put::<RoomAliases>(&alias, &moved);
            txn.outbox_delete::<AliasesOfRoom>(&(RoomKey::of(from), alias.clone()));
            txn.outbox_put::<AliasesOfRoom>(&(RoomKey::of(to), alias.clone()), &());
            match self.commit_aliases(txn, &alias).await {
                // Deleted meanwhile.
                Ok(()) | Err(RoomError::Commit(CommitError::Conflict { .. })) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Commits a change of an alias; whoever made it sees it in the room's list at once.
    async fn commit_aliases(&self, txn: Txn, alias: &RoomAliasId) -> Result<(), RoomError> {
        let store = &self.inner().env.store;
        store.commit(txn).await?;
        let lane = alias.to_owned().lane(store.lanes());
        if !store.wait_applied(lane, store.head(lane)).await {
            tracing::warn!(lane = lane.0, "lists of aliases lag behind the aliases");
        }
        Ok(())
    }

    async fn require_alias_view(&self, alias: &RoomAliasId) -> Result<RoomView, RoomError> {
        let row = self.inner().env.store.get::<RoomAliases>(&alias.to_owned()).await?;
        let room = row.and_then(|row| RoomId::parse(row.room_id.as_str()).ok()).ok_or(RoomError::UnknownAlias)?;
        self.load_view(&room).await?.ok_or(RoomError::UnknownAlias)
    }
}

impl RoomView {
    /// Whether a user has the power over the room's names and its place in the directory: that of changing the
    /// canonical alias.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn may_change_names(&self, user: &ruma::UserId) -> Result<bool, StorageError> {
        if self.membership(user) != Some(Membership::Join) {
            return Ok(false);
        }
        let levels = self.power_levels().await?;
        Ok(levels.is_some_and(|levels| levels.may_send(user, "m.room.canonical_alias", true)))
    }
}
