//! What the rules read of a create event, parsed once.

use std::collections::BTreeSet;

use ruma::{OwnedEventId, OwnedUserId, UserId, room_version_rules::AuthorizationRules};
use serde::Deserialize;

use super::Rejection;
use crate::Event;

/// The facts of a create event. A field that cannot be read is `None` and refuses what needs it.
#[derive(Debug, Clone)]
pub(crate) struct CreateFacts {
    pub(crate) event_id: OwnedEventId,
    pub(crate) sender: OwnedUserId,
    federate: Option<bool>,
    creator: Option<OwnedUserId>,
    additional: Option<BTreeSet<OwnedUserId>>,
}

#[derive(Deserialize)]
struct FederateField {
    #[serde(rename = "m.federate")]
    federate: Option<bool>,
}

#[derive(Deserialize)]
struct CreatorField {
    creator: OwnedUserId,
}

#[derive(Deserialize)]
struct AdditionalField {
    #[serde(default)]
    additional_creators: BTreeSet<OwnedUserId>,
}

impl CreateFacts {
    /// Reads a create event.
    pub(crate) fn of(rules: &AuthorizationRules, create: &Event) -> Self {
        let content = create.content.get();
        let creator = if rules.use_room_create_sender {
            Some(create.sender.clone())
        } else {
            serde_json::from_str::<CreatorField>(content).ok().map(|field| field.creator)
        };
        let additional = if rules.additional_room_creators {
            serde_json::from_str::<AdditionalField>(content).ok().map(|field| field.additional_creators)
        } else {
            Some(BTreeSet::new())
        };
        Self {
            event_id: create.id.clone(),
            sender: create.sender.clone(),
            federate: serde_json::from_str::<FederateField>(content).ok().map(|field| field.federate.unwrap_or(true)),
            creator,
            additional,
        }
    }

    /// Whether servers other than the creator's may take part.
    pub(super) fn federate(&self) -> Result<bool, Rejection> {
        self.federate.ok_or(Rejection::Malformed("m.federate"))
    }

    /// The one who made the room.
    pub(super) fn creator(&self) -> Result<&UserId, Rejection> {
        self.creator.as_deref().ok_or(Rejection::Malformed("creator"))
    }

    /// Whether the creators can be read at all; what needs a power level needs them.
    pub(crate) fn require_creators(&self) -> Result<(), Rejection> {
        self.creator()?;
        self.additional.as_ref().ok_or(Rejection::Malformed("additional_creators"))?;
        Ok(())
    }

    /// Whether a user is one of the creators.
    pub(crate) fn is_creator(&self, user: &UserId) -> bool {
        self.creator.as_deref() == Some(user) || self.additional.as_ref().is_some_and(|users| users.contains(user))
    }

    /// All creators that can be read, the one who made the room first.
    pub(crate) fn creators(&self) -> impl Iterator<Item = &UserId> {
        let first = self.creator.as_deref();
        first
            .into_iter()
            .chain(self.additional.iter().flatten().map(|user| &**user).filter(move |user| Some(*user) != first))
    }
}
