//! An event from another server: from bytes to an event that may be judged.
//!
//! Spec: server-server API, "Checks performed on receipt of a PDU", steps 1 to 3: format, signatures, hashes.
//! What fails the first two is dropped; a wrong content hash means a redacted copy. Nothing here looks at
//! the room.

use std::collections::BTreeMap;

use ruma::{OwnedEventId, OwnedRoomId, OwnedServerName, OwnedUserId, RoomId, ServerName, UserId};
use serde_json::value::RawValue;

use crate::event::{BadEvent, Event, redacts_of};
use crate::event_sizes::{check_counts, check_depth_limit, check_event_size, check_field_size};
use crate::hash::{content_hash, event_id_of, is_hash, room_id_of_create, sha256};
use crate::json::{BadJson, EVENT_JSON_DEPTH_MAX};
use crate::json_canonical::{write_object, write_value};
use crate::json_parse::{Json, Object, parse, parse_object};
use crate::redaction::{redact, write_redacted};
use crate::signature::{ALGORITHM, BadSignature, PublicKeys, Signer, check_server, insert_signature, signatures_of};
use crate::version::{EventIdFormat, RoomRules};

/// The most bytes in which another server may write an event: more than the limit of the canonical form,
/// since `unsigned`, space and escapes are not counted there.
pub const PDU_BYTES_MAX: usize = 1 << 20;

/// An event of another server whose format holds, and whose signatures are still to be checked.
#[derive(Clone, Debug)]
pub struct ParsedPdu {
    /// The event as it was sent, without `unsigned`.
    pub event: Event,
    /// What signatures cover.
    signing_text: String,
    /// Whether the content hash fits.
    intact: bool,
    /// The signatures of the servers that must have signed, by key id.
    required: BTreeMap<OwnedServerName, Vec<(String, String)>>,
}

/// An event whose signatures hold.
#[derive(Clone, Debug)]
pub enum Checked {
    /// As its sender's server made it.
    Intact(Event),
    /// With another content than its hash says: the redacted copy, the only part that is signed.
    Redacted(Event),
}

impl Checked {
    /// The event to go on with.
    pub fn into_event(self) -> Event {
        match self {
            Self::Intact(event) | Self::Redacted(event) => event,
        }
    }
}

impl ParsedPdu {
    /// The servers that must have signed, each with the ids of the keys it did sign with: what to fetch
    /// before [`check_hashes_and_signatures`].
    pub fn required_keys(&self) -> impl Iterator<Item = (&ServerName, Vec<&str>)> {
        self.required.iter().map(|(server, signatures)| {
            let key_ids = signatures.iter().map(|(key_id, _)| key_id.as_str());
            (&**server, key_ids.filter(|key_id| key_id.starts_with(ALGORITHM)).collect())
        })
    }
}

/// Reads an event of another server, and computes its id.
///
/// With a `room_id_hint`, an event of another room is refused.
///
/// # Errors
/// [`BadEvent`]: the event is to be dropped.
pub fn parse_pdu(rules: &RoomRules, room_id_hint: Option<&RoomId>, json: &RawValue) -> Result<ParsedPdu, BadEvent> {
    let text = json.get();
    if text.len() > PDU_BYTES_MAX {
        return Err(BadEvent::TooLarge { what: "event", size: text.len(), max: PDU_BYTES_MAX });
    }
    let mut value = parse(text, EVENT_JSON_DEPTH_MAX)?;
    if let Json::Object(object) = &mut value {
        object.remove("unsigned");
    }
    value.settle_numbers(rules.strict_json)?;
    let Json::Object(object) = value else {
        return Err(BadJson::Shape("an event is an object".to_owned()).into());
    };
    let mut signing_text = String::with_capacity(1024);
    write_redacted(&mut signing_text, rules, &object, false);
    let event = read_event(rules, &object, &signing_text)?;
    if let Some(expected) = room_id_hint.filter(|expected| **expected != *event.room_id) {
        let (expected, found) = (expected.to_owned(), event.room_id);
        return Err(BadEvent::WrongRoom { expected, found });
    }
    let hashes = require(&object, "hashes", Json::as_object)?;
    let hash = require(hashes, "sha256", Json::as_str)?;
    let intact = is_hash(hash, &content_hash(&object));
    require(&object, "signatures", Json::as_object)?;
    let required = required_signatures(rules, &event, &object);
    Ok(ParsedPdu { event, signing_text, intact, required })
}

