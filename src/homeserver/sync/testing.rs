//! What the tests of this folder stand on: a whole homeserver over the engine in memory, which can be stopped and started again.

use std::sync::Arc;

use hearth_protocol::{MockClock, SeededRng, Signer, UnixMs};
use hearth_storage::{Engine, MemoryFaults, Store, StoreOptions};
use ruma::{OwnedEventId, OwnedRoomId, OwnedServerName, RoomId};
use serde_json::{Value, json};

use super::{Sync, SyncRequest, SyncToken};
use crate::rooms::{CreateRoom, NewEvent, NoRemote, Preset, Receipts, RoomError, Rooms, RoomsConfig, Typing};
use crate::users::{LocalUser, NewDevice, NewUser, Users, UsersConfig};
use crate::{Env, Stop, Worker};

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
    stop: Stop,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Server {
    pub(super) async fn new(lanes: u16) -> Self {
        Self::start(lanes, MemoryFaults::default(), Arc::new(MockClock::new(UnixMs(1_700_000_000_000)))).await
    }

    #[expect(clippy::disallowed_methods, reason = "the workers run beside the test, as the server would run them")]
    async fn start(lanes: u16, faults: MemoryFaults, clock: Arc<MockClock>) -> Self {
        let rng = Arc::new(SeededRng::new(7));
        let server_name: OwnedServerName = "hs1".try_into().unwrap();
        let options = StoreOptions {
            engine: Engine::Memory(faults.clone()),
            lanes,
            server_name: server_name.clone(),
            clock: clock.clone(),
            rng: rng.clone(),
        };
        let (store, storage_workers) = Store::open(options).await.unwrap();
        let stop = Stop::new();
        for worker in storage_workers {
            tokio::spawn(worker.run(stop.clone()));
        }
        let signer = Signer::from_seed(server_name.clone(), [1; 32], "ed25519:test").unwrap();
        let env = Env { store: store.clone(), clock: clock.clone(), rng, server_name, signer: Arc::new(signer) };
        let config = UsersConfig { password_hash_kib: 8, password_hash_passes: 1, ..UsersConfig::default() };
        let users = Users::new(&env, config);
        let (rooms, workers) = Rooms::new(&env, RoomsConfig::default(), users.clone(), Arc::new(NoRemote));
        let (typing, receipts) = (Typing::new(&env), Receipts::new(&env));
        let sync = Sync::new(&env, users.clone(), rooms.clone(), typing.clone(), receipts.clone());
        for worker in workers.lanes {
            tokio::spawn((Box::new(worker) as Box<dyn Worker>).run(stop.clone()));
        }
        for worker in sync.list_workers() {
            tokio::spawn(worker.run(stop.clone()));
        }
        Self { store, clock, users, rooms, typing, receipts, sync, faults, lanes, stop }
    }

    /// Ends everything and starts it again over what is stored.
    pub(super) async fn restart(&mut self) {
        self.stop.cancel();
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
        let response = self.sync.next(user, request, &self.stop).await.unwrap();
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
