//! Tests of state resolution: by hand, by properties, and against what a Synapse made of the same.

mod by_hand;
mod properties;
mod recorded;
