//! Answering a request: wait for news, gather them, and say from where to go on.

use std::collections::HashSet;
use std::sync::Arc;

use futures_util::{StreamExt as _, stream};
use hearth_protocol::{RoomKey, SyncFilter};
use ruma::OwnedUserId;
use ruma::presence::PresenceState;
use tokio::time::{Duration, sleep};

use super::account_data::load_account_data;
use super::candidates::list_candidates;
use super::error::SyncError;
use super::filters::CompiledFilters;
use super::follower::SyncFollower;
use super::glance::glance;
use super::hub::Hub;
use super::lazy_members::SentMembers;
use super::pace::Pace;
use super::personal::Personal;
use super::presence::load_presence;
use super::request::{SyncRequest, TIMEOUT_MS_MAX};
use super::response::{RoomSections, SyncResponse};
use super::room::{RoomNews, Section, load_news};
use super::scope::{RoomTask, Scope};
use super::sessions::{IndexEntry, RoomIndex, Session};
use super::shared::SharedWords;
use super::token::{Ephemeral, InvalidToken, PageToken, Positions, SyncToken};
use super::unread::UnreadCounter;
use crate::Env;
use crate::metrics::{Counter, Metered, Reading};
use crate::rooms::{HistoryPos, Receipts, RoomView, Rooms, Typing};
use crate::users::{LocalUser, Users};
use crate::worker::{Stop, Worker};

/// Rooms that one answer works on side by side.
const ROOMS_AT_ONCE: usize = 16;
/// How often a waiting request counts as a sign of life, in milliseconds.
const KEEP_ALIVE_MS: u64 = 30_000;

/// The handle of sync; cheap to clone.
#[derive(Clone)]
pub struct Sync(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) env: Env,
    pub(super) users: Users,
    pub(super) rooms: Rooms,
    pub(super) typing: Typing,
    pub(super) receipts: Receipts,
    pub(super) hub: Arc<Hub>,
    pub(super) unread: UnreadCounter,
    pub(super) shared: SharedWords,
    filters: CompiledFilters,
    sent_members: SentMembers,
    /// Looks that held back without gathering.
    pub(super) holds: Counter,
    pace: Pace,
    answers: Counter,
    attempts: Counter,
}

/// What a waiting request's timer is set for.
#[derive(Clone, Copy)]
enum Due {
    /// The time that the request gave is over.
    End,
    /// It is the user's turn to be told of typing, receipts and presence.
    Turn,
    /// A client that waits long is there all the same.
    SignOfLife,
}

/// An attempt: the answer, and whether the list of rooms was read anew, so that events may have been missed meanwhile.
struct Attempt {
    /// In a box: it is large, and handed on.
    response: Box<SyncResponse>,
    is_list_new: bool,
    /// There is, or may be, something that is no message.
    is_held: bool,
}

impl Sync {
    /// The handle. Nobody is woken unless the workers run.
    pub fn new(env: &Env, users: Users, rooms: Rooms, typing: Typing, receipts: Receipts) -> Self {
        let hub = Arc::new(Hub::new(env.store.clone(), rooms.clone(), typing.clone()));
        Self(Arc::new(Inner {
            env: env.clone(),
            users,
            rooms,
            typing,
            receipts,
            hub,
            unread: UnreadCounter::default(),
            shared: SharedWords::default(),
            filters: CompiledFilters::default(),
            sent_members: SentMembers::default(),
            holds: Counter::default(),
            pace: Pace::default(),
            answers: Counter::default(),
            attempts: Counter::default(),
        }))
    }

    /// The loops that the server has to run.
    pub fn list_workers(&self) -> Vec<Box<dyn Worker>> {
        vec![Box::new(SyncFollower {
            hub: self.0.hub.clone(),
            store: self.0.env.store.clone(),
            clock: self.0.env.clock.clone(),
            typing: self.0.typing.clone(),
            users: self.0.users.clone(),
        })]
    }

