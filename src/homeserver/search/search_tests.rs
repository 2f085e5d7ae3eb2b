//! The index is what the events say, however and in how many steps it was written.

use std::collections::BTreeMap;
use std::sync::Arc;

use hearth_protocol::{EventNum, MockClock, Rng as _, RoomKey, SeededRng};
use hearth_storage::MemoryFaults;
use hearth_storage::schema::search::{SearchWords, SearchedEvent, SearchedEvents};
use ruma::{OwnedEventId, OwnedRoomId};
use serde_json::{Map, Value, json};

use super::entry::load_entry;
use super::{Field, Query, Search, SearchConfig};
use crate::Env;
use crate::rooms::{CreateRoom, NewEvent, NoRemote, Preset, Rooms, RoomsConfig};
use crate::testing::{TestServer, cheap_users};
use crate::users::{LocalUser, NewDevice, NewUser, Users};

struct Fixture {
    env: Env,
    rooms: Rooms,
    search: Search,
    alice: LocalUser,
    clock: Arc<MockClock>,
    _server: TestServer,
}

impl Fixture {
    async fn new(lanes: u16) -> Self {
        let server = TestServer::new(lanes, MemoryFaults::default()).await;
        let (env, clock) = (server.env.clone(), server.clock.clone());
        let users = Users::new(&env, cheap_users());
        let (rooms, workers) = Rooms::new(&env, RoomsConfig::default(), users.clone(), Arc::new(NoRemote));
        for lane in workers.lanes {
            server.run(Box::new(lane));
        }
        let new = NewUser {
            username: "alice".to_owned(),
            password: None,
            is_admin: false,
            device: Some(NewDevice::default()),
            ..NewUser::default()
        };
        let session = users.create_user(new).await.unwrap().session.unwrap();
        let alice = users.authenticate(&session.access_token).await.unwrap();
        let search = Search::new(&env, &SearchConfig::default(), rooms.clone());
        Self { env, rooms, search, alice, clock, _server: server }
    }

    async fn room(&self) -> OwnedRoomId {
        let room = CreateRoom {
            version: None,
            preset: Preset::PrivateChat,
            name: None,
            topic: None,
            invite: Vec::new(),
            is_direct: false,
            initial_state: Vec::new(),
            creation_content: Map::new(),
            power_levels: None,
            alias_localpart: None,
            is_listed: false,
        };
        self.rooms.create(&self.alice, room).await.unwrap()
    }

    async fn send(
        &self,
        room: &OwnedRoomId,
        kind: &str,
        content: &Value,
        redacts: Option<&OwnedEventId>,
    ) -> OwnedEventId {
        let event = NewEvent {
            kind: kind.to_owned(),
            state_key: None,
            content: serde_json::value::to_raw_value(content).unwrap(),
            redacts: redacts.cloned(),
            txn_id: None,
            timestamp: None,
        };
        self.rooms.send(&self.alice, room, event).await.unwrap()
    }

    async fn message(&self, room: &OwnedRoomId, text: &str) -> OwnedEventId {
        self.send(room, "m.room.message", &json!({ "msgtype": "m.text", "body": text }), None).await
    }

    async fn edit(&self, room: &OwnedRoomId, target: &OwnedEventId, text: &str) -> OwnedEventId {
        let content = json!({
            "msgtype": "m.text", "body": text, "m.new_content": { "msgtype": "m.text", "body": text },
            "m.relates_to": { "rel_type": "m.replace", "event_id": target },
        });
        self.send(room, "m.room.message", &content, None).await
    }

    /// Everything in the index of a room is what its events say, and nothing else is.
    async fn check(&self, room: &OwnedRoomId) {
        let view = self.rooms.require_view(room).await.unwrap();
        let (key, store) = (view.room.key, &self.env.store);
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        for num in (0..view.room.head.next.event).map(EventNum) {
            let entry = load_entry(&view, num).await.unwrap();
            let known = store.get::<SearchedEvents>(&(key, num)).await.unwrap();
            let known = known.filter(|known| matches!(known, SearchedEvent::Found { .. }));
            let wanted = entry.map(|entry| {
                let words: Vec<String> = entry.words.words.into_iter().map(|(word, _)| word).collect();
                for word in &words {
                    *counts.entry(word.clone()).or_default() += 1;
                }
                SearchedEvent::Found { field: entry.field as u8, at_ms: entry.at_ms, words }
            });
            assert_eq!(known, wanted, "event {num:?}");
        }
        for word in ["a", "b", "c", "d", "e", "long0", "long399"] {
            let known = store.get::<SearchWords>(&(key, Field::Body as u8, word.to_owned())).await.unwrap();
            assert_eq!(known.map(|known| known.events), counts.get(word).copied(), "{word}");
            assert_eq!(self.find(key, word).await, counts.get(word).copied().unwrap_or(0) as usize, "{word}");
        }
    }

    /// How many events the index has for a text.
    async fn find(&self, room: RoomKey, text: &str) -> usize {
        let query = Query::new(text, &Field::ALL);
        let mut walk = super::SearchWalk::begin(self.env.store.clone(), &query, &[room], None).await.unwrap();
        let (mut found, mut last) = (0, None);
        while let Some(hit) = walk.next().await.unwrap() {
            assert!(last.is_none_or(|last| hit.place < last), "newest first");
            last = Some(hit.place);
            found += 1;
        }
        found
    }
}

fn below(dice: &SeededRng, end: u64) -> u64 {
    let mut bytes = [0; 8];
    dice.fill(&mut bytes);
    u64::from_be_bytes(bytes) % end
}

#[tokio::test]
async fn the_index_is_what_the_events_say() {
    for lanes in [1, 8] {
        let fixture = Fixture::new(lanes).await;
        let (indexer, room, dice) = (fixture.search.indexer(), fixture.room().await, SeededRng::new(11));
        let mut sent: Vec<OwnedEventId> = Vec::new();
        let long = (0..500).map(|n| format!("long{n}")).collect::<Vec<_>>().join(" ");
        for n in 0..150 {
            fixture.clock.advance(below(&dice, 3));
            let text = ["a b", "b c d", "c", "a e e", &long][usize::try_from(below(&dice, 5)).unwrap()];
            let target = sent.get(usize::try_from(below(&dice, 150)).unwrap()).cloned();
            let id = match (below(&dice, 6), target) {
                (0, Some(target)) => fixture.send(&room, "m.room.redaction", &json!({}), Some(&target)).await,
                (1 | 2, Some(target)) => fixture.edit(&room, &target, text).await,
                _ => fixture.message(&room, text).await,
            };
            sent.push(id);
            if below(&dice, 10) == 0 || n == 149 {
                indexer.catch_up().await.unwrap();
                fixture.check(&room).await;
            }
        }
    }
}

#[tokio::test]
async fn what_was_sent_before_there_was_an_index_is_found() {
    let fixture = Fixture::new(1).await;
    let room = fixture.room().await;
    for n in 0..450 {
        fixture.message(&room, &format!("needle w{n}")).await;
    }
    let key = RoomKey::of(&room);
    assert_eq!(fixture.find(key, "needle").await, 0);
    fixture.search.indexer().catch_up().await.unwrap();
    fixture.search.indexer().catch_up().await.unwrap();
    assert_eq!(fixture.find(key, "needle").await, 450);
    assert_eq!(fixture.find(key, "needle w7").await, 1);
}
