//! What an event that relates to another one changes: the totals of its target, and the place of its thread. And which
//! relations this server's users may not make.
//!
//! The queue of the room is the only writer, so that reading, counting and writing are one step.

use hearth_protocol::{EventDraft, EventKey, EventNum, Relation, UserKey, relation_in, relation_of};
use hearth_storage::Page;
use hearth_storage::schema::relations::{RelationTotal, RelationsBySender, RelationsByType};
use hearth_storage::schema::rooms::Outcome;

use super::lane::Context;
use super::working::Working;
use crate::rooms::error::RoomError;
use crate::rooms::stored_event::StoredEvent;

/// Annotations of one user of one event that are compared with a new one.
const ANNOTATIONS_MAX: usize = 1_000;
/// Replies of one batch that may be redacted at once before the newest one left is read again.
const REPLIES_LOOKED_AT: usize = 100;

/// The totals of a target before and after a batch.
#[derive(Clone, Copy, Debug)]
pub struct Related {
    pub before: Option<RelationTotal>,
    pub now: RelationTotal,
}

/// Counts an accepted event's relation.
///
/// # Errors
/// When reading fails.
pub async fn apply_relation(context: &Context, working: &mut Working, index: usize) -> Result<(), RoomError> {
    let stored = &working.events[index].stored;
    if stored.redacted_by.is_some() {
        return Ok(());
    }
    let Some(relation) = relation_of(&stored.event) else { return Ok(()) };
    let place = (stored.event.depth, stored.order);
    let target = EventKey::of(&relation.target);
    let now = &mut load_related(context, working, target).await?.now;
    let count = counter(now, &relation);
    *count = count.saturating_add(1);
    if relation.rel_type == "m.thread" {
        now.newest_reply = now.newest_reply.max(Some(place));
    }
    Ok(())
}

/// Takes the relation of an event of this batch back, which a later one of it redacts.
///
/// # Errors
/// When reading fails.
pub async fn remove_pending(context: &Context, working: &mut Working, at: usize) -> Result<(), RoomError> {
    let pending = &working.events[at].stored;
    if pending.redacted_by.is_some() || pending.outcome != Outcome::Accepted {
        return Ok(());
    }
    let (event, num, place) = (pending.event.clone(), pending.num, (pending.event.depth, pending.order));
    match relation_of(&event) {
        Some(relation) => remove(context, working, &relation, num, place).await,
        None => Ok(()),
    }
}

/// Takes the relation of a stored event back, which this batch redacts.
///
/// # Errors
/// When reading fails.
pub async fn remove_stored(context: &Context, working: &mut Working, stored: &StoredEvent) -> Result<(), RoomError> {
    match relation_of(&stored.event).filter(|_| stored.outcome == Outcome::Accepted) {
        Some(relation) => remove(context, working, &relation, stored.num, (stored.event.depth, stored.order)).await,
        None => Ok(()),
    }
}

async fn remove(
    context: &Context,
    working: &mut Working,
    relation: &Relation,
    num: EventNum,
    place: (u64, i64),
) -> Result<(), RoomError> {
    let target = EventKey::of(&relation.target);
    let now = &mut load_related(context, working, target).await?.now;
    let count = counter(now, relation);
    *count = count.saturating_sub(1);
    if relation.rel_type == "m.thread" && now.newest_reply == Some(place) {
        let newest = load_newest_reply(context, working, target, num).await?;
        load_related(context, working, target).await?.now.newest_reply = newest;
    }
    Ok(())
}

