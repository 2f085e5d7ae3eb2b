//! What follows from events inside the room at once: redactions. And, after the commit, making the result visible.

use std::sync::Arc;

use hearth_protocol::{Event, EventKey, EventNum, LanePos, PowerLevels, redact};
use hearth_storage::Page;
use hearth_storage::schema::rooms::{Outcome, Redactions};
use ruma::EventId;

use super::lane::Context;
use super::submission::SubmittedEvent;
use super::working::Working;
use crate::rooms::error::RoomError;
use crate::rooms::stored_event::StoredEvent;

/// Redactions that may wait for one event.
const WAITING_REDACTIONS_MAX: usize = 100;

/// Lets a redaction take effect on its target, or on a new event one that waited for it.
///
/// # Errors
/// When reading fails.
pub async fn apply_redactions(context: &Context, working: &mut Working, index: usize) -> Result<(), RoomError> {
    let event = working.events[index].stored.event.clone();
    if event.kind == "m.room.redaction" {
        return apply_redaction(context, working, index, &event).await;
    }
    if working.events[index].unsigned.is_some() {
        // Nobody can have redacted an event that was built just now.
        return Ok(());
    }
    let page = Page::first(WAITING_REDACTIONS_MAX);
    let waiting =
        context.reader.store().scan::<Redactions, _>(&(working.room.key, EventKey::of(&event.id)), page).await?;
    for ((_, _, num), _) in waiting.rows {
        let redaction = working.event(&context.reader, num).await?;
        if may_redact(context, working, &redaction, &event).await? {
            mark_redacted(working, index, num);
            return Ok(());
        }
    }
    Ok(())
}

async fn apply_redaction(
    context: &Context,
    working: &mut Working,
    index: usize,
    redaction: &Event,
) -> Result<(), RoomError> {
    let Some(target) = redaction.redacts.as_deref() else {
        return Ok(());
    };
    let num = working.events[index].stored.num;
    if let Some(at) = working.events.iter().position(|pending| pending.stored.event.id == target) {
        let event = working.events[at].stored.event.clone();
        if may_redact(context, working, redaction, &event).await? {
            super::relations::remove_pending(context, working, at).await?;
            mark_redacted(working, at, num);
        }
        return Ok(());
    }
    if working.redacted.iter().any(|(known, _)| known.event.id == target) {
        return Ok(());
    }
    let Some(target) = load_target(context, working, target).await? else {
        return Ok(());
    };
    if target.redacted_by.is_none() && may_redact(context, working, redaction, &target.event).await? {
        working.redacted.push((target.clone(), num));
        super::relations::remove_stored(context, working, &target).await?;
    }
    Ok(())
}

async fn load_target(
    context: &Context,
    working: &Working,
    id: &EventId,
) -> Result<Option<Arc<StoredEvent>>, RoomError> {
    Ok(context.reader.load_event(&working.room, id).await?.filter(|target| target.outcome != Outcome::Rejected))
}

fn mark_redacted(working: &mut Working, at: usize, redaction: EventNum) {
    working.events[at].stored.redacted_by = Some(redaction);
}

/// Room versions 1 and 2 say it in the auth rules, later ones when the redaction is applied: the sender redacts
/// an event of its own server, or has the power to redact (room version 3, "Handling redactions").
async fn may_redact(
    context: &Context,
    working: &Working,
    redaction: &Event,
    target: &Event,
) -> Result<bool, RoomError> {
    if target.kind == "m.room.create" || target.room_id != redaction.room_id {
        return Ok(false);
    }
    if redaction.sender.server_name() == target.sender.server_name() {
        return Ok(true);
    }
    let Some((_, create)) = working.state_event(&context.reader, "m.room.create", "").await? else {
        return Ok(false);
    };
    let levels = working.state_event(&context.reader, "m.room.power_levels", "").await?;
    let levels = PowerLevels::from_state(working.room.rules, &create, levels.as_ref().map(|(_, event)| &**event));
    Ok(levels.user_level(&redaction.sender) >= levels.redact())
}

/// The stored events of a committed batch, with the positions that the commit gave, made visible to readers.
pub fn publish(context: &Context, mut working: Working, first: Option<LanePos>) -> Vec<SubmittedEvent> {
    let mut pos = first;
    let mut events = Vec::with_capacity(working.events.len());
    let rules = working.room.rules;
    let unrelated = working.events.iter().filter(|pending| pending.is_new_here);
    let unrelated = unrelated.map(|pending| (EventKey::of(&pending.stored.event.id), None));
    let related = working.related.iter().map(|(target, related)| (*target, Some(related.now)));
    context.reader.remember_totals(working.room.key, unrelated.chain(related));
    for mut pending in std::mem::take(&mut working.events) {
        if let Some(at) = pos.filter(|_| pending.is_news) {
            pending.stored.pos = at;
            working.room.head.last_pos = at;
            pos = Some(at.next());
        }
        if pending.stored.redacted_by.is_some() {
            let redacted = Arc::new(redact(rules, &pending.stored.event));
            pending.stored = pending.stored.with_event(redacted);
        }
        events.push(Arc::new(pending.stored));
    }
    for (user, change) in &working.members {
        let row =
            Arc::new(hearth_storage::schema::rooms::MembershipRow { pos: events[change.by].pos, ..change.row.clone() });
        working.room.members.insert(*user, row);
    }
    for (target, _) in &working.redacted {
        context.reader.forget_event(working.room.key, target.num);
    }
    context.reader.publish(Arc::new(working.room), &events);
    events.into_iter().map(SubmittedEvent::New).collect()
}
