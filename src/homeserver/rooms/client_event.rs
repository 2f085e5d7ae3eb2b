//! Events as clients get them: the shared bytes of the event, and `unsigned` for one reader.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use hearth_protocol::{EventFields, EventNum, StateSetNum, UnixMs, write_string};
use hearth_storage::StorageError;
use hearth_storage::schema::users::Membership;
use ruma::{DeviceId, UserId};
use serde_json::{json, value::RawValue};

use super::bundle::{Bundle, BundleReader, ThreadBundle};
use super::stored_event::StoredEvent;
use super::view::RoomView;
use crate::users::IgnoredUsers;

/// In which form events are written out. In `/sync` the place of an event names its room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    WithRoomId,
    WithoutRoomId,
    /// The format of federation (C-S API, "Filtering": `event_format`), with `unsigned`.
    Federation,
}

/// For whom events are written out.
#[derive(Clone, Copy)]
pub struct Audience<'a> {
    pub user: &'a UserId,
    pub device: &'a DeviceId,
    /// The present, for `unsigned.age`.
    pub now: UnixMs,
    pub form: Form,
    /// The fields that are wanted; all without it.
    pub fields: Option<&'a EventFields>,
}

/// The room that is set aside for what follows the shared part of an event, in bytes: its `room_id` and `unsigned`.
const OWN_BYTES: usize = 160;

/// What the reader was in the room at the state that was asked of last: most events of a page have the same.
type Known = Option<(StateSetNum, Membership)>;

impl Audience<'_> {
    fn cut(&self, json: Box<RawValue>) -> Box<RawValue> {
        match self.fields {
            Some(fields) => fields.project(&json),
            None => json,
        }
    }
}

impl RoomView {
    /// An event as a client gets it (C-S API, "Room event format"). The caller has passed it through the gate.
    ///
    /// # Errors
    /// When reading what belongs into `unsigned` fails.
    pub async fn client_json(
        &self,
        stored: &StoredEvent,
        audience: Audience<'_>,
    ) -> Result<Box<RawValue>, StorageError> {
        self.client_json_after(stored, audience, &mut None).await
    }

    async fn client_json_after(
        &self,
        stored: &StoredEvent,
        audience: Audience<'_>,
        known: &mut Known,
    ) -> Result<Box<RawValue>, StorageError> {
        let mut json = Self::buffer_for(stored);
        self.write_own(stored, audience, known, &mut json).await?;
        json.push_str("}}");
        Ok(raw(json))
    }

    /// Several events of a timeline, each with what relates to it in `unsigned.m.relations` (C-S API, "Aggregations of
    /// child events").
    ///
    /// # Errors
    /// When reading fails.
    pub async fn list_bundled_json(
        &self,
        events: &[Arc<StoredEvent>],
        audience: Audience<'_>,
        ignored: &IgnoredUsers,
    ) -> Result<Vec<Box<RawValue>>, StorageError> {
        let bundles = self.list_bundles(events, audience.user, ignored).await?;
        self.list_json_with(events, &bundles, audience).await
    }

