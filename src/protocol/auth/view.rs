//! A room state as the rules look at it: four questions, each answered from one or two events.

use std::sync::Arc;

use ruma::{UserId, room_version_rules::AuthorizationRules};

use super::{AuthCache, CreateFacts, JoinRule, Membership, Rejection, StateLookup, join_rule_of, membership_of};
use crate::{Event, power::PowerLevels};

/// A room state, with what was parsed of it.
pub(super) struct View<'a> {
    pub(super) rules: &'a AuthorizationRules,
    pub(super) create: Arc<CreateFacts>,
    state: &'a StateLookup<'a>,
    cache: &'a AuthCache,
}

impl<'a> View<'a> {
    pub(super) fn new(
        rules: &'a AuthorizationRules,
        state: &'a StateLookup<'a>,
        cache: &'a AuthCache,
    ) -> Result<Self, Rejection> {
        let create = state("m.room.create", "").ok_or(Rejection::NoCreateEvent)?;
        Ok(Self { rules, create: cache.create(rules, &create), state, cache })
    }

    pub(super) fn event(&self, kind: &str, state_key: &str) -> Option<Arc<Event>> {
        (self.state)(kind, state_key)
    }

    pub(super) fn membership(&self, user: &UserId) -> Result<Membership, Rejection> {
        match self.event("m.room.member", user.as_str()) {
            None => Ok(Membership::Leave),
            Some(event) => membership_of(&event.content),
        }
    }

    pub(super) fn join_rule(&self) -> Result<JoinRule, Rejection> {
        // Without an event nobody is let in: the specification's default is `invite`, but the rules
        // speak of the event, and other implementations refuse as well.
        let event = self.event("m.room.join_rules", "").ok_or(Rejection::JoinRule)?;
        join_rule_of(&event)
    }

    pub(super) fn power(&self) -> Result<PowerLevels, Rejection> {
        self.create.require_creators()?;
        let levels = self.event("m.room.power_levels", "").map(|event| self.cache.levels(self.rules, &event));
        Ok(PowerLevels::new(self.rules, Arc::clone(&self.create), levels))
    }
}