fn require<'a, 'j, T>(
    object: &'a Object<'j>,
    key: &'static str,
    read: impl Fn(&'a Json<'j>) -> Option<T>,
) -> Result<T, BadEvent> {
    let value = object.get(key).ok_or(BadEvent::MissingField(key))?;
    read(value).ok_or(BadEvent::InvalidField(key))
}

/// A required text, at most as long as the room version allows.
fn require_text<'a>(rules: &RoomRules, object: &'a Object<'_>, key: &'static str) -> Result<&'a str, BadEvent> {
    let text = require(object, key, Json::as_str)?;
    check_field_size(rules, key, text)?;
    Ok(text)
}

fn read_event(rules: &RoomRules, object: &Object<'_>, signing_text: &str) -> Result<Event, BadEvent> {
    let kind = require_text(rules, object, "type")?;
    let sender = require_text(rules, object, "sender")?;
    let state_key = match object.get("state_key") {
        Some(_) => Some(require_text(rules, object, "state_key")?),
        None => None,
    };
    let id = match rules.event_id_format {
        EventIdFormat::Opaque => {
            require_text(rules, object, "event_id")?.try_into().map_err(|_| BadEvent::InvalidField("event_id"))?
        }
        _ => event_id_of(rules, &sha256(signing_text))?,
    };
    let is_create = kind == "m.room.create" && state_key == Some("");
    let room_id = read_room_id(rules, object, is_create.then_some(&id))?;
    let prev_events = read_references(rules, object, "prev_events")?;
    let auth_events = read_references(rules, object, "auth_events")?;
    check_counts(&prev_events, &auth_events)?;
    let depth = require(object, "depth", Json::as_u64)?;
    check_depth_limit(rules, depth)?;
    require(object, "content", Json::as_object)?;
    let content = object.get("content").map(to_raw).transpose()?;
    let content = content.ok_or(BadEvent::MissingField("content"))?;
    let mut json = String::with_capacity(2048);
    write_object(&mut json, object, |_| true);
    check_event_size(json.len())?;
    let redacts = object.get("redacts").map(to_raw).transpose()?;
    Ok(Event {
        redacts: redacts_of(rules, kind, &content, redacts.as_deref()),
        id,
        room_id,
        sender: OwnedUserId::try_from(sender).map_err(|_| BadEvent::InvalidField("sender"))?,
        kind: kind.to_owned(),
        state_key: state_key.map(str::to_owned),
        content,
        origin_server_ts: require(object, "origin_server_ts", Json::as_u64)?,
        depth,
        prev_events,
        auth_events,
        json: RawValue::from_string(json).map_err(|_| BadEvent::InvalidField("event"))?,
    })
}

fn to_raw(value: &Json<'_>) -> Result<Box<RawValue>, BadEvent> {
    let mut text = String::with_capacity(512);
    write_value(&mut text, value);
    RawValue::from_string(text).map_err(|error| BadJson::Syntax(error.to_string()).into())
}

/// The room's id; of the create event in version 12, it comes from the event's own id.
fn read_room_id(
    rules: &RoomRules,
    object: &Object<'_>,
    create: Option<&OwnedEventId>,
) -> Result<OwnedRoomId, BadEvent> {
    if rules.room_id_is_create_hash
        && let Some(create) = create
    {
        if object.get("room_id").is_some() {
            return Err(BadEvent::ForbiddenField("room_id"));
        }
        return room_id_of_create(create);
    }
    let room_id = require_text(rules, object, "room_id")?;
    OwnedRoomId::try_from(room_id).map_err(|_| BadEvent::InvalidField("room_id"))
}

