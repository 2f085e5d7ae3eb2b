//! State resolution 1 against what Synapse made of the same forks.
//!
//! `synapse_v1.json` was recorded from a real Synapse by `tests/oracle/record_state_resolution_v1.py`,
//! which says how to record it again.

use std::{collections::BTreeMap, sync::Arc};

use ruma::{OwnedEventId, RoomId, RoomVersionId};
use serde::Deserialize;
use serde_json::Value;

use crate::{Event, Resolved, StateMapOf, resolve, rules_of, testing::Sample};

#[derive(Deserialize)]
struct Recording {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    events: Vec<Recorded>,
    states: Vec<Vec<OwnedEventId>>,
    resolved: Vec<OwnedEventId>,
}

#[derive(Deserialize)]
struct Recorded {
    event_id: OwnedEventId,
    #[serde(rename = "type")]
    kind: String,
    sender: String,
    state_key: String,
    content: Value,
    depth: u64,
}

#[test]
fn version_1_resolves_as_synapse_does() {
    let recording: Recording = serde_json::from_str(include_str!("../synapse_v1.json")).expect("the recording");
    assert!(recording.cases.len() >= 100);
    let rules = rules_of(&RoomVersionId::V1).expect("known");
    let room_id = RoomId::parse("!room:a.org").expect("a room id");
    let mut conflicts = 0;
    for (number, case) in recording.cases.into_iter().enumerate() {
        let read = |recorded: Recorded| {
            let Recorded { event_id, kind, sender, state_key, content, depth } = recorded;
            let sample = Sample::state(&kind, &sender, &state_key, content);
            let sample = Sample { id: Some(event_id.clone()), depth, ..sample };
            (event_id, sample.build(rules, &room_id))
        };
        let events: BTreeMap<OwnedEventId, Arc<Event>> = case.events.into_iter().map(read).collect();
        let state_of = |ids: &[OwnedEventId]| -> StateMapOf {
            let pair = |id| events[id].state_pair().expect("a state event");
            let key = |(kind, key): (&str, &str)| (kind.to_owned(), key.to_owned());
            ids.iter().map(|id| (key(pair(id)), id.clone())).collect()
        };
        let mut sets: Vec<_> = case.states.iter().map(|ids| state_of(ids)).collect();
        let expected = state_of(&case.resolved);
        conflicts += usize::from(sets.iter().all(|set| *set != expected));
        for _ in 0..sets.len() {
            sets.rotate_left(1);
            let fetch = |id: &ruma::EventId| events.get(id).cloned();
            let resolved = resolve(rules, &sets, &[], &fetch, &|_| false);
            assert_eq!(resolved, Resolved::State(expected.clone()), "case {number}");
        }
    }
    assert!(conflicts > 50, "most cases are settled by more than taking one side: {conflicts}");
}
