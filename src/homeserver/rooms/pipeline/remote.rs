//! Events of other servers: their state before, the verdict, and what they change.

use std::collections::HashMap;
use std::sync::Arc;

use hearth_protocol::{
    AuthRef, Candidate, Event, EventNum, Origin, RoomAtEvent, StateSetNum, Verdict, auth_pairs, evaluate_cached,
};
use hearth_storage::schema::rooms::Outcome;
use ruma::{EventId, OwnedEventId};

use super::lane::Context;
use super::local::Staged;
use super::submission::RemoteEvent;
use super::working::{Pending, Working};
use crate::rooms::error::RoomError;
use crate::rooms::state_map::StateMap;
use crate::rooms::stored_event::StoredEvent;

/// Judges one remote event in the room's queue, and notes what it changes.
///
/// # Errors
/// `Missing` when it cites events that are not known: the caller fetches them and submits again.
pub async fn stage_remote(
    context: &Context,
    working: &mut Working,
    origin: Origin,
    remote: RemoteEvent,
) -> Result<Staged, RoomError> {
    let event = remote.event;
    let known = context.reader.load_num(working.room.key, &event.id).await?;
    if known.is_some() || working.pending(&event.id).is_some() {
        return Ok(Staged::Existing(event.id.clone()));
    }
    let prevs = load_cited(context, working, &event.prev_events).await?;
    let auth = load_cited(context, working, &event.auth_events).await?;
    let (before_set, before) = state_before(context, working, &prevs).await?;
    let verdict = judge(context, working, origin, &event, &auth, &before).await?;
    let outcome = match verdict {
        Verdict::Accept => Outcome::Accepted,
        Verdict::SoftFail(_) => Outcome::SoftFailed,
        Verdict::Reject(_) => Outcome::Rejected,
        Verdict::Need(missing) => return Err(RoomError::Missing(missing.into_iter().collect())),
    };
    let judged = Judged { outcome, origin, before: (before_set, before), auth };
    record(context, working, &event, judged).await.map(Staged::New)
}

/// Events that another one cites, all of them known.
async fn load_cited(
    context: &Context,
    working: &Working,
    ids: &[OwnedEventId],
) -> Result<Vec<Arc<StoredEvent>>, RoomError> {
    let nums = context.reader.list_nums(working.room.key, ids).await?;
    let (mut cited, mut missing) = (Vec::with_capacity(ids.len()), Vec::new());
    for (id, num) in ids.iter().zip(nums) {
        match (working.pending(id), num) {
            (Some(pending), _) => {
                cited.push(Arc::new(pending.stored.with_event(pending.stored.event.clone())));
            }
            (None, Some(num)) => {
                cited.extend(context.reader.list_events(&working.room, &[num]).await?);
            }
            (None, None) => missing.push(id.clone()),
        }
    }
    if missing.is_empty() { Ok(cited) } else { Err(RoomError::Missing(missing)) }
}

/// The state before an event depends on nothing but its predecessors.
async fn state_before(
    context: &Context,
    working: &mut Working,
    prevs: &[Arc<StoredEvent>],
) -> Result<(StateSetNum, StateMap), RoomError> {
    let mut sets: Vec<StateSetNum> = prevs.iter().map(|prev| prev.after).collect();
    sets.sort_unstable();
    sets.dedup();
    let mut maps = Vec::with_capacity(sets.len());
    for set in &sets {
        maps.push(load_set(context, working, *set).await?);
    }
    let map = super::resolution::resolve_states(context, working, &maps).await?;
    for (set, known) in sets.iter().zip(&maps) {
        if *known == map {
            return Ok((*set, map));
        }
    }
    if working.room.state == map {
        return Ok((working.room.head.state, map));
    }
    let base = (working.room.head.state, working.room.head.state_distance, working.room.state.clone());
    let (set, _) = working.add_set(Some((base.0, base.1, &base.2)), &map);
    context.reader.remember_set(working.room.key, set, map.clone());
    Ok((set, map))
}

