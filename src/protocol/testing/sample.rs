//! One made-up event, to be filled in field by field.

use std::sync::Arc;

use ruma::{OwnedEventId, OwnedRoomId, RoomId, UserId};
use serde_json::{Value, json, value::to_raw_value};
use sha2::{Digest, Sha256};

use super::signer_of;
use crate::{Event, EventDraft, EventIdFormat, Placement, RoomRules, add_signature, build_event};

/// An event in the making. [`build`](Self::build) takes it as it is, malformed also, and neither hashes
/// nor signs it: its id is a digest of its fields, so that equal events have equal ids.
/// [`build_signed`](Self::build_signed) makes a true event.
#[derive(Debug, Clone)]
pub struct Sample {
    /// The type.
    pub kind: String,
    /// The sender.
    pub sender: String,
    /// The state key, in a state event.
    pub state_key: Option<String>,
    /// The content.
    pub content: Value,
    /// The previous events.
    pub prev_events: Vec<OwnedEventId>,
    /// The auth events.
    pub auth_events: Vec<OwnedEventId>,
    /// The event to redact.
    pub redacts: Option<OwnedEventId>,
    /// In milliseconds.
    pub origin_server_ts: u64,
    /// The depth.
    pub depth: u64,
    /// The id, when it is not to be made from the fields.
    pub id: Option<OwnedEventId>,
}

impl Sample {
    /// A message event.
    pub fn message(kind: &str, sender: &str, content: Value) -> Self {
        Self {
            kind: kind.to_owned(),
            sender: sender.to_owned(),
            state_key: None,
            content,
            prev_events: Vec::new(),
            auth_events: Vec::new(),
            redacts: None,
            origin_server_ts: 1_000,
            depth: 10,
            id: None,
        }
    }

    /// A state event.
    pub fn state(kind: &str, sender: &str, state_key: &str, content: Value) -> Self {
        Self { state_key: Some(state_key.to_owned()), ..Self::message(kind, sender, content) }
    }

    /// A member event.
    pub fn member(sender: &str, target: &str, membership: &str) -> Self {
        Self::state("m.room.member", sender, target, json!({ "membership": membership }))
    }

    /// The create event of a room.
    pub fn create(rules: &RoomRules, sender: &str) -> Self {
        let mut content = json!({ "room_version": rules.version.as_str() });
        if !rules.ruma.authorization.use_room_create_sender {
            content["creator"] = json!(sender);
        }
        Self { depth: 1, ..Self::state("m.room.create", sender, "", content) }
    }

    /// The same with another value in the content.
    #[must_use]
    pub fn with(mut self, key: &str, value: Value) -> Self {
        self.content[key] = value;
        self
    }

    /// Makes the create event, and the id of its room.
    pub fn build_create(self, rules: &RoomRules) -> (Arc<Event>, OwnedRoomId) {
        let server = self.sender.split_once(':').map_or("a.org", |(_, server)| server).to_owned();
        let named = RoomId::parse(format!("!room:{server}")).expect("a room id");
        let mut event = self.build(rules, &named);
        if rules.room_id_is_create_hash {
            let id = event.id.as_str().replacen('$', "!", 1);
            let created = Arc::make_mut(&mut event);
            created.room_id = RoomId::parse(id).expect("a room id");
        }
        let room_id = event.room_id.clone();
        (event, room_id)
    }

    /// Makes the event.
    pub fn build(self, rules: &RoomRules, room_id: &RoomId) -> Arc<Event> {
        let mut fields = json!({
            "auth_events": self.auth_events,
            "content": self.content,
            "depth": self.depth,
            "origin_server_ts": self.origin_server_ts,
            "prev_events": self.prev_events,
            "sender": self.sender,
            "type": self.kind,
        });
        if !(rules.room_id_is_create_hash && self.kind == "m.room.create") {
            fields["room_id"] = json!(room_id);
        }
        if let Some(state_key) = &self.state_key {
            fields["state_key"] = json!(state_key);
        }
        if let Some(redacts) = &self.redacts {
            let place = if rules.redacts_in_content { &mut fields["content"] } else { &mut fields };
            place["redacts"] = json!(redacts);
        }
        let json = to_raw_value(&fields).expect("it is JSON");
        let id = self.id.unwrap_or_else(|| sample_id(rules, &self.sender, json.get()));
        Arc::new(Event::from_stored(rules, id, room_id, json).expect("it is an event"))
    }
}

impl Sample {
    /// Makes a true event: hashed, and signed by the sender's server and that of the user who
    /// authorises a restricted join. Without a room id it is the create event of version 12.
    ///
    /// # Panics
    ///
    /// When it is not of the room version's format.
    pub fn build_signed(self, rules: &RoomRules, room_id: Option<&RoomId>) -> Arc<Event> {
        let sender = UserId::parse(&self.sender).expect("a user id");
        let authoriser = self.content["join_authorised_via_users_server"].as_str();
        let authoriser = authoriser.and_then(|user| UserId::parse(user).ok());
        let draft = EventDraft {
            kind: self.kind,
            state_key: self.state_key,
            sender: sender.clone(),
            content: to_raw_value(&self.content).expect("JSON"),
            redacts: self.redacts,
            origin_server_ts: self.origin_server_ts,
        };
        let place = Placement {
            room_id: room_id.map(ToOwned::to_owned),
            prev_events: self.prev_events,
            auth_events: self.auth_events,
            depth: self.depth,
        };
        let unsigned = build_event(rules, draft, place).expect("an event");
        let mut event = unsigned.sign(&signer_of(sender.server_name()));
        if let Some(user) = authoriser.filter(|user| user.server_name() != sender.server_name()) {
            event = add_signature(rules, &event, &signer_of(user.server_name())).expect("signed");
        }
        Arc::new(event)
    }
}

fn sample_id(rules: &RoomRules, sender: &str, json: &str) -> OwnedEventId {
    let digest = Sha256::digest(json);
    let id = match rules.event_id_format {
        EventIdFormat::Opaque => {
            let server = sender.split_once(':').map_or("a.org", |(_, server)| server);
            format!("${}:{server}", base64_text(&digest[..12], false))
        }
        EventIdFormat::Base64 => format!("${}", base64_text(&digest, true)),
        EventIdFormat::UrlSafe => format!("${}", base64_text(&digest, false)),
    };
    OwnedEventId::try_from(id).expect("an event id")
}

fn base64_text(bytes: &[u8], standard: bool) -> String {
    use base64::{
        Engine,
        engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
    };
    if standard { STANDARD_NO_PAD.encode(bytes) } else { URL_SAFE_NO_PAD.encode(bytes) }
}
