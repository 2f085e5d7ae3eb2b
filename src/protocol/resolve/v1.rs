//! The state resolution of room version 1.
//!
//! The specification's text leaves open what is in the working state while the conflicts of one kind
//! are settled. Servers agree in this: each state key is settled by itself, against the settled state of
//! the kinds before; and a state key that only some of the sets have is no conflict.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use ruma::{EventId, OwnedEventId};
use sha1::{Digest, Sha1};

use super::StateMapOf;
use crate::{
    Event, RoomRules,
    auth::{AuthCache, check_cached},
};

type Key = (String, String);
type Fetch<'a> = dyn Fn(&EventId) -> Option<Arc<Event>> + 'a;

/// The kinds of events that are settled before the others, in this order.
const AUTH_KINDS: [&str; 3] = ["m.room.power_levels", "m.room.join_rules", "m.room.member"];

/// Resolves; what `fetch` does not know is left out, and the caller discards the result.
pub(super) fn resolve(rules: &RoomRules, sets: &[StateMapOf], fetch: &Fetch<'_>) -> StateMapOf {
    let (mut settled, conflicts) = split(sets);
    let mut conflicts: BTreeMap<Key, Vec<Arc<Event>>> = conflicts
        .into_iter()
        .map(|(key, ids)| (key, ordered(ids.iter().filter_map(|id| fetch(id)).collect())))
        .collect();
    let cache = AuthCache::new();
    let allowed = |event: &Event, state: &StateMapOf, also: Option<&Arc<Event>>| {
        let lookup = |kind: &str, state_key: &str| {
            if let Some(also) = also.filter(|also| also.state_pair() == Some((kind, state_key))) {
                return Some(Arc::clone(also));
            }
            fetch(state.get(&(kind.to_owned(), state_key.to_owned()))?)
        };
        check_cached(rules, event, &lookup, &cache).is_ok()
    };
    for kind in AUTH_KINDS {
        let of_kind: Vec<_> = conflicts.keys().filter(|key| is_of(kind, key)).cloned().collect();
        let mut winners = StateMapOf::new();
        for key in of_kind {
            let events = conflicts.remove(&key).unwrap_or_default();
            if let Some(winner) = last_in_a_row(&events, |event, before| allowed(event, &settled, Some(before))) {
                winners.insert(key, winner);
            }
        }
        settled.extend(winners);
    }
    let mut winners = StateMapOf::new();
    for (key, events) in conflicts {
        // The latest that is allowed; when none is, servers take the earliest.
        let winner = events.iter().rev().find(|event| allowed(event, &settled, None));
        if let Some(winner) = winner.or(events.first()) {
            winners.insert(key, winner.id.clone());
        }
    }
    settled.extend(winners);
    settled
}

/// Power levels count with an empty state key only: others do not bear on what is allowed.
fn is_of(kind: &str, (key_kind, state_key): &Key) -> bool {
    key_kind == kind && (kind != "m.room.power_levels" || state_key.is_empty())
}

/// Goes through the events from the earliest, each allowed by the one before, until one is not.
fn last_in_a_row(events: &[Arc<Event>], allowed: impl Fn(&Event, &Arc<Event>) -> bool) -> Option<OwnedEventId> {
    let (mut last, later) = events.split_first()?;
    for event in later {
        if !allowed(event, last) {
            break;
        }
        last = event;
    }
    Some(last.id.clone())
}

/// By ascending depth, then descending SHA-1 of the event id.
fn ordered(mut events: Vec<Arc<Event>>) -> Vec<Arc<Event>> {
    events.sort_by_cached_key(|event| (event.depth, Reverse(<[u8; 20]>::from(Sha1::digest(event.id.as_bytes())))));
    events
}

/// What no two sets disagree on, and for the rest the candidates.
fn split(sets: &[StateMapOf]) -> (StateMapOf, BTreeMap<Key, BTreeSet<OwnedEventId>>) {
    let mut candidates: BTreeMap<Key, BTreeSet<OwnedEventId>> = BTreeMap::new();
    for (key, id) in sets.iter().flatten() {
        candidates.entry(key.clone()).or_default().insert(id.clone());
    }
    let mut settled = StateMapOf::new();
    candidates.retain(|key, ids| {
        if ids.len() > 1 {
            return true;
        }
        settled.extend(ids.pop_first().map(|id| (key.clone(), id)));
        false
    });
    (settled, candidates)
}
