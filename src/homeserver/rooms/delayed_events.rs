//! Events that are sent later (MSC4140): after a delay, which may be started again, or when someone says so who
//! knows the id. A call's membership that ends by itself when the client is gone is made of them.
//!
//! An event that waits is two rows in the lane of its user: what it is, and when it is due. It is sent through the same
//! queue as any other, with a transaction id of its own, so that a crash between sending and noting it sends nothing
//! twice.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hearth_protocol::{EventDraft, Lane, UserKey};
use hearth_storage::schema::threads::{DelayedEvent, DelayedEventDue, DelayedEvents as Rows, DelayedEventsDue};
use hearth_storage::schema::users::Membership;
use hearth_storage::{CommitError, Page, StorageError, Txn};
use ruma::{OwnedEventId, OwnedRoomId, OwnedUserId, RoomId};
use serde_json::value::RawValue;
use thiserror::Error;
use tokio::sync::Notify;

use super::commands::{NewEvent, Rooms, check_sendable};
use super::error::RoomError;
use super::pipeline::{LocalDraft, Transaction};
use crate::Env;
use crate::users::{LocalUser, Users};

/// The longest delay, in milliseconds: a day.
pub const DELAY_MS_MAX: u64 = 24 * 60 * 60 * 1_000;
/// How many events of a user may wait.
const WAITING_PER_USER_MAX: usize = 100;
/// Rows of a user that are looked at: those that wait, and those that ended a short while ago.
const ROWS_PER_USER_MAX: usize = 2_000;
/// The longest content, in bytes: it is one row.
const CONTENT_BYTES_MAX: usize = 40_000;
/// How long it is remembered that an event was sent or cancelled, in milliseconds, for a repeat of the request.
const ENDED_KEPT_MS: u64 = 60 * 60 * 1_000;
/// Rows that one request clears away.
const CLEARED_MAX: usize = 100;
/// Events of one lane that are sent in one round.
const SENT_PER_ROUND_MAX: usize = 200;
/// How often a change is tried again when another one came between.
const TRIES_MAX: usize = 4;

type Key = (UserKey, [u8; 16]);

/// Why an event was not put off.
#[derive(Debug, Error)]
pub enum DelayError {
    /// The delay is longer than [`DELAY_MS_MAX`]: `M_MAX_DELAY_EXCEEDED`.
    #[error("the delay is longer than {DELAY_MS_MAX} milliseconds")]
    TooLong,
    /// As many events of the user wait as may: `M_MAX_DELAYED_EVENTS_EXCEEDED`.
    #[error("too many delayed events")]
    TooMany,
    /// The content is longer than an event that waits may have.
    #[error("the content of a delayed event has at most {CONTENT_BYTES_MAX} bytes")]
    TooLarge,
    /// No event with this id waits.
    #[error("no such delayed event")]
    Unknown,
    /// The room or the store.
    #[error(transparent)]
    Room(#[from] RoomError),
}

impl From<StorageError> for DelayError {
    fn from(error: StorageError) -> Self {
        Self::Room(error.into())
    }
}

/// What may be done with an event that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DelayAction {
    /// It is never sent.
    Cancel,
    /// Its delay begins again.
    Restart,
    /// It is sent now.
    Send,
}

/// The handle; cheap to clone.
#[derive(Clone)]
pub struct DelayedEvents(Arc<Inner>);

struct Inner {
    env: Env,
    users: Users,
    rooms: Rooms,
    /// Told when something may be due earlier than the worker thinks.
    changed: Notify,
}

impl DelayedEvents {
    /// The delayed events of a server. They are sent by `DelayedEventWorker`.
    #[must_use]
    pub fn new(env: &Env, users: Users, rooms: Rooms) -> Self {
        Self(Arc::new(Inner { env: env.clone(), users, rooms, changed: Notify::new() }))
    }

