//! The handle of rooms: what others may ask of them.

use std::sync::Arc;

use hearth_protocol::{EventDraft, RoomKey, UserKey};
use hearth_storage::schema::users::Membership;
use ruma::{OwnedEventId, OwnedRoomId, OwnedUserId, RoomId, UserId};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::canonical_alias::CANONICAL_ALIAS;
use super::config::RoomsConfig;
use super::departures::DepartureWorker;
use super::directory_shelf::{Directory, DirectoryWorker};
use super::erasure::ErasureWorker;
use super::error::RoomError;
use super::pipeline::{LaneWorker, LocalDraft, Pipeline, PipelineStats, Submission, Submitted, Transaction};
use super::ports::RemoteRooms;
use super::publication::PublicationRules;
use super::reader::RoomReader;
use super::transactions::TransactionWorker;
use super::view::RoomView;
use crate::env::Env;
use crate::users::{LocalUser, Users};
use crate::worker::Worker;

/// Longest transaction id that is remembered, in bytes.
const TRANSACTION_ID_BYTES_MAX: usize = 255;

/// An event that a client asks to be made.
pub struct NewEvent {
    pub kind: String,
    /// Some for state events.
    pub state_key: Option<String>,
    pub content: Box<RawValue>,
    /// The target of an `m.room.redaction`.
    pub redacts: Option<OwnedEventId>,
    /// The client's transaction id, where the endpoint has one.
    pub txn_id: Option<String>,
    /// A time other than now, in milliseconds; only application services may give one.
    pub timestamp: Option<u64>,
}

/// Rooms: a cheap handle.
#[derive(Clone)]
pub struct Rooms(Arc<Inner>);

pub(super) struct Inner {
    pub env: Env,
    pub config: RoomsConfig,
    pub reader: Arc<RoomReader>,
    pub pipeline: Pipeline,
    pub users: Users,
    pub remote: Arc<dyn RemoteRooms>,
    pub directory: Directory,
    pub listing_rules: PublicationRules,
    pub alias_rules: PublicationRules,
}

/// What rooms do by themselves.
pub struct RoomWorkers {
    pub lanes: Vec<LaneWorker>,
    pub erasure: ErasureWorker,
    pub transactions: TransactionWorker,
    pub directory: DirectoryWorker,
    pub departures: DepartureWorker,
    pub guests: Box<dyn Worker>,
}

impl Rooms {
    /// The handle, and the workers that have to run for it to answer.
    #[must_use]
    pub fn new(env: &Env, config: RoomsConfig, users: Users, remote: Arc<dyn RemoteRooms>) -> (Self, RoomWorkers) {
        let reader = Arc::new(RoomReader::new(env.store.clone(), &config));
        let (pipeline, lanes) = Pipeline::new(env.clone(), config.clone(), reader.clone());
        let erasure = ErasureWorker::new(env.clone(), reader.clone());
        let transactions = TransactionWorker::new(env.clone(), config.transactions_kept_ms);
        let directory = Directory::new(env.clone(), reader.clone());
        let worker = DirectoryWorker::new(directory.clone());
        // Rules that are not understood keep the server from starting; where they come here all the same, they allow nothing.
        let rules = |lines: &[String]| PublicationRules::parse(lines).unwrap_or_default();
        let (listing_rules, alias_rules) = (rules(&config.listing_rules), rules(&config.alias_rules));
        let env = env.clone();
        let inner = Inner { env, config, reader, pipeline, users, remote, directory, listing_rules, alias_rules };
        let rooms = Self(Arc::new(inner));
        let departures = DepartureWorker::new(rooms.clone());
        let guests = rooms.guest_worker();
        (rooms, RoomWorkers { lanes, erasure, transactions, directory: worker, departures, guests })
    }

    pub(super) fn inner(&self) -> &Inner {
        &self.0
    }

    /// What the pipeline counts of itself.
    #[must_use]
    pub fn pipeline_stats(&self) -> Arc<PipelineStats> {
        self.0.pipeline.stats()
    }

    /// The reads and their caches.
    #[must_use]
    pub fn reader(&self) -> &Arc<RoomReader> {
        &self.0.reader
    }

