//! What is new in one room for one reader. Who they are in it is read from the room's own lane, in the range that is told.

use std::sync::Arc;

use hearth_protocol::{LanePos, UserKey};
use hearth_storage::StorageError;
use hearth_storage::schema::receipts::ReceiptChange;
use hearth_storage::schema::users::Membership;
use ruma::{OwnedRoomId, OwnedUserId, UserId};
use serde_json::value::RawValue;

use super::ephemeral::{build_receipts, build_typing, list_receipts};
use super::error::SyncError;
use super::moment::{Moment, Reader, membership_of};
use super::request::StateForm;
use super::response::{Events, InvitedRoom, JoinedRoom, KnockedRoom, LeftRoom, Piece, Timeline};
use super::scope::{RoomTask, Scope};
use super::shared::SharedNews;
use super::state_changes::{Span, is_member_key, list_differences, under_name};
use super::summary::load_summary;
use super::token::history_token;
use super::window::{Range, Window};
use crate::rooms::RoomView;

/// Users whose presence is told because they or the reader just came into a room.
const NEWCOMERS_MAX: usize = 200;

/// A room in the section where it belongs.
pub enum Section {
    Join(Box<JoinedRoom>),
    Invite(InvitedRoom),
    Knock(KnockedRoom),
    Leave(Box<LeftRoom>),
}

/// A room with its news.
pub struct RoomNews {
    pub room_id: OwnedRoomId,
    pub section: Section,
    /// Who is new in it to the reader.
    pub newcomers: Vec<OwnedUserId>,
    /// Whether the reader is now shown somebody typing there; none when nothing is said of it.
    pub typing: Option<bool>,
}

/// What is known of a room before its news are gathered.
struct Ground<'a> {
    view: &'a RoomView,
    reader: Reader,
    /// What the reader was at the position from which the answer goes on.
    was: Option<Membership>,
    /// The position from which the answer goes on; none in a first sync.
    since: Option<LanePos>,
    to: LanePos,
}

/// The news of a room; none when there are none for this reader.
///
/// # Errors
/// When reading fails.
pub async fn load_news(scope: &Scope<'_>, task: RoomTask) -> Result<Option<RoomNews>, SyncError> {
    let Some(view) = scope.rooms.load_view_by_key(task.room).await? else { return Ok(None) };
    if !scope.request.filter.matches_room(&view.room.room_id) {
        return Ok(None);
    }
    let lane = scope.hub.lane_of(task.room);
    let (since, to) = (scope.since(lane), scope.to.of(lane));
    if let Some(since) = since
        && let Some(plain) = Ground::of_settled(scope, &view, since, to)
        && let Some(news) = plain.load_shared(scope, &task).await?
    {
        return Ok(news);
    }
    let Some(reader) = Reader::load(scope.hub, &view, &scope.who.user_id, to).await? else { return Ok(None) };
    let was = match since {
        Some(since) if reader.pos > since => {
            let member = Moment::load(scope.hub, &view, since).await?.member(&view, &scope.who.user_id).await?;
            member.map(|member| membership_of(&member))
        }
        Some(_) => Some(reader.membership),
        None => None,
    };
    let ground = Ground { view: &view, reader, was, since, to };
    let is_changed = since.is_none_or(|since| ground.reader.pos > since);
    match ground.reader.membership {
        Membership::Join => ground.load_joined(scope, task).await,
        Membership::Invite | Membership::Knock if is_changed => ground.load_asked(scope).await,
        Membership::Leave | Membership::Ban if is_changed => ground.load_left(scope, task).await,
        _ => Ok(None),
    }
}

impl<'a> Ground<'a> {
    /// The ground of a reader who has been in the room since the position from which the answer goes on, and is so now.
    fn of_settled(scope: &Scope<'_>, view: &'a RoomView, since: LanePos, to: LanePos) -> Option<Self> {
        let row =
            view.room.member(scope.who.key).filter(|row| row.membership == Membership::Join && row.pos <= since)?;
        let reader = Reader { membership: row.membership, pos: row.pos, event: None };
        let is_plain = !scope.request.full_state && scope.hub.covers(scope.hub.lane_of(view.room.key), since);
        is_plain.then_some(Self { view, reader, was: Some(Membership::Join), since: Some(since), to })
    }

