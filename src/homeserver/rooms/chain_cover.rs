//! The chain cover of a room's auth graph: each state event has a place (chain, sequence), and reaches all earlier
//! ones of its chain, so that a difference of auth chains is arithmetic on small integers. Pure.

use std::collections::{BTreeMap, HashMap};

use hearth_protocol::EventNum;
use hearth_storage::schema::rooms::ChainPlace;

/// Per chain, the furthest sequence that is reached.
pub type Reach = HashMap<u32, u32>;

/// The chains of a room, as far as they were read.
#[derive(Default)]
pub struct ChainIndex {
    chains: HashMap<u32, BTreeMap<u32, (EventNum, Vec<ChainPlace>)>>,
}

impl ChainIndex {
    /// Takes an event in.
    pub fn add(&mut self, place: ChainPlace, num: EventNum, links: Vec<ChainPlace>) {
        self.chains.entry(place.chain).or_default().insert(place.sequence, (num, links));
    }

    /// What the given places reach, themselves included.
    #[must_use]
    pub fn reach(&self, from: impl IntoIterator<Item = ChainPlace>) -> Reach {
        let mut reach = Reach::new();
        let mut open: Vec<ChainPlace> = from.into_iter().collect();
        while let Some(place) = open.pop() {
            let known = reach.get(&place.chain).copied().unwrap_or(0);
            if known >= place.sequence {
                continue;
            }
            reach.insert(place.chain, place.sequence);
            let Some(chain) = self.chains.get(&place.chain) else {
                continue;
            };
            // Links that leave the chain below `known` were followed already.
            for (_, links) in chain.range(known + 1..=place.sequence).map(|(_, event)| event) {
                open.extend(links.iter().copied());
            }
        }
        reach
    }

    /// For each of several reaches, its events that not all of the others reach too.
    #[must_use]
    pub fn differences(&self, reaches: &[Reach]) -> Vec<Vec<EventNum>> {
        let Some(first) = reaches.first() else {
            return Vec::new();
        };
        let mut common = first.clone();
        for other in &reaches[1..] {
            common.retain(|chain, sequence| match other.get(chain) {
                Some(theirs) => {
                    *sequence = (*sequence).min(*theirs);
                    true
                }
                None => false,
            });
        }
        let beyond = |reach: &Reach| {
            let mut nums = Vec::new();
            for (chain, sequence) in reach {
                let from = common.get(chain).copied().unwrap_or(0) + 1;
                let Some(events) = self.chains.get(chain).filter(|_| from <= *sequence) else {
                    continue;
                };
                nums.extend(events.range(from..=*sequence).map(|(_, (num, _))| *num));
            }
            nums.sort_unstable();
            nums
        };
        reaches.iter().map(beyond).collect()
    }
}

/// The place of a new event, and the links that leave its chain there.
///
/// It continues the chain of the first of its auth events that nothing follows yet, and starts a new chain otherwise.
pub fn place_event(
    auth: &[ChainPlace],
    is_followed: impl Fn(ChainPlace) -> bool,
    next_chain: &mut u32,
) -> (ChainPlace, Vec<ChainPlace>) {
    let place = match auth.iter().find(|place| !is_followed(**place)) {
        Some(place) => ChainPlace { chain: place.chain, sequence: place.sequence + 1 },
        None => {
            *next_chain += 1;
            ChainPlace { chain: *next_chain, sequence: 1 }
        }
    };
    let links = auth.iter().copied().filter(|target| target.chain != place.chain).collect();
    (place, links)
}

#[cfg(test)]
#[path = "chain_cover_tests.rs"]
mod tests;