async fn load_set(context: &Context, working: &Working, set: StateSetNum) -> Result<StateMap, RoomError> {
    if set == working.room.head.state {
        return Ok(working.room.state.clone());
    }
    let mut changes = Vec::new();
    let mut at = Some(set);
    // Sets of this batch are not on disk yet.
    while let Some((_, row)) = at.and_then(|num| working.sets.iter().find(|(n, _)| *n == num)) {
        changes.push(row);
        at = row.parent;
    }
    let mut map = match at {
        Some(stored) if changes.is_empty() || changes.last().is_some_and(|row| row.parent.is_some()) => {
            context.reader.load_set(working.room.key, stored).await?
        }
        _ => StateMap::new(),
    };
    for row in changes.into_iter().rev() {
        for (key, num) in &row.changes {
            match num {
                Some(num) => map.insert(*key, *num),
                None => map.remove(key),
            };
        }
    }
    Ok(map)
}

type Pairs = HashMap<(String, String), Arc<Event>>;

async fn judge(
    context: &Context,
    working: &Working,
    origin: Origin,
    event: &Arc<Event>,
    auth: &[Arc<StoredEvent>],
    before: &StateMap,
) -> Result<Verdict, RoomError> {
    // A content that the selection of auth events cannot read is refused by the rules themselves.
    let pairs = auth_pairs(working.room.rules, &event.sender, &event.kind, event.state_key.as_deref(), &event.content)
        .unwrap_or_default();
    let before = load_pairs(context, working, &pairs, before).await?;
    let current = load_pairs(context, working, &pairs, &working.room.state).await?;
    Ok(judge_loaded(working, &Candidate { event, origin }, auth, (&before, &current)))
}

fn judge_loaded(
    working: &Working,
    candidate: &Candidate<'_>,
    auth: &[Arc<StoredEvent>],
    (before, current): (&Pairs, &Pairs),
) -> Verdict {
    let by_id = |id: &EventId| {
        if let Some(cited) = auth.iter().find(|cited| cited.event.id == id) {
            return AuthRef::Known(cited.event.clone(), cited.outcome == Outcome::Rejected);
        }
        // From version 12 on the room's id names the create event, and nothing cites it.
        let create = current.values().find(|event| event.kind == "m.room.create" && event.id == id);
        create.map_or(AuthRef::Unknown, |event| AuthRef::Known(event.clone(), false))
    };
    let find = |state: &Pairs, kind: &str, key: &str| state.get(&(kind.to_owned(), key.to_owned())).cloned();
    let (before_of, current_of) =
        (|kind: &str, key: &str| find(before, kind, key), |kind: &str, key: &str| find(current, kind, key));
    let room = RoomAtEvent { rules: working.room.rules, auth: &by_id, before: &before_of, current: &current_of };
    evaluate_cached(candidate, &room, &working.room.auth_cache)
}

async fn load_pairs(
    context: &Context,
    working: &Working,
    pairs: &[(String, String)],
    state: &StateMap,
) -> Result<Pairs, RoomError> {
    let mut found = HashMap::new();
    let create = ("m.room.create".to_owned(), String::new());
    for pair in pairs.iter().chain(std::iter::once(&create)) {
        let num = working.room.keys.find(&pair.0, &pair.1).and_then(|key| state.get(&key).copied());
        if let Some(num) = num {
            found.insert(pair.clone(), working.event(&context.reader, num).await?);
        }
    }
    Ok(found)
}

/// What was decided about an event, and on what.
struct Judged {
    outcome: Outcome,
    origin: Origin,
    before: (StateSetNum, StateMap),
    auth: Vec<Arc<StoredEvent>>,
}