    /// The news of a settled reader, as far as they are told many readers alike: messages, and what comes and goes. None when
    /// there is more to tell.
    async fn load_shared(&self, scope: &Scope<'_>, task: &RoomTask) -> Result<Option<Option<RoomNews>>, SyncError> {
        let from = self.since.unwrap_or_default();
        let has_events = from < self.to && scope.hub.room_news(self.view.room.key, from, self.to).events;
        let shared = if has_events { scope.shared.load(scope, self.view, (from, self.to)).await? } else { None };
        if has_events && shared.as_ref().is_none_or(|shared| self.needs_members(scope, shared)) {
            return Ok(None);
        }
        let (ephemeral, typing, receipts) = self.load_ephemeral(scope, false).await?;
        let mut room = JoinedRoom {
            state: under_name(scope.request.state_form, Vec::new()),
            timeline: shared.as_ref().map(|shared| shared.timeline()).unwrap_or_default(),
            ephemeral: ephemeral.into(),
            account_data: task.account_data.clone().into(),
            ..JoinedRoom::default()
        };
        let is_said = !room.timeline.is_empty() || !room.ephemeral.is_empty() || !room.account_data.is_empty();
        if !is_said && !receipts.has_own {
            return Ok(Some(None));
        }
        let rows = receipts.rows.as_deref();
        let counts = match shared.and_then(|shared| scope.unread.count_shared(scope, self.view, &shared, rows)) {
            Some(counts) => counts,
            None => scope.unread.count(scope, self.view, self.to, rows).await?,
        };
        room.unread_notifications = Some(counts.room);
        room.unread_thread_notifications = counts.threads;
        Ok(Some(Some(RoomNews { typing, ..self.news(Section::Join(Box::new(room))) })))
    }

    /// Whether the client lacks the membership of somebody who speaks.
    fn needs_members(&self, scope: &Scope<'_>, shared: &SharedNews) -> bool {
        let filter = &scope.request.filter.state;
        let has = |member: UserKey| {
            let since = self.since.unwrap_or_default();
            scope.sent_members.has(scope.who, self.view.room.key, member, since)
        };
        filter.lazy_load_members
            && (filter.include_redundant_members || shared.events.iter().any(|judged| !has(judged.sender)))
    }

    fn news(&self, section: Section) -> RoomNews {
        RoomNews { room_id: self.view.room.room_id.clone(), section, newcomers: Vec::new(), typing: None }
    }

    /// An invitation or a knock.
    async fn load_asked(&self, scope: &Scope<'_>) -> Result<Option<RoomNews>, SyncError> {
        let row = scope.users.load_room(&scope.who.key, &self.view.room.key).await?;
        let is_invite = self.reader.membership == Membership::Invite;
        let sender = self.reader.event.as_ref().map(|event| &event.event.sender);
        if is_invite && sender.is_some_and(|sender| scope.personal.ignores(sender)) {
            return Ok(None);
        }
        if is_invite && scope.users.blocks_invites(&scope.who.user_id).await? {
            return Ok(None);
        }
        let stripped = row.map(|row| row.stripped).unwrap_or_default();
        let events: Vec<Piece> = stripped.into_iter().filter_map(|json| RawValue::from_string(json).ok()).collect();
        let events = Events::from(events);
        let section = if is_invite {
            Section::Invite(InvitedRoom { invite_state: events })
        } else {
            Section::Knock(KnockedRoom { knock_state: events })
        };
        Ok(Some(self.news(section)))
    }

