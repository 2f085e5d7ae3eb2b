//! Chance with a seed.

use crate::clock::{Rng, SeededRng};

/// A generator of small choices; the same seed always gives the same.
pub struct Dice(SeededRng);

impl Dice {
    /// Starts from a seed.
    pub fn new(seed: u64) -> Self {
        Self(SeededRng::new(seed))
    }

    /// A number below `sides`; 0 when there are none.
    pub fn below(&mut self, sides: usize) -> usize {
        let mut word = [0; 8];
        self.0.fill(&mut word);
        let word = u64::from_le_bytes(word) >> 16;
        usize::try_from(word).unwrap_or(0).checked_rem(sides).unwrap_or(0)
    }

    /// True `percent` times in a hundred.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of the items. There must be one.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    /// Brings the items into a random order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}
