//! State resolution 2 (room versions 2 to 11) and 2.1 (version 12), by ruma, on our events.

use std::{
    cell::RefCell,
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use ruma::{
    EventId, OwnedEventId,
    events::StateEventType,
    state_res::{self, StateMap, utils::event_id_set::EventIdSet},
};

use super::StateMapOf;
use crate::{Event, RoomRules, auth::RuledEvent};

type Fetch<'a> = dyn Fn(&EventId) -> Option<Arc<Event>> + 'a;

/// Resolves; `fetch` has to remember what it did not know, and the caller discards the result then.
pub(super) fn resolve(
    rules: &RoomRules,
    sets: &[StateMapOf],
    auth_chains: &[BTreeSet<OwnedEventId>],
    fetch: &Fetch<'_>,
    rejected: &dyn Fn(&EventId) -> bool,
) -> Result<StateMapOf, String> {
    let Some(v2_rules) = rules.ruma.state_res.v2_rules() else {
        return Err("the room version has no state resolution of version 2".to_owned());
    };
    let sets: Vec<StateMap<OwnedEventId>> = sets.iter().map(to_ruma).collect();
    let chains = auth_chains.iter().map(|chain| chain.iter().cloned().collect()).collect();
    // The algorithm asks for the same few events over and over.
    let known: RefCell<HashMap<OwnedEventId, Option<RuledEvent>>> = RefCell::default();
    let fetch_ruled = |id: &EventId| {
        if let Some(event) = known.borrow().get(id) {
            return event.clone();
        }
        let event = fetch(id).map(|event| RuledEvent::new(rules, event, rejected(id)));
        known.borrow_mut().insert(id.to_owned(), event.clone());
        event
    };
    state_res::resolve(&rules.ruma.authorization, v2_rules, &sets, chains, fetch_ruled, |conflicts| {
        Some(build_subgraph(conflicts.values().flatten(), fetch))
    })
    .map(from_ruma)
    .map_err(|error| error.to_string())
}

fn to_ruma(set: &StateMapOf) -> StateMap<OwnedEventId> {
    set.iter()
        .map(|((kind, state_key), id)| ((StateEventType::from(kind.as_str()), state_key.clone()), id.clone()))
        .collect()
}

fn from_ruma(map: StateMap<OwnedEventId>) -> StateMapOf {
    map.into_iter().map(|((kind, state_key), id)| ((kind.to_string(), state_key), id)).collect()
}

/// The conflicted state subgraph: every event on a way along auth events from one conflicted event to
/// another, both ends included.
///
/// The walk sees each event of the conflicted events' auth chains once, so that their size is its bound.
fn build_subgraph<'a>(
    conflicted: impl Iterator<Item = &'a OwnedEventId>,
    fetch: &Fetch<'_>,
) -> EventIdSet<OwnedEventId> {
    enum Step {
        Enter(OwnedEventId),
        Leave(Arc<Event>),
    }
    let conflicted: BTreeSet<&OwnedEventId> = conflicted.collect();
    // For every event seen: whether a conflicted event is among it and its auth chain. What is on the
    // stack still stands as `false`, which only a ring of auth events could tell from the truth.
    let mut leads: HashMap<OwnedEventId, bool> = HashMap::new();
    let mut steps: Vec<Step> = conflicted.iter().map(|id| Step::Enter((*id).clone())).collect();
    while let Some(step) = steps.pop() {
        match step {
            Step::Enter(id) => {
                if leads.contains_key(&id) {
                    continue;
                }
                leads.insert(id.clone(), conflicted.contains(&id));
                let Some(event) = fetch(&id) else { continue };
                let cited: Vec<_> = event.auth_events.iter().cloned().map(Step::Enter).collect();
                steps.push(Step::Leave(event));
                steps.extend(cited);
            }
            Step::Leave(event) => {
                let led = event.auth_events.iter().any(|id| leads.get(id) == Some(&true));
                if led {
                    leads.insert(event.id.clone(), true);
                }
            }
        }
    }
    leads.into_iter().filter_map(|(id, leads)| leads.then_some(id)).collect()
}