    /// A room that the reader is in.
    async fn load_joined(&self, scope: &Scope<'_>, task: RoomTask) -> Result<Option<RoomNews>, SyncError> {
        let is_new = self.was != Some(Membership::Join);
        let from = self.since.filter(|_| !is_new).unwrap_or_default();
        let range = Range { from, to: self.to, ends_at_unseen_state: true, own: None };
        let mut window = Window::load(scope, self.view, range).await?;
        if is_new && self.since.is_some() {
            window.limited = !window.has_create();
        }
        let is_full = is_new || scope.request.full_state;
        let end = Moment::load(scope.hub, self.view, self.to).await?;
        let old = if is_new { None } else { Some(Moment::load(scope.hub, self.view, from).await?) };
        let changed = old.as_ref().map(|old| list_differences(&old.state, &end.state));
        let has_members_changed =
            changed.as_ref().is_none_or(|changed| changed.iter().any(|(key, _)| is_member_key(self.view, *key)));
        let mut room = JoinedRoom::default();
        if is_full || has_members_changed {
            room.summary = Some(load_summary(self.view, &scope.who.user_id).await?);
        }
        let heroes = room.summary.as_ref().and_then(|summary| summary.heroes.as_deref()).unwrap_or_default();
        let base = old.as_ref().filter(|_| !is_full);
        room.state = if window.is_news || is_full {
            let span = Span { base, end: &end, window: &window, heroes, to: self.to };
            let events = span.list(scope, self.view).await?;
            under_name(scope.request.state_form, self.view.list_client_json(&events, scope.audience()).await?)
        } else {
            under_name(scope.request.state_form, Vec::new())
        };
        room.timeline = self.write_timeline(scope, &window).await?;
        let (ephemeral, typing, receipts) = self.load_ephemeral(scope, is_new).await?;
        room.ephemeral = ephemeral.into();
        room.account_data = self.load_account_data(scope, task, is_new).await?.into();
        let is_said = is_full || !room.timeline.is_empty() || !room.state.is_empty() || !room.ephemeral.is_empty();
        if !is_said && room.account_data.is_empty() && room.summary.is_none() && !receipts.has_own {
            return Ok(None);
        }
        let counts = scope.unread.count(scope, self.view, self.to, receipts.rows.as_deref()).await?;
        room.unread_notifications = Some(counts.room);
        room.unread_thread_notifications = counts.threads;
        let newcomers = self.list_newcomers(scope, old.as_ref(), changed.as_deref()).await?;
        Ok(Some(RoomNews { newcomers, typing, ..self.news(Section::Join(Box::new(room))) }))
    }

    /// A room that the reader has left, or was thrown out of, in the range that is told.
    async fn load_left(&self, scope: &Scope<'_>, task: RoomTask) -> Result<Option<RoomNews>, SyncError> {
        let left = self.reader.event.as_ref().filter(|_| self.reader.pos != LanePos(0));
        let was_in = match left {
            Some(left) => {
                self.was == Some(Membership::Join)
                    || self.view.membership_at(left.before, &scope.who.user_id).await? == Membership::Join
            }
            None => self.was == Some(Membership::Join),
        };
        let to = self.reader.pos.min(self.to);
        let is_new = self.was != Some(Membership::Join);
        // Who was never in gets their own event and nothing else.
        let from = match self.since {
            _ if !was_in => super::token::before(to),
            Some(since) => since,
            None => LanePos(0),
        };
        let range = Range { from, to, ends_at_unseen_state: false, own: left.map(|left| left.num) };
        let window = Window::load(scope, self.view, range).await?;
        let end = Moment::load(scope.hub, self.view, to).await?;
        let is_full = is_new || scope.request.full_state;
        let base = if is_full { None } else { Some(Moment::load(scope.hub, self.view, from).await?) };
        let events = if was_in {
            Span { base: base.as_ref(), end: &end, window: &window, heroes: &[], to }.list(scope, self.view).await?
        } else {
            Vec::new()
        };
        let mut state =
            under_name(scope.request.state_form, self.view.list_client_json(&events, scope.audience()).await?);
        if scope.request.state_form == StateForm::Before {
            // Some clients take a left room without it for a malformed answer.
            state.state.get_or_insert_default();
        }
        let timeline = self.write_timeline(scope, &window).await?;
        let room = LeftRoom { state, timeline, account_data: task.account_data.into() };
        Ok(Some(self.news(Section::Leave(Box::new(room)))))
    }

    async fn write_timeline(&self, scope: &Scope<'_>, window: &Window) -> Result<Timeline, StorageError> {
        if window.events.is_empty() && !window.limited {
            return Ok(Timeline::default());
        }
        let ignored = &scope.personal.ignored;
        let events = self.view.list_bundled_json(&window.events, scope.audience(), ignored).await?;
        let prev_batch = history_token(window.start(self.view, self.to).await?);
        Ok(Timeline { events, limited: window.limited, prev_batch: Some(prev_batch) })
    }

