//! Tags of rooms (C-S API, "Room Tagging"): account data of the room, of the type `m.tag`.

use hearth_storage::StorageError;
use ruma::{RoomId, UserId};
use serde_json::{Map, Value, json};
use thiserror::Error;

use super::account_data::{AccountDataError, Edit};
use super::handle::Users;
use super::local_user::LocalUser;

const TAG: &str = "m.tag";
/// The longest tag, in bytes (C-S API, "Room Tagging").
pub const TAG_BYTES_MAX: usize = 255;
/// How many tags a room may have.
pub const TAGS_MAX: usize = 100;

/// Why a tag was not changed.
#[derive(Debug, Error)]
pub enum TagError {
    /// The tag is empty or longer than 255 bytes, or the room has too many: `M_INVALID_PARAM`.
    #[error("a tag has 1 to 255 bytes, and a room at most 100 tags")]
    Invalid,
    /// The tag's `order` is no number: `M_BAD_JSON`.
    #[error("the order of a tag is a number")]
    Order,
    /// The account data that holds the tags.
    #[error(transparent)]
    AccountData(#[from] AccountDataError),
}

fn read_tags(content: Option<&str>) -> Map<String, Value> {
    let content = content.and_then(|content| serde_json::from_str::<Value>(content).ok());
    match content.map(|mut content| content["tags"].take()) {
        Some(Value::Object(tags)) => tags,
        _ => Map::new(),
    }
}

impl Users {
    /// The tags of a room with their contents.
    pub async fn load_tags(&self, user: &UserId, room: &RoomId) -> Result<Map<String, Value>, StorageError> {
        let content = self.load_account_data(user, Some(room), TAG).await?;
        Ok(read_tags(content.as_ref().map(|content| content.get())))
    }

    /// Adds a tag to a room of the caller, or changes it. `info` is the tag's content, such as its order.
    pub async fn set_tag(
        &self,
        user: &LocalUser,
        room: &RoomId,
        tag: &str,
        info: &Map<String, Value>,
    ) -> Result<(), TagError> {
        if tag.is_empty() || tag.len() > TAG_BYTES_MAX {
            return Err(TagError::Invalid);
        }
        if info.get("order").is_some_and(|order| !order.is_number() && !order.is_null()) {
            return Err(TagError::Order);
        }
        self.edit_account_data(user.key, Some(room), TAG, |content| {
            let mut tags = read_tags(content);
            tags.insert(tag.to_owned(), Value::Object(info.clone()));
            if tags.len() > TAGS_MAX {
                Err(TagError::Invalid)
            } else {
                Ok(Edit::Set(json!({ "tags": tags }).to_string()))
            }
        })
        .await
    }

    /// Removes a tag from a room of the caller, if it is there.
    pub async fn delete_tag(&self, user: &LocalUser, room: &RoomId, tag: &str) -> Result<(), TagError> {
        self.edit_account_data(user.key, Some(room), TAG, |content| {
            let mut tags = read_tags(content);
            Ok(match tags.remove(tag) {
                Some(_) => Edit::Set(json!({ "tags": tags }).to_string()),
                None => Edit::Keep,
            })
        })
        .await
    }
}

#[cfg(test)]
#[path = "tags_tests.rs"]
mod tests;
