//! The user's own data that is new, for the account and for each room.

use std::collections::HashMap;

use hearth_protocol::RoomKey;
use hearth_storage::StorageError;
use ruma::RoomId;

use super::ephemeral::build_event;
use super::response::Piece;
use super::scope::Scope;
use crate::users::AccountDatum;

/// Account data of an answer, written out.
#[derive(Default)]
pub struct AccountData {
    /// Of the account.
    pub global: Vec<Piece>,
    /// Of rooms.
    pub rooms: HashMap<RoomKey, Vec<Piece>>,
}

/// What is new since the reader's position; everything in a first sync.
///
/// # Errors
/// When reading fails.
pub async fn load_account_data(scope: &Scope<'_>) -> Result<AccountData, StorageError> {
    let lane = scope.hub.lane_of_user(scope.who.key);
    let rows = match scope.since(lane) {
        None => scope.users.list_account_data(&scope.who.user_id).await?,
        Some(since) if scope.hub.account_changed(scope.who.key, since) => {
            scope.users.list_account_data_changes(&scope.who.key, since, scope.to.of(lane)).await?
        }
        Some(_) => Vec::new(),
    };
    let filter = &scope.request.filter;
    let mut data = AccountData::default();
    for datum in rows {
        let of_room = &filter.room_account_data;
        match &datum.room_id {
            None if filter.account_data.matches_type(&datum.kind) => data.global.push(write(&datum)),
            Some(room) if of_room.matches_type(&datum.kind) && of_room.matches_room(room) => {
                data.rooms.entry(RoomKey::of(room)).or_default().push(write(&datum));
            }
            _ => {}
        }
    }
    Ok(data)
}

/// All of the user's data of a room, for a client to which the room is new.
///
/// # Errors
/// When reading fails.
pub async fn list_of_room(scope: &Scope<'_>, room: &RoomId) -> Result<Vec<Piece>, StorageError> {
    let filter = &scope.request.filter.room_account_data;
    if !filter.matches_room(room) {
        return Ok(Vec::new());
    }
    let all = scope.users.list_account_data(&scope.who.user_id).await?;
    let wanted = all.iter().filter(|datum| datum.room_id.as_deref() == Some(room) && filter.matches_type(&datum.kind));
    Ok(wanted.map(write).collect())
}

fn write(datum: &AccountDatum) -> Piece {
    build_event(&datum.kind, &datum.content)
}