/// The ids of `prev_events` or `auth_events`: plain, or (versions 1 and 2) each in a pair with hashes.
fn read_references(rules: &RoomRules, object: &Object<'_>, key: &'static str) -> Result<Vec<OwnedEventId>, BadEvent> {
    let read = |entry: &Json<'_>| {
        let id = match entry.as_array() {
            Some(pair) if rules.references_with_hashes => pair.first()?.as_str()?,
            None if !rules.references_with_hashes => entry.as_str()?,
            _ => return None,
        };
        OwnedEventId::try_from(id).ok()
    };
    let entries = require(object, key, Json::as_array)?;
    let ids: Option<Vec<_>> = entries.iter().map(read).collect();
    let ids = ids.ok_or(BadEvent::InvalidField(key))?;
    ids.iter().try_for_each(|id| check_field_size(rules, key, id.as_str()))?;
    Ok(ids)
}

/// Who must have signed: the sender's server (but for an invitation of a third party, which is proved
/// by a token), the event id's server in versions 1 and 2, and from version 8 the server that let a user join.
fn required_signatures(
    rules: &RoomRules,
    event: &Event,
    object: &Object<'_>,
) -> BTreeMap<OwnedServerName, Vec<(String, String)>> {
    let mut servers: Vec<OwnedServerName> = Vec::with_capacity(2);
    let content = object.get("content").and_then(Json::as_object);
    let member = content.filter(|_| event.kind == "m.room.member");
    let membership = member.and_then(|content| content.get("membership")?.as_str());
    let third_party = member.and_then(|content| content.get("third_party_invite")?.as_object());
    if membership != Some("invite") || third_party.is_none() {
        servers.push(event.origin().to_owned());
    }
    if rules.ruma.signatures.check_event_id_server {
        servers.extend(event.id.server_name().map(ToOwned::to_owned));
    }
    if rules.ruma.signatures.check_join_authorised_via_users_server && membership == Some("join") {
        let user = member.and_then(|content| content.get("join_authorised_via_users_server"));
        let user = user.and_then(|user| <&UserId>::try_from(user.as_str()?).ok());
        servers.extend(user.map(|user| user.server_name().to_owned()));
    }
    let owned = |(key_id, signature): (&str, &str)| (key_id.to_owned(), signature.to_owned());
    let signed = servers.into_iter().map(|server| {
        let signatures = signatures_of(object, server.as_str()).map(owned).collect();
        (server, signatures)
    });
    signed.collect()
}

/// Checks the signatures of an event by the keys given, then its content hash.
///
/// # Errors
/// [`BadSignature`]: the event is to be dropped, unless keys can still be fetched.
pub fn check_hashes_and_signatures(
    rules: &RoomRules,
    pdu: ParsedPdu,
    keys: &PublicKeys,
) -> Result<Checked, BadSignature> {
    let enforces_validity = rules.ruma.enforce_key_validity;
    let valid_at_ts = if enforces_validity { pdu.event.origin_server_ts } else { 0 };
    for (server, signatures) in &pdu.required {
        let signatures = signatures.iter().map(|(key_id, text)| (&**key_id, &**text));
        check_server(server, signatures, keys, pdu.signing_text.as_bytes(), valid_at_ts)?;
    }
    if pdu.intact {
        return Ok(Checked::Intact(pdu.event));
    }
    // Redacting could take away what excused a missing signature, and leave a forged plain invitation.
    let server = pdu.event.origin();
    if !pdu.required.contains_key(server) {
        return Err(BadSignature::Missing { server: server.to_owned() });
    }
    Ok(Checked::Redacted(redact(rules, &pdu.event)))
}

/// The event with our signature beside those it has: for a restricted join that we authorise, or for an
/// invitation of one of our users.
///
/// # Errors
/// [`BadEvent`] when the event's bytes do not read, or grow over the limit.
pub fn add_signature(rules: &RoomRules, event: &Event, signer: &Signer) -> Result<Event, BadEvent> {
    let mut object = parse_object(event.json.get(), EVENT_JSON_DEPTH_MAX)?;
    let mut signing_text = String::with_capacity(1024);
    write_redacted(&mut signing_text, rules, &object, false);
    let signature = signer.sign_base64(signing_text.as_bytes());
    insert_signature(&mut object, signer, signature);
    let json = to_raw(&Json::Object(object))?;
    check_event_size(json.get().len())?;
    Ok(Event { json, ..event.clone() })
}

#[cfg(test)]
#[path = "incoming_tests.rs"]
mod tests;
