//! State in memory: interned pairs of type and state key, and persistent maps from them to events.

use std::collections::HashMap;
use std::sync::Arc;

use hearth_protocol::{EventNum, StateKeyNum};
use imbl::OrdMap;
use parking_lot::RwLock;

/// A set of state: cheap to clone, and a change copies only a path.
pub type StateMap = OrdMap<StateKeyNum, EventNum>;

/// The pairs of a room. Only grows; a number never changes its meaning.
#[derive(Clone, Default, Debug)]
pub struct StateKeyTable(Arc<RwLock<Pairs>>);

#[derive(Default, Debug)]
struct Pairs {
    by_num: Vec<(Arc<str>, Arc<str>)>,
    by_kind: HashMap<Arc<str>, HashMap<Arc<str>, StateKeyNum>>,
}

impl StateKeyTable {
    /// The number of a pair that the room has used before.
    #[must_use]
    pub fn find(&self, kind: &str, state_key: &str) -> Option<StateKeyNum> {
        self.0.read().by_kind.get(kind)?.get(state_key).copied()
    }

    /// The pair of a number.
    #[must_use]
    pub fn pair(&self, num: StateKeyNum) -> Option<(Arc<str>, Arc<str>)> {
        self.0.read().by_num.get(num.0 as usize).cloned()
    }

    /// The numbers of all pairs of a type, in no order.
    #[must_use]
    pub fn list_of_kind(&self, kind: &str) -> Vec<(Arc<str>, StateKeyNum)> {
        let pairs = self.0.read();
        pairs
            .by_kind
            .get(kind)
            .map_or_else(Vec::new, |keys| keys.iter().map(|(key, num)| (key.clone(), *num)).collect())
    }

    /// How many pairs there are; also the next number.
    #[must_use]
    pub fn len(&self) -> u32 {
        u32::try_from(self.0.read().by_num.len()).unwrap_or(u32::MAX)
    }

    /// Whether the room has no state yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of a pair, a new one where there is none. True when it is new.
    pub fn intern(&self, kind: &str, state_key: &str) -> (StateKeyNum, bool) {
        if let Some(num) = self.find(kind, state_key) {
            return (num, false);
        }
        let mut pairs = self.0.write();
        let num = StateKeyNum(u32::try_from(pairs.by_num.len()).unwrap_or(u32::MAX));
        let kind = pairs.by_kind.get_key_value(kind).map_or_else(|| Arc::from(kind), |(known, _)| known.clone());
        let state_key: Arc<str> = Arc::from(state_key);
        pairs.by_num.push((kind.clone(), state_key.clone()));
        pairs.by_kind.entry(kind).or_default().insert(state_key, num);
        (num, true)
    }
}
