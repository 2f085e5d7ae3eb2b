//! What users show of themselves (C-S API, "Profiles").
//!
//! Only this server's users have a profile here. The member events that repeat it are sent by whoever calls this.

use hearth_storage::StorageError;
use hearth_storage::schema::users::{Profiles, UserProfile};
use ruma::UserId;
use serde_json::{Map, Value};
use thiserror::Error;

use super::config::UsersConfig;
use super::error::{COMMIT_ATTEMPTS_MAX, Settled, StoreFailure, settle};
use super::handle::Users;
use super::local_names::stage_names;
use super::local_user::LocalUser;

/// The longest name of a field, in bytes (Appendices, "Common Namespaced Identifier Grammar").
pub const PROFILE_KEY_BYTES_MAX: usize = 255;
/// A whole profile is under this, in bytes of JSON.
pub const PROFILE_BYTES_MAX: usize = 64 * 1024;
/// The longest display name, in characters: it is repeated in the member event of every room.
pub const DISPLAY_NAME_CHARS_MAX: usize = 256;
/// The longest avatar URL, in bytes.
pub const AVATAR_URL_BYTES_MAX: usize = 1_000;

const DISPLAY_NAME: &str = "displayname";
const AVATAR_URL: &str = "avatar_url";

/// A user's profile.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Profile {
    /// All fields.
    pub fields: Map<String, Value>,
}

impl Profile {
    /// The profile of a stored row. What does not read back as JSON was never written here.
    pub(super) fn from_row(row: UserProfile) -> Self {
        let read = |(key, json): (String, String)| (key, serde_json::from_str(&json).unwrap_or(Value::Null));
        Self { fields: row.fields.into_iter().map(read).collect() }
    }

    /// The display name, if there is one.
    pub fn display_name(&self) -> Option<&str> {
        self.fields.get(DISPLAY_NAME).and_then(Value::as_str)
    }

    /// The `mxc:` URL of the avatar, if there is one.
    pub fn avatar_url(&self) -> Option<&str> {
        self.fields.get(AVATAR_URL).and_then(Value::as_str)
    }
}

/// Why a profile was not changed.
#[derive(Debug, Error)]
pub enum ProfileError {
    /// No such account here, or a deactivated one.
    #[error("unknown user")]
    UnknownUser,
    /// The settings keep users from changing this field.
    #[error("this server does not let its users change this")]
    NotChangeable,
    /// `M_INVALID_PARAM`: not a name of a field.
    #[error("not a name of a profile field")]
    Key,
    /// `M_KEY_TOO_LARGE`.
    #[error("the name of the field is longer than {PROFILE_KEY_BYTES_MAX} bytes")]
    KeyTooLarge,
    /// `M_BAD_JSON`: not what this field holds.
    #[error("{0}")]
    Value(&'static str),
    /// `M_PROFILE_TOO_LARGE`.
    #[error("the profile would have more than {PROFILE_BYTES_MAX} bytes")]
    TooLarge,
    /// The tables.
    #[error(transparent)]
    Store(#[from] StoreFailure),
}

impl UsersConfig {
    /// Whether users may change a field of their profile.
    pub fn may_change_field(&self, key: &str) -> bool {
        match key {
            DISPLAY_NAME => self.display_name_changes,
            AVATAR_URL => self.avatar_changes,
            _ => self.profile_field_changes,
        }
    }
}

/// The profile of a new account.
pub(super) fn build_first_profile(display_name: Option<&str>) -> UserProfile {
    let fields = display_name.map(|name| (DISPLAY_NAME.to_owned(), Value::from(name).to_string()));
    UserProfile { fields: fields.into_iter().collect() }
}

/// Names of fields are `avatar_url`, `displayname`, `m.tz`, or namespaced: words of `a-z0-9_` joined by dots.
fn check_key(key: &str) -> Result<(), ProfileError> {
    if key.len() > PROFILE_KEY_BYTES_MAX {
        return Err(ProfileError::KeyTooLarge);
    }
    let is_word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_lowercase())
            && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    let is_namespaced = key.contains('.') && key.split('.').all(is_word);
    if is_namespaced || key == DISPLAY_NAME || key == AVATAR_URL { Ok(()) } else { Err(ProfileError::Key) }
}

/// What the fields that the specification defines may hold.
fn check_value(key: &str, value: &Value) -> Result<(), ProfileError> {
    match (key, value.as_str()) {
        (DISPLAY_NAME, Some(name)) if name.chars().count() <= DISPLAY_NAME_CHARS_MAX => Ok(()),
        (DISPLAY_NAME, _) => Err(ProfileError::Value("a display name is text of at most 256 characters")),
        // Whether it is an `mxc:` URL is not looked at: other servers keep any text, and clients show what they can.
        (AVATAR_URL, Some(url)) if url.len() <= AVATAR_URL_BYTES_MAX => Ok(()),
        (AVATAR_URL, _) => Err(ProfileError::Value("an avatar is a URL of at most 1000 bytes")),
        ("m.tz", None) => Err(ProfileError::Value("a time zone is text")),
        _ => Ok(()),
    }
}

impl Users {
    /// The profile of a user of this server; none for users of others, unknown and deactivated ones.
    pub async fn load_profile(&self, user: &UserId) -> Result<Option<Profile>, StorageError> {
        let Some(key) = self.local_key(user) else { return Ok(None) };
        let row = self.0.env.store.get::<Profiles>(&key).await?;
        Ok(row.map(Profile::from_row))
    }