    /// The room as it is now; none when it is unknown.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn load_view(&self, room: &RoomId) -> Result<Option<RoomView>, RoomError> {
        self.load_view_by_key(RoomKey::of(room)).await
    }

    /// The room of a key.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn load_view_by_key(&self, key: RoomKey) -> Result<Option<RoomView>, RoomError> {
        let room = self.0.reader.load_room(key).await?;
        Ok(room.map(|room| RoomView { reader: self.0.reader.clone(), room }))
    }

    /// Whether the user is in the room now.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn is_joined(&self, user: &LocalUser, room: &RoomId) -> Result<bool, RoomError> {
        let view = self.load_view(room).await?;
        Ok(view.is_some_and(|view| view.membership(&user.user_id) == Some(Membership::Join)))
    }

    /// The room, which has to be there.
    ///
    /// # Errors
    /// `UnknownRoom` when it is not.
    pub async fn require_view(&self, room: &RoomId) -> Result<RoomView, RoomError> {
        self.load_view(room).await?.ok_or(RoomError::UnknownRoom)
    }

    /// Sends an event: a message, a piece of state, or a redaction. The same state again makes no new event,
    /// and neither does the same transaction.
    ///
    /// # Errors
    /// When the room is unknown, the rules refuse the event, or it cannot be built.
    pub async fn send(&self, user: &LocalUser, room: &RoomId, event: NewEvent) -> Result<OwnedEventId, RoomError> {
        check_sendable(&event)?;
        if event.kind == CANONICAL_ALIAS && event.state_key.as_deref() == Some("") {
            self.check_canonical_alias(room, &event.content).await?;
        }
        if let Some(invited) = invited_by(&event) {
            self.check_lets_invite(&invited).await?;
        }
        let transaction = match event.txn_id {
            Some(id) if id.len() > TRANSACTION_ID_BYTES_MAX => {
                return Err(RoomError::Invalid("the transaction id is too long"));
            }
            Some(id) => Some(Transaction { user: user.key, device: user.device_id.to_string(), id }),
            None => None,
        };
        let draft = EventDraft {
            kind: event.kind,
            state_key: event.state_key,
            sender: user.user_id.clone(),
            content: event.content,
            redacts: event.redacts,
            origin_server_ts: event.timestamp.unwrap_or_else(|| self.0.env.clock.now().0),
        };
        self.submit_one(room, LocalDraft { draft, target: None, transaction }).await
    }

    pub(super) async fn submit_one(&self, room: &RoomId, draft: LocalDraft) -> Result<OwnedEventId, RoomError> {
        let submitted = self.submit(room, Submission::Local(vec![draft])).await?;
        submitted.events.first().map(|event| event.id().clone()).ok_or(RoomError::Stopping)
    }

    /// Puts events into the room's queue.
    ///
    /// # Errors
    /// As the pipeline says.
    pub async fn submit(&self, room: &RoomId, submission: Submission) -> Result<Submitted, RoomError> {
        self.0.pipeline.submit(RoomKey::of(room), submission).await
    }

    /// The rooms that both users are joined to, out of the first one's list; for who may see whose presence.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn share_room(&self, rooms: &[OwnedRoomId], other: &UserId) -> Result<bool, RoomError> {
        let other = UserKey::of(other);
        for room in rooms {
            let view = self.load_view(room).await?;
            let member = view.as_ref().and_then(|view| view.room.member(other));
            if member.is_some_and(|row| row.membership == Membership::Join) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Whom an event invites, where it is sent like any piece of state.
fn invited_by(event: &NewEvent) -> Option<OwnedUserId> {
    #[derive(Deserialize)]
    struct Content {
        membership: String,
    }
    let target = event.state_key.as_deref().filter(|_| event.kind == "m.room.member")?;
    let content: Content = serde_json::from_str(event.content.get()).ok()?;
    UserId::parse(target).ok().filter(|_| content.membership == "invite")
}

/// What no client may send as it is (C-S API, `PUT /rooms/{roomId}/state`).
pub(super) fn check_sendable(event: &NewEvent) -> Result<(), RoomError> {
    if event.kind == "m.room.create" {
        return Err(RoomError::Invalid("a room is created once"));
    }
    if event.kind == "m.room.redaction" && event.redacts.is_none() && event.state_key.is_none() {
        return Err(RoomError::Invalid("a redaction names the event that it redacts"));
    }
    Ok(())
}
