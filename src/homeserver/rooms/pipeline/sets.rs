//! Numbered sets of state: a parent and the changes, at most [`DISTANCE_MAX`] deep, then a full set.

use hearth_protocol::{EventNum, StateKeyNum, StateSetNum};
use hearth_storage::schema::rooms::StateSetRow;

use super::working::Working;
use crate::rooms::state_map::StateMap;

/// How many parents a reader follows at the most.
const DISTANCE_MAX: u8 = 64;

/// One change of a set: what a key is set to; none removes it.
pub type Change = (StateKeyNum, Option<EventNum>);

/// What turns `from` into `to`.
#[must_use]
pub fn list_changes(from: &StateMap, to: &StateMap) -> Vec<Change> {
    use imbl::ordmap::DiffItem;
    from.diff(to)
        .map(|item| match item {
            DiffItem::Add(key, num) | DiffItem::Update { new: (key, num), .. } => (*key, Some(*num)),
            DiffItem::Remove(key, _) => (*key, None),
        })
        .collect()
}

impl Working {
    /// The set that differs from the current one by one event; becomes the current one.
    pub fn set_state(&mut self, key: StateKeyNum, num: EventNum) -> StateSetNum {
        let mut map = self.room.state.clone();
        map.insert(key, num);
        self.replace_state(map)
    }

    /// Makes a map the current state, as a new set where it differs.
    pub fn replace_state(&mut self, map: StateMap) -> StateSetNum {
        let base = (self.room.head.state, self.room.head.state_distance);
        let old = self.room.state.clone();
        if old == map {
            return base.0;
        }
        let (set, distance) = self.add_set(Some((base.0, base.1, &old)), &map);
        self.room.head.state = set;
        self.room.head.state_distance = distance;
        self.room.state = map;
        set
    }

    /// Notes a new set for the commit: as changes to `base` where that is near enough, else in full.
    pub fn add_set(&mut self, base: Option<(StateSetNum, u8, &StateMap)>, map: &StateMap) -> (StateSetNum, u8) {
        let num = StateSetNum(self.room.head.next.state_set);
        self.room.head.next.state_set += 1;
        let near = base
            .filter(|(_, distance, _)| *distance < DISTANCE_MAX)
            .map(|(base, distance, old)| (base, distance, list_changes(old, map)));
        let row = match near {
            Some((base, distance, changes)) if changes.len() <= map.len() => {
                StateSetRow { parent: Some(base), distance: distance + 1, changes }
            }
            _ => StateSetRow {
                parent: None,
                distance: 0,
                changes: map.iter().map(|(key, num)| (*key, Some(*num))).collect(),
            },
        };
        let distance = row.distance;
        self.sets.push((num, row));
        (num, distance)
    }
}
