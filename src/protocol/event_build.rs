//! Building a new event: canonical bytes, hashes and id at once, the signature later.
//!
//! An id needs no signature, so that the room's queue hands out ids quickly and signing (the slow part)
//! happens outside of it, side by side. The bytes are written in order of their keys, so that
//! nothing is sorted or serialised twice.

use ruma::{EventId, OwnedEventId, RoomId};
use serde_json::value::RawValue;

use crate::event::{BadEvent, Event, EventDraft, Placement, redacts_of};
use crate::event_sizes::{check_counts, check_depth_limit, check_event_size, check_field_size};
use crate::hash::{base64_standard, base64_url_safe, event_id_of, room_id_of_create, sha256, sha256_of_two};
use crate::json::{BadJson, EVENT_JSON_DEPTH_MAX, SAFE_INTEGER_MAX};
use crate::json_canonical::{write_integer, write_object, write_string};
use crate::json_parse::{Json, Object, parse};
use crate::redaction::write_redacted_content;
use crate::signature::{KEY_ID_BYTES_MAX, Signer};
use crate::version::{EventIdFormat, RoomRules};

/// The bytes of a base64 ed25519 signature.
const SIGNATURE_BYTES: usize = 86;

/// Gives the reference hash, in base64, of an event that a new one cites; for versions 1 and 2 only.
pub type ReferenceHashes<'a> = &'a dyn Fn(&EventId) -> Option<String>;

/// An event that has its hashes and its id, and lacks only the signature of our server.
#[derive(Clone, Debug)]
pub struct UnsignedEvent {
    /// The event; its `json` is without `signatures`.
    pub event: Event,
    /// What the signature covers: the redacted event.
    signing_text: String,
    /// Where in `event.json` the signatures go.
    signatures_at: usize,
}

/// Builds the event of a draft at a place in its room. Nothing is left to fail at signing: the size limit
/// already counts the largest signature.
///
/// In versions 1 and 2 the hashes of the cited events are left out; [`build_event_citing`] puts them in.
///
/// # Errors
/// [`BadEvent`] for content that the room version forbids, for sizes, counts and depth over their limits,
/// and for ids that do not fit.
pub fn build_event(rules: &RoomRules, draft: EventDraft, place: Placement) -> Result<UnsignedEvent, BadEvent> {
    build_event_citing(rules, draft, place, &|_| None)
}

/// As [`build_event`], with the reference hashes that versions 1 and 2 put beside each cited id.
///
/// # Errors
/// As [`build_event`].
pub fn build_event_citing(
    rules: &RoomRules,
    draft: EventDraft,
    place: Placement,
    hashes: ReferenceHashes<'_>,
) -> Result<UnsignedEvent, BadEvent> {
    check_draft(rules, &draft, &place)?;
    let content = read_content(rules, &draft)?;
    let parts = Parts::write(rules, &draft, &place, &content, hashes);
    let own_id = opaque_id(rules, &draft, &parts)?;
    let hash = base64_standard(&parts.content_hash(own_id.as_ref()));

    let signing_text = parts.redacted(own_id.as_ref(), &hash);
    let id = match own_id {
        Some(id) => id,
        None => event_id_of(rules, &sha256(&signing_text))?,
    };
    let room_id = match place.room_id {
        Some(room_id) => room_id,
        None => room_id_of_create(&id)?,
    };
    let carries_id = rules.event_id_format == EventIdFormat::Opaque;
    let (json, signatures_at) = parts.full(carries_id.then_some(&id), &hash);
    check_event_size(json.len() + signature_allowance(&draft))?;
    let redacts = if rules.redacts_in_content { None } else { draft.redacts };
    let content = raw(parts.content)?;
    let event = Event {
        redacts: redacts.or_else(|| redacts_of(rules, &draft.kind, &content, None)),
        id,
        room_id,
        sender: draft.sender,
        kind: draft.kind,
        state_key: draft.state_key,
        content,
        origin_server_ts: draft.origin_server_ts,
        depth: place.depth,
        prev_events: place.prev_events,
        auth_events: place.auth_events,
        json: raw(json)?,
    };
    Ok(UnsignedEvent { event, signing_text, signatures_at })
}

