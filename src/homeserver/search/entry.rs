//! What of an event is found: the text of a message as it was edited last, a room's name, a topic.

use hearth_protocol::{Event, EventNum, relation_of};
use hearth_storage::StorageError;
use serde::Deserialize;

use super::query::Field;
use crate::rooms::RoomView;
use crate::words::{TextWords, index_words};

/// What is found of an event.
pub struct Entry {
    pub field: Field,
    /// The event's own time, in milliseconds since 1970.
    pub at_ms: u64,
    pub words: TextWords,
}

/// What is found of an event as it stands now; none for what has no text, is redacted, is an edit of another event, or
/// stands in an encrypted room.
pub async fn load_entry(view: &RoomView, num: EventNum) -> Result<Option<Entry>, StorageError> {
    let Some(stored) = view.events(&[num]).await?.pop() else { return Ok(None) };
    let event = &stored.event;
    let Some(field) = Field::of(event) else { return Ok(None) };
    if !stored.is_shown() || stored.redacted_by.is_some() || edited_by(event).is_some() {
        return Ok(None);
    }
    if view.num_at(stored.before, "m.room.encryption", "").await?.is_some() {
        return Ok(None);
    }
    // The text that the newest valid edit put in the place of the original's (C-S API, "Event replacements").
    let edits = if field == Field::Body { view.list_edits(&stored).await? } else { Vec::new() };
    let text =
        edits.first().and_then(|edit| new_text_of(&edit.event)).or_else(|| text_of(event, field)).unwrap_or_default();
    let words = index_words(&text);
    Ok((!words.words.is_empty()).then_some(Entry { field, at_ms: event.origin_server_ts, words }))
}

/// The event that an event is an edit of, as it says itself.
pub fn edited_by(event: &Event) -> Option<ruma::OwnedEventId> {
    if event.kind != Field::Body.kind() || event.is_state() {
        return None;
    }
    relation_of(event).filter(|relation| relation.rel_type == "m.replace").map(|relation| relation.target)
}

fn text_of(event: &Event, field: Field) -> Option<String> {
    #[derive(Deserialize)]
    struct Content {
        body: Option<String>,
        name: Option<String>,
        topic: Option<String>,
    }
    let content: Content = event.content_as().ok()?;
    match field {
        Field::Body => content.body,
        Field::Name => content.name,
        Field::Topic => content.topic,
    }
}

fn new_text_of(edit: &Event) -> Option<String> {
    #[derive(Deserialize)]
    struct Content {
        #[serde(rename = "m.new_content")]
        new_content: NewContent,
    }
    #[derive(Deserialize)]
    struct NewContent {
        body: String,
    }
    edit.content_as::<Content>().ok().map(|content| content.new_content.body)
}
