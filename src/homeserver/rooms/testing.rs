//! What the tests of rooms stand on: rooms and users over the engine in memory, with a clock and randomness of their own.

use std::sync::Arc;

use hearth_protocol::{Lane, MockClock};
use hearth_storage::MemoryFaults;
use hearth_storage::schema::log::OutputLog;
use ruma::{OwnedRoomId, RoomVersionId};
use serde_json::{Map, Value};

use super::reader::list_rows;
use super::{CreateRoom, ErasureWorker, Finding, NewEvent, NoRemote, Preset, RemoteRooms, Rooms, RoomsConfig};
use crate::Env;
use crate::testing::{TestServer, cheap_users};
use crate::users::{LocalUser, NewDevice, NewUser, Users};

/// Rooms of the server `hs1`.
pub(super) struct Fixture {
    pub(super) rooms: Rooms,
    pub(super) users: Users,
    pub(super) clock: Arc<MockClock>,
    pub(super) env: Env,
    pub(super) erasure: ErasureWorker,
    _server: TestServer,
}

impl Fixture {
    pub(super) async fn new(lanes: u16) -> Self {
        Self::with(lanes, MemoryFaults::default(), Arc::new(NoRemote)).await
    }

    pub(super) async fn with(lanes: u16, faults: MemoryFaults, remote: Arc<dyn RemoteRooms>) -> Self {
        let server = TestServer::new(lanes, faults).await;
        let users = Users::new(&server.env, cheap_users());
        let (rooms, workers) = Rooms::new(&server.env, RoomsConfig::default(), users.clone(), remote);
        for lane in workers.lanes {
            server.run(Box::new(lane));
        }
        let (env, clock) = (server.env.clone(), server.clock.clone());
        Self { rooms, users, clock, env, erasure: workers.erasure, _server: server }
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
