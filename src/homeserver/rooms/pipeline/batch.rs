//! One batch of a room: stage each submission on the one before, sign, commit once, publish, answer.

use std::sync::Arc;

use hearth_protocol::RoomKey;
use hearth_storage::CommitError;
use hearth_storage::schema::rooms::Transactions;
use ruma::{EventId, OwnedEventId};

use super::lane::{Context, Job};
use super::local::{Staged, no_auth_state, stage_built, stage_draft};
use super::submission::{Submission, Submitted, SubmittedEvent, Transaction};
use super::working::Working;
use crate::rooms::error::RoomError;
use crate::rooms::snapshot::RoomSnapshot;

/// How often a single submission is built again after a conflict.
const TRIES_MAX: usize = 4;

type Outcome = Result<Submitted, RoomError>;

/// Works on the submissions that waited for a room, and gives the room back.
pub async fn run_batch(context: Arc<Context>, key: RoomKey, jobs: Vec<Job>) -> RoomKey {
    let submissions: Vec<&Submission> = jobs.iter().map(|job| &job.submission).collect();
    let outcomes = match try_batch(&context, key, &submissions).await {
        Ok(outcomes) => outcomes,
        Err(RoomError::Commit(CommitError::Conflict { .. })) => {
            // One of them was answered before, by a request or a commit whose outcome was lost. Each for itself, then.
            let mut outcomes = Vec::with_capacity(jobs.len());
            for submission in submissions {
                outcomes.push(run_alone(&context, key, submission).await);
            }
            outcomes
        }
        Err(error) => submissions.iter().map(|_| Err(error.clone())).collect(),
    };
    context.stats.batch.record(jobs.len() as u64);
    for (job, outcome) in jobs.into_iter().zip(outcomes) {
        match &outcome {
            Ok(submitted) => context.stats.events.add(submitted.events.len() as u64),
            Err(_) => context.stats.refused.increment(),
        }
        // The caller may be gone; what it asked for was done all the same.
        let _ = job.reply.send(outcome);
    }
    key
}

async fn run_alone(context: &Context, key: RoomKey, submission: &Submission) -> Outcome {
    for _ in 0..TRIES_MAX {
        if let Some(known) = load_known(context, key, submission).await? {
            return Ok(known);
        }
        match try_batch(context, key, &[submission]).await {
            Err(RoomError::Commit(CommitError::Conflict { .. })) => {}
            Ok(outcomes) => {
                return outcomes.into_iter().next().unwrap_or(Err(RoomError::Stopping));
            }
            Err(error) => return Err(error),
        }
    }
    Err(RoomError::Overloaded)
}

/// The outcomes of all, or the one error that kept any of them from being written.
async fn try_batch(context: &Context, key: RoomKey, submissions: &[&Submission]) -> Result<Vec<Outcome>, RoomError> {
    let mut working = Working::new(load_or_create(context, key, submissions).await?);
    let begun = context.env.clock.monotonic_us();
    let mut staged = Vec::with_capacity(submissions.len());
    for submission in submissions {
        let mark = working.mark();
        let outcome = stage(context, &mut working, submission).await;
        staged.push(match outcome {
            Ok(events) => Ok(events),
            Err(error) => {
                working.rewind(mark);
                // What was acknowledged once is answered again, even when it would be refused today.
                load_known(context, key, submission).await?.map_or(Err(error), |known| Ok(existing(known)))
            }
        });
    }
    context.stats.stage_us.record(context.env.clock.monotonic_us().saturating_sub(begun));
    let events = if working.events.is_empty() { Vec::new() } else { write(context, working).await? };
    let outcome = |staged: Vec<Staged>| Submitted {
        events: staged
            .into_iter()
            .map(|staged| match staged {
                Staged::New(index) => events[index].clone(),
                Staged::Existing(id) => SubmittedEvent::Existing(id),
            })
            .collect(),
    };
    Ok(staged.into_iter().map(|staged| staged.map(outcome)).collect())
}

