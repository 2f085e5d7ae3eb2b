//! Figures of the parts of the homeserver: engine calls, positions, caches.

use hearth_homeserver::metrics::{Metered, Reading};
use hearth_homeserver::rooms::Rooms;
use hearth_protocol::Lane;
use hearth_storage::Store;

/// Reads what the parts count themselves.
pub struct HomeserverFigures {
    store: Store,
    rooms: Rooms,
}

impl HomeserverFigures {
    /// Figures of these parts.
    pub fn new(store: Store, rooms: &Rooms) -> Self {
        Self { store, rooms: rooms.clone() }
    }

    fn storage(&self, out: &mut Vec<Reading>) {
        let calls = self.store.counters();
        let help = "Calls of the database engine, by kind.";
        let kinds =
            [("get", calls.gets), ("multi_get", calls.multi_gets), ("scan", calls.scans), ("commit", calls.commits)];
        for (kind, count) in kinds {
            out.push(Reading::counter("hearth_storage_calls_total", help, count).with("kind", kind));
        }
        for (name, value) in self.store.engine_figures() {
            match name.strip_suffix("_bytes") {
                Some(part) => {
                    let reading = Reading::gauge("hearth_storage_bytes", "Memory that the engine holds.", value);
                    out.push(reading.with("part", part));
                }
                None => {
                    let help = "Synced writes of the engine; waiting commits share one.";
                    out.push(Reading::counter("hearth_storage_groups_total", help, value));
                }
            }
        }
        for lane in (0..self.store.lanes()).map(Lane) {
            let (head, mark) = (self.store.head(lane), self.store.applied_mark(lane));
            let behind = u64::from(head.n()).saturating_sub(u64::from(mark.n()));
            let behind = if head.epoch() == mark.epoch() { behind } else { 0 };
            let help = "Last position of a lane within its epoch.";
            let number = lane.0.to_string();
            out.push(Reading::gauge("hearth_lane_head", help, head.n().into()).with("lane", &number));
            let help = "Positions of a lane whose effects on other lanes are not applied yet.";
            out.push(Reading::gauge("hearth_lane_outbox_behind", help, behind).with("lane", &number));
        }
    }

    fn caches(&self, out: &mut Vec<Reading>) {
        for (cache, entries, bytes) in self.rooms.reader().cache_sizes() {
            let help = "Entries of a cache.";
            let reading = Reading::gauge("hearth_cache_entries", help, entries as u64);
            out.push(reading.with("cache", cache));
            let help = "Bytes of a cache.";
            out.push(Reading::gauge("hearth_cache_bytes", help, bytes).with("cache", cache));
        }
    }
}

impl Metered for HomeserverFigures {
    fn readings(&self, out: &mut Vec<Reading>) {
        self.storage(out);
        self.caches(out);
    }
}
