//! Building the events of this server's users, in the room's queue.

use std::collections::HashMap;
use std::sync::Arc;

use hearth_protocol::{
    AuthRef, Candidate, Event, EventDraft, EventNum, Origin, Placement, RoomAtEvent, UnsignedEvent, Verdict,
    auth_pairs, build_event_citing, evaluate_cached, reference_hash, stripped_state,
};
use hearth_storage::schema::rooms::Outcome;
use ruma::{EventId, OwnedEventId};

use super::lane::Context;
use super::submission::LocalDraft;
use super::working::{Pending, Working};
use crate::rooms::error::RoomError;
use crate::rooms::stored_event::StoredEvent;

/// Predecessors that a new event cites at the most; more ends than this are joined by the events that follow.
const PREV_EVENTS_MAX: usize = 10;

/// The state that an invited or knocking user is shown (C-S API, "Stripped state").
const STRIPPED_KINDS: [&str; 7] = [
    "m.room.create",
    "m.room.name",
    "m.room.avatar",
    "m.room.topic",
    "m.room.join_rules",
    "m.room.canonical_alias",
    "m.room.encryption",
];

/// What a draft became.
pub enum Staged {
    /// Index of the pending event.
    New(usize),
    Existing(OwnedEventId),
}

/// The state events that an event is judged by, in memory.
pub struct AuthState {
    by_pair: HashMap<(String, String), Arc<Event>>,
    pub nums: Vec<EventNum>,
}

impl AuthState {
    /// The event of a pair, when the event being judged depends on it.
    #[must_use]
    pub fn get(&self, kind: &str, state_key: &str) -> Option<Arc<Event>> {
        // The map is small, and a look-up by borrowed strings would need a copy of both.
        self.by_pair.iter().find(|((k, s), _)| k == kind && s == state_key).map(|(_, event)| event.clone())
    }

    fn by_id(&self, id: &EventId) -> Option<Arc<Event>> {
        self.by_pair.values().find(|event| event.id == id).cloned()
    }

    fn ids(&self) -> Vec<OwnedEventId> {
        let mut ids: Vec<_> = self.by_pair.values().map(|event| event.id.clone()).collect();
        ids.sort();
        ids
    }
}

/// Builds one event on the current end of the room, and judges it as a remote one would be.
///
/// # Errors
/// When the event cannot be built, the auth rules refuse it, or reading fails.
pub async fn stage_draft(context: &Context, working: &mut Working, local: LocalDraft) -> Result<Staged, RoomError> {
    check_target(working, &local)?;
    if let Some(existing) = find_same_state(context, working, &local.draft).await? {
        return Ok(Staged::Existing(existing));
    }
    super::relations::check_draft(context, working, &local.draft).await?;
    let auth = load_auth_state(context, working, &local.draft).await?;
    let placement = place(working, &auth);
    let hashes = load_reference_hashes(context, working, &auth).await?;
    let hash_of = |id: &EventId| hashes.get(id).cloned();
    let unsigned = build_event_citing(working.room.rules, local.draft, placement, &hash_of)?;
    stage_built(context, working, unsigned, &auth, local.transaction).await.map(Staged::New)
}

/// Judges a built event and notes what it changes. Also the way of a create event, which cites nothing.
///
/// # Errors
/// As `stage_draft`.
pub async fn stage_built(
    context: &Context,
    working: &mut Working,
    unsigned: UnsignedEvent,
    auth: &AuthState,
    transaction: Option<super::submission::Transaction>,
) -> Result<usize, RoomError> {
    let event = Arc::new(unsigned.event.clone());
    match judge(working, &event, auth) {
        Verdict::Accept => {}
        Verdict::SoftFail(rejection) | Verdict::Reject(rejection) => {
            return Err(RoomError::Refused(rejection));
        }
        Verdict::Need(missing) => return Err(RoomError::Missing(missing.into_iter().collect())),
    }
    let num = working.next_event_num();
    let before = working.room.head.state;
    let mut stored = StoredEvent::new(event.clone(), num, Outcome::Accepted, before, before);
    stored.transaction = transaction.as_ref().map(|transaction| (transaction.device.clone(), transaction.id.clone()));
    let mut links = Vec::new();
    if let Some((kind, state_key)) = event.state_pair() {
        let placed = super::resolution::place_in_chains(context, working, &auth.nums).await?;
        stored.chain = Some(placed.0);
        links = placed.1;
        let key = working.intern(kind, state_key);
        stored.after = working.set_state(key, num);
    }
    working.apply_extremity(&event, num);
    let unsigned = Some(unsigned);
    let index = working.push(Pending { stored, unsigned, transaction, is_new_here: true, is_news: true, links });
    if event.kind == "m.room.member" {
        let stripped = load_stripped_state(context, working, &event).await?;
        working.apply_membership(index, &event, num, stripped);
    }
    super::publish::apply_redactions(context, working, index).await?;
    super::relations::apply_relation(context, working, index).await?;
    Ok(index)
}