    /// Reads a `since`.
    ///
    /// # Errors
    /// [`InvalidToken`] for what this server cannot have written.
    pub fn parse_token(&self, text: &str) -> Result<SyncToken, InvalidToken> {
        SyncToken::parse(text, self.0.env.store.lanes())
    }

    /// Reads the `from`, `to` or `at` of an endpoint that pages through a room: a token of history or of the stream.
    ///
    /// # Errors
    /// [`InvalidToken`] for what this server cannot have written.
    pub fn parse_page_token(&self, text: &str) -> Result<PageToken, InvalidToken> {
        PageToken::parse(text, self.0.env.store.lanes())
    }

    /// Compiles a filter, shared with the other requests that have the same.
    ///
    /// # Errors
    /// When the text is no filter.
    pub fn compile_filter(&self, text: &str) -> Result<Arc<SyncFilter>, serde_json::Error> {
        self.0.filters.compile(text)
    }

    /// The place in a room's history that a token of either kind means.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn history_pos(&self, view: &RoomView, token: &PageToken) -> Result<HistoryPos, SyncError> {
        Ok(token.history_pos(&self.0.env.store, view).await?)
    }

    /// What is new for a user: at once when there is something or the request waits for nothing, else when something happens, at the latest
    /// after the request's time, then with nothing. `stop` ends the waiting early, in the same way.
    ///
    /// Dropping the future costs nothing: the same `since` gives the same news again.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn next(&self, who: &LocalUser, request: &SyncRequest, stop: &Stop) -> Result<SyncResponse, SyncError> {
        let inner = &*self.0;
        let session = inner.hub.sessions.attach(who.key, inner.env.clock.monotonic_ms());
        // Only the names of states that were parsed before get here.
        let _ = inner.users.presence().record_sync(&who.user_id, request.set_presence.clone());
        if let Some(since) = &request.since {
            inner.sent_members.rewind(who, |room: RoomKey| since.lanes.of(inner.hub.lane_of(room)));
        }
        let (mut bell, mut quiet_bell) = (session.listen(), session.listen_quietly());
        inner.answers.increment();
        let Some(since) = request.since.as_ref().filter(|_| !request.is_immediate()) else {
            inner.hub.settle().await;
            return Ok(*Box::pin(inner.attempt(who, request, &session, false)).await?.response);
        };
        // One timer for all that it waits for: many requests wait.
        let now_ms = || inner.env.clock.monotonic_ms();
        let until_ms = now_ms() + request.timeout_ms.min(TIMEOUT_MS_MAX);
        let (mut alive_until_ms, mut is_turn) = (now_ms() + KEEP_ALIVE_MS, false);
        let alarm = sleep(Duration::ZERO);
        tokio::pin!(alarm);
        loop {
            bell.borrow_and_update();
            quiet_bell.borrow_and_update();
            let may_hold = !is_turn && !inner.is_turn_due(&session);
            // Apart, so that a request that waits takes little room, and is moved cheaply by the layers around it.
            let Attempt { response, is_list_new, is_held } =
                Box::pin(inner.attempt(who, request, &session, may_hold)).await?;
            if response.has_urgent() || !(may_hold || response.is_empty()) {
                inner.note_answer(&session, &response);
                return Ok(*response);
            }
            if !may_hold {
                session.turn.lock().pass(inner.env.clock.monotonic_ms());
                is_turn = false;
            }
            if is_list_new {
                // From now on the session is woken for its rooms; what came before that is found by looking once more.
                continue;
            }
            drop(response);
            let mut turn_ms = is_held.then(|| inner.book_turn(&session));
            loop {
                let times = [(Some(until_ms), Due::End), (turn_ms, Due::Turn), (Some(alive_until_ms), Due::SignOfLife)];
                let times = times.into_iter().filter_map(|(at_ms, due)| Some((at_ms?, due)));
                let (at_ms, due) = times.min_by_key(|(at_ms, _)| *at_ms).unwrap_or((until_ms, Due::End));
                alarm.set(sleep(Duration::from_millis(at_ms.saturating_sub(now_ms()))));
                tokio::select! {
                    // The senders are the session's, which this request holds.
                    _ = bell.changed() => break,
                    _ = quiet_bell.changed(), if turn_ms.is_none() => turn_ms = Some(inner.book_turn(&session)),
                    () = &mut alarm => match due {
                        Due::End => {
                            let last = Box::pin(inner.attempt(who, request, &session, false)).await?.response;
                            inner.note_answer(&session, &last);
                            return Ok(*last);
                        }
                        Due::Turn => {
                            is_turn = true;
                            break;
                        }
                        Due::SignOfLife => {
                            inner.keep_alive(who, request);
                            alive_until_ms = now_ms() + KEEP_ALIVE_MS;
                        }
                    },
                    () = stop.cancelled() => return Ok(SyncResponse::nothing(since.clone())),
                }
            }
        }
    }
}

