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
    /// The set that differs from the current one by one new event; becomes the current one. Costs the same however much
    /// state there is, but for the full set of every [`DISTANCE_MAX`]th.
    pub fn set_state(&mut self, key: StateKeyNum, num: EventNum) -> StateSetNum {
        let mut map = self.room.state.clone();
        map.insert(key, num);
        self.install_state(map, |_| vec![(key, Some(num))])
    }

    /// Makes a map the current state, as a new set where it differs.
    pub fn replace_state(&mut self, map: StateMap) -> StateSetNum {
        if self.room.state == map {
            return self.room.head.state;
        }
        let old = self.room.state.clone();
        self.install_state(map, |map| list_changes(&old, map))
    }

    fn install_state(&mut self, map: StateMap, changes: impl FnOnce(&StateMap) -> Vec<Change>) -> StateSetNum {
        let (base, distance) = (self.room.head.state, self.room.head.state_distance);
        let near = (distance < DISTANCE_MAX).then(|| (base, distance, changes(&map)));
        let (set, distance) = self.note_set(near, &map);
        self.room.head.state = set;
        self.room.head.state_distance = distance;
        self.room.state = map;
        set
    }

    /// Notes a new set for the commit: as changes to `base` where that is near enough, else in full.
    pub fn add_set(&mut self, base: Option<(StateSetNum, u8, &StateMap)>, map: &StateMap) -> (StateSetNum, u8) {
        let near = base
            .filter(|(_, distance, _)| *distance < DISTANCE_MAX)
            .map(|(base, distance, old)| (base, distance, list_changes(old, map)));
        self.note_set(near, map)
    }

    fn note_set(&mut self, near: Option<(StateSetNum, u8, Vec<Change>)>, map: &StateMap) -> (StateSetNum, u8) {
        let num = StateSetNum(self.room.head.next.state_set);
        self.room.head.next.state_set += 1;
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
