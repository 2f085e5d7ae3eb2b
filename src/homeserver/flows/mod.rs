//! Operations that need several of the folders below: one user's change that shows in many rooms, and
//! pages of a room for a reader, with the tokens that clients hold.
//!
//! Nothing here has tables or workers of its own, and no rule of Matrix is decided here.

mod account;
mod context;
mod hierarchy;
mod initial_sync;
mod members;
mod messages;
mod preview;
mod redaction;
mod relations;
mod replacement;
mod search;
mod search_context;
mod shared_rooms;
mod threads;
mod timestamp;

pub use context::{Context, ContextRequest};
pub use hierarchy::{HierarchyPage, HierarchyRequest, HierarchyRoom};
pub use initial_sync::RoomNow;
pub use members::{JoinedMember, StateForm};
pub use messages::{MessagesPage, MessagesRequest};
pub use preview::Preview;
pub use relations::{RelationsPage, RelationsRequest};
pub use search::{GroupBy, Order, SearchError, SearchPage, SearchRequest, SearchResult};
pub use search_context::{HistoricProfile, SearchContext};
pub use shared_rooms::SharedRooms;
pub use threads::{ThreadsPage, ThreadsRequest};

use std::sync::Arc;

use crate::env::Env;
use crate::rooms::{Access, Audience, Form, RoomError, RoomView, Rooms, StoredEvent};
use crate::search::Search;
use crate::users::{LocalUser, Users};
use hearth_protocol::RoomKey;
use ruma::{EventId, RoomId};
use serde_json::value::RawValue;

/// A cheap handle.
#[derive(Clone)]
pub struct Flows {
    env: Env,
    users: Users,
    rooms: Rooms,
    search: Search,
}

/// A room that the user may read something of, and what.
struct Readable {
    view: RoomView,
    access: Access,
}

impl Flows {
    /// Over these.
    pub fn new(env: &Env, users: Users, rooms: Rooms, search: Search) -> Self {
        Self { env: env.clone(), users, rooms, search }
    }

    /// The room as far as the user may read it: as a member, as a former one who has not forgotten it, or as anybody
    /// where the room is open to the world. What is not readable is as good as unknown.
    async fn require_readable(&self, user: &LocalUser, room: &RoomId) -> Result<Readable, RoomError> {
        let view = self.rooms.require_view(room).await?;
        let access = view.reader_access(&user.user_id).await?;
        let is_forgotten = match access {
            Access::Left { .. } => {
                self.users.load_room(&user.key, &RoomKey::of(room)).await?.is_some_and(|row| row.forgotten)
            }
            Access::None => true,
            Access::Joined | Access::Peek => false,
        };
        if is_forgotten { Err(RoomError::UnknownRoom) } else { Ok(Readable { view, access }) }
    }

    /// An event with what relates to it. The caller has passed it through the gate.
    async fn write_event(
        &self,
        view: &RoomView,
        user: &LocalUser,
        stored: &Arc<StoredEvent>,
    ) -> Result<Box<RawValue>, RoomError> {
        let events = std::slice::from_ref(stored);
        let is_alone = view.list_totals(events).await?.iter().all(Option::is_none);
        let ignored = if is_alone { Arc::default() } else { self.users.load_ignored(&user.user_id).await? };
        let written = view.list_bundled_json(events, self.audience(user), &ignored).await?.pop();
        written.ok_or(RoomError::UnknownEvent)
    }

    /// An event that the user may see and wants to: past the access gate, and no message of somebody whom they ignore.
    /// What is not to be seen is as good as unknown.
    async fn require_event(
        &self,
        view: &RoomView,
        user: &LocalUser,
        event_id: &EventId,
    ) -> Result<Arc<StoredEvent>, RoomError> {
        let stored = view.load_event(event_id).await?.ok_or(RoomError::UnknownEvent)?;
        self.list_shown(view, user, vec![stored]).await?.pop().ok_or(RoomError::UnknownEvent)
    }

    /// Those of the events that the user may see and wants to, in their order.
    async fn list_shown(
        &self,
        view: &RoomView,
        user: &LocalUser,
        events: Vec<Arc<StoredEvent>>,
    ) -> Result<Vec<Arc<StoredEvent>>, RoomError> {
        let mut shown = view.list_visible(events, &user.user_id).await?;
        let ignored = self.users.load_ignored(&user.user_id).await?;
        shown.retain(|stored| !ignored.hides(&stored.event));
        Ok(shown)
    }

    fn audience<'a>(&self, user: &'a LocalUser) -> Audience<'a> {
        let (user, device, now) = (&*user.user_id, &*user.device_id, self.env.clock.now());
        Audience { user, device, now, form: Form::WithRoomId, fields: None }
    }
}