impl Metered for Sync {
    fn readings(&self, out: &mut Vec<Reading>) {
        let Inner { hub, answers, attempts, unread, shared, .. } = &*self.0;
        let sessions = hub.sessions.count() as u64;
        out.push(Reading::gauge("hearth_sync_sessions", "Users who wait in a sync or did so lately.", sessions));
        out.push(Reading::counter("hearth_sync_answers_total", "Syncs that were answered.", answers.value()));
        out.push(Reading::counter(
            "hearth_sync_attempts_total",
            "Looks at what is new, at least one for each answer.",
            attempts.value(),
        ));
        out.push(Reading::counter(
            "hearth_sync_push_evaluations_total",
            "Times that push rules were gone through for an event and a reader, or for all readers whom it does not name.",
            unread.evaluations.value(),
        ));
        out.push(Reading::counter(
            "hearth_sync_shared_writings_total",
            "Times that news of a room were written for all its readers at the same place.",
            shared.writings.value(),
        ));
    }
}

impl Inner {
    /// Whether a user may be told of typing, receipts and presence now.
    fn is_turn_due(&self, session: &Session) -> bool {
        session.turn.lock().is_due(&self.pace, self.env.clock.monotonic_ms())
    }

    /// When a user is told of those that there are, on the monotonic clock.
    fn book_turn(&self, session: &Session) -> u64 {
        session.turn.lock().book(&self.pace, self.env.clock.monotonic_ms())
    }

    fn note_answer(&self, session: &Session, response: &SyncResponse) {
        if response.tells_quietly() {
            session.turn.lock().note_told(&self.pace, self.env.clock.monotonic_ms());
        }
    }

    /// A client that waits long is there all the same.
    fn keep_alive(&self, who: &LocalUser, request: &SyncRequest) {
        if request.set_presence != PresenceState::Offline {
            self.users.presence().keep_alive(&who.user_id);
        }
    }

    /// One look at what there is. Where it may hold back what is no message, that is not even gathered.
    async fn attempt(
        &self,
        who: &LocalUser,
        request: &SyncRequest,
        session: &Session,
        may_hold: bool,
    ) -> Result<Attempt, SyncError> {
        self.attempts.increment();
        let to = self.hub.catch_up().await?;
        let typing_to = self.typing.position();
        if let Some((since, is_held)) = glance(self, who, request, session, &to, may_hold) {
            let response = Box::new(SyncResponse::nothing(since.clone()));
            return Ok(Attempt { response, is_list_new: false, is_held });
        }
        let (index, is_list_new) = self.load_index(session, &to).await?;
        let personal = Personal::load(&self.hub, &self.users, session, who, &to).await?;
        let fresh = Ephemeral { epoch: self.typing.epoch(), ..Ephemeral::default() };
        // A message that goes out meanwhile does not take along what was held back: it would go out many times as often.
        let is_held = may_hold && request.since.as_ref().is_some_and(|since| since.ephemeral.epoch == fresh.epoch);
        let scope = Scope {
            hub: &self.hub,
            rooms: &self.rooms,
            users: &self.users,
            typing: &self.typing,
            receipts: &self.receipts,
            unread: &self.unread,
            shared: &self.shared,
            sent_members: &self.sent_members,
            who,
            request,
            personal: &personal,
            to: &to,
            ephemeral: request.since.as_ref().map_or(&fresh, |since| &since.ephemeral),
            is_held,
            now: self.env.clock.now(),
        };
        let (response, newcomers) = gather(&scope, &index, typing_to).await?;
        let (presence, presence_to) = load_presence(&scope, &index, newcomers).await?;
        let mut response = Box::new(SyncResponse { presence: presence.into(), ..response });
        response.next_batch.ephemeral.presence = presence_to;
        Ok(Attempt { is_held: is_held || !response.is_empty(), response, is_list_new })
    }