/// The state before a local event is the current one.
fn judge(working: &Working, event: &Event, auth: &AuthState) -> Verdict {
    let by_id = |id: &EventId| auth.by_id(id).map_or(AuthRef::Unknown, |event| AuthRef::Known(event, false));
    let by_pair = |kind: &str, state_key: &str| auth.get(kind, state_key);
    let room = RoomAtEvent { rules: working.room.rules, auth: &by_id, before: &by_pair, current: &by_pair };
    evaluate_cached(&Candidate { event, origin: Origin::Local }, &room, &working.room.auth_cache)
}

/// The state before a room's first event.
#[must_use]
pub fn no_auth_state() -> AuthState {
    AuthState { by_pair: HashMap::new(), nums: Vec::new() }
}

fn check_target(working: &Working, local: &LocalDraft) -> Result<(), RoomError> {
    let Some((allowed, otherwise)) = local.target else {
        return Ok(());
    };
    let user = local.draft.state_key.as_deref().and_then(|key| ruma::UserId::parse(key).ok());
    let membership = user.and_then(|user| working.room.membership(&user));
    if allowed.contains(&membership) { Ok(()) } else { Err(RoomError::Forbidden(otherwise.to_owned())) }
}

/// The event in force when a draft would set the same state again: nothing new is made then.
async fn find_same_state(
    context: &Context,
    working: &Working,
    draft: &EventDraft,
) -> Result<Option<OwnedEventId>, RoomError> {
    let Some(state_key) = draft.state_key.as_deref() else {
        return Ok(None);
    };
    let Some((_, event)) = working.state_event(&context.reader, &draft.kind, state_key).await? else {
        return Ok(None);
    };
    let parse = |json: &str| serde_json::from_str::<serde_json::Value>(json).ok();
    let same = event.sender == draft.sender && parse(event.content.get()) == parse(draft.content.get());
    Ok(same.then(|| event.id.clone()))
}

async fn load_auth_state(context: &Context, working: &Working, draft: &EventDraft) -> Result<AuthState, RoomError> {
    let pairs = auth_pairs(working.room.rules, &draft.sender, &draft.kind, draft.state_key.as_deref(), &draft.content)?;
    let mut auth = no_auth_state();
    // The create event is what all else is judged by, also where a version does not cite it.
    let create = ("m.room.create".to_owned(), String::new());
    let cited = pairs.contains(&create);
    for pair in pairs.iter().chain((!cited).then_some(&create)) {
        if let Some((num, event)) = working.state_event(&context.reader, &pair.0, &pair.1).await? {
            if *pair != create || cited {
                auth.nums.push(num);
            }
            auth.by_pair.insert(pair.clone(), event);
        }
    }
    Ok(auth)
}

fn place(working: &Working, auth: &AuthState) -> Placement {
    let mut ends = working.room.head.extremities.clone();
    ends.sort_by(|a, b| b.depth.cmp(&a.depth).then_with(|| a.event_id.cmp(&b.event_id)));
    ends.truncate(PREV_EVENTS_MAX);
    let depth = ends.first().map_or(0, |end| end.depth).saturating_add(1).min(working.room.rules.depth_max);
    let implied = working.room.rules.room_id_is_create_hash;
    let auth_events = auth.ids().into_iter().filter(|id| !implied || !is_create(auth, id)).collect();
    Placement {
        room_id: Some(working.room.room_id.clone()),
        prev_events: ends.iter().filter_map(|end| EventId::parse(end.event_id.as_str()).ok()).collect(),
        auth_events,
        depth,
    }
}

/// What room versions 1 and 2 write beside the ids of cited events.
async fn load_reference_hashes(
    context: &Context,
    working: &Working,
    auth: &AuthState,
) -> Result<HashMap<OwnedEventId, String>, RoomError> {
    let mut hashes = HashMap::new();
    if !working.room.rules.references_with_hashes {
        return Ok(hashes);
    }
    let mut cited: Vec<Arc<Event>> = auth.by_pair.values().cloned().collect();
    for end in &working.room.head.extremities {
        cited.push(working.event(&context.reader, end.num).await?);
    }
    for event in cited {
        if let Some(hash) = reference_hash(working.room.rules, &event) {
            hashes.insert(event.id.clone(), hash);
        }
    }
    Ok(hashes)
}

fn is_create(auth: &AuthState, id: &EventId) -> bool {
    auth.by_id(id).is_some_and(|event| event.kind == "m.room.create")
}

/// What a local user who is invited, or who knocks, may see of the room.
pub async fn load_stripped_state(
    context: &Context,
    working: &Working,
    member: &Event,
) -> Result<Vec<String>, RoomError> {
    use hearth_storage::schema::users::Membership;
    let shown = matches!(super::working::membership_of(member), Some(Membership::Invite | Membership::Knock));
    let target = member.state_key.as_deref().unwrap_or_default();
    if !shown || !target.ends_with(&format!(":{}", context.env.server_name)) {
        return Ok(Vec::new());
    }
    let mut stripped = Vec::new();
    for kind in STRIPPED_KINDS {
        if let Some((_, event)) = working.state_event(&context.reader, kind, "").await? {
            stripped.push(stripped_state(&event).get().to_owned());
        }
    }
    if member.sender.as_str() != target
        && let Some((_, inviter)) =
            working.state_event(&context.reader, "m.room.member", member.sender.as_str()).await?
    {
        stripped.push(stripped_state(&inviter).get().to_owned());
    }
    stripped.push(stripped_state(member).get().to_owned());
    Ok(stripped)
}
