//! Notices of this server to its users, each in one room of their own (C-S API, "Server Notices").

use hearth_protocol::UserKey;
use hearth_storage::schema::accounts::{NoticeRoom, NoticeRooms};
use hearth_storage::schema::users::Membership;
use hearth_storage::{CommitError, StorageError};
use ruma::{OwnedEventId, OwnedRoomId, RoomId, UserId};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use thiserror::Error;

use crate::env::Env;
use crate::rooms::{CreateRoom, NewEvent, Preset, RoomError, Rooms};
use crate::users::{LocalUser, NewUser, RegisterError, TagError, Users};

/// By which clients know the room.
const TAG: &str = "m.server_notice";
/// Who gets notices can read them and do nothing else in the room.
const READER_LEVEL: i64 = -10;

/// What to tell a user.
pub struct Notice {
    /// The event's type; left out, `m.room.message`.
    pub kind: Option<String>,
    /// Makes the event state.
    pub state_key: Option<String>,
    /// The event's content.
    pub content: Box<RawValue>,
    /// A repeat with the same one sends nothing.
    pub txn_id: Option<String>,
}

/// Why a notice was not sent.
#[derive(Debug, Error)]
pub enum NoticeError {
    /// No account is configured that sends notices, or it was deactivated.
    #[error("server notices are off")]
    Off,
    /// The user is not of this server.
    #[error("the user is not of this server")]
    NotLocal,
    /// There is no such account, or it is deactivated.
    #[error("there is no such user")]
    Unknown,
    /// The account that sends notices cannot be made.
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// The room cannot be made, or does not take the event.
    #[error(transparent)]
    Room(#[from] RoomError),
    /// The room cannot be tagged.
    #[error(transparent)]
    Tag(#[from] TagError),
    /// Reading failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Writing failed.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

/// Sends notices; cheap to clone.
#[derive(Clone)]
pub struct Notices {
    env: Env,
    users: Users,
    rooms: Rooms,
}

impl Notices {
    /// Over these.
    pub fn new(env: &Env, users: Users, rooms: Rooms) -> Self {
        Self { env: env.clone(), users, rooms }
    }

    /// Sends a notice to a user of this server, whom it invites if need be.
    ///
    /// # Errors
    /// When there is no such user, or the room does not take the event.
    pub async fn send(&self, to: &UserId, notice: Notice) -> Result<OwnedEventId, NoticeError> {
        let sender = self.load_sender().await?;
        if !self.users.is_local(to) {
            return Err(NoticeError::NotLocal);
        }
        let account = self.users.load_account(to).await?;
        account.filter(|account| !account.is_deactivated).ok_or(NoticeError::Unknown)?;
        let reader = self.users.act_for(to).await?.ok_or(NoticeError::Unknown)?;
        let room = self.load_room(&sender, &reader).await?;
        self.invite(&sender, &reader, &room).await?;
        let event = NewEvent {
            kind: notice.kind.unwrap_or_else(|| "m.room.message".to_owned()),
            state_key: notice.state_key,
            content: notice.content,
            redacts: None,
            txn_id: notice.txn_id,
            timestamp: None,
        };
        Ok(self.rooms.send(&sender, &room, event).await?)
    }

    /// The account that sends notices, which is made when it is first needed.
    async fn load_sender(&self) -> Result<LocalUser, NoticeError> {
        let config = self.users.config();
        let name = config.notices_name.as_deref().ok_or(NoticeError::Off)?;
        let user_id = self.users.build_user_id(name).map_err(RegisterError::from)?;
        match self.users.load_account(&user_id).await? {
            Some(account) if account.is_deactivated => return Err(NoticeError::Off),
            Some(_) => {}
            None => {
                let display_name = Some(config.notices_display_name.clone());
                let new = NewUser { username: name.to_owned(), display_name, ..NewUser::default() };
                match self.users.create_user(new).await {
                    // Another notice was faster.
                    Ok(_) | Err(RegisterError::Taken) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        self.users.act_for(&user_id).await?.ok_or(NoticeError::Off)
    }

    /// The user's room, which is made when it is first needed.
    async fn load_room(&self, sender: &LocalUser, reader: &LocalUser) -> Result<OwnedRoomId, NoticeError> {
        let store = &self.env.store;
        if let Some(room) = self.load_known_room(&reader.key).await? {
            return Ok(room);
        }
        // Nobody is invited before the room is noted: of two that are made at the same time one stays empty.
        let room = self.rooms.create(sender, self.describe_room()).await?;
        let mut txn = store.txn();
        txn.assert_absent::<NoticeRooms>(&reader.key);
        txn.put::<NoticeRooms>(&reader.key, &NoticeRoom { room_id: room.to_string() });
        match store.commit(txn).await {
            Ok(_) => Ok(room),
            Err(CommitError::Conflict { .. }) => Ok(self.load_known_room(&reader.key).await?.unwrap_or(room)),
            Err(error) => Err(error.into()),
        }
    }

    async fn load_known_room(&self, reader: &UserKey) -> Result<Option<OwnedRoomId>, StorageError> {
        let row = self.env.store.get::<NoticeRooms>(reader).await?;
        Ok(row.and_then(|row| RoomId::parse(row.room_id.as_str()).ok()))
    }

    fn describe_room(&self) -> CreateRoom {
        let mut creation_content = Map::new();
        creation_content.insert("m.federate".to_owned(), Value::Bool(false));
        let mut power_levels = Map::new();
        power_levels.insert("users_default".to_owned(), json!(READER_LEVEL));
        CreateRoom {
            version: None,
            preset: Preset::PrivateChat,
            name: Some(self.users.config().notices_room_name.clone()),
            topic: None,
            invite: Vec::new(),
            is_direct: false,
            initial_state: Vec::new(),
            creation_content,
            power_levels: Some(power_levels),
            alias_localpart: None,
            is_listed: false,
        }
    }

    /// Invites a user who is not in the room, never was or left. The tag comes first, so that the client knows the
    /// room when the invite arrives.
    async fn invite(&self, sender: &LocalUser, reader: &LocalUser, room: &RoomId) -> Result<(), NoticeError> {
        let view = self.rooms.require_view(room).await?;
        if matches!(view.membership(&reader.user_id), Some(Membership::Join | Membership::Invite)) {
            return Ok(());
        }
        self.users.set_tag(reader, room, TAG, &Map::new()).await?;
        self.rooms.invite(sender, room, &reader.user_id, None).await?;
        Ok(())
    }
}