    /// Whether the client wants what passes of this kind in this room.
    fn wants_ephemeral(&self, scope: &Scope<'_>, kind: &str) -> bool {
        let filter = &scope.request.filter.ephemeral;
        filter.matches_type(kind) && filter.matches_room(&self.view.room.room_id)
    }

    /// Typing and receipts that are new, and what they mean for the token and the unread counts.
    async fn load_ephemeral(
        &self,
        scope: &Scope<'_>,
        is_new: bool,
    ) -> Result<(Vec<Piece>, Option<bool>, NewReceipts), StorageError> {
        let room = self.view.room.key;
        let lane = scope.hub.lane_of(room);
        let from = self.since.filter(|_| !is_new).unwrap_or_default();
        let mut pieces = Vec::new();
        let mut receipts = NewReceipts::default();
        if from < self.to && (!scope.hub.covers(lane, from) || scope.hub.room_news(room, from, self.to).receipts) {
            let rows = list_receipts(scope, room, from, self.to).await?;
            receipts.has_own = rows.iter().any(|row| row.user_id == scope.who.user_id.as_str());
            if self.wants_ephemeral(scope, "m.receipt") {
                pieces.extend(build_receipts(&rows));
            }
            receipts.rows = Some(rows).filter(|_| !is_new);
        }
        if scope.is_held && !is_new {
            return Ok((pieces, None, receipts));
        }
        let is_same_life = scope.ephemeral.epoch == scope.typing.epoch();
        let seen = if is_same_life && !is_new { scope.ephemeral.typing } else { 0 };
        let users = scope.typing.list_users(room);
        let shows = self.since.is_some() && scope.ephemeral.shows_typing(room);
        let is_changed = scope.typing.changed_at(room) > seen
            && (!users.is_empty() || self.since.is_some() && is_same_life && !is_new);
        let has_ended = shows && users.is_empty() && !is_same_life;
        if (is_changed || has_ended) && self.wants_ephemeral(scope, "m.typing") {
            pieces.push(build_typing(&users, |user| scope.personal.ignores(user)));
            return Ok((pieces, Some(!users.is_empty()), receipts));
        }
        Ok((pieces, None, receipts))
    }

    /// The user's own data of the room: all of it where the room is new to the client.
    async fn load_account_data(
        &self,
        scope: &Scope<'_>,
        task: RoomTask,
        is_new: bool,
    ) -> Result<Vec<Piece>, StorageError> {
        if !is_new || self.since.is_none() {
            return Ok(task.account_data);
        }
        super::account_data::list_of_room(scope, &self.view.room.room_id).await
    }

    /// Who has come into the room since, or everybody when the reader has.
    async fn list_newcomers(
        &self,
        scope: &Scope<'_>,
        old: Option<&Moment>,
        changed: Option<&[(hearth_protocol::StateKeyNum, hearth_protocol::EventNum)]>,
    ) -> Result<Vec<OwnedUserId>, StorageError> {
        let (Some(_), true) = (self.since, scope.users.presence().is_on()) else { return Ok(Vec::new()) };
        let (Some(old), Some(changed)) = (old, changed) else {
            return Ok(self.view.list_users(Membership::Join).into_iter().take(NEWCOMERS_MAX).collect());
        };
        let members = changed.iter().filter(|(key, _)| is_member_key(self.view, *key)).take(NEWCOMERS_MAX);
        let mut newcomers = Vec::new();
        for (key, num) in members {
            let old_num = old.state.get(key).copied();
            let events = self.view.events(&old_num.into_iter().chain([*num]).collect::<Vec<_>>()).await?;
            let mut memberships = events.iter().rev().map(|event| membership_of(event));
            let has_joined =
                memberships.next() == Some(Membership::Join) && memberships.next() != Some(Membership::Join);
            let user = events
                .last()
                .and_then(|event| event.event.state_key.as_deref())
                .and_then(|user| UserId::parse(user).ok());
            newcomers.extend(user.filter(|_| has_joined));
        }
        Ok(newcomers)
    }
}

/// The receipts since the reader's position.
#[derive(Default)]
struct NewReceipts {
    rows: Option<Vec<Arc<ReceiptChange>>>,
    /// One of them is the reader's.
    has_own: bool,
}