    /// Puts an event off and gives its id. The same transaction of the same device gets the same id.
    ///
    /// # Errors
    /// As [`DelayError`] says; the room's rules are asked when it is sent.
    pub async fn schedule(
        &self,
        user: &LocalUser,
        room: &RoomId,
        event: NewEvent,
        delay_ms: u64,
    ) -> Result<String, DelayError> {
        let rows = self.list_rows(user.key).await?;
        if let Some(known) = rows.iter().find(|(_, row)| is_repeat(row, user, room, &event)) {
            return Ok(id_of(&known.0));
        }
        if delay_ms > DELAY_MS_MAX {
            return Err(DelayError::TooLong);
        }
        if event.content.get().len() > CONTENT_BYTES_MAX {
            return Err(DelayError::TooLarge);
        }
        check_sendable(&event)?;
        let view = self.0.rooms.require_view(room).await?;
        if view.membership(&user.user_id) != Some(Membership::Join) {
            return Err(RoomError::Forbidden("You are not in this room.".to_owned()).into());
        }
        if rows.iter().filter(|(_, row)| row.ended_ms.is_none()).count() >= WAITING_PER_USER_MAX {
            return Err(DelayError::TooMany);
        }
        let row = self.build_row(user, room, event, delay_ms);
        let mut number = [0; 16];
        self.0.env.rng.fill(&mut number);
        let key = (user.key, number);
        let mut txn = self.0.env.store.txn();
        clear_old(&mut txn, &rows, row.since_ms);
        txn.assert_absent::<Rows>(&key);
        self.put_waiting(&mut txn, &key, &row);
        self.0.env.store.commit(txn).await.map_err(RoomError::from)?;
        self.0.changed.notify_one();
        Ok(id_of(&key))
    }