impl UnsignedEvent {
    /// The event with the signature of our server: the 20 µs that building leaves out.
    #[must_use]
    pub fn sign(self, signer: &Signer) -> Event {
        let signature = signer.sign_base64(self.signing_text.as_bytes());
        let mut event = self.event;
        let mut json = String::from(Box::<str>::from(event.json.clone()));
        let mut member = String::with_capacity(256);
        member.push_str("\"signatures\":{");
        write_string(&mut member, signer.server_name().as_str());
        member.push_str(":{");
        write_string(&mut member, signer.key_id());
        member.push(':');
        write_string(&mut member, &signature);
        member.push_str("}},");
        json.insert_str(self.signatures_at, &member);
        if let Ok(signed) = RawValue::from_string(json) {
            event.json = signed;
        }
        event
    }
}

fn raw(json: String) -> Result<Box<RawValue>, BadEvent> {
    RawValue::from_string(json).map_err(|error| BadJson::Syntax(error.to_string()).into())
}

/// The most bytes that the signature of the sender's server adds.
fn signature_allowance(draft: &EventDraft) -> usize {
    let around = r#""signatures":{"":{"":""}},"#.len();
    around + draft.sender.server_name().as_str().len() + KEY_ID_BYTES_MAX + SIGNATURE_BYTES
}

fn check_draft(rules: &RoomRules, draft: &EventDraft, place: &Placement) -> Result<(), BadEvent> {
    check_field_size(rules, "type", &draft.kind)?;
    check_field_size(rules, "sender", draft.sender.as_str())?;
    check_field_size(rules, "state_key", draft.state_key.as_deref().unwrap_or_default())?;
    check_field_size(rules, "room_id", place.room_id.as_deref().map_or("", RoomId::as_str))?;
    check_counts(&place.prev_events, &place.auth_events)?;
    check_depth_limit(rules, place.depth)?;
    if draft.origin_server_ts > SAFE_INTEGER_MAX.unsigned_abs() {
        return Err(BadEvent::InvalidField("origin_server_ts"));
    }
    let is_create = draft.kind == "m.room.create" && draft.state_key.as_deref() == Some("");
    match (&place.room_id, rules.room_id_is_create_hash && is_create) {
        (Some(_), true) => Err(BadEvent::ForbiddenField("room_id")),
        (None, false) => Err(BadEvent::MissingField("room_id")),
        _ => Ok(()),
    }
}

/// The content as a tree, with what the draft redacts put where the version has it.
fn read_content<'a>(rules: &RoomRules, draft: &'a EventDraft) -> Result<Object<'a>, BadEvent> {
    let mut content = parse(draft.content.get(), EVENT_JSON_DEPTH_MAX - 1)?;
    content.settle_numbers(rules.strict_json)?;
    let Json::Object(mut content) = content else {
        return Err(BadEvent::InvalidField("content"));
    };
    if rules.redacts_in_content
        && let Some(target) = &draft.redacts
    {
        content.insert("redacts", Json::String(target.as_str().to_owned().into()));
    }
    Ok(content)
}

/// In versions 1 and 2 the sender's server chooses the id: here a hash of the rest of the event, so that
/// building needs no randomness and equal events are one.
fn opaque_id(rules: &RoomRules, draft: &EventDraft, parts: &Parts) -> Result<Option<OwnedEventId>, BadEvent> {
    if rules.event_id_format != EventIdFormat::Opaque {
        return Ok(None);
    }
    let hash = base64_url_safe(&parts.content_hash(None));
    let id = format!("${hash}:{}", draft.sender.server_name());
    check_field_size(rules, "event_id", &id)?;
    let id = OwnedEventId::try_from(id).map_err(|_| BadEvent::InvalidField("event_id"))?;
    Ok(Some(id))
}

/// An event's text in pieces, in the order of its keys. Between them go `event_id`, `hashes` and
/// `signatures`; a redacted event has another content and no `redacts`.
struct Parts {
    /// `{"auth_events":…`
    auth_events: String,
    content: String,
    redacted_content: String,
    /// `,"depth":…`
    depth: String,
    /// `,"origin_server_ts":…,"prev_events":…`
    middle: String,
    /// `,"redacts":…`, or empty.
    redacts: String,
    /// `,"room_id":…,"sender":…`
    sender: String,
    /// `,"state_key":…,"type":…}`; signatures go before it, after the comma.
    end: String,
}

