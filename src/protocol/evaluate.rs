//! What becomes of an event: the three checks against the authorisation rules, in the order of the
//! specification (server-server API, "Checks performed on receipt of a PDU", 4 to 6).
//!
//! This decides, and nothing else: whoever calls loads what is asked for and stores what comes out. The
//! checks before (format, signatures, hashes) are in `incoming.rs`; an event that fails those is dropped
//! and never comes here.

use std::{collections::BTreeSet, sync::Arc};

use ruma::{EventId, OwnedEventId};

use crate::{
    Event, RoomRules,
    auth::{AuthCache, Rejection, StateLookup, auth_pairs, check_cached, check_independent, create_event_id},
};

/// How an event came to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// Made here.
    Local,
    /// Sent by another server, as news.
    Remote,
    /// Fetched from another server, as history: never softly failed.
    Backfill,
    /// Part of the state, or of its auth chains, that a server gave us with a join. The state before
    /// it is not known: it is checked against its auth events alone.
    JoinSnapshot,
}

/// An event to be judged.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// The event, its format, signatures and hashes already checked.
    pub event: &'a Event,
    /// How it came.
    pub origin: Origin,
}

/// An event that another one cites in its auth events.
#[derive(Debug, Clone)]
pub enum AuthRef {
    /// It is stored; `true` when it was rejected.
    Known(Arc<Event>, bool),
    /// It is not.
    Unknown,
}

/// What is known of the room around a candidate.
pub struct RoomAtEvent<'a> {
    /// The rules of the room's version.
    pub rules: &'a RoomRules,
    /// Looks up auth events, and the create event of a room whose id names it.
    pub auth: &'a dyn Fn(&EventId) -> AuthRef,
    /// The state before the event, resolved over its previous events.
    pub before: &'a StateLookup<'a>,
    /// The current state of the room.
    pub current: &'a StateLookup<'a>,
}

/// What becomes of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It takes part in everything.
    Accept,
    /// It is stored and takes part in state resolution, but is not shown, and no event of ours follows
    /// it.
    SoftFail(Rejection),
    /// It is stored as rejected: it changes no state, and what cites it as an auth event is rejected.
    Reject(Rejection),
    /// These events have to be fetched first.
    Need(BTreeSet<OwnedEventId>),
}

/// Judges an event.
pub fn evaluate(candidate: &Candidate<'_>, room: &RoomAtEvent<'_>) -> Verdict {
    evaluate_cached(candidate, room, &AuthCache::new())
}

/// [`evaluate`], with a room's parsed create event and power levels kept from call to call.
pub fn evaluate_cached(candidate: &Candidate<'_>, room: &RoomAtEvent<'_>, cache: &AuthCache) -> Verdict {
    let cited = match Cited::load(candidate.event, room) {
        Ok(cited) => cited,
        Err(unknown) => return Verdict::Need(unknown),
    };
    match judge(candidate, room, &cited, cache) {
        Ok(None) => Verdict::Accept,
        Ok(Some(rejection)) => Verdict::SoftFail(rejection),
        Err(rejection) => Verdict::Reject(rejection),
    }
}

/// `Err` rejects, `Ok(Some)` softly fails.
fn judge(
    candidate: &Candidate<'_>,
    room: &RoomAtEvent<'_>,
    cited: &Cited,
    cache: &AuthCache,
) -> Result<Option<Rejection>, Rejection> {
    let Candidate { event, origin } = *candidate;
    let rules = room.rules;
    check_independent(rules, event, &|id| cited.by_id(id))?;
    if event.kind == "m.room.create" {
        return Ok(None);
    }
    let pairs = auth_pairs(rules, &event.sender, &event.kind, event.state_key.as_deref(), &event.content)?;
    // The rules read no other state than this, so that equal parts need one check only. For an event
    // made here on the current state all three are equal.
    let check =
        |state: &StateSlice<'_>| check_cached(rules, event, &|kind, state_key| state.get(kind, state_key), cache);
    let from_auth = StateSlice::load(&pairs, &|kind, state_key| cited.by_pair(kind, state_key));
    check(&from_auth)?;
    if origin == Origin::JoinSnapshot {
        return Ok(None);
    }
    let before = StateSlice::load(&pairs, room.before);
    if before != from_auth {
        check(&before)?;
    }
    if origin == Origin::Backfill {
        return Ok(None);
    }
    let current = StateSlice::load(&pairs, room.current);
    if current == before || current == from_auth {
        return Ok(None);
    }
    Ok(check(&current).err())
}

/// The auth events of an event, and the create event that its room id names.
struct Cited(Vec<(Arc<Event>, bool)>);

impl Cited {
    fn load(event: &Event, room: &RoomAtEvent<'_>) -> Result<Self, BTreeSet<OwnedEventId>> {
        let named_by_room = (room.rules.room_id_is_create_hash && event.kind != "m.room.create")
            .then(|| create_event_id(&event.room_id))
            .flatten();
        let mut cited = Vec::with_capacity(event.auth_events.len() + 1);
        let mut unknown = BTreeSet::new();
        for id in event.auth_events.iter().chain(&named_by_room) {
            match (room.auth)(id) {
                AuthRef::Known(event, rejected) => cited.push((event, rejected)),
                AuthRef::Unknown => {
                    unknown.insert(id.clone());
                }
            }
        }
        if unknown.is_empty() { Ok(Self(cited)) } else { Err(unknown) }
    }

    fn by_id(&self, id: &EventId) -> Option<(Arc<Event>, bool)> {
        self.0.iter().find(|(event, _)| event.id == id).cloned()
    }

    fn by_pair(&self, kind: &str, state_key: &str) -> Option<Arc<Event>> {
        self.0
            .iter()
            .find(|(event, _)| event.state_pair() == Some((kind, state_key)))
            .map(|(event, _)| Arc::clone(event))
    }
}

/// The part of a room state that the rules read for one event: at most seven events.
struct StateSlice<'a> {
    pairs: &'a [(String, String)],
    events: Vec<Option<Arc<Event>>>,
    create: Option<Arc<Event>>,
}

impl<'a> StateSlice<'a> {
    fn load(pairs: &'a [(String, String)], state: &StateLookup<'_>) -> Self {
        Self {
            pairs,
            events: pairs.iter().map(|(kind, state_key)| state(kind, state_key)).collect(),
            create: state("m.room.create", ""),
        }
    }

    fn get(&self, kind: &str, state_key: &str) -> Option<Arc<Event>> {
        if kind == "m.room.create" {
            return self.create.clone();
        }
        let at = self.pairs.iter().position(|(k, s)| k == kind && s == state_key)?;
        self.events[at].clone()
    }
}

impl PartialEq for StateSlice<'_> {
    fn eq(&self, other: &Self) -> bool {
        let id = |event: &Option<Arc<Event>>| event.as_ref().map(|event| event.id.clone());
        self.events.iter().map(id).eq(other.events.iter().map(id)) && id(&self.create) == id(&other.create)
    }
}

#[cfg(test)]
#[path = "evaluate_tests.rs"]
mod tests;
