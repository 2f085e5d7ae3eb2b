//! Events as clients get them: the shared bytes of the event, and `unsigned` for one reader.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use hearth_protocol::{EventFields, EventNum, StateSetNum, UnixMs};
use hearth_storage::StorageError;
use hearth_storage::schema::users::Membership;
use ruma::{DeviceId, UserId};
use serde_json::value::RawValue;

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
        let mut json = self.write_own(stored, audience, known).await?;
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
        let totals = self.list_totals(events).await?;
        let reader = BundleReader { user: audience.user, ignored };
        let bundles = self.load_bundles(events, &totals, reader).await?;
        self.list_json_with(events, &bundles, audience).await
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
            let mut json = self.write_own(stored, audience, &mut known).await?;
            if let Some(bundle) = bundles.get(&stored.num) {
                self.write_bundle(bundle, audience, &mut json).await?;
            }
            json.push_str("}}");
            all.push(audience.cut(raw(json)));
        }
        Ok(all)
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
            let mut event = self.write_own(latest, audience, &mut None).await?;
            if let Some(edit) = latest_edit {
                let edit = self.client_json(edit, audience).await?;
                let _ = write!(event, ",\"m.relations\":{{\"m.replace\":{edit}}}");
            }
            parts.push(format!(
                "\"m.thread\":{{\"latest_event\":{event}}}}},\"count\":{count},\"current_user_participated\":{participated}}}"
            ));
        }
        if !bundle.references.is_empty() {
            let chunk: Vec<_> =
                bundle.references.iter().map(|id| format!("{{\"event_id\":{}}}", quoted(id.as_str()))).collect();
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
    ) -> Result<String, StorageError> {
        let mut json = self.open_json(stored, audience.form);
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
            json.push_str(&quoted(id));
        }
        self.write_replaced(stored, &mut json).await?;
        self.write_redaction(stored, audience, &mut json).await?;
        Ok(json)
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

    fn open_json(&self, stored: &StoredEvent, form: Form) -> String {
        if form == Form::Federation {
            let json = stored.event.json.get();
            return json.strip_suffix('}').unwrap_or(json).to_owned();
        }
        let head = stored.client_head();
        let mut json = String::with_capacity(head.len() + 256);
        json.push_str(head);
        if form == Form::WithRoomId {
            json.push_str(",\"room_id\":");
            json.push_str(&quoted(self.room.room_id.as_str()));
        }
        json
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
            let _ = write!(
                json,
                ",\"prev_content\":{},\"prev_sender\":{},\"replaces_state\":{}",
                old.event.content.get(),
                quoted(old.event.sender.as_str()),
                quoted(old.event.id.as_str())
            );
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
            let because = self.open_json(redaction, audience.form);
            let _ = write!(json, ",\"redacted_by\":{}", quoted(redaction.event.id.as_str()));
            let _ = write!(json, ",\"redacted_because\":{because},\"unsigned\":{{\"age\":{age}}}}}");
        }
        Ok(())
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn raw(json: String) -> Box<RawValue> {
    // Every part is JSON itself; were one not, an empty object is what a client can live with.
    RawValue::from_string(json).unwrap_or_else(|_| RawValue::from_string("{}".to_owned()).unwrap_or_default())
}