async fn write(context: &Context, mut working: Working) -> Result<Vec<SubmittedEvent>, RoomError> {
    let begun = context.env.clock.monotonic_us();
    sign(context, &mut working);
    let signed = context.env.clock.monotonic_us();
    context.stats.sign_us.record(signed.saturating_sub(begun));
    let committed = super::commit::commit(context, &working).await;
    context.stats.commit_us.record(context.env.clock.monotonic_us().saturating_sub(signed));
    let first = match committed {
        Ok(first) => first,
        Err(error) => {
            context.reader.forget_room(working.room.key);
            if let (CommitError::Conflict { .. }, Some(events)) = (&error, load_applied(context, &working).await?) {
                return Ok(events);
            }
            return Err(error.into());
        }
    };
    let members_changed = !working.members.is_empty();
    let key = working.room.key;
    let events = super::publish::publish(context, working, first);
    if members_changed {
        // Whoever joined or left has to see it in their list of rooms at once, wherever that lies.
        let store = context.reader.store();
        let lane = store.lane_of(&key.0);
        if !store.wait_applied(lane, store.head(lane)).await {
            tracing::warn!(lane = lane.0, "lists of rooms lag behind their rooms");
        }
    }
    Ok(events)
}

/// The events of a batch that a commit wrote whose outcome was lost.
async fn load_applied(context: &Context, working: &Working) -> Result<Option<Vec<SubmittedEvent>>, RoomError> {
    let ids: Vec<&EventId> = working.events.iter().map(|pending| &*pending.stored.event.id).collect();
    let nums = context.reader.list_nums(working.room.key, &ids).await?;
    let Some(nums) = nums.into_iter().collect::<Option<Vec<_>>>() else {
        return Ok(None);
    };
    let Some(room) = context.reader.load_room(working.room.key).await? else {
        return Ok(None);
    };
    let events = context.reader.list_events(&room, &nums).await?;
    Ok(Some(events.into_iter().map(SubmittedEvent::New).collect()))
}

fn sign(context: &Context, working: &mut Working) {
    for pending in &mut working.events {
        if let Some(unsigned) = pending.unsigned.take() {
            let signed = Arc::new(unsigned.sign(&context.env.signer));
            pending.stored = pending.stored.with_event(signed);
        }
    }
}

async fn load_or_create(
    context: &Context,
    key: RoomKey,
    submissions: &[&Submission],
) -> Result<RoomSnapshot, RoomError> {
    if let Some(room) = context.reader.load_room(key).await? {
        return Ok((*room).clone());
    }
    let created = submissions.iter().find_map(|submission| submission.created_room());
    let (room_id, rules) = created.ok_or(RoomError::UnknownRoom)?;
    Ok(RoomSnapshot::empty(room_id, rules))
}

async fn stage(context: &Context, working: &mut Working, submission: &Submission) -> Result<Vec<Staged>, RoomError> {
    let mut staged = Vec::with_capacity(submission.size());
    match submission {
        Submission::Create { create, drafts, .. } => {
            if working.room.head.next.event > 0 {
                return Err(RoomError::RoomExists);
            }
            let index = stage_built(context, working, (**create).clone(), &no_auth_state(), None).await?;
            staged.push(Staged::New(index));
            for draft in drafts {
                staged.push(stage_draft(context, working, draft.clone()).await?);
            }
        }
        Submission::Local(drafts) => {
            for draft in drafts {
                staged.push(stage_draft(context, working, draft.clone()).await?);
            }
        }
        Submission::Remote { origin, events, .. } => {
            for event in events {
                staged.push(super::remote::stage_remote(context, working, *origin, event.clone()).await?);
            }
        }
    }
    Ok(staged)
}

fn existing(known: Submitted) -> Vec<Staged> {
    known.events.into_iter().map(|event| Staged::Existing(event.id().clone())).collect()
}

/// What a submission made when it was worked on before: found by its transactions.
async fn load_known(context: &Context, room: RoomKey, submission: &Submission) -> Result<Option<Submitted>, RoomError> {
    let Submission::Local(drafts) = submission else {
        return Ok(None);
    };
    let mut events = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let Some(transaction) = &draft.transaction else {
            return Ok(None);
        };
        let Some(id) = load_transaction(context, room, transaction).await? else {
            return Ok(None);
        };
        events.push(SubmittedEvent::Existing(id));
    }
    Ok(Some(Submitted { events }))
}

async fn load_transaction(
    context: &Context,
    room: RoomKey,
    transaction: &Transaction,
) -> Result<Option<OwnedEventId>, RoomError> {
    let key = (room, transaction.user, transaction.device.clone(), transaction.id.clone());
    let row = context.reader.store().get::<Transactions>(&key).await?;
    Ok(row.and_then(|row| OwnedEventId::try_from(row.event_id).ok()))
}