    /// The list of the user's rooms, read after `to` was applied; and whether it had to be read.
    async fn load_index(&self, session: &Session, to: &Positions) -> Result<(Arc<RoomIndex>, bool), SyncError> {
        if let Some(index) = session.index() {
            return Ok((index, false));
        }
        let rows = self.users.list_rooms(&session.user).await?;
        let entry = |row: hearth_storage::schema::users::UserRoom| IndexEntry {
            membership: row.membership,
            forgotten: row.forgotten,
        };
        let index =
            Arc::new(RoomIndex::new(rows.into_iter().map(|(room, row)| (room, entry(row))).collect(), to.clone()));
        self.hub.sessions.keep_index(session, &index);
        Ok((index, true))
    }
}

/// The answer without presence, and whose presence is new to the reader.
async fn gather(
    scope: &Scope<'_>,
    index: &RoomIndex,
    typing_to: u64,
) -> Result<(SyncResponse, HashSet<OwnedUserId>), SyncError> {
    let mut data = load_account_data(scope).await?;
    let rooms = list_candidates(scope, index, data.rooms.keys()).await?;
    let tasks: Vec<RoomTask> = rooms
        .into_iter()
        .map(|room| RoomTask { room, account_data: data.rooms.remove(&room).unwrap_or_default() })
        .collect();
    let found: Vec<_> = stream::iter(tasks.into_iter().map(|task| Box::pin(load_news(scope, task))))
        .buffer_unordered(ROOMS_AT_ONCE)
        .collect()
        .await;
    let (mut sections, mut newcomers) = (RoomSections::default(), HashSet::new());
    let mut next = next_token(scope, typing_to);
    for news in found {
        let Some(news) = news? else { continue };
        if let Some(is_shown) = news.typing {
            next.ephemeral.note_typing(RoomKey::of(&news.room_id), is_shown);
        }
        newcomers.extend(news.newcomers.iter().cloned());
        file(&mut sections, news);
    }
    let response = SyncResponse {
        next_batch: next,
        account_data: data.global.into(),
        presence: Vec::new().into(),
        rooms: sections,
        device_one_time_keys_count: std::collections::BTreeMap::new(),
        device_unused_fallback_key_types: Vec::new(),
    };
    Ok((response, newcomers))
}

/// From where the client goes on: never behind where it is, for it may know more than this process does.
fn next_token(scope: &Scope<'_>, typing_to: u64) -> SyncToken {
    let lanes = match &scope.request.since {
        Some(since) => scope.to.later(&since.lanes),
        None => scope.to.clone(),
    };
    let is_same_life = scope.ephemeral.epoch == scope.typing.epoch();
    let typing_rooms = if is_same_life { scope.ephemeral.typing_rooms.clone() } else { Vec::new() };
    let typing_to = if scope.is_held { scope.ephemeral.typing } else { typing_to };
    let ephemeral =
        Ephemeral { epoch: scope.typing.epoch(), typing: typing_to, presence: scope.ephemeral.presence, typing_rooms };
    SyncToken { lanes, ephemeral }
}

fn file(sections: &mut RoomSections, news: RoomNews) {
    let RoomNews { room_id, section, .. } = news;
    match section {
        Section::Join(room) => drop(sections.join.insert(room_id, *room)),
        Section::Invite(room) => drop(sections.invite.insert(room_id, room)),
        Section::Knock(room) => drop(sections.knock.insert(room_id, room)),
        Section::Leave(room) => drop(sections.leave.insert(room_id, *room)),
    }
}