/// The newest event of a thread when one of them is gone.
async fn load_newest_reply(
    context: &Context,
    working: &Working,
    root: EventKey,
    gone: EventNum,
) -> Result<Option<(u64, i64)>, RoomError> {
    let prefix = (working.room.key, root, "m.thread".to_owned());
    let page = Page::last(REPLIES_LOOKED_AT);
    let rows = context.reader.store().scan::<RelationsByType, _>(&prefix, page).await?.rows;
    let is_left = |num: EventNum| num != gone && working.redacted.iter().all(|(target, _)| target.num != num);
    let stored = rows.into_iter().find(|(_, row)| is_left(row.num)).map(|((_, _, _, depth, order), _)| (depth, order));
    let pending = working.events.iter().map(|pending| &pending.stored).filter(|stored| {
        let is_reply = |relation: Relation| relation.rel_type == "m.thread" && EventKey::of(&relation.target) == root;
        stored.num != gone
            && stored.outcome == Outcome::Accepted
            && stored.redacted_by.is_none()
            && relation_of(&stored.event).is_some_and(is_reply)
    });
    Ok(pending.map(|stored| (stored.event.depth, stored.order)).max().max(stored))
}

fn counter<'a>(total: &'a mut RelationTotal, relation: &Relation) -> &'a mut u32 {
    match relation.rel_type.as_str() {
        "m.replace" => &mut total.edits,
        "m.thread" => &mut total.replies,
        "m.reference" => &mut total.references,
        _ => &mut total.others,
    }
}

async fn load_related<'a>(
    context: &Context,
    working: &'a mut Working,
    target: EventKey,
) -> Result<&'a mut Related, RoomError> {
    if !working.related.contains_key(&target) {
        let before = context.reader.list_totals(working.room.key, &[target]).await?.pop().flatten();
        working.related.insert(target, Related { before, now: before.unwrap_or_default() });
    }
    Ok(working.related.get_mut(&target).expect("totals that were just put there"))
}

/// What a user of this server may not relate (C-S API, "Avoiding duplicate annotations", "Validation of `m.thread`
/// relationships").
///
/// # Errors
/// For a second equal annotation, a thread from an event that relates to another one, and a target that is not known.
pub async fn check_draft(context: &Context, working: &Working, draft: &EventDraft) -> Result<(), RoomError> {
    let Some(relation) = relation_in(&draft.content) else { return Ok(()) };
    let target = match working.pending(&relation.target) {
        Some(pending) => Some(pending.stored.event.clone()),
        None => context.reader.load_event(&working.room, &relation.target).await?.map(|stored| stored.event.clone()),
    };
    let key = EventKey::of(&relation.target);
    let Some(target) = target else {
        // Who relates to what others relate to knows of it from them.
        let known = context.reader.list_totals(working.room.key, &[key]).await?.pop().flatten();
        let unknown = RoomError::BadRelation("There is no such event to relate to.");
        return if known.is_some() || working.related.contains_key(&key) { Ok(()) } else { Err(unknown) };
    };
    match relation.rel_type.as_str() {
        "m.thread" if relation_of(&target).is_some() => {
            Err(RoomError::BadRelation("Cannot start threads from an event with a relation."))
        }
        "m.annotation" if is_annotated(context, working, draft, &relation).await? => {
            Err(RoomError::DuplicateAnnotation)
        }
        _ => Ok(()),
    }
}

async fn is_annotated(
    context: &Context,
    working: &Working,
    draft: &EventDraft,
    relation: &Relation,
) -> Result<bool, RoomError> {
    let in_batch = working.events.iter().map(|pending| &pending.stored).any(|stored| {
        let event = &stored.event;
        stored.redacted_by.is_none()
            && (&event.sender, &event.kind) == (&draft.sender, &draft.kind)
            && relation_of(event).as_ref() == Some(relation)
    });
    if in_batch {
        return Ok(true);
    }
    let (target, sender) = (EventKey::of(&relation.target), UserKey::of(&draft.sender));
    let prefix = (working.room.key, target, sender, relation.rel_type.clone());
    let page = Page::first(ANNOTATIONS_MAX);
    let rows = context.reader.store().scan::<RelationsBySender, _>(&prefix, page).await?.rows;
    let gone = |num: EventNum| working.redacted.iter().any(|(target, _)| target.num == num);
    Ok(rows.iter().any(|((.., num), row)| row.kind == draft.kind && row.key == relation.key && !gone(*num)))
}