    /// The same as one JSON array, for long answers: each event is written to where it stays, and nothing of it is read again.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn write_bundled_json(
        &self,
        events: &[Arc<StoredEvent>],
        audience: Audience<'_>,
        ignored: &IgnoredUsers,
    ) -> Result<String, StorageError> {
        let bundles = self.list_bundles(events, audience.user, ignored).await?;
        if audience.fields.is_some() {
            let events = self.list_json_with(events, &bundles, audience).await?;
            let texts: Vec<&str> = events.iter().map(|event| event.get()).collect();
            return Ok(format!("[{}]", texts.join(",")));
        }
        let bytes: usize = events.iter().map(|stored| stored.client_head().len() + OWN_BYTES).sum();
        let (mut json, mut known) = (String::with_capacity(bytes + 2), None);
        json.push('[');
        for (n, stored) in events.iter().enumerate() {
            if n > 0 {
                json.push(',');
            }
            self.write_with(stored, &bundles, audience, &mut known, &mut json).await?;
        }
        json.push(']');
        Ok(json)
    }

    async fn list_bundles(
        &self,
        events: &[Arc<StoredEvent>],
        user: &UserId,
        ignored: &IgnoredUsers,
    ) -> Result<HashMap<EventNum, Bundle>, StorageError> {
        let totals = self.list_totals(events).await?;
        self.load_bundles(events, &totals, BundleReader { user, ignored }).await
    }

    /// Several events, with what is known to relate to them.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn list_json_with(
        &self,
        events: &[Arc<StoredEvent>],
        bundles: &HashMap<EventNum, Bundle>,
        audience: Audience<'_>,
    ) -> Result<Vec<Box<RawValue>>, StorageError> {
        let (mut all, mut known) = (Vec::with_capacity(events.len()), None);
        for stored in events {
            let mut json = Self::buffer_for(stored);
            self.write_with(stored, bundles, audience, &mut known, &mut json).await?;
            all.push(audience.cut(raw(json)));
        }
        Ok(all)
    }

    async fn write_with(
        &self,
        stored: &StoredEvent,
        bundles: &HashMap<EventNum, Bundle>,
        audience: Audience<'_>,
        known: &mut Known,
        json: &mut String,
    ) -> Result<(), StorageError> {
        self.write_own(stored, audience, known, json).await?;
        if let Some(bundle) = bundles.get(&stored.num) {
            self.write_bundle(bundle, audience, json).await?;
        }
        json.push_str("}}");
        Ok(())
    }

    async fn write_bundle(
        &self,
        bundle: &Bundle,
        audience: Audience<'_>,
        json: &mut String,
    ) -> Result<(), StorageError> {
        let mut parts = Vec::new();
        if let Some(edit) = &bundle.edit {
            parts.push(format!("\"m.replace\":{}", self.client_json(edit, audience).await?));
        }
        if let Some(ThreadBundle { latest, latest_edit, count, participated }) = &bundle.thread {
            let mut event = Self::buffer_for(latest);
            self.write_own(latest, audience, &mut None, &mut event).await?;
            if let Some(edit) = latest_edit {
                let edit = self.client_json(edit, audience).await?;
                let _ = write!(event, ",\"m.relations\":{{\"m.replace\":{edit}}}");
            }
            parts.push(format!(
                "\"m.thread\":{{\"latest_event\":{event}}}}},\"count\":{count},\"current_user_participated\":{participated}}}"
            ));
        }
        if !bundle.references.is_empty() {
            let chunk: Vec<_> = bundle.references.iter().map(|id| json!({ "event_id": id }).to_string()).collect();
            parts.push(format!("\"m.reference\":{{\"chunk\":[{}]}}", chunk.join(",")));
        }
        let _ = write!(json, ",\"m.relations\":{{{}}}", parts.join(","));
        Ok(())
    }

    /// The event up to the end of its `unsigned`, which is left open.
    async fn write_own(
        &self,
        stored: &StoredEvent,
        audience: Audience<'_>,
        known: &mut Known,
        json: &mut String,
    ) -> Result<(), StorageError> {
        self.open_json(stored, audience.form, json);
        json.push_str(",\"unsigned\":{");
        let age = audience.now.0.saturating_sub(stored.event.origin_server_ts);
        let _ = write!(json, "\"age\":{age}");
        let membership = match *known {
            Some((set, membership)) if set == stored.after => membership,
            _ => self.membership_at(stored.after, audience.user).await?,
        };
        *known = Some((stored.after, membership));
        let _ = write!(json, ",\"membership\":\"{}\"", membership.as_str());
        if let Some((device, id)) = &stored.transaction
            && device == audience.device.as_str()
            && stored.event.sender == audience.user
        {
            json.push_str(",\"transaction_id\":");
            write_string(json, id);
        }
        self.write_replaced(stored, json).await?;
        self.write_redaction(stored, audience, json).await
    }

    /// Several events as a client gets them.
    ///
    /// # Errors
    /// As `client_json`.
    pub async fn list_client_json(
        &self,
        events: &[Arc<StoredEvent>],
        audience: Audience<'_>,
    ) -> Result<Vec<Box<RawValue>>, StorageError> {
        let (mut all, mut known) = (Vec::with_capacity(events.len()), None);
        for stored in events {
            all.push(audience.cut(self.client_json_after(stored, audience, &mut known).await?));
        }
        Ok(all)
    }

    fn buffer_for(stored: &StoredEvent) -> String {
        String::with_capacity(stored.client_head().len() + OWN_BYTES)
    }

    fn open_json(&self, stored: &StoredEvent, form: Form, json: &mut String) {
        if form == Form::Federation {
            let event = stored.event.json.get();
            json.push_str(event.strip_suffix('}').unwrap_or(event));
            return;
        }
        json.push_str(stored.client_head());
        if form == Form::WithRoomId {
            json.push_str(",\"room_id\":");
            write_string(json, self.room.room_id.as_str());
        }
    }

    /// What a state event replaced.
    async fn write_replaced(&self, stored: &StoredEvent, json: &mut String) -> Result<(), StorageError> {
        let Some((kind, state_key)) = stored.event.state_pair() else {
            return Ok(());
        };
        let Some(num) = self.num_at(stored.before, kind, state_key).await? else {
            return Ok(());
        };
        if let Some(old) = self.events(&[num]).await?.first() {
            let _ = write!(json, ",\"prev_content\":{},\"prev_sender\":", old.event.content.get());
            write_string(json, old.event.sender.as_str());
            json.push_str(",\"replaces_state\":");
            write_string(json, old.event.id.as_str());
        }
        Ok(())
    }

    async fn write_redaction(
        &self,
        stored: &StoredEvent,
        audience: Audience<'_>,
        json: &mut String,
    ) -> Result<(), StorageError> {
        let Some(num) = stored.redacted_by else {
            return Ok(());
        };
        if let Some(redaction) = self.events(&[num]).await?.first() {
            let age = audience.now.0.saturating_sub(redaction.event.origin_server_ts);
            json.push_str(",\"redacted_by\":");
            write_string(json, redaction.event.id.as_str());
            json.push_str(",\"redacted_because\":");
            self.open_json(redaction, audience.form, json);
            let _ = write!(json, ",\"unsigned\":{{\"age\":{age}}}}}");
        }
        Ok(())
    }
}

fn raw(json: String) -> Box<RawValue> {
    // Every part is JSON itself; were one not, an empty object is what a client can live with.
    RawValue::from_string(json).unwrap_or_else(|_| RawValue::from_string("{}".to_owned()).unwrap_or_default())
}
