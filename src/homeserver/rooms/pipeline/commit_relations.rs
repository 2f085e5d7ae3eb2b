//! The rows by which the relations of events are found, as part of the commit.

use std::collections::BTreeMap;

use hearth_protocol::{EventKey, RoomKey, UserKey, relation_of};
use hearth_storage::Txn;
use hearth_storage::schema::relations::{
    RelatedRow, RelationTotals, RelationsByHistory, RelationsBySender, RelationsByType, SentRelationRow, ThreadRow,
    Threads,
};
use hearth_storage::schema::rooms::Outcome;

use super::relations::Related;
use crate::rooms::stored_event::StoredEvent;

/// The rows of an accepted event's relation, unless it is redacted already.
pub fn write_relation(txn: &mut Txn, room: RoomKey, stored: &StoredEvent) {
    let event = &stored.event;
    let Some(relation) = relation_of(event).filter(|_| stored.redacted_by.is_none()) else { return };
    let target = EventKey::of(&relation.target);
    let row = RelatedRow {
        num: stored.num,
        kind: event.kind.clone(),
        rel_type: relation.rel_type.clone(),
        sender: event.sender.to_string(),
    };
    txn.put::<RelationsByHistory>(&(room, target, event.depth, stored.order), &row);
    txn.put::<RelationsByType>(&(room, target, relation.rel_type.clone(), event.depth, stored.order), &row);
    txn.put::<RelationsBySender>(
        &(room, target, UserKey::of(&event.sender), relation.rel_type, event.origin_server_ts, stored.num),
        &SentRelationRow { kind: event.kind.clone(), key: relation.key },
    );
}

/// Takes the rows of an event away that is redacted now.
pub fn delete_relation(txn: &mut Txn, room: RoomKey, stored: &StoredEvent) {
    let event = &stored.event;
    let Some(relation) = relation_of(event).filter(|_| stored.outcome == Outcome::Accepted) else { return };
    let target = EventKey::of(&relation.target);
    txn.delete::<RelationsByHistory>(&(room, target, event.depth, stored.order));
    txn.delete::<RelationsByType>(&(room, target, relation.rel_type.clone(), event.depth, stored.order));
    let sender = UserKey::of(&event.sender);
    txn.delete::<RelationsBySender>(&(room, target, sender, relation.rel_type, event.origin_server_ts, stored.num));
}

/// The totals of all targets, and the places of their threads.
pub fn write_totals(txn: &mut Txn, room: RoomKey, related: &BTreeMap<EventKey, Related>) {
    for (target, Related { before, now }) in related {
        if *before == Some(*now) {
            continue;
        }
        txn.put::<RelationTotals>(&(room, *target), now);
        let old = before.and_then(|before| before.newest_reply);
        if old == now.newest_reply {
            continue;
        }
        if let Some((depth, order)) = old {
            txn.delete::<Threads>(&(room, depth, order));
        }
        if let Some((depth, order)) = now.newest_reply {
            txn.put::<Threads>(&(room, depth, order), &ThreadRow { root: *target });
        }
    }
}
