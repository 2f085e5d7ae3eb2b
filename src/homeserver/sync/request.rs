//! What a client asks of a sync.

use std::sync::{Arc, LazyLock};

use hearth_protocol::SyncFilter;
use ruma::presence::PresenceState;

use super::token::SyncToken;
use crate::rooms::Form;

/// The filter of most requests, shared: it is large, and a server has many requests that wait.
static ALL: LazyLock<Arc<SyncFilter>> = LazyLock::new(|| Arc::new(SyncFilter::all()));

/// The longest that a request waits, in milliseconds.
pub const TIMEOUT_MS_MAX: u64 = 5 * 60 * 1_000;

/// Where state changes are told that are not in the timeline (`use_state_after`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StateForm {
    /// `state`: up to the start of the timeline.
    #[default]
    Before,
    /// `state_after`: up to its end.
    After,
    /// The same, under the name that it had before it was in the specification.
    AfterUnstable,
}

/// A request for what is new, whichever way it came.
#[derive(Clone, Debug)]
pub struct SyncRequest {
    /// What the client has; nothing yet without it.
    pub since: Option<SyncToken>,
    /// What the client wants to see.
    pub filter: Arc<SyncFilter>,
    /// All state of the joined rooms, and no waiting.
    pub full_state: bool,
    /// How long to wait for news, in milliseconds; at most [`TIMEOUT_MS_MAX`].
    pub timeout_ms: u64,
    /// What the request says of the user's presence.
    pub set_presence: PresenceState,
    /// In which form state changes are told.
    pub state_form: StateForm,
    /// In which form events are written out, where the filter does not ask for that of federation.
    pub event_form: Form,
}

impl SyncRequest {
    /// A request that wants everything new and waits for nothing.
    pub fn new(since: Option<SyncToken>) -> Self {
        Self {
            since,
            filter: ALL.clone(),
            full_state: false,
            timeout_ms: 0,
            set_presence: PresenceState::Online,
            state_form: StateForm::default(),
            event_form: Form::WithoutRoomId,
        }
    }

    /// Whether the answer goes out even when it is empty.
    pub fn is_immediate(&self) -> bool {
        self.since.is_none() || self.full_state || self.timeout_ms == 0
    }
}
