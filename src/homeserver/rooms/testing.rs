//! What the tests of rooms stand on: rooms and users over the engine in memory, with a clock and randomness of their own.

use std::sync::Arc;

use hearth_protocol::{Lane, MockClock, SeededRng, Signer, UnixMs};
use hearth_storage::schema::log::OutputLog;
use hearth_storage::{Engine, MemoryFaults, Store, StoreOptions};
use ruma::{OwnedRoomId, OwnedServerName, RoomVersionId};
use serde_json::{Map, Value};

use super::reader::list_rows;
use super::{CreateRoom, ErasureWorker, Finding, NewEvent, NoRemote, Preset, RemoteRooms, Rooms, RoomsConfig};
use crate::users::{LocalUser, NewDevice, NewUser, Users, UsersConfig};
use crate::{Env, Stop, Worker};

/// Rooms of the server `hs1`.
pub(super) struct Fixture {
    pub(super) rooms: Rooms,
    pub(super) users: Users,
    pub(super) clock: Arc<MockClock>,
    pub(super) env: Env,
    pub(super) erasure: ErasureWorker,
    stop: Stop,
}

impl Drop for Fixture {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Fixture {
    pub(super) async fn new(lanes: u16) -> Self {
        Self::with(lanes, MemoryFaults::default(), Arc::new(NoRemote)).await
    }

    #[expect(clippy::disallowed_methods, reason = "the workers run beside the test, as the server would run them")]
    pub(super) async fn with(lanes: u16, faults: MemoryFaults, remote: Arc<dyn RemoteRooms>) -> Self {
        let clock = Arc::new(MockClock::new(UnixMs(1_700_000_000_000)));
        let rng = Arc::new(SeededRng::new(7));
        let server_name: OwnedServerName = "hs1".try_into().unwrap();
        let options = StoreOptions {
            engine: Engine::Memory(faults),
            lanes,
            server_name: server_name.clone(),
            clock: clock.clone(),
            rng: rng.clone(),
        };
        let (store, workers) = Store::open(options).await.unwrap();
        let stop = Stop::new();
        for worker in workers {
            tokio::spawn(worker.run(stop.clone()));
        }
        let signer = Signer::from_seed(server_name.clone(), [1; 32], "ed25519:test").unwrap();
        let env = Env { store, clock: clock.clone(), rng, server_name, signer: Arc::new(signer) };
        let config = UsersConfig { password_hash_kib: 8, password_hash_passes: 1, ..UsersConfig::default() };
        let users = Users::new(&env, config);
        let (rooms, workers) = Rooms::new(&env, RoomsConfig::default(), users.clone(), remote);
        for lane in workers.lanes {
            tokio::spawn(Box::new(lane).run(stop.clone()));
        }
        Self { rooms, users, clock, env, erasure: workers.erasure, stop }
    }

    pub(super) async fn user(&self, name: &str) -> LocalUser {
        let new = NewUser { username: name.to_owned(), device: Some(NewDevice::default()), ..NewUser::default() };
        let session = self.users.create_user(new).await.unwrap_or_else(|error| panic!("{error}")).session.unwrap();
        self.users.authenticate(&session.access_token).await.unwrap_or_else(|error| panic!("{error}"))
    }

    pub(super) async fn room(&self, user: &LocalUser, preset: Preset) -> OwnedRoomId {
        self.rooms.create(user, new_room(None, preset)).await.unwrap()
    }

    /// What `hearth check` would say of every room that the log names.
    pub(super) async fn check(&self) -> Vec<Finding> {
        let store = &self.env.store;
        let mut findings = Vec::new();
        let mut checked = std::collections::BTreeSet::new();
        for lane in (0..store.lanes()).map(Lane) {
            for (_, row) in list_rows::<OutputLog, _>(store, &lane).await.unwrap() {
                if checked.insert(row.room) {
                    findings.extend(self.rooms.reader().check_room(row.room, &self.env.server_name).await.unwrap());
                }
            }
        }
        findings
    }
}

/// A room without anything that a preset does not bring.
pub(super) fn new_room(version: Option<RoomVersionId>, preset: Preset) -> CreateRoom {
    CreateRoom {
        version,
        preset,
        name: None,
        topic: None,
        invite: Vec::new(),
        is_direct: false,
        initial_state: Vec::new(),
        creation_content: Map::new(),
        power_levels: None,
        alias_localpart: None,
        is_listed: false,
    }
}

/// A text message.
pub(super) fn message(body: &str, txn_id: Option<&str>) -> NewEvent {
    event("m.room.message", None, &serde_json::json!({"msgtype": "m.text", "body": body}), txn_id)
}

/// Any event.
pub(super) fn event(kind: &str, state_key: Option<&str>, content: &Value, txn_id: Option<&str>) -> NewEvent {
    NewEvent {
        kind: kind.to_owned(),
        state_key: state_key.map(str::to_owned),
        content: serde_json::value::to_raw_value(content).unwrap(),
        redacts: None,
        txn_id: txn_id.map(str::to_owned),
        timestamp: None,
    }
}