    /// The events of a user that wait, with their ids, those first that are due first.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn list(&self, user: &LocalUser) -> Result<Vec<(String, DelayedEvent)>, StorageError> {
        let mut rows = self.list_rows(user.key).await?;
        rows.retain(|(_, row)| row.ended_ms.is_none());
        rows.sort_by_key(|(_, row)| due_ms(row));
        Ok(rows.into_iter().map(|(key, row)| (id_of(&key), row)).collect())
    }

    /// Does something with an event that waits. Who knows its id may.
    ///
    /// # Errors
    /// [`DelayError::Unknown`] when there is none, or not any more; what sending refuses.
    pub async fn update(&self, id: &str, action: DelayAction) -> Result<(), DelayError> {
        let key = parse_id(id).ok_or(DelayError::Unknown)?;
        for _ in 0..TRIES_MAX {
            let row = self.0.env.store.get::<Rows>(&key).await?;
            let row = row.filter(|row| row.ended_ms.is_none()).ok_or(DelayError::Unknown)?;
            let outcome = match action {
                DelayAction::Send => self.send(&key, &row).await,
                DelayAction::Cancel => self.end(&key, &row).await.map_err(RoomError::from),
                DelayAction::Restart => self.restart(&key, &row).await.map_err(RoomError::from),
            };
            match outcome {
                Err(RoomError::Commit(CommitError::Conflict { .. })) => {}
                outcome => return Ok(outcome?),
            }
        }
        Err(RoomError::Overloaded.into())
    }

    /// Sends what is due; gives when the next one is, in milliseconds since 1970.
    ///
    /// # Errors
    /// When reading or writing fails; what is left is due still.
    pub async fn send_due(&self) -> Result<Option<u64>, RoomError> {
        let now_ms = self.0.env.clock.now().0;
        let mut next = None::<u64>;
        for lane in (0..self.0.env.store.lanes()).map(Lane) {
            let page = Page::first(SENT_PER_ROUND_MAX);
            let rows = self.0.env.store.scan::<DelayedEventsDue, _>(&lane, page).await?.rows;
            for ((_, due_ms, user, number), _) in rows {
                if due_ms > now_ms {
                    next = Some(next.map_or(due_ms, |next| next.min(due_ms)));
                    break;
                }
                self.send_one_due(&(user, number)).await?;
            }
        }
        Ok(next)
    }

    /// Waits until something may be due that was not before.
    pub(super) async fn changed(&self) {
        self.0.changed.notified().await;
    }

    pub(super) fn now_ms(&self) -> u64 {
        self.0.env.clock.now().0
    }

    async fn send_one_due(&self, key: &Key) -> Result<(), RoomError> {
        let Some(row) = self.0.env.store.get::<Rows>(key).await? else { return Ok(()) };
        match self.send(key, &row).await {
            // Someone restarted or cancelled it at this moment.
            Err(RoomError::Commit(CommitError::Conflict { .. })) => Ok(()),
            // Later again, and with it everything behind it.
            Err(
                error @ (RoomError::Overloaded | RoomError::Stopping | RoomError::Storage(_) | RoomError::Commit(_)),
            ) => Err(error),
            Err(refused) => {
                tracing::debug!(%refused, "a delayed event was not sent");
                match self.end(key, &row).await {
                    Err(CommitError::Conflict { .. }) | Ok(()) => Ok(()),
                    Err(error) => Err(error.into()),
                }
            }
            Ok(()) => Ok(()),
        }
    }

    /// Sends an event, and notes that it was.
    async fn send(&self, key: &Key, row: &DelayedEvent) -> Result<(), RoomError> {
        if self.may_be_sent(row).await? {
            let room = OwnedRoomId::try_from(row.room_id.as_str()).map_err(|_| RoomError::UnknownRoom)?;
            self.0.rooms.submit_one(&room, build_draft(key, row, self.now_ms())?).await?;
        }
        Ok(self.end(key, row).await?)
    }

    /// Whether its user still may, and nobody else has set the same state meanwhile.
    async fn may_be_sent(&self, row: &DelayedEvent) -> Result<bool, RoomError> {
        let user = OwnedUserId::try_from(row.user_id.as_str()).map_err(|_| RoomError::UnknownRoom)?;
        let account = self.0.users.load_account(&user).await?;
        if !account.is_some_and(|account| !account.is_deactivated && !account.is_suspended && !account.is_locked) {
            return Ok(false);
        }
        let Some(state_key) = &row.state_key else { return Ok(true) };
        let room = OwnedRoomId::try_from(row.room_id.as_str()).map_err(|_| RoomError::UnknownRoom)?;
        let view = self.0.rooms.require_view(&room).await?;
        let current = view.state_event(&row.kind, state_key).await?;
        Ok(!current.is_some_and(|event| event.event.sender != user && event.event.origin_server_ts > row.since_ms))
    }

    async fn end(&self, key: &Key, row: &DelayedEvent) -> Result<(), CommitError> {
        let mut txn = self.0.env.store.txn();
        txn.assert_eq::<Rows>(key, row);
        txn.put::<Rows>(key, &DelayedEvent { ended_ms: Some(self.now_ms()), ..row.clone() });
        txn.delete::<DelayedEventsDue>(&self.due_key(key, row));
        self.0.env.store.commit(txn).await.map(|_| ())
    }

    async fn restart(&self, key: &Key, row: &DelayedEvent) -> Result<(), CommitError> {
        let mut txn = self.0.env.store.txn();
        txn.assert_eq::<Rows>(key, row);
        txn.delete::<DelayedEventsDue>(&self.due_key(key, row));
        self.put_waiting(&mut txn, key, &DelayedEvent { since_ms: self.now_ms(), ..row.clone() });
        self.0.env.store.commit(txn).await?;
        self.0.changed.notify_one();
        Ok(())
    }

    fn put_waiting(&self, txn: &mut Txn, key: &Key, row: &DelayedEvent) {
        txn.put::<Rows>(key, row);
        txn.put::<DelayedEventsDue>(&self.due_key(key, row), &DelayedEventDue { delay_ms: row.delay_ms });
    }

    fn due_key(&self, key: &Key, row: &DelayedEvent) -> (Lane, u64, UserKey, [u8; 16]) {
        (self.0.env.store.lane_of(&key.0.0), due_ms(row), key.0, key.1)
    }

    async fn list_rows(&self, user: UserKey) -> Result<Vec<(Key, DelayedEvent)>, StorageError> {
        Ok(self.0.env.store.scan::<Rows, _>(&user, Page::first(ROWS_PER_USER_MAX)).await?.rows)
    }

    fn build_row(&self, user: &LocalUser, room: &RoomId, event: NewEvent, delay_ms: u64) -> DelayedEvent {
        DelayedEvent {
            user_id: user.user_id.to_string(),
            room_id: room.to_string(),
            kind: event.kind,
            state_key: event.state_key,
            content: event.content.get().to_owned(),
            redacts: event.redacts.map(|id| id.to_string()),
            device_id: user.device_id.to_string(),
            txn_id: event.txn_id,
            delay_ms,
            since_ms: self.now_ms(),
            ended_ms: None,
        }
    }
}

