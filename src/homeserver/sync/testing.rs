//! What the tests of this folder stand on: a whole homeserver over the engine in memory, which can be stopped and started again.

use std::sync::Arc;

use hearth_protocol::{MockClock, UnixMs};
use hearth_storage::{MemoryFaults, Store};
use ruma::{OwnedEventId, OwnedRoomId, RoomId};
use serde_json::{Value, json};

use super::{Sync, SyncRequest, SyncToken};
use crate::rooms::{CreateRoom, NewEvent, NoRemote, Preset, Receipts, RoomError, Rooms, RoomsConfig, Typing};
use crate::testing::{TestServer, cheap_users};
use crate::users::{LocalUser, NewDevice, NewUser, Users};

/// A running homeserver.
pub(super) struct Server {
    pub(super) store: Store,
    pub(super) clock: Arc<MockClock>,
    pub(super) users: Users,
    pub(super) rooms: Rooms,
    pub(super) typing: Typing,
    pub(super) receipts: Receipts,
    pub(super) sync: Sync,
    faults: MemoryFaults,
    lanes: u16,
    server: TestServer,
}

impl Server {
    pub(super) async fn new(lanes: u16) -> Self {
        Self::start(lanes, MemoryFaults::default(), Arc::new(MockClock::new(UnixMs(1_700_000_000_000)))).await
    }

    async fn start(lanes: u16, faults: MemoryFaults, clock: Arc<MockClock>) -> Self {
        let server = TestServer::at(clock.clone(), lanes, faults.clone()).await;
        let env = server.env.clone();
        let users = Users::new(&env, cheap_users());
        let (rooms, workers) = Rooms::new(&env, RoomsConfig::default(), users.clone(), Arc::new(NoRemote));
        let (typing, receipts) = (Typing::new(&env), Receipts::new(&env));
        let sync = Sync::new(&env, users.clone(), rooms.clone(), typing.clone(), receipts.clone());
        for worker in workers.lanes {
            server.run(Box::new(worker));
        }
        for worker in sync.list_workers() {
            server.run(worker);
        }
        Self { store: env.store.clone(), clock, users, rooms, typing, receipts, sync, faults, lanes, server }
    }

    /// Ends everything and starts it again over what is stored.
    pub(super) async fn restart(&mut self) {
        self.server.stop.cancel();
        self.store.close().await;
        *self = Self::start(self.lanes, self.faults.clone(), self.clock.clone()).await;
    }

    /// A new user's access token.
    pub(super) async fn register(&self, name: &str) -> String {
        let new = NewUser {
            username: name.to_owned(),
            password: Some("correct horse".to_owned()),
            is_admin: false,
            device: Some(NewDevice::default()),
            ..NewUser::default()
        };
        self.users.create_user(new).await.unwrap().session.unwrap().access_token
    }

    /// A new user.
    pub(super) async fn user(&self, name: &str) -> LocalUser {
        self.users.authenticate(&self.register(name).await).await.unwrap()
    }

    /// A room that anybody may join.
    pub(super) async fn room(&self, creator: &LocalUser) -> OwnedRoomId {
        self.rooms.create(creator, new_room(Preset::PublicChat)).await.unwrap()
    }

    /// Sends a text.
    pub(super) async fn say(&self, user: &LocalUser, room: &RoomId, text: &str) -> OwnedEventId {
        self.send(user, room, "m.room.message", None, json!({ "msgtype": "m.text", "body": text })).await.unwrap()
    }

    /// Sends anything.
    pub(super) async fn send(
        &self,
        user: &LocalUser,
        room: &RoomId,
        kind: &str,
        state_key: Option<&str>,
        content: Value,
    ) -> Result<OwnedEventId, RoomError> {
        let event = NewEvent {
            kind: kind.to_owned(),
            state_key: state_key.map(str::to_owned),
            content: serde_json::value::to_raw_value(&content).unwrap(),
            redacts: None,
            txn_id: None,
            timestamp: None,
        };
        self.rooms.send(user, room, event).await
    }

    /// What the user gets for a request, as JSON, and the token to go on from.
    pub(super) async fn ask(&self, user: &LocalUser, request: &SyncRequest) -> (Value, SyncToken) {
        let response = self.sync.next(user, request, &self.server.stop).await.unwrap();
        let json = serde_json::to_string(&response).unwrap();
        let token = self.sync.parse_token(&response.next_batch.to_string()).unwrap();
        assert_eq!(token, response.next_batch);
        (serde_json::from_str(&json).unwrap(), token)
    }

    /// The same without anything special.
    pub(super) async fn sync(&self, user: &LocalUser, since: Option<&SyncToken>) -> (Value, SyncToken) {
        self.ask(user, &SyncRequest::new(since.cloned())).await
    }
}

/// A room without anything special.
pub(super) fn new_room(preset: Preset) -> CreateRoom {
    CreateRoom {
        version: None,
        preset,
        name: None,
        topic: None,
        invite: Vec::new(),
        is_direct: false,
        initial_state: Vec::new(),
        creation_content: serde_json::Map::new(),
        power_levels: None,
        alias_localpart: None,
        is_listed: false,
    }
}

/// The bodies of the messages in a list of events.
pub(super) fn bodies(events: &Value) -> Vec<String> {
    let events = events.as_array().map(Vec::as_slice).unwrap_or_default();
    events.iter().filter_map(|event| event["content"]["body"].as_str().map(str::to_owned)).collect()
}

/// The types of the events in a list.
pub(super) fn kinds(events: &Value) -> Vec<String> {
    let events = events.as_array().map(Vec::as_slice).unwrap_or_default();
    events.iter().filter_map(|event| event["type"].as_str().map(str::to_owned)).collect()
}
