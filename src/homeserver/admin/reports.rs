//! Reports of rooms, events and users (C-S API, "Reporting Content"): kept for the operator to read.

use hearth_storage::schema::accounts::{Report, Reports};
use hearth_storage::schema::users::Membership;
use hearth_storage::{CommitError, Page, StorageError};
use ruma::{EventId, RoomId, UserId};
use thiserror::Error;

use crate::env::Env;
use crate::rooms::{RoomError, Rooms};
use crate::users::{LocalUser, Users};

/// All reports lie on one shelf, so that they can be listed.
const SHELF: u8 = 0;
/// The longest reason, in bytes.
const REASON_BYTES_MAX: usize = 4_096;

/// A report as the operator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportInfo {
    /// When, in milliseconds since 1970.
    pub reported_ms: u64,
    /// Who, whom and why.
    pub report: Report,
}

/// Why a report was not taken.
#[derive(Debug, Error)]
pub enum ReportError {
    /// There is no such room, event or user, or the reporter cannot see it: `M_NOT_FOUND`.
    #[error("{0} was not found")]
    NotFound(&'static str),
    /// The reason is too long.
    #[error("the reason is longer than {REASON_BYTES_MAX} bytes")]
    ReasonTooLong,
    /// Reading the room failed.
    #[error(transparent)]
    Room(#[from] RoomError),
    /// Reading failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Writing failed.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

/// Takes reports; cheap to clone.
#[derive(Clone)]
pub struct Reporting {
    env: Env,
    users: Users,
    rooms: Rooms,
}

impl Reporting {
    /// Over these.
    pub fn new(env: &Env, users: Users, rooms: Rooms) -> Self {
        Self { env: env.clone(), users, rooms }
    }

    /// Reports a room that this server knows; one need not be in it.
    pub async fn report_room(&self, user: &LocalUser, room: &RoomId, reason: String) -> Result<(), ReportError> {
        self.rooms.load_view(room).await?.ok_or(ReportError::NotFound("The room"))?;
        self.record(user, reason, |report| report.room_id = Some(room.to_string())).await
    }

    /// Reports an event that the user can see in a room that they are in.
    pub async fn report_event(
        &self,
        user: &LocalUser,
        room: &RoomId,
        event: &EventId,
        reason: String,
    ) -> Result<(), ReportError> {
        let unseen = ReportError::NotFound("The event, or a room with it that you are in,");
        let view = self.rooms.load_view(room).await?;
        let Some(view) = view.filter(|view| view.membership(&user.user_id) == Some(Membership::Join)) else {
            return Err(unseen);
        };
        let Some(found) = view.load_event(event).await? else { return Err(unseen) };
        if !view.check_access(&found, &user.user_id).await? {
            return Err(unseen);
        }
        let sender = found.event.sender.to_string();
        let fill = |report: &mut Report| {
            report.room_id = Some(room.to_string());
            report.event_id = Some(event.to_string());
            report.user_id = Some(sender.clone());
        };
        self.record(user, reason, fill).await
    }

    /// Reports a user; one of this server has to exist.
    pub async fn report_user(&self, user: &LocalUser, whom: &UserId, reason: String) -> Result<(), ReportError> {
        if self.users.is_local(whom) && self.users.load_account(whom).await?.is_none() {
            return Err(ReportError::NotFound("The user"));
        }
        self.record(user, reason, |report| report.user_id = Some(whom.to_string())).await
    }

    /// The newest reports, the newest first.
    pub async fn list_reports(&self, limit: usize) -> Result<Vec<ReportInfo>, StorageError> {
        let page = self.env.store.scan::<Reports, _>(&SHELF, Page::last(limit)).await?;
        let rows = page.rows.into_iter();
        Ok(rows.map(|((_, reported_ms, _), report)| ReportInfo { reported_ms, report }).collect())
    }

    async fn record(&self, user: &LocalUser, reason: String, fill: impl Fn(&mut Report)) -> Result<(), ReportError> {
        if reason.len() > REASON_BYTES_MAX {
            return Err(ReportError::ReasonTooLong);
        }
        let mut nonce = [0; 16];
        self.env.rng.fill(&mut nonce);
        let reporter = user.user_id.to_string();
        let mut report = Report { reporter, room_id: None, event_id: None, user_id: None, reason };
        fill(&mut report);
        let mut txn = self.env.store.txn();
        txn.put::<Reports>(&(SHELF, self.env.clock.now().0, nonce), &report);
        self.env.store.commit(txn).await?;
        tracing::info!(reporter = %report.reporter, room = report.room_id, user = report.user_id, "a report came in");
        Ok(())
    }
}
