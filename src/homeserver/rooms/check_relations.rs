//! `hearth check` for the indexes of relations and times: they say what the events say.

use std::collections::{BTreeMap, BTreeSet};

use hearth_protocol::{EventKey, EventNum, relation_of};
use hearth_storage::StorageError;
use hearth_storage::schema::relations::{RelationTotal, RelationTotals, RelationsByHistory, Threads};
use hearth_storage::schema::rooms::{EventRow, EventTimes, Outcome};

use super::check::Check;
use super::reader::list_rows;
use super::stored_event::StoredEvent;

/// Target, depth, order, and number of an event that relates.
type Place = (EventKey, u64, i64, EventNum);

/// What the indexes have to say.
#[derive(Default)]
struct Expected {
    places: BTreeSet<Place>,
    totals: BTreeMap<EventKey, RelationTotal>,
    times: BTreeSet<(u64, i64, EventNum)>,
}

impl Expected {
    fn add(&mut self, stored: &StoredEvent) {
        let (event, order) = (&stored.event, stored.order);
        self.times.insert((event.origin_server_ts, order, stored.num));
        let Some(relation) = relation_of(event) else { return };
        let target = EventKey::of(&relation.target);
        self.places.insert((target, event.depth, order, stored.num));
        let total = self.totals.entry(target).or_default();
        match relation.rel_type.as_str() {
            "m.replace" => total.edits += 1,
            "m.reference" => total.references += 1,
            "m.thread" => {
                total.replies += 1;
                total.newest_reply = total.newest_reply.max(Some((event.depth, order)));
            }
            _ => total.others += 1,
        }
    }
}

impl Check<'_> {
    /// Relations, their totals, threads and times are those of the events that are shown.
    pub(super) async fn check_relations(&mut self, events: &BTreeMap<EventNum, EventRow>) -> Result<(), StorageError> {
        let mut expected = Expected::default();
        for (num, row) in events.iter().filter(|(_, row)| row.outcome == Outcome::Accepted) {
            match StoredEvent::from_row(self.room.rules, &self.room.room_id, *num, row.clone()) {
                Ok(stored) => expected.add(&stored),
                Err(error) => self.find(error.to_string()),
            }
        }
        let (key, store) = (self.room.key, self.reader.store());
        let rows = list_rows::<RelationsByHistory, _>(store, &key).await?;
        let places = rows.into_iter().map(|((_, target, depth, order), row)| (target, depth, order, row.num));
        if places.collect::<BTreeSet<_>>() != expected.places {
            self.find("the index of relations is not that of the events".to_owned());
        }
        let totals = list_rows::<RelationTotals, _>(store, &key).await?;
        let totals = totals.into_iter().filter(|(_, total)| *total != RelationTotal::default());
        if totals.map(|((_, target), total)| (target, total)).collect::<BTreeMap<_, _>>() != expected.totals {
            self.find("the totals of relations are not those of the events".to_owned());
        }
        let threads = list_rows::<Threads, _>(store, &key).await?;
        let threads: BTreeSet<_> =
            threads.into_iter().map(|((_, depth, order), row)| (row.root, (depth, order))).collect();
        let newest = |(target, total): (&EventKey, &RelationTotal)| Some((*target, total.newest_reply?));
        if threads != expected.totals.iter().filter_map(newest).collect() {
            self.find("the list of threads is not that of the events".to_owned());
        }
        let times = list_rows::<EventTimes, _>(store, &key).await?;
        let times: BTreeSet<_> = times.into_iter().map(|((_, at_ms, order), row)| (at_ms, order, row.num)).collect();
        if times != expected.times {
            self.find("the index of times is not that of the events".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "check_relations_tests.rs"]
mod tests;
