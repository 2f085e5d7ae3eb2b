//! What many measurements come to.

use std::time::Duration;

/// Durations that were measured.
#[derive(Default)]
pub struct Durations(Vec<Duration>);

impl Durations {
    /// Adds one.
    pub fn note(&mut self, duration: Duration) {
        self.0.push(duration);
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The one that `percent` of all do not exceed, in milliseconds; 0 of none.
    pub fn percentile_ms(&mut self, percent: usize) -> f64 {
        self.0.sort_unstable();
        let at = (self.0.len() * percent).div_ceil(100).saturating_sub(1);
        self.0.get(at).map_or(0.0, |duration| duration.as_secs_f64() * 1000.0)
    }

    /// Median, 99 of 100, and the longest, in words.
    pub fn summary(&mut self) -> String {
        let (p50, p99, max) = (self.percentile_ms(50), self.percentile_ms(99), self.percentile_ms(100));
        format!("p50 {p50:.1}, p99 {p99:.1}, max {max:.1} ms")
    }
}

/// The text between two others.
pub fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    Some(rest.split_once(after)?.0)
}