impl Parts {
    fn write(
        rules: &RoomRules,
        draft: &EventDraft,
        place: &Placement,
        content: &Object<'_>,
        hashes: ReferenceHashes<'_>,
    ) -> Self {
        let mut auth_events = String::with_capacity(512);
        auth_events.push_str("{\"auth_events\":");
        write_references(&mut auth_events, rules, &place.auth_events, hashes);
        let mut text = String::with_capacity(draft.content.get().len() + 64);
        write_object(&mut text, content, |_| true);
        let mut redacted_content = String::new();
        write_redacted_content(&mut redacted_content, rules, &draft.kind, content);
        let mut depth = String::from(",\"depth\":");
        write_integer(&mut depth, place.depth);
        let mut middle = String::with_capacity(256);
        middle.push_str(",\"origin_server_ts\":");
        write_integer(&mut middle, draft.origin_server_ts);
        middle.push_str(",\"prev_events\":");
        write_references(&mut middle, rules, &place.prev_events, hashes);
        let mut redacts = String::new();
        if !rules.redacts_in_content {
            write_field(&mut redacts, "redacts", draft.redacts.as_deref().map(EventId::as_str));
        }
        let mut sender = String::with_capacity(128);
        write_field(&mut sender, "room_id", place.room_id.as_deref().map(RoomId::as_str));
        write_field(&mut sender, "sender", Some(draft.sender.as_str()));
        let mut end = String::with_capacity(128);
        write_field(&mut end, "state_key", draft.state_key.as_deref());
        write_field(&mut end, "type", Some(&draft.kind));
        end.push('}');
        Self { auth_events, content: text, redacted_content, depth, middle, redacts, sender, end }
    }

    /// The text before where `hashes` goes.
    fn before_hashes(&self, content: &str, id: Option<&OwnedEventId>) -> String {
        let mut text = String::with_capacity(self.auth_events.len() + content.len() + 256);
        text.push_str(&self.auth_events);
        text.push_str(",\"content\":");
        text.push_str(content);
        text.push_str(&self.depth);
        write_field(&mut text, "event_id", id.map(|id| id.as_str()));
        text
    }

    fn content_hash(&self, id: Option<&OwnedEventId>) -> [u8; 32] {
        let before = self.before_hashes(&self.content, id);
        let after = [&*self.middle, &self.redacts, &self.sender, &self.end].concat();
        sha256_of_two(&before, &after)
    }

    /// What the reference hash and the signature cover.
    fn redacted(&self, id: Option<&OwnedEventId>, hash: &str) -> String {
        let mut text = self.before_hashes(&self.redacted_content, id);
        write_hashes(&mut text, hash);
        text.extend([&*self.middle, &self.sender, &self.end]);
        text
    }

    /// The whole event without signatures, and where these go.
    fn full(&self, id: Option<&OwnedEventId>, hash: &str) -> (String, usize) {
        let mut text = self.before_hashes(&self.content, id);
        text.reserve(self.middle.len() + self.sender.len() + self.end.len() + 512);
        write_hashes(&mut text, hash);
        text.extend([&*self.middle, &self.redacts, &self.sender]);
        let signatures_at = text.len() + 1;
        text.push_str(&self.end);
        (text, signatures_at)
    }
}

/// `,"key":"value"`, or nothing.
fn write_field(out: &mut String, key: &str, value: Option<&str>) {
    if let Some(value) = value {
        out.push(',');
        write_string(out, key);
        out.push(':');
        write_string(out, value);
    }
}

fn write_hashes(out: &mut String, hash: &str) {
    out.push_str(",\"hashes\":{\"sha256\":\"");
    out.push_str(hash);
    out.push_str("\"}");
}

fn write_references(out: &mut String, rules: &RoomRules, ids: &[OwnedEventId], hashes: ReferenceHashes<'_>) {
    out.push('[');
    for (at, id) in ids.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        if !rules.references_with_hashes {
            write_string(out, id.as_str());
            continue;
        }
        out.push('[');
        write_string(out, id.as_str());
        out.push_str(",{");
        if let Some(hash) = hashes(id) {
            out.push_str("\"sha256\":");
            write_string(out, &hash);
        }
        out.push_str("}]");
    }
    out.push(']');
}

#[cfg(test)]
#[path = "event_build_tests.rs"]
mod tests;
