//! State resolution: what the room's state is where several ends of its graph disagree. Loads, then asks the pure resolver.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use hearth_protocol::{Event, EventNum, Resolved, StateKeyNum, auth_pairs, resolve};
use hearth_storage::schema::rooms::{ChainEvents, ChainPlace, Outcome};
use ruma::{EventId, OwnedEventId};

use super::lane::Context;
use super::working::Working;
use crate::rooms::chain_cover::{ChainIndex, place_event};
use crate::rooms::error::RoomError;
use crate::rooms::reader::list_rows;
use crate::rooms::state_map::StateMap;
use crate::rooms::stored_event::StoredEvent;

/// Rounds of loading what the resolver asks for; each goes one step up the auth graph.
const ROUNDS_MAX: usize = 500;
/// State events that a resolution may load; more is refused, so that a hostile room cannot fill the memory.
const EVENTS_MAX: usize = 100_000;

/// The place in the chain cover of a new state event with these auth events, and its links.
///
/// # Errors
/// When reading fails.
pub async fn place_in_chains(
    context: &Context,
    working: &mut Working,
    auth: &[EventNum],
) -> Result<(ChainPlace, Vec<ChainPlace>), RoomError> {
    let mut places = Vec::new();
    for num in auth {
        if let Some(place) = chain_place(context, working, *num).await? {
            places.push(place);
        }
    }
    let next = |place: &ChainPlace| (working.room.key, place.chain, place.sequence + 1);
    let keys: Vec<_> = places.iter().map(next).collect();
    let rows =
        if keys.is_empty() { Vec::new() } else { context.reader.store().multi_get::<ChainEvents>(&keys).await? };
    let mut followed: BTreeSet<ChainPlace> =
        places.iter().zip(&rows).filter(|(_, row)| row.is_some()).map(|(place, _)| *place).collect();
    for pending in &working.events {
        if let Some(place) = pending.stored.chain.filter(|place| place.sequence > 1) {
            followed.insert(ChainPlace { sequence: place.sequence - 1, ..place });
        }
    }
    Ok(place_event(&places, |place| followed.contains(&place), &mut working.room.head.next.chain))
}

async fn chain_place(context: &Context, working: &Working, num: EventNum) -> Result<Option<ChainPlace>, RoomError> {
    if let Some(pending) = working.events.iter().find(|pending| pending.stored.num == num) {
        return Ok(pending.stored.chain);
    }
    let stored = context.reader.list_events(&working.room, &[num]).await?;
    Ok(stored.first().and_then(|stored| stored.chain))
}

/// What was loaded for a resolution.
#[derive(Default)]
struct Loaded {
    events: HashMap<OwnedEventId, Arc<StoredEvent>>,
    /// Asked for, and not in the room.
    absent: BTreeSet<OwnedEventId>,
}

impl Loaded {
    fn event(&self, id: &EventId) -> Option<Arc<Event>> {
        self.events.get(id).map(|stored| stored.event.clone())
    }

    fn is_rejected(&self, id: &EventId) -> bool {
        self.events.get(id).is_some_and(|stored| stored.outcome == Outcome::Rejected)
    }

    fn add(&mut self, stored: Arc<StoredEvent>) {
        self.events.insert(stored.event.id.clone(), stored);
    }
}

/// One state out of several: equal ones are returned as they are, others go through the room version's resolution.
///
/// # Errors
/// When reading fails, or events that the resolution needs are missing.
pub async fn resolve_states(context: &Context, working: &Working, states: &[StateMap]) -> Result<StateMap, RoomError> {
    let Some((first, others)) = states.split_first() else {
        return Ok(StateMap::new());
    };
    if others.iter().all(|other| other == first) {
        return Ok(first.clone());
    }
    let (conflicted, unconflicted) = split_conflicts(states);
    let differences = list_auth_differences(context, working, states).await?;
    let mut loaded = Loaded::default();
    let wanted: BTreeSet<EventNum> =
        differences.iter().flatten().chain(conflicted.values().flatten()).copied().collect();
    for stored in load_stored(context, working, &wanted.into_iter().collect::<Vec<_>>()).await? {
        loaded.add(stored);
    }
    let relevant = list_relevant_pairs(working, &loaded, &unconflicted);
    let relevant_nums: Vec<EventNum> = relevant.values().copied().collect();
    for stored in load_stored(context, working, &relevant_nums).await? {
        loaded.add(stored);
    }
    let by_num: HashMap<EventNum, OwnedEventId> =
        loaded.events.values().map(|stored| (stored.num, stored.event.id.clone())).collect();
    let named = |map: &StateMap| {
        let kept = map.iter().filter(|(key, _)| conflicted.contains_key(key) || relevant.contains_key(key));
        kept.filter_map(|(key, num)| {
            let (kind, state_key) = working.room.keys.pair(*key)?;
            Some(((kind.to_string(), state_key.to_string()), by_num.get(num)?.clone()))
        })
        .collect::<BTreeMap<_, _>>()
    };
    let sets: Vec<_> = states.iter().map(named).collect();
    let chains: Vec<BTreeSet<OwnedEventId>> =
        differences.iter().map(|nums| nums.iter().filter_map(|num| by_num.get(num).cloned()).collect()).collect();
    let resolved = resolve_loading(context, working, &sets, &chains, &mut loaded).await?;
    let mut map = StateMap::new();
    for ((kind, state_key), id) in resolved {
        let stored = loaded.events.get(&id);
        let key = working.room.keys.find(&kind, &state_key);
        if let (Some(key), Some(stored)) = (key, stored) {
            map.insert(key, stored.num);
        }
    }
    for (key, num) in unconflicted {
        map.insert(key, num);
    }
    Ok(map)
}