async fn record(
    context: &Context,
    working: &mut Working,
    event: &Arc<Event>,
    judged: Judged,
) -> Result<usize, RoomError> {
    let Judged { outcome, origin, before, auth } = judged;
    let num = working.next_event_num();
    let mut stored = StoredEvent::new(event.clone(), num, outcome, before.0, before.0);
    let mut links = Vec::new();
    let mut after = before.1;
    if let Some((kind, state_key)) = event.state_pair() {
        let nums: Vec<EventNum> = auth.iter().map(|cited| cited.num).collect();
        let placed = super::resolution::place_in_chains(context, working, &nums).await?;
        stored.chain = Some(placed.0);
        links = placed.1;
        if outcome != Outcome::Rejected {
            let key = working.intern(kind, state_key);
            let map = after.update(key, num);
            let (set, _) =
                working.add_set(Some((before.0, set_distance(context, working, before.0).await?, &after)), &map);
            stored.after = set;
            after = map;
        }
    }
    let is_news = outcome == Outcome::Accepted && origin == Origin::Remote;
    let after_set = stored.after;
    let index = working.push(Pending { stored, unsigned: None, transaction: None, is_new_here: false, is_news, links });
    if is_news {
        working.apply_extremity(event, num);
        move_current_state(context, working, index, (after_set, after)).await?;
    }
    if outcome == Outcome::Accepted {
        if origin != Origin::JoinSnapshot {
            // What is fetched as history may have been redacted since, or be the redaction of what is here.
            super::publish::apply_redactions(context, working, index).await?;
        }
        super::relations::apply_relation(context, working, index).await?;
    }
    Ok(index)
}

async fn set_distance(context: &Context, working: &Working, set: StateSetNum) -> Result<u8, RoomError> {
    if set == working.room.head.state {
        return Ok(working.room.head.state_distance);
    }
    if let Some((_, row)) = working.sets.iter().find(|(num, _)| *num == set) {
        return Ok(row.distance);
    }
    let row =
        context.reader.store().get::<hearth_storage::schema::rooms::StateSets>(&(working.room.key, set, 0)).await?;
    // Where the base is unknown, a full set is always right.
    Ok(row.map_or(u8::MAX, |row| row.distance))
}

/// The current state is that of all ends of the graph together.
async fn move_current_state(
    context: &Context,
    working: &mut Working,
    by: usize,
    newest: (StateSetNum, StateMap),
) -> Result<(), RoomError> {
    let ends: Vec<EventNum> = working.room.head.extremities.iter().map(|end| end.num).collect();
    let mut maps = vec![newest.1.clone()];
    for num in ends {
        let after = match working.events.iter().find(|pending| pending.stored.num == num) {
            Some(pending) => pending.stored.after,
            None => {
                context.reader.list_events(&working.room, &[num]).await?.first().map_or(newest.0, |stored| stored.after)
            }
        };
        if after != newest.0 {
            maps.push(load_set(context, working, after).await?);
        }
    }
    let resolved = super::resolution::resolve_states(context, working, &maps).await?;
    let changes = super::sets::list_changes(&working.room.state, &resolved);
    if resolved == newest.1 {
        let distance = set_distance(context, working, newest.0).await?;
        (working.room.head.state, working.room.head.state_distance) = (newest.0, distance);
        working.room.state = resolved;
    } else {
        working.replace_state(resolved);
    }
    apply_member_changes(context, working, by, changes).await
}

/// Resolution may change memberships that no new event names.
async fn apply_member_changes(
    context: &Context,
    working: &mut Working,
    by: usize,
    changes: Vec<super::sets::Change>,
) -> Result<(), RoomError> {
    for (key, num) in changes {
        let Some((kind, state_key)) = working.room.keys.pair(key) else {
            continue;
        };
        if &*kind != "m.room.member" {
            continue;
        }
        match num {
            Some(num) => {
                let event = working.event(&context.reader, num).await?;
                let stripped = super::local::load_stripped_state(context, working, &event).await?;
                working.apply_membership(by, &event, num, stripped);
            }
            None => {
                if let Ok(user) = ruma::UserId::parse(&*state_key) {
                    working.apply_no_membership(by, &user);
                }
            }
        }
    }
    Ok(())
}
