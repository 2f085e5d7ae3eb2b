//! What the edge holds: one handle of each part of the homeserver.
//!
//! A handler takes `State<Rooms>` and the like, so that its signature says what it may touch;
//! nothing takes the whole.

use std::sync::Arc;

use axum::extract::FromRef;
use hearth_homeserver::{
    Stop,
    admin::{Notices, Reporting},
    appservice::AppServices,
    federation::ServerKeys,
    flows::Flows,
    media::Media,
    people::Directory,
    rooms::{DelayedEvents, Receipts, Rooms, ThreadSubscriptions, Typing},
    sync::Sync,
    turn::Turn,
    users::Users,
};
use ruma::RoomVersionId;

use crate::{config::ApiConfig, rate_limit::RateLimits, ws::Sockets};

/// Everything that handlers can ask for. Cheap to clone.
#[derive(Clone)]
pub struct AppState(Arc<Handles>);

/// The handles, as assembly gives them.
pub struct Handles {
    /// Accounts and what belongs to them.
    pub users: Users,
    /// Rooms and their events.
    pub rooms: Rooms,
    /// Who has read how far.
    pub receipts: Receipts,
    /// Who is typing.
    pub typing: Typing,
    /// Events that are sent later.
    pub delayed_events: DelayedEvents,
    /// Who follows which thread.
    pub thread_subscriptions: ThreadSubscriptions,
    /// What changed for a reader.
    pub sync: Sync,
    /// Operations over several of these.
    pub flows: Flows,
    /// This server's signing keys, for others.
    pub server_keys: ServerKeys,
    /// Files.
    pub media: Media,
    /// Who can be found.
    pub directory: Directory,
    /// Bridges and bots.
    pub services: AppServices,
    /// Reports by users.
    pub reporting: Reporting,
    /// Notices to users.
    pub notices: Notices,
    /// Credentials for calls.
    pub turn: Turn,
    /// Who may do how much.
    pub limits: RateLimits,
    /// Connections that outlive a request.
    pub sockets: Sockets,
    /// The version of rooms that name none.
    pub default_room_version: RoomVersionId,
    /// Told when the server stops: whoever waits for news is answered.
    pub stop: Stop,
    /// The section `[api]`.
    pub config: ApiConfig,
}

impl AppState {
    /// Takes the handles over.
    pub fn new(handles: Handles) -> Self {
        Self(Arc::new(handles))
    }

    /// The section `[api]`.
    pub fn config(&self) -> &ApiConfig {
        &self.0.config
    }

    /// Bridges and bots.
    pub fn services(&self) -> &AppServices {
        &self.0.services
    }

    /// Accounts and what belongs to them.
    pub fn users(&self) -> &Users {
        &self.0.users
    }

    /// What changed for a reader.
    pub fn sync(&self) -> &Sync {
        &self.0.sync
    }

    /// Connections that outlive a request.
    pub fn sockets(&self) -> &Sockets {
        &self.0.sockets
    }

    /// Told when the server stops.
    pub fn stop(&self) -> &Stop {
        &self.0.stop
    }
}

/// The version of rooms that name none.
#[derive(Clone, Debug)]
pub struct DefaultRoomVersion(pub RoomVersionId);

macro_rules! handles {
    ($($handle:ty => $state:ident: $value:expr),* $(,)?) => {
        $(impl FromRef<AppState> for $handle {
            fn from_ref($state: &AppState) -> Self {
                $value
            }
        })*
    };
}

handles! {
    Users => state: state.0.users.clone(),
    Rooms => state: state.0.rooms.clone(),
    Receipts => state: state.0.receipts.clone(),
    Typing => state: state.0.typing.clone(),
    DelayedEvents => state: state.0.delayed_events.clone(),
    ThreadSubscriptions => state: state.0.thread_subscriptions.clone(),
    Media => state: state.0.media.clone(),
    Flows => state: state.0.flows.clone(),
    ServerKeys => state: state.0.server_keys.clone(),
    Directory => state: state.0.directory.clone(),
    Sync => state: state.0.sync.clone(),
    AppServices => state: state.0.services.clone(),
    Reporting => state: state.0.reporting.clone(),
    Notices => state: state.0.notices.clone(),
    Turn => state: state.0.turn.clone(),
    RateLimits => state: state.0.limits.clone(),
    Sockets => state: state.0.sockets.clone(),
    DefaultRoomVersion => state: DefaultRoomVersion(state.0.default_room_version.clone()),
    Stop => state: state.0.stop.clone(),
    ApiConfig => state: state.0.config.clone(),
}