async fn resolve_loading(
    context: &Context,
    working: &Working,
    sets: &[BTreeMap<(String, String), OwnedEventId>],
    chains: &[BTreeSet<OwnedEventId>],
    loaded: &mut Loaded,
) -> Result<BTreeMap<(String, String), OwnedEventId>, RoomError> {
    for _ in 0..ROUNDS_MAX {
        let resolved =
            { resolve(working.room.rules, sets, chains, &|id| loaded.event(id), &|id| loaded.is_rejected(id)) };
        let missing = match resolved {
            Resolved::State(map) => return Ok(map),
            Resolved::Missing(missing) => missing,
            Resolved::Unresolvable(why) => return Err(RoomError::Unresolvable(why)),
        };
        let unknown = missing.iter().any(|id| loaded.absent.contains(id));
        if unknown || loaded.events.len() > EVENTS_MAX {
            return Err(RoomError::Missing(missing.into_iter().collect()));
        }
        load_by_id(context, working, missing.into_iter().collect(), loaded).await?;
    }
    Err(RoomError::Missing(Vec::new()))
}

/// Loads events and, since the resolver walks up, those that they cite.
async fn load_by_id(
    context: &Context,
    working: &Working,
    ids: Vec<OwnedEventId>,
    loaded: &mut Loaded,
) -> Result<(), RoomError> {
    let mut wanted = ids;
    // Two steps up at once: the event and what it cites.
    for _ in 0..2 {
        wanted.retain(|id| !loaded.events.contains_key(id));
        let nums = context.reader.list_nums(working.room.key, &wanted).await?;
        let mut found = Vec::new();
        for (id, num) in wanted.iter().zip(nums) {
            match num.or_else(|| working.pending(id).map(|pending| pending.stored.num)) {
                Some(num) => found.push(num),
                None => drop(loaded.absent.insert(id.clone())),
            }
        }
        wanted = Vec::new();
        for stored in load_stored(context, working, &found).await? {
            wanted.extend(stored.event.auth_events.iter().cloned());
            loaded.add(stored);
        }
        wanted.sort();
        wanted.dedup();
    }
    Ok(())
}

async fn load_stored(
    context: &Context,
    working: &Working,
    nums: &[EventNum],
) -> Result<Vec<Arc<StoredEvent>>, RoomError> {
    let mut stored = Vec::new();
    let mut on_disk = Vec::new();
    for num in nums {
        match working.events.iter().find(|pending| pending.stored.num == *num) {
            Some(pending) => stored.push(Arc::new(pending.stored.with_event(pending.stored.event.clone()))),
            None => on_disk.push(*num),
        }
    }
    stored.extend(context.reader.list_events(&working.room, &on_disk).await?);
    Ok(stored)
}

/// The keys on which the states disagree, with all that they say, and what all of them agree on.
fn split_conflicts(states: &[StateMap]) -> (BTreeMap<StateKeyNum, Vec<EventNum>>, StateMap) {
    let mut conflicted: BTreeMap<StateKeyNum, Vec<EventNum>> = BTreeMap::new();
    let first = &states[0];
    for other in &states[1..] {
        for (key, _) in super::sets::list_changes(first, other) {
            conflicted.entry(key).or_default();
        }
    }
    let mut unconflicted = first.clone();
    for (key, nums) in &mut conflicted {
        unconflicted.remove(key);
        nums.extend(states.iter().filter_map(|state| state.get(key).copied()));
        nums.sort_unstable();
        nums.dedup();
    }
    (conflicted, unconflicted)
}

/// The agreed pairs that the auth rules ask for when they judge the events in question.
fn list_relevant_pairs(working: &Working, loaded: &Loaded, unconflicted: &StateMap) -> BTreeMap<StateKeyNum, EventNum> {
    let always =
        ["m.room.create", "m.room.power_levels", "m.room.join_rules"].map(|kind| (kind.to_owned(), String::new()));
    let judged = loaded.events.values().filter_map(|stored| {
        let event = &stored.event;
        auth_pairs(working.room.rules, &event.sender, &event.kind, event.state_key.as_deref(), &event.content).ok()
    });
    let mut relevant = BTreeMap::new();
    for (kind, state_key) in judged.flatten().chain(always) {
        let key = working.room.keys.find(&kind, &state_key);
        if let Some((key, num)) = key.and_then(|key| Some((key, *unconflicted.get(&key)?))) {
            relevant.insert(key, num);
        }
    }
    relevant
}

/// For each state, the events of its auth chain that not all of the others have too.
async fn list_auth_differences(
    context: &Context,
    working: &Working,
    states: &[StateMap],
) -> Result<Vec<Vec<EventNum>>, RoomError> {
    let index = load_chain_index(context, working).await?;
    let mut places = HashMap::new();
    for (place, num) in index.1 {
        places.insert(num, place);
    }
    let reaches: Vec<_> =
        states.iter().map(|state| index.0.reach(state.values().filter_map(|num| places.get(num).copied()))).collect();
    Ok(index.0.differences(&reaches))
}

async fn load_chain_index(
    context: &Context,
    working: &Working,
) -> Result<(ChainIndex, Vec<(ChainPlace, EventNum)>), RoomError> {
    let (mut index, mut places) = (ChainIndex::default(), Vec::new());
    for ((_, chain, sequence), row) in list_rows::<ChainEvents, _>(context.reader.store(), &working.room.key).await? {
        places.push((ChainPlace { chain, sequence }, row.num));
        index.add(ChainPlace { chain, sequence }, row.num, row.links);
    }
    for pending in &working.events {
        if let Some(place) = pending.stored.chain {
            places.push((place, pending.stored.num));
            index.add(place, pending.stored.num, pending.links.clone());
        }
    }
    Ok((index, places))
}
