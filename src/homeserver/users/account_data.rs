//! Data that a user's clients keep here (C-S API, "Client Config"), by type, for the account and for each room.
//!
//! The log holds each type once, at its last change: what changed since a position is one range of it, and all of it is
//! the answer to a first sync.

use hearth_protocol::{LanePos, UserKey};
use hearth_storage::schema::changes::{Change, ChangeLog};
use hearth_storage::schema::users::{
    AccountDataEntry, AccountDataIndex, AccountDataLog, AccountDataPart, UserTotal, UserTotals,
};
use hearth_storage::{Page, StorageError, Txn};
use ruma::{OwnedRoomId, RoomId, UserId};
use serde_json::value::RawValue;
use thiserror::Error;

use super::account_data_log::{Assembly, PART_BYTES, PARTS_MAX, split_content};
use super::error::{COMMIT_ATTEMPTS_MAX, Settled, StoreFailure, settle};
use super::handle::Users;
use super::local_user::LocalUser;
use super::pages::{scan_all, scan_pages};
use super::push_rules::{PUSH_RULES, build_default_content, renew_content};

/// The longest type, in bytes, like that of an event.
const KIND_BYTES_MAX: usize = 255;
/// Types of account data that belong to one device, whose id follows (MSC3890).
const DEVICE_SETTINGS: [&str; 2] = ["m.local_notification_settings", "org.matrix.msc3890.local_notification_settings"];

/// Marks the last message that was read (C-S API, "Fully read markers").
const FULLY_READ: &str = "m.fully_read";

/// A type of account data with its content.
#[derive(Clone, Debug)]
pub struct AccountDatum {
    /// The room that it belongs to, if any.
    pub room_id: Option<OwnedRoomId>,
    /// The type.
    pub kind: String,
    /// The content; `{}` when deleted.
    pub content: Box<RawValue>,
    /// Where it changed last, in the user's lane; zero for what was never changed from its default.
    pub pos: LanePos,
    /// It was deleted since.
    pub is_deleted: bool,
}

/// Why account data was not changed.
#[derive(Debug, Error)]
pub enum AccountDataError {
    /// The server looks after this type: 405 `M_BAD_JSON`.
    #[error("this type of account data cannot be set through this endpoint")]
    Managed,
    /// The type is empty, longer than 255 bytes, or holds a zero byte.
    #[error("not a type of account data")]
    Kind,
    /// The content is not a JSON object: `M_BAD_JSON`.
    #[error("account data is a JSON object")]
    NotAnObject,
    /// `M_TOO_LARGE`.
    #[error("this account data is too long")]
    ItemTooLarge,
    /// The user has as many types or bytes as allowed.
    #[error("there is too much account data")]
    Full,
    /// Others changed it each time, or the tables failed.
    #[error(transparent)]
    Store(#[from] StoreFailure),
}

impl From<StorageError> for AccountDataError {
    fn from(error: StorageError) -> Self {
        Self::Store(error.into())
    }
}

/// What a change writes.
pub(super) enum Edit {
    /// This content.
    Set(String),
    /// Nothing is there any more.
    Delete,
    /// All stays as it is.
    Keep,
}

/// Refuses the types that have endpoints of their own.
fn check_settable(room: Option<&RoomId>, kind: &str) -> Result<(), AccountDataError> {
    match (room, kind) {
        (_, FULLY_READ | PUSH_RULES) => Err(AccountDataError::Managed),
        _ => Ok(()),
    }
}

fn check_kind(kind: &str) -> Result<(), AccountDataError> {
    let is_good = !kind.is_empty() && kind.len() <= KIND_BYTES_MAX && !kind.contains('\0');
    if is_good { Ok(()) } else { Err(AccountDataError::Kind) }
}

impl Users {
    /// Sets account data of the caller (C-S API, `PUT /user/{userId}/account_data/{type}` and of a room).
    /// An empty object deletes it: it is gone for who reads it, and `{}` for who syncs.
    pub async fn set_account_data(
        &self,
        user: &LocalUser,
        room: Option<&RoomId>,
        kind: &str,
        content: &RawValue,
    ) -> Result<(), AccountDataError> {
        check_settable(room, kind)?;
        let content = content.get().trim();
        let inside = content.strip_prefix('{').and_then(|content| content.strip_suffix('}'));
        let inside = inside.ok_or(AccountDataError::NotAnObject)?;
        let is_empty = inside.trim().is_empty();
        self.edit_account_data(user.key, room, kind, |_| {
            Ok::<_, AccountDataError>(if is_empty { Edit::Delete } else { Edit::Set(content.to_owned()) })
        })
        .await
    }

    /// Deletes account data of the caller.
    pub async fn delete_account_data(
        &self,
        user: &LocalUser,
        room: Option<&RoomId>,
        kind: &str,
    ) -> Result<(), AccountDataError> {
        check_settable(room, kind)?;
        let edit = |old: Option<&str>| Ok::<_, AccountDataError>(if old.is_some() { Edit::Delete } else { Edit::Keep });
        self.edit_account_data(user.key, room, kind, edit).await
    }

