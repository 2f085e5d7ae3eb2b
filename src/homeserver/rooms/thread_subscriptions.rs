//! Which threads a user follows (MSC4306): by their own word, or because a client found them taking part.
//!
//! It only keeps what was said; that a thread that is followed notifies is the business of whoever notifies.

use hearth_protocol::{LanePos, UserKey, relation_of};
use hearth_storage::schema::threads::{ThreadSubscription, ThreadSubscriptions as Rows};
use hearth_storage::{CommitError, Page, StorageError, Store};
use ruma::EventId;
use thiserror::Error;

use super::error::RoomError;
use super::view::RoomView;
use crate::Env;
use crate::users::LocalUser;

/// Threads of one room of which a user's word is kept.
const THREADS_PER_ROOM_MAX: usize = 5_000;
/// How often a change is tried again when another one of the same user came between.
const TRIES_MAX: usize = 4;

/// Why a subscription was not changed.
#[derive(Debug, Error)]
pub enum SubscriptionError {
    /// The event that is given as the cause is not in the thread: `M_NOT_IN_THREAD`.
    #[error("the event is not in this thread")]
    NotInThread,
    /// The user unsubscribed after that event: `M_CONFLICTING_UNSUBSCRIPTION`.
    #[error("the user unsubscribed after this event")]
    Unsubscribed,
    /// The user has said something of as many threads of the room as are kept.
    #[error("too many threads")]
    TooMany,
    /// The room, the thread or the store.
    #[error(transparent)]
    Room(#[from] RoomError),
}

impl From<StorageError> for SubscriptionError {
    fn from(error: StorageError) -> Self {
        Self::Room(error.into())
    }
}

/// The handle; cheap to clone.
#[derive(Clone)]
pub struct ThreadSubscriptions {
    store: Store,
}

impl ThreadSubscriptions {
    /// The subscriptions of a server.
    #[must_use]
    pub fn new(env: &Env) -> Self {
        Self { store: env.store.clone() }
    }

    /// Whether a client made the user follow the thread by itself; none when the user does not follow it.
    ///
    /// # Errors
    /// [`RoomError::UnknownEvent`] when the thread's first event is not there for the user.
    pub async fn load(
        &self,
        user: &LocalUser,
        view: &RoomView,
        root: &EventId,
    ) -> Result<Option<bool>, SubscriptionError> {
        require_root(user, view, root).await?;
        let row = self.store.get::<Rows>(&(user.key, view.room.key, root.to_string())).await?;
        Ok(match row {
            Some(ThreadSubscription::Manual) => Some(false),
            Some(ThreadSubscription::Automatic) => Some(true),
            Some(ThreadSubscription::Ended(_)) | None => None,
        })
    }

    /// Follows a thread: because of an event in it, or by the user's own word, which counts more.
    ///
    /// # Errors
    /// As [`SubscriptionError`] says.
    pub async fn subscribe(
        &self,
        user: &LocalUser,
        view: &RoomView,
        root: &EventId,
        cause: Option<&EventId>,
    ) -> Result<(), SubscriptionError> {
        require_root(user, view, root).await?;
        let cause = match cause {
            Some(cause) => Some(require_in_thread(user, view, root, cause).await?),
            None => None,
        };
        self.change(user.key, view, root, |old| match (cause, old) {
            (None, _) => Ok(ThreadSubscription::Manual),
            (Some(arrived), Some(ThreadSubscription::Ended(at))) if arrived <= at => {
                Err(SubscriptionError::Unsubscribed)
            }
            (Some(_), Some(ThreadSubscription::Manual)) => Ok(ThreadSubscription::Manual),
            (Some(_), _) => Ok(ThreadSubscription::Automatic),
        })
        .await
    }

    /// Stops following a thread, which may not have been followed.
    ///
    /// # Errors
    /// [`RoomError::UnknownEvent`] when the thread's first event is not there for the user.
    pub async fn unsubscribe(
        &self,
        user: &LocalUser,
        view: &RoomView,
        root: &EventId,
    ) -> Result<(), SubscriptionError> {
        require_root(user, view, root).await?;
        let now = self.store.head(self.store.lane_of(&view.room.key.0));
        self.change(user.key, view, root, |_| Ok(ThreadSubscription::Ended(now))).await
    }

    async fn change(
        &self,
        user: UserKey,
        view: &RoomView,
        root: &EventId,
        decide: impl Fn(Option<ThreadSubscription>) -> Result<ThreadSubscription, SubscriptionError>,
    ) -> Result<(), SubscriptionError> {
        let key = (user, view.room.key, root.to_string());
        for _ in 0..TRIES_MAX {
            let old = self.store.get::<Rows>(&key).await?;
            let new = decide(old)?;
            if old == Some(new) {
                return Ok(());
            }
            let mut txn = self.store.txn();
            match &old {
                Some(old) => txn.assert_eq::<Rows>(&key, old),
                None => {
                    let page = Page::first(THREADS_PER_ROOM_MAX);
                    if self.store.scan::<Rows, _>(&(user, view.room.key), page).await?.rows.len()
                        >= THREADS_PER_ROOM_MAX
                    {
                        return Err(SubscriptionError::TooMany);
                    }
                    txn.assert_absent::<Rows>(&key)
                }
            };
            txn.put::<Rows>(&key, &new);
            match self.store.commit(txn).await {
                Err(CommitError::Conflict { .. }) => {}
                Err(error) => return Err(RoomError::from(error).into()),
                Ok(_) => return Ok(()),
            }
        }
        Err(RoomError::Overloaded.into())
    }
}

/// The thread's first event has to be one that the user may see.
async fn require_root(user: &LocalUser, view: &RoomView, root: &EventId) -> Result<(), RoomError> {
    let root = view.load_event(root).await?.ok_or(RoomError::UnknownEvent)?;
    if view.check_access(&root, &user.user_id).await? { Ok(()) } else { Err(RoomError::UnknownEvent) }
}

/// When an event of the thread arrived. The first event is not in its own thread.
async fn require_in_thread(
    user: &LocalUser,
    view: &RoomView,
    root: &EventId,
    cause: &EventId,
) -> Result<LanePos, SubscriptionError> {
    let event = view.load_event(cause).await?.ok_or(SubscriptionError::NotInThread)?;
    let relation = relation_of(&event.event);
    let is_in_thread = relation.is_some_and(|found| found.rel_type == "m.thread" && found.target == root);
    if !is_in_thread || !view.check_access(&event, &user.user_id).await? {
        return Err(SubscriptionError::NotInThread);
    }
    Ok(event.pos)
}
