//! Parsed copies of the create event and of the latest power levels, kept by the caller per room.

use std::sync::{Arc, Mutex, PoisonError};

use ruma::{EventId, OwnedEventId, room_version_rules::AuthorizationRules};

use super::{CreateFacts, Levels};
use crate::Event;

/// How many parsed power levels are kept: those of the current state and of a few forks.
const LEVELS_KEPT_MAX: usize = 4;

/// What was parsed already for a room. An event never changes, so nothing here grows stale; a cache
/// used for events of several rooms is only slower.
#[derive(Debug, Default)]
pub struct AuthCache(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    create: Option<Arc<CreateFacts>>,
    /// The latest used last.
    levels: Vec<(OwnedEventId, Arc<Levels>)>,
}

impl AuthCache {
    /// An empty cache.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The facts of a create event, parsed or kept from before.
    pub(crate) fn create(&self, rules: &AuthorizationRules, event: &Event) -> Arc<CreateFacts> {
        let mut kept = self.lock();
        if let Some(facts) = kept.create.as_ref().filter(|facts| facts.event_id == event.id) {
            return Arc::clone(facts);
        }
        let facts = Arc::new(CreateFacts::of(rules, event));
        kept.create = Some(Arc::clone(&facts));
        facts
    }

    /// The power levels of an event, parsed or kept from before.
    pub(crate) fn levels(&self, rules: &AuthorizationRules, event: &Event) -> Arc<Levels> {
        if let Some(levels) = self.lock().find(&event.id) {
            return levels;
        }
        let levels = Arc::new(Levels::of(rules, &event.content));
        let mut kept = self.lock();
        if kept.levels.len() >= LEVELS_KEPT_MAX {
            kept.levels.remove(0);
        }
        kept.levels.push((event.id.clone(), Arc::clone(&levels)));
        levels
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn find(&mut self, id: &EventId) -> Option<Arc<Levels>> {
        let at = self.levels.iter().rposition(|(kept, _)| kept == id)?;
        if at + 1 != self.levels.len() {
            let entry = self.levels.remove(at);
            self.levels.push(entry);
        }
        self.levels.last().map(|(_, levels)| Arc::clone(levels))
    }
}
