//! State resolution: one room state out of several (each room version's "State resolution").
//!
//! Pure and free of order: neither the order of the sets nor that of their events changes the result.
//! Version 1 is written here; versions 2 and 2.1 are ruma's, on our events. Nothing here may answer from
//! incomplete knowledge: an event that could not be looked up voids the whole result
//! ([`Resolved::Missing`]), because what an algorithm makes of a gap is not what other servers have.

mod v1;
mod v2;

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use ruma::{EventId, OwnedEventId};

use crate::{Event, RoomRules, StateResolution};

/// A room state: the id of the event of each type and state key.
pub type StateMapOf = BTreeMap<(String, String), OwnedEventId>;

/// The result of state resolution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolved {
    /// The resolved state.
    State(StateMapOf),
    /// These events are needed and were not found.
    Missing(BTreeSet<OwnedEventId>),
    /// An event that no server would have accepted stands in the state or in an auth chain, and the
    /// algorithm cannot go on. Only a damaged store can lead here.
    Unresolvable(String),
}

/// Resolves room states.
///
/// `auth_chains` holds, for each set, the auth chains of its events; what all of them have in common may
/// be left out (the algorithms ask for the difference only), and version 1 reads none of it. `fetch` and
/// `rejected` are asked for the events of the sets, of the chains, and of what those cite.
pub fn resolve(
    rules: &RoomRules,
    sets: &[StateMapOf],
    auth_chains: &[BTreeSet<OwnedEventId>],
    fetch: &dyn Fn(&EventId) -> Option<Arc<Event>>,
    rejected: &dyn Fn(&EventId) -> bool,
) -> Resolved {
    let Some((first, others)) = sets.split_first() else {
        return Resolved::State(StateMapOf::new());
    };
    if others.iter().all(|set| set == first) {
        return Resolved::State(first.clone());
    }
    let missing = RefCell::new(BTreeSet::new());
    let fetch = |id: &EventId| {
        let event = fetch(id);
        if event.is_none() {
            missing.borrow_mut().insert(id.to_owned());
        }
        event
    };
    let result = match rules.state_resolution {
        StateResolution::V1 => Ok(v1::resolve(rules, sets, &fetch)),
        StateResolution::V2 | StateResolution::V2_1 => v2::resolve(rules, sets, auth_chains, &fetch, rejected),
    };
    let missing = missing.into_inner();
    if !missing.is_empty() {
        return Resolved::Missing(missing);
    }
    match result {
        Ok(state) => Resolved::State(state),
        Err(reason) => Resolved::Unresolvable(reason),
    }
}

#[cfg(test)]
mod tests;