    /// Deletes what is kept in the account data for one device each (MSC3890), before the devices go: nobody would find
    /// it afterwards.
    pub(super) async fn forget_settings_of(
        &self,
        user: &LocalUser,
        devices: impl Iterator<Item = &ruma::DeviceId>,
    ) -> Result<(), StoreFailure> {
        for device in devices {
            for prefix in DEVICE_SETTINGS {
                // Any other error means a name that account data cannot have, so there is none.
                let deleted = self.delete_account_data(user, None, &format!("{prefix}.{device}")).await;
                if let Err(AccountDataError::Store(error)) = deleted {
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Moves the caller's fully-read marker in a room (C-S API, "Fully read markers").
    pub async fn set_fully_read(
        &self,
        user: &LocalUser,
        room: &RoomId,
        event_id: &ruma::EventId,
    ) -> Result<(), AccountDataError> {
        let content = serde_json::json!({ "event_id": event_id }).to_string();
        self.edit_account_data(user.key, Some(room), FULLY_READ, |_| {
            Ok::<_, AccountDataError>(Edit::Set(content.clone()))
        })
        .await
    }

    /// Account data of a user by type; push rules also when never changed.
    pub async fn load_account_data(
        &self,
        user: &UserId,
        room: Option<&RoomId>,
        kind: &str,
    ) -> Result<Option<Box<RawValue>>, StorageError> {
        let stored = match check_kind(kind) {
            Ok(()) => self.load_content(UserKey::of(user), &build_key(UserKey::of(user), room, kind)).await?,
            Err(_) => None,
        };
        let content = match stored {
            Some((_, Some(content))) if room.is_none() && kind == PUSH_RULES => Some(renew_content(user, content)),
            Some((_, Some(content))) => Some(content),
            _ if room.is_none() && kind == PUSH_RULES => Some(build_default_content(user)),
            _ => None,
        };
        Ok(content.map(raw))
    }

    /// All account data of a user, for a first sync; push rules also when never changed.
    pub async fn list_account_data(&self, user: &UserId) -> Result<Vec<AccountDatum>, StorageError> {
        let key = UserKey::of(user);
        let rows = scan_all::<AccountDataLog, _>(&self.0.env.store, &key, self.log_rows_max()).await?;
        let mut data = build_data(rows);
        data.retain(|datum| !datum.is_deleted);
        match data.iter_mut().find(|datum| datum.room_id.is_none() && datum.kind == PUSH_RULES) {
            Some(rules) => rules.content = raw(renew_content(user, rules.content.get().to_owned())),
            None => data.push(AccountDatum {
                room_id: None,
                kind: PUSH_RULES.to_owned(),
                content: raw(build_default_content(user)),
                pos: LanePos::default(),
                is_deleted: false,
            }),
        }
        Ok(data)
    }

    /// What changed after `from`, up to and with `to`, in the order of change; deleted data as `{}`.
    pub async fn list_account_data_changes(
        &self,
        user: &UserKey,
        from: LanePos,
        to: LanePos,
    ) -> Result<Vec<AccountDatum>, StorageError> {
        if to <= from {
            return Ok(Vec::new());
        }
        let page = Page::first(0).after((*user, from)).up_to((*user, to));
        let rows = scan_pages::<AccountDataLog, _>(&self.0.env.store, user, page, self.log_rows_max()).await?;
        Ok(build_data(rows))
    }

    fn log_rows_max(&self) -> usize {
        let config = &self.0.config;
        let parts = usize::try_from(config.account_data_bytes_max).unwrap_or(usize::MAX) / PART_BYTES;
        parts.saturating_add(config.account_data_types_max as usize)
    }

    /// The index entry and the content of a type; no content when it was deleted.
    async fn load_content(
        &self,
        user: UserKey,
        key: &(UserKey, String, String),
    ) -> Result<Option<(AccountDataEntry, Option<String>)>, StorageError> {
        // The content moves when it changes between the two reads: then look again.
        for _ in 0..COMMIT_ATTEMPTS_MAX {
            let Some(entry) = self.0.env.store.get::<AccountDataIndex>(key).await? else { return Ok(None) };
            if entry.is_deleted {
                return Ok(Some((entry, None)));
            }
            let keys: Vec<_> = list_positions(&entry).map(|pos| (user, pos)).collect();
            let parts = self.0.env.store.multi_get::<AccountDataLog>(&keys).await?;
            if let Some(parts) = parts.into_iter().collect::<Option<Vec<_>>>() {
                let content = parts.into_iter().map(|part| part.content).collect();
                return Ok(Some((entry, Some(content))));
            }
        }
        Ok(None)
    }

    /// Changes one type by what `edit` makes of its content, in one commit with the log and the totals.
    pub(super) async fn edit_account_data<E>(
        &self,
        user: UserKey,
        room: Option<&RoomId>,
        kind: &str,
        edit: impl Fn(Option<&str>) -> Result<Edit, E>,
    ) -> Result<(), E>
    where
        E: From<AccountDataError>,
    {
        check_kind(kind)?;
        let key = build_key(user, room, kind);
        let _turn = self.0.turns.take(&user.0).await;
        for _ in 0..COMMIT_ATTEMPTS_MAX {
            let (old, total) = futures_util::future::try_join(
                self.load_content(user, &key),
                self.0.env.store.get::<UserTotals>(&user),
            )
            .await
            .map_err(AccountDataError::from)?;
            let content = match edit(old.as_ref().and_then(|(_, content)| content.as_deref()))? {
                Edit::Keep => return Ok(()),
                Edit::Set(content) => Some(content),
                Edit::Delete => None,
            };
            let old = old.map(|(entry, _)| entry);
            let txn = self.build_change(&key, old.as_ref(), total, content.as_deref())?;
            if let Settled::Done = settle(self.0.env.store.commit(txn).await).map_err(AccountDataError::from)? {
                return Ok(());
            }
        }
        Err(AccountDataError::from(StoreFailure::Contended).into())
    }

    fn build_change(
        &self,
        key: &(UserKey, String, String),
        old: Option<&AccountDataEntry>,
        total: Option<UserTotal>,
        content: Option<&str>,
    ) -> Result<Txn, AccountDataError> {
        let (user, room, kind) = key;
        let is_deleted = content.is_none();
        let content = content.unwrap_or("{}");
        let new_total = self.check_total(old, total.unwrap_or_default(), content)?;
        let (content_len, parts) = (content.len(), split_content(content));
        let mut txn = self.0.env.store.txn();
        match &total {
            Some(total) => txn.assert_eq::<UserTotals>(user, total),
            None => txn.assert_absent::<UserTotals>(user),
        };
        txn.put::<UserTotals>(user, &new_total);
        match old {
            Some(old) => {
                txn.assert_eq::<AccountDataIndex>(key, old);
                for pos in list_positions(old) {
                    txn.delete::<AccountDataLog>(&(*user, pos));
                }
            }
            None => {
                txn.assert_absent::<AccountDataIndex>(key);
            }
        }
        let count = u16::try_from(parts.len()).map_err(|_| AccountDataError::ItemTooLarge)?;
        let lane = self.0.env.store.lane_of(&user.0);
        for (n, content) in (1..).zip(parts) {
            let slot = txn.next_pos(lane);
            if n == 1 {
                let content_bytes = u32::try_from(content_len).unwrap_or(u32::MAX);
                let entry = AccountDataEntry { pos: LanePos::default(), parts: count, content_bytes, is_deleted };
                txn.put_stamped::<AccountDataIndex>(key, slot, &entry);
            }
            let part = AccountDataPart {
                room_id: room.clone(),
                kind: kind.clone(),
                parts_left: count - n,
                is_deleted,
                content: content.to_owned(),
            };
            txn.put_at::<AccountDataLog>(user, slot, &part);
            txn.put_at::<ChangeLog>(&lane, slot, &Change::AccountData(*user));
        }
        Ok(txn)
    }

    /// The user's totals after the change.
    fn check_total(
        &self,
        old: Option<&AccountDataEntry>,
        total: UserTotal,
        content: &str,
    ) -> Result<UserTotal, AccountDataError> {
        let config = &self.0.config;
        if content.len() > config.account_data_item_bytes_max.min(PART_BYTES * PARTS_MAX) {
            return Err(AccountDataError::ItemTooLarge);
        }
        let new = UserTotal {
            account_data_types: total.account_data_types + u32::from(old.is_none()),
            account_data_bytes: (total.account_data_bytes + content.len() as u64)
                .saturating_sub(old.map_or(0, |old| old.content_bytes.into())),
            ..total
        };
        let grows_types =
            new.account_data_types > total.account_data_types && new.account_data_types > config.account_data_types_max;
        let grows_bytes =
            new.account_data_bytes > total.account_data_bytes && new.account_data_bytes > config.account_data_bytes_max;
        if grows_types || grows_bytes { Err(AccountDataError::Full) } else { Ok(new) }
    }
}

fn build_key(user: UserKey, room: Option<&RoomId>, kind: &str) -> (UserKey, String, String) {
    (user, room.map(ToString::to_string).unwrap_or_default(), kind.to_owned())
}

fn list_positions(entry: &AccountDataEntry) -> impl Iterator<Item = LanePos> {
    std::iter::successors(Some(entry.pos), |pos| Some(pos.next())).take(entry.parts.into())
}

/// Text that was checked to be JSON before it was stored.
fn raw(content: String) -> Box<RawValue> {
    RawValue::from_string(content).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

fn build_data(rows: Vec<((UserKey, LanePos), AccountDataPart)>) -> Vec<AccountDatum> {
    let mut assembly = Assembly::default();
    rows.into_iter()
        .filter_map(|((_, pos), part)| assembly.add(pos, part))
        .map(|(pos, part)| AccountDatum {
            room_id: RoomId::parse(&part.room_id).ok(),
            kind: part.kind,
            content: raw(part.content),
            pos,
            is_deleted: part.is_deleted,
        })
        .collect()
}

#[cfg(test)]
#[path = "account_data_tests.rs"]
mod tests;
