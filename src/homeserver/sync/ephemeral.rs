//! Typing and receipts, written out for one reader.

use std::collections::BTreeMap;
use std::sync::Arc;

use hearth_protocol::{LanePos, RoomKey};
use hearth_storage::StorageError;
use hearth_storage::schema::receipts::ReceiptChange;
use ruma::{OwnedUserId, UserId};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::response::Piece;
use super::scope::Scope;
use crate::rooms::ReceiptKind;

/// Receipts of one room in one answer; older ones are left out.
const RECEIPTS_MAX: usize = 5_000;

#[derive(Serialize)]
struct EphemeralEvent<'a, C> {
    content: C,
    #[serde(rename = "type")]
    kind: &'a str,
}

/// Writes an event that only has a type and a content.
pub fn build_event(kind: &str, content: &impl Serialize) -> Piece {
    // Only maps with other keys than strings could fail, and none is ever given.
    to_raw_value(&EphemeralEvent { content, kind }).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// The receipts that were recorded in `(from, to]`.
///
/// # Errors
/// When reading fails.
pub async fn list_receipts(
    scope: &Scope<'_>,
    room: RoomKey,
    from: LanePos,
    to: LanePos,
) -> Result<Vec<Arc<ReceiptChange>>, StorageError> {
    let mut rows = scope.receipts.list_changed(room, from, to, RECEIPTS_MAX).await?;
    let me = scope.who.user_id.as_str();
    rows.retain(|row| row.kind != ReceiptKind::ReadPrivate as u8 || row.user_id == me);
    if !scope.personal.ignored.is_empty() {
        rows.retain(|row| !<&UserId>::try_from(row.user_id.as_str()).is_ok_and(|user| scope.personal.ignores(user)));
    }
    Ok(rows)
}

/// One event with all the receipts; none when there are none.
pub fn build_receipts(rows: &[Arc<ReceiptChange>]) -> Option<Piece> {
    #[derive(Serialize)]
    struct Details<'a> {
        ts: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        thread_id: Option<&'a str>,
    }
    let mut content: BTreeMap<&str, BTreeMap<&str, BTreeMap<&str, Details<'_>>>> = BTreeMap::new();
    for row in rows {
        let Some(kind) = ReceiptKind::from_number(row.kind) else { continue };
        let details =
            Details { ts: row.at_ms, thread_id: Some(row.thread.as_str()).filter(|thread| !thread.is_empty()) };
        let users = content.entry(&row.event_id).or_default().entry(kind.as_str()).or_default();
        // Of two receipts of a user for the same event the one without a thread says more (MSC4102).
        if details.thread_id.is_none() || !users.contains_key(row.user_id.as_str()) {
            users.insert(&row.user_id, details);
        }
    }
    (!content.is_empty()).then(|| build_event("m.receipt", &content))
}

/// Who is typing.
pub fn build_typing(users: &[OwnedUserId], is_ignored: impl Fn(&UserId) -> bool) -> Piece {
    #[derive(Serialize)]
    struct Content<'a> {
        user_ids: Vec<&'a OwnedUserId>,
    }
    build_event("m.typing", &Content { user_ids: users.iter().filter(|user| !is_ignored(user)).collect() })
}

#[cfg(test)]
#[path = "ephemeral_tests.rs"]
mod tests;