    /// Whether the caller may change a field of their own profile. Application services may always.
    ///
    /// # Errors
    /// [`ProfileError::NotChangeable`] when the settings are against it.
    pub fn check_may_change_field(&self, user: &LocalUser, key: &str) -> Result<(), ProfileError> {
        let may = user.service.is_some() || self.0.config.may_change_field(key);
        if may { Ok(()) } else { Err(ProfileError::NotChangeable) }
    }

    /// Sets a field; says whether anything changed. An empty display name or avatar removes the field.
    /// Whether the caller may change this user's profile is decided before.
    pub async fn set_profile_field(&self, user: &UserId, key: &str, value: &Value) -> Result<bool, ProfileError> {
        check_key(key)?;
        let is_unset = matches!(key, DISPLAY_NAME | AVATAR_URL) && (value.is_null() || value == "");
        if is_unset {
            return self.put_profile_field(user, key, None).await;
        }
        check_value(key, value)?;
        self.put_profile_field(user, key, Some(value.to_string())).await
    }

    /// Removes a field; says whether it was there.
    pub async fn delete_profile_field(&self, user: &UserId, key: &str) -> Result<bool, ProfileError> {
        check_key(key)?;
        self.put_profile_field(user, key, None).await
    }

    async fn put_profile_field(&self, user: &UserId, key: &str, json: Option<String>) -> Result<bool, ProfileError> {
        let user_id = user;
        let user = self.local_key(user).ok_or(ProfileError::UnknownUser)?;
        let store = &self.0.env.store;
        let _turn = self.0.turns.take(&user.0).await;
        for _ in 0..COMMIT_ATTEMPTS_MAX {
            let old =
                store.get::<Profiles>(&user).await.map_err(StoreFailure::from)?.ok_or(ProfileError::UnknownUser)?;
            let mut new = old.clone();
            match (new.fields.binary_search_by(|(name, _)| name.as_str().cmp(key)), &json) {
                (Ok(at), Some(json)) => new.fields[at].1.clone_from(json),
                (Ok(at), None) => drop(new.fields.remove(at)),
                (Err(at), Some(json)) => new.fields.insert(at, (key.to_owned(), json.clone())),
                (Err(_), None) => {}
            }
            if new == old {
                return Ok(false);
            }
            if json.is_some() && measure(&new) >= PROFILE_BYTES_MAX {
                return Err(ProfileError::TooLarge);
            }
            let mut txn = store.txn();
            txn.assert_eq::<Profiles>(&user, &old);
            txn.put::<Profiles>(&user, &new);
            stage_names(&mut txn, user, user_id.as_str(), (Some(&old), &new));
            if let Settled::Done = settle(store.commit(txn).await)? {
                return Ok(true);
            }
        }
        Err(StoreFailure::Contended.into())
    }
}

/// The length of a profile as JSON, in bytes.
fn measure(profile: &UserProfile) -> usize {
    // Quotes, colon and comma of each field, and the braces; names need no escapes.
    profile.fields.iter().map(|(key, json)| key.len() + json.len() + 4).sum::<usize>() + 1
}

#[cfg(test)]
#[path = "profiles_tests.rs"]
mod tests;
