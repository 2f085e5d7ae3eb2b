//! Who may see an event: history visibility (client-server API, "Room history visibility").
//!
//! The rules look at the state *at* the event. For the two kinds of events that change what they are
//! judged by, the history visibility and the reader's own membership, the state before and the state
//! after both count.

use serde::Deserialize;

use crate::{
    Event,
    auth::{Membership, membership_of},
};

/// The `history_visibility` of a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Visibility {
    /// Anyone may see it.
    WorldReadable,
    /// Members may see all of it, from before they joined also.
    Shared,
    /// Members may see it from when they were invited.
    Invited,
    /// Members may see it from when they joined.
    Joined,
}

impl Visibility {
    /// The visibility that a state's history visibility event sets; `shared` when there is none, or its
    /// value is not understood.
    pub fn of(event: Option<&Event>) -> Self {
        #[derive(Deserialize)]
        struct Field {
            history_visibility: String,
        }
        let field = event.and_then(|event| event.content_as::<Field>().ok());
        match field.as_ref().map(|field| field.history_visibility.as_str()) {
            Some("world_readable") => Self::WorldReadable,
            Some("invited") => Self::Invited,
            Some("joined") => Self::Joined,
            _ => Self::Shared,
        }
    }
}

/// What decides whether a reader may see an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sight {
    /// The history visibility before the event.
    pub visibility: Visibility,
    /// The history visibility that the event sets, when it sets one.
    pub visibility_set: Option<Visibility>,
    /// The reader's membership before the event.
    pub membership: Membership,
    /// The reader's membership that the event sets, when it is the reader's own member event.
    pub membership_set: Option<Membership>,
    /// Whether the reader is in the room now, or was at any time after the event.
    pub joined_since: bool,
}

impl Sight {
    /// What decides about an event for a reader, from the state before it.
    pub fn of(
        event: &Event,
        reader: &ruma::UserId,
        visibility: Visibility,
        membership: Membership,
        joined_since: bool,
    ) -> Self {
        let (visibility_set, membership_set) = match event.state_pair() {
            Some(("m.room.history_visibility", "")) => (Some(Visibility::of(Some(event))), None),
            Some(("m.room.member", user)) if user == reader.as_str() => (None, membership_of(&event.content).ok()),
            _ => (None, None),
        };
        Self { visibility, visibility_set, membership, membership_set, joined_since }
    }
}

/// Whether a reader may see an event.
pub fn may_see(sight: &Sight) -> bool {
    let visibilities = [Some(sight.visibility), sight.visibility_set];
    let memberships = [Some(sight.membership), sight.membership_set];
    visibilities.into_iter().flatten().any(|visibility| {
        memberships.into_iter().flatten().any(|membership| may_see_at(visibility, membership, sight.joined_since))
    })
}

/// The rules for one visibility and one membership.
fn may_see_at(visibility: Visibility, membership: Membership, joined_since: bool) -> bool {
    match (visibility, membership) {
        (Visibility::WorldReadable, _) | (_, Membership::Join) | (Visibility::Invited, Membership::Invite) => true,
        (Visibility::Shared, _) => joined_since,
        _ => false,
    }
}

/// Whether a server may see an event: whether any of its users may. `memberships` are those of its users
/// at the event, before or after it; `joined_since` is whether any of them is or was in the room since.
///
/// An event that a server may not see is sent redacted or not at all (server-server API, `/backfill`).
pub fn may_server_see(
    visibility: Visibility,
    memberships: impl IntoIterator<Item = Membership>,
    joined_since: bool,
) -> bool {
    may_see_at(visibility, Membership::Leave, joined_since)
        || memberships.into_iter().any(|membership| may_see_at(visibility, membership, joined_since))
}

#[cfg(test)]
#[path = "visibility_tests.rs"]
mod tests;