/// Forgets what ended long ago.
fn clear_old(txn: &mut Txn, rows: &[(Key, DelayedEvent)], now_ms: u64) {
    let is_old = |row: &DelayedEvent| row.ended_ms.is_some_and(|ended| ended + ENDED_KEPT_MS < now_ms);
    // With as many rows as are looked at, what ended goes at once: the user is not locked out by a busy hour.
    let is_full = rows.len() >= ROWS_PER_USER_MAX;
    let old = rows.iter().filter(|(_, row)| is_old(row) || (is_full && row.ended_ms.is_some()));
    for (key, _) in old.take(CLEARED_MAX) {
        txn.delete::<Rows>(key);
    }
}

fn due_ms(row: &DelayedEvent) -> u64 {
    row.since_ms.saturating_add(row.delay_ms)
}

/// Whether a request is the same transaction once more (C-S API, "Transaction identifiers").
fn is_repeat(row: &DelayedEvent, user: &LocalUser, room: &RoomId, event: &NewEvent) -> bool {
    event.txn_id.is_some()
        && row.txn_id == event.txn_id
        && row.device_id == user.device_id.as_str()
        && row.room_id == room.as_str()
        && row.kind == event.kind
}

/// The event, as of now: its transaction is the client's, or one that no client can have.
fn build_draft(key: &Key, row: &DelayedEvent, now_ms: u64) -> Result<LocalDraft, RoomError> {
    let bad = |_| RoomError::Invalid("a delayed event cannot be read");
    let content = RawValue::from_string(row.content.clone()).map_err(|_| RoomError::Invalid("the content"))?;
    let redacts = row.redacts.as_deref().map(OwnedEventId::try_from).transpose().map_err(bad)?;
    let (device, id) = match &row.txn_id {
        Some(id) => (row.device_id.clone(), id.clone()),
        None => (String::new(), format!("delayed {}", id_of(key))),
    };
    let draft = EventDraft {
        kind: row.kind.clone(),
        state_key: row.state_key.clone(),
        sender: OwnedUserId::try_from(row.user_id.as_str()).map_err(bad)?,
        content,
        redacts,
        origin_server_ts: now_ms,
    };
    Ok(LocalDraft { draft, target: None, transaction: Some(Transaction { user: key.0, device, id }) })
}

/// The id that clients see: where the row is, and the number that cannot be guessed.
fn id_of(key: &Key) -> String {
    URL_SAFE_NO_PAD.encode([key.0.0, key.1].concat())
}

fn parse_id(id: &str) -> Option<Key> {
    let bytes: [u8; 32] = URL_SAFE_NO_PAD.decode(id).ok()?.try_into().ok()?;
    let (user, number) = bytes.split_at(16);
    Some((UserKey(user.try_into().ok()?), number.try_into().ok()?))
}
