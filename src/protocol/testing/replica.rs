//! A room server in memory: takes events in any order that respects their references, and keeps what
//! the specification says of each.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use ruma::{EventId, OwnedEventId};

use crate::{
    AuthCache, AuthRef, Candidate, Event, Origin, Resolved, RoomAtEvent, RoomRules, StateMapOf, Verdict,
    evaluate_cached, resolve,
};

/// What a replica knows of an event.
#[derive(Debug, Clone)]
pub struct Received {
    /// The event.
    pub event: Arc<Event>,
    /// What became of it.
    pub verdict: Verdict,
    /// The state before it.
    pub before: StateMapOf,
    /// The state after it: the same, if it was rejected.
    pub after: StateMapOf,
    /// The event's auth events, theirs, and so on.
    pub auth_chain: BTreeSet<OwnedEventId>,
}

impl Received {
    /// Whether it was rejected.
    pub fn is_rejected(&self) -> bool {
        matches!(self.verdict, Verdict::Reject(_))
    }
}

/// One server's view of a room.
pub struct Replica {
    rules: &'static RoomRules,
    events: BTreeMap<OwnedEventId, Received>,
    extremities: BTreeSet<OwnedEventId>,
    current: StateMapOf,
    cache: AuthCache,
}

impl Replica {
    /// A server that knows nothing of the room yet.
    pub fn new(rules: &'static RoomRules) -> Self {
        Self {
            rules,
            events: BTreeMap::new(),
            extremities: BTreeSet::new(),
            current: StateMapOf::new(),
            cache: AuthCache::new(),
        }
    }

    /// All events received.
    pub fn events(&self) -> &BTreeMap<OwnedEventId, Received> {
        &self.events
    }

    /// What is known of one event.
    pub fn received(&self, id: &EventId) -> Option<&Received> {
        self.events.get(id)
    }

    /// The events that a new one would follow.
    pub fn extremities(&self) -> &BTreeSet<OwnedEventId> {
        &self.extremities
    }

    /// The current state.
    pub fn current(&self) -> &StateMapOf {
        &self.current
    }

    /// Takes an event whose references were all received, and says what became of it.
    pub fn receive(&mut self, event: &Arc<Event>) -> Verdict {
        if let Some(known) = self.events.get(&event.id) {
            return known.verdict.clone();
        }
        let before = self.state_after(&event.prev_events);
        let verdict = self.judge(event, &before);
        let mut after = before.clone();
        if let (Verdict::Accept | Verdict::SoftFail(_), Some((kind, state_key))) = (&verdict, event.state_pair()) {
            after.insert((kind.to_owned(), state_key.to_owned()), event.id.clone());
        }
        let mut auth_chain = BTreeSet::new();
        for id in &event.auth_events {
            auth_chain.insert(id.clone());
            auth_chain.extend(self.events.get(id).into_iter().flat_map(|e| &e.auth_chain).cloned());
        }
        let received = Received { event: Arc::clone(event), verdict: verdict.clone(), before, after, auth_chain };
        self.events.insert(event.id.clone(), received);
        if verdict == Verdict::Accept {
            self.extremities.retain(|id| !event.prev_events.contains(id));
            self.extremities.insert(event.id.clone());
            let ends: Vec<_> = self.extremities.iter().cloned().collect();
            self.current = self.state_after(&ends);
        }
        verdict
    }

    /// The state after a set of events.
    ///
    /// # Panics
    ///
    /// When state resolution lacks an event: references come first here.
    pub fn state_after(&self, ids: &[OwnedEventId]) -> StateMapOf {
        let sets: Vec<_> = ids.iter().filter_map(|id| self.events.get(id)).map(|e| e.after.clone()).collect();
        match self.resolve(&sets) {
            Resolved::State(state) => state,
            other => panic!("not resolved: {other:?}"),
        }
    }

    /// Resolves some states of this room.
    pub fn resolve(&self, sets: &[StateMapOf]) -> Resolved {
        let chains: Vec<_> = sets.iter().map(|set| self.auth_chain_of(set)).collect();
        resolve(
            self.rules,
            sets,
            &chains,
            &|id| self.events.get(id).map(|received| Arc::clone(&received.event)),
            &|id| self.events.get(id).is_some_and(Received::is_rejected),
        )
    }

    /// The union of the auth chains of a state's events.
    pub fn auth_chain_of(&self, state: &StateMapOf) -> BTreeSet<OwnedEventId> {
        let events = state.values().filter_map(|id| self.events.get(id));
        events.flat_map(|received| &received.auth_chain).cloned().collect()
    }

    /// The event of a state with this type and state key.
    pub fn event_in(&self, state: &StateMapOf, kind: &str, state_key: &str) -> Option<Arc<Event>> {
        let id = state.get(&(kind.to_owned(), state_key.to_owned()))?;
        self.events.get(id).map(|received| Arc::clone(&received.event))
    }

    fn judge(&self, event: &Event, before: &StateMapOf) -> Verdict {
        let auth = |id: &EventId| match self.events.get(id) {
            Some(received) => AuthRef::Known(Arc::clone(&received.event), received.is_rejected()),
            None => AuthRef::Unknown,
        };
        evaluate_cached(
            &Candidate { event, origin: Origin::Remote },
            &RoomAtEvent {
                rules: self.rules,
                auth: &auth,
                before: &|kind, state_key| self.event_in(before, kind, state_key),
                current: &|kind, state_key| self.event_in(&self.current, kind, state_key),
            },
            &self.cache,
        )
    }
}
